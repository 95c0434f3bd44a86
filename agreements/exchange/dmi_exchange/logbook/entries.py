"""The entries of the log: added in order, read by those whom they concern, cleared of a person on request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.merkle import leaf_hash
from dmi_agreements.sealing import Opening, needs_sealing, seal, unseal
from dmi_exchange.tables import log, log_end, log_opening, log_party
from dmi_infra.sql import among, reading, transaction

LONGEST_KEY = 200
"""Characters of a text in an index; a longer one, which an index cannot hold, names nothing of ours."""
IDS_AT_ONCE = 5000
"""Parameters of one query; SQLite takes 32,766."""
_PAIRS: Final = msgspec.json.Decoder(list[tuple[str, str]])


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: ``payload`` is the leaf of the tree, ``hash`` its leaf hash, ``openings`` open what is sealed."""

    sequence: int
    hash: str
    payload: bytes
    openings: tuple[Opening, ...] = ()

    @property
    def index(self) -> int:
        """Its place among the leaves, from 0."""
        return self.sequence - 1

    def record(self) -> DecisionRecord:
        """What it says; what was erased stays sealed."""
        return unseal(msgspec.json.decode(self.payload, type=DecisionRecord), self.openings)


class Entries:
    """Reads the log, and erases persons from it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def read(
        self,
        after: int,
        limit: int,
        party: str | None,
        dataset: str | None,
        newest_first: bool = False,
        before: int | None = None,
        also: str | None = None,
    ) -> list[Entry]:
        """Entries after (and ``before``) a sequence number, of one party or all; oldest first unless asked.

        ``also`` names another party that they have to concern.
        """
        query, number = _of(party, after, before)
        if also is not None:
            other = log_party.alias()
            named = sa.select(other.c.sequence).where(other.c.party.in_((also, kept_from(also))))
            query = query.where(number.in_(named))
        if dataset:
            query = query.where(log.c.dataset == dataset)
        order = number.desc() if newest_first else number
        with reading(self._engine) as connection:
            return _with_openings(connection, query.order_by(order).limit(limit))

    def one(self, sequence: int, party: str | None) -> Entry | None:
        """One entry, ``None`` when it does not exist or does not concern ``party``."""
        found = self.read(sequence - 1, 1, party, None, before=sequence + 1)
        return found[0] if found else None

    def some(self, sequences: Sequence[int], party: str | None, size: int) -> list[Entry]:
        """Those of these entries (some hundred) that concern ``party``, of the first ``size``; oldest first."""
        query, number = _of(party, before=size + 1)
        with reading(self._engine) as connection:
            return _with_openings(connection, query.where(number.in_(sequences)).order_by(number))

    def counted(self, before: int, party: str, most: int) -> dict[tuple[str, str], list[Micros]] | None:
        """When a party used each rule, by agreement and rule, as entries before a sequence number tell it.

        ``None`` when more than ``most`` entries concern the party: none is read then.
        """
        theirs = log_party.c.party == key(party), log_party.c.sequence < before
        some = sa.select(log_party.c.sequence).where(*theirs).limit(most + 1).subquery()
        query, number = _of(key(party), before=before)
        with reading(self._engine) as connection:
            if connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one() > most:
                return None
            entries = _with_openings(connection, query.order_by(number.desc()))
        found: dict[tuple[str, str], list[Micros]] = {}
        for record in (entry.record() for entry in entries):
            for agreement, rule, user in record.counted if record.allowed else ():
                if user == party:
                    found.setdefault((agreement, rule), []).append(record.at)
        return found

    def end(self) -> int | None:
        """How many entries the log has, as noted beside it; ``None`` when somebody removed that note."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(log_end.c.sequence)).scalar_one_or_none()

    def all(self, size: int = 5000) -> Iterator[Entry]:
        """Every entry, oldest first, page by page, without openings."""
        after = -1
        while True:
            query, number = _of(None, after)
            with reading(self._engine) as connection:
                rows = connection.execute(query.order_by(number).limit(size)).all()
            for row in rows:
                yield Entry(row.sequence, row.hash, bytes(row.payload))
            if len(rows) < size:
                return
            after = rows[-1].sequence

    def erase(self, person: str) -> int:
        """Erase a person from all entries; returns from how many. Every proof holds as before."""
        erased = 0
        while True:
            with transaction(self._engine) as connection:
                theirs = log_party.c.party.in_((person, kept_from(person)))
                query = sa.select(log_party.c.sequence).where(theirs).distinct()
                part = list(
                    connection.execute(query.order_by(log_party.c.sequence).limit(IDS_AT_ONCE)).scalars()
                )
                if part:
                    _erase(connection, person, part)
                erased += len(part)
            if len(part) < IDS_AT_ONCE:
                return erased


