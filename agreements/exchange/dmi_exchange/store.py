"""The exchange's store: the law as it stands, the log, the lineage, and what the bus must still hear."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import Envelope, decode, encode
from dmi_agreements.contracts.law import (
    AgreementState,
    Dataset,
    LawEvent,
    Mandate,
    Participant,
    RulebookVersion,
    SubjectRequest,
    Usage,
)
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord, Quality
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.decision import EVERYONE
from dmi_exchange import resting
from dmi_exchange.catalogue.index import Catalogue, keep_quality
from dmi_exchange.counting import KIND, sum_up, usage_id
from dmi_exchange.entering import Entering
from dmi_exchange.logbook import deals, own
from dmi_exchange.logbook.entries import IDS_AT_ONCE, Entries, append, key
from dmi_exchange.model import ORGANISATION, PERSON
from dmi_exchange.mydata import done
from dmi_exchange.room import Room
from dmi_exchange.tables import (
    assertion,
    catalogue_entry,
    law,
    metadata,
    outgoing,
    positions,
)
from dmi_exchange.transactions.meter import Meter, Read
from dmi_infra import clock, outbox
from dmi_infra.bus.port import Message
from dmi_infra.errors import InputRefused
from dmi_infra.sql import (
    Positions,
    insert_new,
    load_positions,
    reading,
    save_positions,
    transaction,
)

__all__ = ["Store", "law_message", "metadata", "outgoing"]

T = TypeVar("T", Participant, Dataset, AgreementState, RulebookVersion, Mandate, SubjectRequest)
Kept = Participant | Dataset | AgreementState | RulebookVersion | Mandate | SubjectRequest

_TYPES: Mapping[type[Any], str] = {
    Participant: "participant",
    Dataset: "dataset",
    AgreementState: "agreement",
    RulebookVersion: "rulebook",
    Mandate: "mandate",
    SubjectRequest: "subject-request",
}
_LAW_TOPIC = BY_NAME["law"].topic or ""
_ONE = sa.select(law.c.body).where(law.c.id == sa.bindparam("wanted"), law.c.type == sa.bindparam("kind"))
"""Put together once: it is asked all the time."""

LARGEST = 1024 * 1024
"""Bytes of one object of the law: one that the bus could not carry would hold up all revocations behind it."""
SIGNED = LARGEST // 2
"""Bytes of what is proposed, or signed: what is noted beside it while it runs fits below ``LARGEST``."""
SIGNATURES = 16 * 1024
"""Bytes of these that a proposal leaves to those who sign later: they could mend nothing."""
OBJECTS_AT_ONCE = 500
ASSERTIONS_KEPT = 600_000_000
"""Microseconds after their expiry."""


def law_message(event: LawEvent) -> Message:
    """The message that tells the new state of one object of the law."""
    kind = event.__struct_config__.tag
    envelope = Envelope(
        id=str(uuid.uuid4()),
        source="urn:dmi:service:exchange",
        type=f"nl.dmi.{kind}.changed.v1",
        time=clock.to_text(clock.now()),
        subject=event.id,
    )
    return Message(event.id, encode(event), envelope)


def _row(item: Kept) -> dict[str, Any]:
    first, second = item.id, ""
    if isinstance(item, Dataset):
        first = item.owner
    elif isinstance(item, AgreementState):
        first, second = str(item.document.get("assigner", "")), str(item.document.get("assignee", ""))
    elif isinstance(item, Mandate):
        first, second = str(item.document.get("mandator", "")), str(item.document.get("mandatary", ""))
    elif isinstance(item, SubjectRequest):
        first, second = item.person, item.dataset
    return {
        "id": item.id,
        "type": _TYPES[type(item)],
        "party_a": first,
        "party_b": second,
        "changed_at": clock.now(),
        "body": encode(item).decode(),
    }


def _most(before: Kept | None, after: Kept) -> int | None:
    """Bytes that an object may have as JSON after a change; ``None``: any number, for what ends something."""
    if isinstance(after, AgreementState | Mandate):
        was = before.state if isinstance(before, AgreementState | Mandate) else None
        if after.state == "ended" and was is not None:
            # It says what was there and that it ended; whoever wrote that must not be able to keep it from ending.
            return None
        if was != after.state:
            return SIGNED if was is not None else SIGNED - SIGNATURES
    if isinstance(after, Participant) and isinstance(before, Participant) and before.active > after.active:
        return None
    return LARGEST


class _End(msgspec.Struct, frozen=True):
    """Of an agreement what a list of them needs: its document and signatures are most of it."""

    ended_at: Micros | None = None


class Store:
    """All reads and writes of the exchange, each in one transaction."""

    def __init__(self, engine: sa.Engine, read: Read | None = None) -> None:
        """``read`` gives the terms of agreements: without it nothing is metered, and no dataset is open to everyone."""
        self._engine = engine
        self._meter = Meter(read) if read is not None else None
        self._entering = Entering(read)
        self.log = Entries(engine)
        self.catalogue = Catalogue(engine)
        self.room = Room(engine)

    # -- the law ------------------------------------------------------------

    def get(self, kind: type[T], identifier: str) -> T | None:
        """One object of the law, ``None`` when there is none of that kind."""
        with reading(self._engine) as connection:
            wanted = {"wanted": identifier, "kind": _TYPES[kind]}
            body = connection.execute(_ONE, wanted).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=kind)

    def usage(self, agreement: str, rule: str, party: str) -> Usage | None:
        """How often a party has used a rule that counts its uses."""
        query = sa.select(law.c.body).where(law.c.id == usage_id(agreement, rule, party), law.c.type == KIND)
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=Usage)

    def find(self, kind: type[T], party: str | None = None) -> list[T]:
        """All objects of a kind, or those that concern one party, oldest change first."""
        query = sa.select(law.c.body).where(law.c.type == _TYPES[kind])
        if party is not None:
            query = query.where(sa.or_(law.c.party_a == party, law.c.party_b == party))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(law.c.changed_at, law.c.id)).scalars().all()
        return [msgspec.json.decode(body, type=kind) for body in rows]

    def open_data(self) -> list[AgreementState]:
        """All that owners ever gave everyone, oldest change first."""
        return self.given_to([EVERYONE])

    def given_to(self, parties: Collection[str]) -> list[AgreementState]:
        """All that owners ever gave these, oldest change first, and what was proposed to them.

        Consents name everyone too: a city has far more of them than may be decoded for one answer.
        """
        query = sa.select(law.c.body).where(
            law.c.type == _TYPES[AgreementState],
            law.c.party_b.in_(parties),
            law.c.party_a.not_like(f"{PERSON}%"),
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(law.c.changed_at, law.c.id)).scalars().all()
        return [msgspec.json.decode(body, type=AgreementState) for body in rows]

    def ends(self, agreements: Collection[str]) -> dict[str, Micros]:
        """When each of these agreements ended, of those that did."""
        wanted = (law.c.id.in_(agreements), law.c.type == _TYPES[AgreementState])
        with reading(self._engine) as connection:
            rows = (
                connection.execute(sa.select(law.c.id, law.c.body).where(*wanted)).all() if agreements else []
            )
        found = {row.id: msgspec.json.decode(row.body, type=_End).ended_at for row in rows}
        return {agreement: at for agreement, at in found.items() if at is not None}

    def organisations(self, limit: int, after: str = "") -> list[Participant]:
        """So many participants that are no residents, in the order of their ids, behind ``after``."""
        query = sa.select(law.c.body).where(law.c.type == _TYPES[Participant], law.c.id > after)
        # Residents are left out here: a page of those that are shown would else have holes.
        query = query.where(law.c.id.startswith(ORGANISATION)).order_by(law.c.id).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(query).scalars().all()
        return [msgspec.json.decode(body, type=Participant) for body in rows]

    def names(self, participants: Collection[str]) -> dict[str, str]:
        """The name of each of these participants (a page of them) that is known here, by id."""
        query = sa.select(law.c.body).where(law.c.id.in_(participants), law.c.type == _TYPES[Participant])
        with reading(self._engine) as connection:
            rows = connection.execute(query).scalars().all()
        found = (msgspec.json.decode(body, type=Participant) for body in rows)
        return {each.id: each.name for each in found}

    def settle(self, kind: type[T], identifier: str, decide: Callable[[T | None], T]) -> T:
        """Store what ``decide`` makes of the present state (``None``: there is none), and tell the law topic.

        Both in one transaction that holds the object, so that of two changes at once the later sees the
        earlier. What ``decide`` raises leaves everything as it was; it must not read the store itself.
        """
        return self.settle_all(kind, {identifier: decide})[0]

    def settle_all(
        self,
        kind: type[T],
        changes: Mapping[str, Callable[[T | None], T]],
        records: Sequence[DecisionRecord] = (),
        beside: Callable[[sa.Connection], None] | None = None,
    ) -> list[T]:
        """Several changes (by id, as in ``settle``) in their order, and what the log is told of them: all or none.

        ``beside`` writes what belongs to them in tables of its own, in the same transaction.
        """
        with transaction(self._engine) as connection:
            own.tell(connection, records)
            after = [_settle(connection, self._entering, kind, *each) for each in changes.items()]
            if beside is not None:
                beside(connection)
            return after

    def opened(self, dataset: Dataset) -> bool:
        """Whether everyone may have this dataset."""
        with reading(self._engine) as connection:
            return dataset.id in self._entering.opened(connection, [dataset.owner])

    def enter_all(self) -> int:
        """Enter into the catalogue what an earlier version left out; returns how many datasets that were."""
        known = sa.select(catalogue_entry.c.id)
        query = sa.select(law.c.id).where(law.c.type == _TYPES[Dataset], law.c.id.not_in(known))
        with transaction(self._engine) as connection:
            missing = connection.execute(query).scalars().all()
            self._entering.enter(connection, missing)
        return len(missing)

    def whole_law(self) -> Iterator[LawEvent]:
        """Every object of the law as it stands, page by page by id."""
        last = ""
        while True:
            query = (
                sa.select(law.c.id, law.c.body)
                .where(law.c.id > last)
                .order_by(law.c.id)
                .limit(OBJECTS_AT_ONCE)
            )
            with reading(self._engine) as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield decode(row.body.encode(), LawEvent)  # type: ignore[arg-type]
            if len(rows) < OBJECTS_AT_ONCE:
                return
            last = rows[-1].id

    def publish_again(self, ids: Sequence[str]) -> None:
        """Tell the law topic the present state of these objects, behind whatever waits for it already."""
        for start in range(0, len(ids), OBJECTS_AT_ONCE):
            part = law.c.id.in_(ids[start : start + OBJECTS_AT_ONCE])
            with transaction(self._engine) as connection:
                # Held until the messages are in the outbox, so that no later state can come before them.
                query = sa.select(law.c.body).where(part).order_by(law.c.id).with_for_update()
                bodies = connection.execute(query).scalars().all()
                events: list[LawEvent] = [decode(body.encode(), LawEvent) for body in bodies]  # type: ignore[arg-type]
                outbox.add(connection, outgoing, _LAW_TOPIC, [law_message(event) for event in events])

    def unpublished(self) -> bool:
        """Whether something waits for the bus."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(outgoing.c.id).limit(1)).first() is not None

    def use_once(self, what: str, expires_at: int) -> bool:
        """Whether this assertion or ticket is used for the first time; forgets those long expired."""
        # A digest: whoever made the assertion chose its identifier, of any length and with any characters.
        digest = hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()
        with transaction(self._engine) as connection:
            old = assertion.c.expires_at < clock.now() - ASSERTIONS_KEPT
            connection.execute(sa.delete(assertion).where(old))
            return insert_new(connection, assertion, {"digest": digest, "expires_at": expires_at}, ["digest"])

    # -- the log ------------------------------------------------------------

    def positions(self) -> Positions:
        """Where the consumer of the record topic goes on."""
        return load_positions(self._engine, positions)

    def append(
        self,
        decisions: Sequence[DecisionRecord],
        results: Sequence[Lineage],
        reached: Positions,
        measured: Sequence[Quality] = (),
    ) -> int:
        """Add decisions to the log, keep lineage and quality, store the position; repeats are dropped."""
        with transaction(self._engine) as connection:
            owners = _owners(connection, {decision.dataset for decision in decisions})
            fresh = append(connection, decisions, owners)
            resting.keep_lineage(connection, results)
            keep_quality(connection, measured)
            if self._meter is not None:
                self._meter.count(connection, fresh)
            done.note(connection, fresh)
            used = sum_up(connection, fresh)
            if used:
                outbox.add(connection, outgoing, _LAW_TOPIC, [law_message(usage) for usage in used])
            save_positions(connection, positions, reached)
            return len(fresh)

    def keep(self, decision: DecisionRecord) -> None:
        """Add a decision to the log and nothing else: where what follows from it fails, it was made all the same."""
        with transaction(self._engine) as connection:
            append(connection, [decision], _owners(connection, {decision.dataset}))

    def carried_out(self, requests: Collection[str]) -> dict[str, list[done.Done]]:
        """What the layers did about requests of persons, by request."""
        with reading(self._engine) as connection:
            return done.of(connection, requests)

    # -- lineage ------------------------------------------------------------

    def result(self, identifier: str) -> Lineage | None:
        """The lineage of one result."""
        return resting.result(self._engine, identifier)

    def dependents(
        self, identifier: str, limit: int, may: Callable[[Lineage], bool] = lambda _item: True
    ) -> list[Lineage]:
        """See ``resting.dependents``."""
        return resting.dependents(self._engine, identifier, limit, may)


