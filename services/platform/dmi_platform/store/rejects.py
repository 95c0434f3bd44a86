"""What persons ask for, in what was refused and is kept to be tried again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import decode, encode
from dmi_agreements.contracts.features import FeatureBatch
from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_platform.store import tables

_UNREADABLE = (msgspec.DecodeError, RecursionError, ValueError)


def naming(connection: sa.Connection, dataset: str, names: Iterable[str], topic: str = "") -> list[int]:
    """Rejects of a dataset (and a topic) in whose message one of these names stands.

    The database looks: there may be thousands, of a whole message each, and nearly all name others.
    """
    table = tables.reject
    contained = [_contains(connection.dialect.name, encode(name)[1:-1]) for name in names]
    query = sa.select(table.c.id).where(table.c.dataset == dataset, sa.or_(sa.false(), *contained))
    if topic:
        query = query.where(table.c.topic == topic)
    return list(connection.execute(query.order_by(table.c.id)).scalars())


def erase(connection: sa.Connection, rejects: Iterable[int], person: str, until: Micros) -> int:
    """Take a person's rows up to a moment out of these rejects; returns how many.

    What cannot be read may hold more of it: a reject that names it goes as a whole.
    """
    erased = 0
    for identifier in rejects:
        found = _found(connection, identifier)
        if found is None:
            continue
        payload, numbers = found
        try:
            batch = decode(payload, ObservationBatch)
        except _UNREADABLE:
            _keep_of(connection, identifier, numbers, [], b"")
            erased += 1
            continue
        rows = enumerate(zip(batch.subject or (), batch.phenomenon_time, strict=False))
        theirs = {row for row, (who, time) in rows if who == person and time <= until}
        if theirs:
            erased += len(theirs)
            left = [row for row in range(len(batch)) if row not in theirs]
            _keep_of(connection, identifier, numbers, left, encode(batch.take(left)))
    return erased


def drop_features(connection: sa.Connection, topic: str, dataset: str, ids: Collection[str]) -> None:
    """Take features, by id, out of what was rejected of a topic."""
    # One payload at a time: each may be as large as a message.
    for identifier in naming(connection, dataset, ids, topic):
        found = _found(connection, identifier)
        if found is None:
            continue
        payload, numbers = found
        try:
            batch = decode(payload, FeatureBatch)
        except _UNREADABLE:
            if any(encode(name) in payload for name in ids):
                _keep_of(connection, identifier, numbers, [], b"")
            continue
        left = [row for row, feature in enumerate(batch.features) if feature.id not in ids]
        if len(left) < len(batch.features):
            kept = msgspec.structs.replace(batch, features=[batch.features[row] for row in left])
            _keep_of(connection, identifier, numbers, left, encode(kept))


def _contains(dialect: str, text: bytes) -> sa.ColumnElement[bool]:
    payload = tables.reject.c.payload
    if dialect == "sqlite":
        return sa.func.instr(payload, text) > 0
    escaped = text.replace(b"\\", b"\\\\").replace(b"%", b"\\%").replace(b"_", b"\\_")
    return payload.op("LIKE", is_comparison=True)(sa.literal(b"%" + escaped + b"%", sa.LargeBinary))


def _found(connection: sa.Connection, identifier: int) -> tuple[bytes, str] | None:
    """Message and row numbers of a reject; ``None``: it was tried again or deleted meanwhile."""
    table = tables.reject
    query = sa.select(table.c.payload, table.c.row_numbers).where(table.c.id == identifier)
    row = connection.execute(query.with_for_update()).first()
    return None if row is None else (row.payload, row.row_numbers)


def _keep_of(
    connection: sa.Connection, identifier: int, numbers: str, left: Sequence[int], payload: bytes
) -> None:
    """Keep of a reject the rows that are ``left``, as ``payload``; without any nothing of it."""
    reject = tables.reject
    if not left:
        connection.execute(sa.delete(reject).where(reject.c.id == identifier))
        return
    given = msgspec.json.decode(numbers, type=list[int])
    kept = msgspec.json.encode([given[row] for row in left]).decode()
    change = sa.update(reject).where(reject.c.id == identifier)
    connection.execute(change.values(payload=payload, rows=len(left), row_numbers=kept))