def append(
    connection: sa.Connection, decisions: Sequence[DecisionRecord], owners: Mapping[str, str]
) -> list[DecisionRecord]:
    """Add decisions that are not there yet, within the caller's transaction; those that were added.

    ``owners`` holds the owner of each dataset of the catalogue. What names a person is sealed.
    """
    sequence = _end(connection)
    known = _known(connection, [decision.id for decision in decisions])
    rows: list[dict[str, Any]] = []
    parties: list[dict[str, Any]] = []
    openings: list[dict[str, Any]] = []
    fresh: list[DecisionRecord] = []
    for decision in decisions:
        if decision.id in known:
            continue
        known.add(decision.id)
        fresh.append(decision)
        sequence += 1
        kept, payload = decision, encode(decision)
        if needs_sealing(payload):
            kept, opened = seal(decision)
            payload = encode(kept)
            openings.append({"sequence": sequence, "body": _packed(opened)})
        rows.append(
            {
                "sequence": sequence,
                "record_id": decision.id,
                "hash": leaf_hash(payload).hex(),
                "dataset": key(kept.dataset),
                "payload": payload,
            }
        )
        owner = owners.get(decision.dataset, "")
        named = (*decision.asking, owner, *decision.subjects)
        concerned = {key(party) for party in named if party}
        if decision.apart:
            concerned |= {kept_from(party) for party in decision.who_asked if party}
        parties.extend({"party": party, "sequence": sequence} for party in sorted(concerned))
    if rows:
        connection.execute(sa.insert(log), rows)
        connection.execute(sa.update(log_end).values(sequence=sequence))
    if parties:
        connection.execute(sa.insert(log_party), parties)
    if openings:
        connection.execute(sa.insert(log_opening), openings)
    return fresh


def kept_from(party: str) -> str:
    """As what an entry names a party that does not read it: an erasure finds it by that, and who searches for it."""
    return key(f"apart:{party}")


def key(text: str) -> str:
    """``text`` as an indexed column can hold it; the whole of it stands in the payload."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:LONGEST_KEY]


def _of(
    party: str | None, after: int = -1, before: int | None = None
) -> tuple[sa.Select[Any], sa.Column[int]]:
    """The entries that concern ``party`` (``None``: all) within these bounds, and the column to order them by.

    That is the one that an index holds in order for each party: by the other one all of the party's would be sorted.
    """
    query = sa.select(log.c.sequence, log.c.hash, log.c.payload)
    numbers = [log.c.sequence]
    if party is not None:
        query = query.join(log_party, log_party.c.sequence == log.c.sequence)
        query = query.where(log_party.c.party == party)
        numbers.append(log_party.c.sequence)
    # Each of both: a database that reads them side by side would walk through all of the log up to the bound.
    for number in numbers:
        query = query.where(number > after)
        if before is not None:
            query = query.where(number < before)
    return query, numbers[-1]


def _with_openings(connection: sa.Connection, query: sa.Select[Any]) -> list[Entry]:
    rows = connection.execute(query).all()
    opened = _openings(connection, [row.sequence for row in rows])
    return [
        Entry(row.sequence, row.hash, bytes(row.payload), tuple(opened.get(row.sequence, ()))) for row in rows
    ]


def _openings(connection: sa.Connection, sequences: list[int]) -> dict[int, list[Opening]]:
    if not sequences:
        return {}
    wanted = among(log_opening.c.sequence, "sequences", connection.dialect.name)
    rows = connection.execute(sa.select(log_opening).where(wanted), {"sequences": sequences})
    return {
        row.sequence: [Opening(bytes.fromhex(salt), value) for salt, value in _PAIRS.decode(row.body)]
        for row in rows
    }


def _packed(openings: Sequence[Opening]) -> str:
    return msgspec.json.encode([(each.salt.hex(), each.value) for each in openings]).decode()


def _erase(connection: sa.Connection, person: str, sequences: list[int]) -> None:
    # Also texts that name the person among other words, as reasons do; not those of whom it only begins the id.
    # The hash that an entry had in a chain of before covers the name: a guess could be checked there.
    named = re.compile(rf"{re.escape(person)}(?![a-z0-9-])|^[0-9a-f]{{64}}$", re.IGNORECASE)
    for sequence, openings in _openings(connection, sequences).items():
        left = [each for each in openings if not named.search(each.value)]
        if len(left) < len(openings):
            place = log_opening.c.sequence == sequence
            connection.execute(sa.update(log_opening).where(place).values(body=_packed(left)))
    theirs = among(log_party.c.sequence, "sequences", connection.dialect.name)
    as_party = log_party.c.party.in_((person, kept_from(person)))
    connection.execute(sa.delete(log_party).where(as_party, theirs), {"sequences": sequences})


def _end(connection: sa.Connection) -> int:
    """Where the log goes on. The note of it says so, and a cut-off end leaves a gap that shows."""
    noted = connection.execute(sa.select(log_end.c.sequence).with_for_update()).scalar_one_or_none()
    last = connection.execute(sa.select(sa.func.max(log.c.sequence))).scalar_one() or 0
    # A note that was removed is not made anew, and one that was moved back must not make the log unwritable.
    return max(noted or 0, last)


def _known(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        part = ids[start : start + IDS_AT_ONCE]
        query = sa.select(log.c.record_id).where(log.c.record_id.in_(part))
        found.update(connection.execute(query).scalars())
    return found
