"""The exchange's store: the law as it stands, the log, the lineage, and what the bus must still hear."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from dmi_agreements.chain import GENESIS, Entry, link
from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.law import AgreementState, Dataset, LawEvent, Participant
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.crossings import BY_NAME
from dmi_infra import clock, outbox
from dmi_infra.bus.port import Message
from dmi_infra.sql import (
    Positions,
    load_positions,
    positions_table,
    reading,
    save_positions,
    transaction,
    upsert,
)

T = TypeVar("T", Participant, Dataset, AgreementState)

metadata = sa.MetaData()
positions = positions_table(metadata)
outgoing = outbox.outbox_table(metadata)

law = sa.Table(
    "law",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False, index=True),
    sa.Column("party_a", sa.Text, nullable=False, default="", index=True),
    sa.Column("party_b", sa.Text, nullable=False, default="", index=True),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
log = sa.Table(
    "log",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record_id", sa.Text, nullable=False, unique=True),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
log_party = sa.Table(
    "log_party",
    metadata,
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
)
lineage = sa.Table(
    "lineage",
    metadata,
    sa.Column("result", sa.Text, primary_key=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
ground = sa.Table(
    "ground",
    metadata,
    sa.Column("ground", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True, index=True),
)
assertion = sa.Table(
    "assertion",
    metadata,
    sa.Column("jti", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

_TYPES: Mapping[type[Any], str] = {
    Participant: "participant",
    Dataset: "dataset",
    AgreementState: "agreement",
}
_LAW_TOPIC = BY_NAME["law"].topic or ""


def law_message(event: LawEvent) -> Message:
    """The message that tells the new state of one object of the law."""
    kind = type(event).__name__.removesuffix("State").lower()
    envelope = Envelope(
        id=str(uuid.uuid4()),
        source="urn:dmi:service:exchange",
        type=f"nl.dmi.{kind}.changed.v1",
        time=clock.to_text(clock.now()),
        subject=event.id,
    )
    return Message(event.id, encode(event), envelope)


def _parties(item: Participant | Dataset | AgreementState) -> tuple[str, str]:
    if isinstance(item, Dataset):
        return item.owner, ""
    if isinstance(item, AgreementState):
        return str(item.document.get("assigner", "")), str(item.document.get("assignee", ""))
    return item.id, ""


class Store:
    """All reads and writes of the exchange, each in one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, kind: type[T], identifier: str) -> T | None:
        """One object of the law, ``None`` when there is none of that kind."""
        query = sa.select(law.c.body).where(law.c.id == identifier, law.c.type == _TYPES[kind])
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=kind)

    def find(self, kind: type[T], party: str | None = None) -> list[T]:
        """All objects of a kind, or those that concern one party, oldest change first."""
        query = sa.select(law.c.body).where(law.c.type == _TYPES[kind])
        if party is not None:
            query = query.where(sa.or_(law.c.party_a == party, law.c.party_b == party))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(law.c.changed_at, law.c.id)).scalars().all()
        return [msgspec.json.decode(body, type=kind) for body in rows]

    def put(self, items: Sequence[Participant | Dataset | AgreementState]) -> None:
        """Store new states and, in the same transaction, what the law topic must hear."""
        now = clock.now()
        rows = []
        for item in items:
            first, second = _parties(item)
            rows.append(
                {
                    "id": item.id,
                    "type": _TYPES[type(item)],
                    "party_a": first,
                    "party_b": second,
                    "changed_at": now,
                    "body": encode(item).decode(),
                }
            )
        with transaction(self._engine) as connection:
            upsert(connection, law, rows, ["id"], ["party_a", "party_b", "changed_at", "body"])
            outbox.add(connection, outgoing, _LAW_TOPIC, [law_message(item) for item in items])

    def use_assertion(self, jti: str, expires_at: int) -> bool:
        """Whether this assertion is used for the first time; forgets those long expired."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(assertion).where(assertion.c.expires_at < clock.now() - 600_000_000))
            known = connection.execute(sa.select(assertion.c.jti).where(assertion.c.jti == jti)).first()
            if known is None:
                connection.execute(sa.insert(assertion).values(jti=jti, expires_at=expires_at))
            return known is None

    def positions(self) -> Positions:
        """Where the consumer of the record topic goes on."""
        return load_positions(self._engine, positions)

    def append(
        self,
        decisions: Sequence[DecisionRecord],
        results: Sequence[Lineage],
        owners: Mapping[str, str],
        reached: Positions,
    ) -> int:
        """Chain decisions to the log, keep lineage, and store the position; repeats are dropped."""
        with transaction(self._engine) as connection:
            ids = [d.id for d in decisions]
            known = set(
                connection.execute(sa.select(log.c.record_id).where(log.c.record_id.in_(ids))).scalars()
            )
            last = connection.execute(
                sa.select(log.c.sequence, log.c.hash).order_by(log.c.sequence.desc()).limit(1)
            ).first()
            sequence, head = (last.sequence, last.hash) if last else (0, GENESIS)
            rows: list[dict[str, Any]] = []
            parties: list[dict[str, Any]] = []
            for decision in decisions:
                if decision.id in known:
                    continue
                known.add(decision.id)
                sequence += 1
                payload = encode(decision)
                following = link(head, sequence, payload)
                rows.append(
                    {
                        "sequence": sequence,
                        "record_id": decision.id,
                        "previous": head,
                        "hash": following,
                        "dataset": decision.dataset,
                        "payload": payload,
                    }
                )
                concerned = {decision.assignee, owners.get(decision.dataset, ""), *decision.subjects} - {""}
                parties.extend({"party": party, "sequence": sequence} for party in concerned)
                head = following
            if rows:
                connection.execute(sa.insert(log), rows)
                connection.execute(sa.insert(log_party), parties)
            self._keep_lineage(connection, results)
            save_positions(connection, positions, reached)
            return len(rows)

    @staticmethod
    def _keep_lineage(connection: sa.Connection, results: Sequence[Lineage]) -> None:
        rows = [{"result": r.result, "made_at": r.made_at, "body": encode(r).decode()} for r in results]
        upsert(connection, lineage, rows, ["result"], ["made_at", "body"], not_older="made_at")
        links = [
            {"ground": used, "result": r.result}
            for r in results
            for used in {*r.grounds.datasets, *r.grounds.agreements, *r.grounds.consents, *r.grounds.results}
        ]
        upsert(connection, ground, links, ["ground", "result"])

    def entries(
        self, after: int, limit: int, party: str | None, dataset: str | None, newest_first: bool = False
    ) -> list[Entry]:
        """Log entries after a sequence number, oldest first unless asked; of one party, unless ``None``."""
        query = sa.select(log.c.sequence, log.c.previous, log.c.hash, log.c.payload).where(
            log.c.sequence > after
        )
        if party is not None:
            query = query.join(log_party, log_party.c.sequence == log.c.sequence).where(
                log_party.c.party == party
            )
        if dataset:
            query = query.where(log.c.dataset == dataset)
        order = log.c.sequence.desc() if newest_first else log.c.sequence
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(order).limit(limit)).all()
        return [Entry(row.sequence, row.previous, row.hash, bytes(row.payload)) for row in rows]

    def last_sequence(self) -> int:
        """The newest sequence number, 0 for an empty log."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(sa.func.max(log.c.sequence))).scalar() or 0

    def whole_log(self, size: int = 5000) -> Iterable[Entry]:
        """Every entry, oldest first, page by page."""
        after = 0
        while page := self.entries(after, size, None, None):
            yield from page
            after = page[-1].sequence

    def result(self, identifier: str) -> Lineage | None:
        """The lineage of one result."""
        query = sa.select(lineage.c.body).where(lineage.c.result == identifier)
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=Lineage)

    def dependents(self, identifier: str, limit: int) -> list[Lineage]:
        """Results that rest on this dataset, agreement, consent or result, directly or through others."""
        reached = (
            sa.select(ground.c.result).where(ground.c.ground == identifier).cte("reached", recursive=True)
        )
        reached = reached.union(sa.select(ground.c.result).join(reached, ground.c.ground == reached.c.result))
        query = (
            sa.select(lineage.c.body)
            .join(reached, reached.c.result == lineage.c.result)
            .order_by(lineage.c.made_at.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).scalars().all()
        return [msgspec.json.decode(body, type=Lineage) for body in rows]