def _settle(
    connection: sa.Connection,
    entering: Entering,
    kind: type[T],
    identifier: str,
    decide: Callable[[T | None], T],
) -> T:
    query = sa.select(law.c.body).where(law.c.id == identifier, law.c.type == _TYPES[kind])
    while True:
        body = connection.execute(query.with_for_update()).scalar_one_or_none()
        before = None if body is None else msgspec.json.decode(body, type=kind)
        after = decide(before)
        row, most = _row(after), _most(before, after)
        size = len(row["body"].encode())
        if most is not None and size > most:
            raise InputRefused.of("body", f"must be at most {most} bytes as JSON", f"{size} bytes")
        if body is not None:
            connection.execute(sa.update(law).where(law.c.id == identifier).values(row))
            break
        if insert_new(connection, law, row, ["id"]):
            break
        if connection.execute(query).first() is None:
            raise InputRefused.of("id", "is taken by something of another kind", identifier)
        # Another process stored this id meanwhile: decide again, about that.
    outbox.add(connection, outgoing, _LAW_TOPIC, [law_message(after)])
    if isinstance(after, AgreementState):
        own.tell(connection, deals.told(before if isinstance(before, AgreementState) else None, after))
    entering.changed(connection, before, after)
    return after


def _owners(connection: sa.Connection, datasets: Iterable[str]) -> dict[str, str]:
    """The owner of each dataset that is in the catalogue; asked of the store, which knows all from the start."""
    names = sorted({key(dataset) for dataset in datasets})
    found: dict[str, str] = {}
    for start in range(0, len(names), IDS_AT_ONCE):
        part = names[start : start + IDS_AT_ONCE]
        query = sa.select(law.c.id, law.c.party_a).where(law.c.id.in_(part), law.c.type == _TYPES[Dataset])
        found.update({row.id: row.party_a for row in connection.execute(query)})
    return found
