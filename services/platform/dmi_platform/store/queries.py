"""Reading observations back: last values, pages by keyset, outcomes and rejects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import among
from dmi_platform.model import NEVER, Area, Cursor, Outcome, Reject, Whose
from dmi_platform.store import tables


@dataclass(frozen=True, slots=True)
class Table:
    """Observations as the store has them, in columns of the names in ``tables.VALUE_NAMES``."""

    keys: list[int]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.keys)

    def first(self, rows: int) -> Table:
        """Its first rows."""
        return Table(self.keys[:rows], {name: column[:rows] for name, column in self.columns.items()})

    def joined(self, other: Table) -> Table:
        """Its rows and those of another one behind them."""
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        return Table(self.keys + other.keys, columns)


def _table(rows: Sequence[Sequence[Any]]) -> Table:
    if not rows:
        return Table([], {name: [] for name in tables.VALUE_NAMES})
    keys, *columns = (list(column) for column in zip(*rows, strict=True))
    return Table(keys, dict(zip(tables.VALUE_NAMES, columns, strict=True)))


def _selected(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    return [table.c.datastream, *(table.c[name] for name in tables.VALUE_NAMES)]


def latest(
    connection: sa.Connection,
    dataset: str,
    keys: Sequence[int] | None,
    subjects: Collection[str] | None,
    limit: int,
) -> Table:
    """Last values of a dataset, or of some of its datastreams, by datastream id; of these subjects only."""
    arguments: dict[str, Any] = {"dataset": dataset, "limit": limit}
    if keys is not None:
        arguments["keys"] = list(keys)
    if subjects is not None:
        arguments["subjects"] = sorted(subjects)
    query = _latest(connection.dialect.name, keys is not None, subjects is not None)
    return _table(connection.execute(query, arguments).all())


@cache
def _latest(dialect: str, of_keys: bool, of_subjects: bool) -> sa.Select[Any]:
    """The query behind ``latest``, put together once: that costs more than to carry it out."""
    last, stream = tables.last_value, tables.datastream
    query = (
        sa.select(*_selected(last))
        .select_from(stream.join(last, last.c.datastream == stream.c.key))
        .where(stream.c.dataset == sa.bindparam("dataset"), last.c.time > NEVER)
    )
    if of_keys:
        query = query.where(among(stream.c.key, "keys", dialect))
    if of_subjects:
        query = query.where(among(last.c.subject, "subjects", dialect))
    return query.order_by(stream.c.id).limit(sa.bindparam("limit", type_=sa.Integer))


def newest(connection: sa.Connection, keys: Sequence[int], until: Micros | None, whose: Whose) -> Table:
    """Of each of these datastreams the rows of the newest moment, up to ``until``, that has one of ``whose``."""
    stream, kept, row = tables.datastream.c, tables.observation.c, tables.observation.alias().c
    dialect = connection.dialect.name
    moment = sa.select(sa.func.max(row.time)).where(row.datastream == stream.key)
    if until is not None:
        moment = moment.where(row.time <= until)
    if whose.persons or not whose.but:
        theirs = among(row.subject, "persons", dialect, whose.persons)
        moment = moment.where(sa.or_(row.subject.is_(None), sa.not_(theirs)) if whose.but else theirs)
    query = (
        sa.select(*_selected(tables.observation))
        .select_from(tables.datastream.join(tables.observation, kept.datastream == stream.key))
        .where(among(stream.key, "keys", dialect, keys))
        .where(kept.time == moment.correlate(tables.datastream).scalar_subquery())
    )
    return _table(connection.execute(query).all())


def observations(
    connection: sa.Connection,
    key: int,
    begin: Micros,
    end: Micros,
    after: Cursor | None,
    limit: int,
    subjects: Collection[str] | None,
    areas: Sequence[Area],
    here: tuple[float | None, float | None],
    but: Collection[str],
) -> Table:
    """A datastream's rows from ``begin`` until before ``end``, by time and source id, behind ``after``.

    Of these subjects only, without those ``but``, and inside each of ``areas`` only; rows without a place of their own
    lie ``here``.
    """
    table = tables.observation.c
    query = sa.select(*_selected(tables.observation)).where(
        table.datastream == key, table.time >= begin, table.time < end
    )
    if after is not None:
        # The bound on time alone is what an index range can start from.
        query = query.where(table.time >= after.time)
        if after.source_id is not None:
            query = query.where(sa.or_(table.time > after.time, table.source_id > after.source_id))
    if subjects is not None:
        query = query.where(among(table.subject, "subjects", connection.dialect.name, subjects))
    if but:
        theirs = among(table.subject, "but", connection.dialect.name, but)
        query = query.where(sa.or_(table.subject.is_(None), sa.not_(theirs)))
    longitude, latitude = (
        sa.func.coalesce(table.longitude, here[0]),
        sa.func.coalesce(table.latitude, here[1]),
    )
    for west, south, east, north in areas:
        query = query.where(longitude.between(west, east), latitude.between(south, north))
    return _table(connection.execute(query.order_by(table.time, table.source_id).limit(limit)).all())


def of_person(connection: sa.Connection, key: int, person: str, begin: Micros, end: Micros) -> Table:
    """A person's rows of a datastream from ``begin`` until before ``end``, by time."""
    kept = tables.observation.c
    query = sa.select(*_selected(tables.observation)).where(
        kept.datastream == key, kept.subject == person, kept.time >= begin, kept.time < end
    )
    return _table(connection.execute(query.order_by(kept.time, kept.source_id)).all())


def span(
    connection: sa.Connection,
    dataset: str,
    begin: Micros,
    end: Micros,
    limit: int,
    subjects: Collection[str] | None,
) -> Table:
    """Rows of all datastreams of a dataset from ``begin`` until before ``end``, by time."""
    table, stream = tables.observation, tables.datastream
    query = (
        sa.select(*_selected(table))
        .select_from(stream.join(table, table.c.datastream == stream.c.key))
        .where(stream.c.dataset == dataset, table.c.time >= begin, table.c.time < end)
    )
    if subjects is not None:
        query = query.where(among(table.c.subject, "subjects", connection.dialect.name, subjects))
    order = (table.c.time, table.c.datastream, table.c.source_id)
    return _table(connection.execute(query.order_by(*order).limit(limit)).all())


def extent(
    connection: sa.Connection, dataset: str, begin: Micros, end: Micros
) -> tuple[Micros, Micros] | None:
    """The times of the first and the last row of a dataset from ``begin`` until before ``end``."""
    table, stream = tables.observation, tables.datastream
    query = (
        sa.select(sa.func.min(table.c.time), sa.func.max(table.c.time))
        .select_from(stream.join(table, table.c.datastream == stream.c.key))
        .where(stream.c.dataset == dataset, table.c.time >= begin, table.c.time < end)
    )
    first, last = connection.execute(query).one()
    return None if first is None else (first, last)


def outcome(
    connection: sa.Connection, identifier: str, datasets: Collection[str] | None, contributor: str
) -> Outcome | None:
    """What became of a batch, a message or all batches of an import; ``None`` when nothing is known.

    Only messages into these datasets count (``None``: all), and those that ``contributor`` handed in.
    """
    table = tables.outcome.c
    query = sa.select(tables.outcome).where(
        sa.or_(table.batch_id == identifier, table.import_id == identifier, table.message_id == identifier)
    )
    if datasets is not None:
        query = query.where(sa.or_(table.contributor == contributor, table.dataset.in_(sorted(datasets))))
    rows = connection.execute(query).all()
    if not rows:
        return None
    total = Outcome()
    for row in rows:
        total.add(Outcome(row.accepted, row.duplicate, row.conflict, msgspec.json.decode(row.rejected)))
    return total


def reject(connection: sa.Connection, identifier: int) -> Reject | None:
    """One reject with its payload."""
    row = connection.execute(sa.select(tables.reject).where(tables.reject.c.id == identifier)).first()
    return None if row is None else _reject(row)


def rejects(
    connection: sa.Connection,
    datasets: Collection[str] | None,
    reason: str | None,
    pending: bool,
    before: int | None,
    limit: int,
) -> list[Reject]:
    """Rejects, newest first, of these datasets (``None``: all) and reason, before an id."""
    table = tables.reject.c
    query = sa.select(tables.reject)
    if datasets is not None:
        query = query.where(table.dataset.in_(sorted(datasets)))
    if reason is not None:
        query = query.where(table.reason == reason)
    if pending:
        query = query.where(table.replayed_at.is_(None))
    if before is not None:
        query = query.where(table.id < before)
    return [_reject(row) for row in connection.execute(query.order_by(table.id.desc()).limit(limit))]


def waiting_for(connection: sa.Connection, about: Collection[str], limit: int) -> list[Reject]:
    """Rejects not replayed yet whose culprit is one of these identifiers, oldest first."""
    table = tables.reject.c
    query = sa.select(tables.reject).where(table.about.in_(sorted(about)), table.replayed_at.is_(None))
    return [_reject(row) for row in connection.execute(query.order_by(table.id).limit(limit))]


def _reject(row: sa.Row[Any]) -> Reject:
    values = dict(row._mapping)
    values["row_numbers"] = tuple(msgspec.json.decode(values["row_numbers"]))
    values["payload"] = bytes(values["payload"])
    return Reject(**values)
