"""What is kept of features and observations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros, within_bounds
from dmi_infra import repeats
from dmi_infra.bus.port import Received
from dmi_infra.corrections import Part
from dmi_infra.places import keep_newest
from dmi_infra.sql import Positions, load_positions, reading, save_positions, transaction, upsert
from dmi_support_centre.model import (
    COUNTS_KEPT,
    CROWD_COUNT,
    KEPT,
    QUARTER,
    RECENT,
    Quarter,
    Reading,
    quarters_of,
)
from dmi_support_centre.store import seen, tables


class ObservationStore:
    """Features, quarters of an hour, the newest readings, and the consumer's position.

    What was taken in before results had a bound (``within_bounds``) may lie beyond it: nothing reads that any more.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def positions(self) -> Positions:
        """Where the consumer goes on."""
        return load_positions(self._engine, tables.positions)

    def fresh(self, messages: Sequence[Received]) -> list[Received]:
        """These messages without those that repeat another one; see ``repeats``."""
        return repeats.fresh(self._engine, tables.taken, messages)

    def save(
        self,
        features: Sequence[tuple[str, Feature]],
        readings: Sequence[Reading],
        bases: Mapping[str, Collection[str]],
        reached: Positions,
        corrected: Collection[Part] = (),
        messages: Sequence[Received] = (),
    ) -> None:
        """Keep features (with their dataset), readings and whose, what they rest on, and the position: all or nothing.

        Of the quarters of an hour in ``corrected`` the ``readings`` are all, in place of what was kept of these.
        ``messages`` are all that were taken in with this, by which their copies are known.
        """
        with transaction(self._engine) as connection:
            keep_newest(connection, tables.feature, features)
            seen.note(connection, readings)
            _drop(connection, corrected)
            _save_readings(connection, readings)
            rows = [{"dataset": d, "ground": g} for d, grounds in bases.items() for g in grounds]
            upsert(connection, tables.basis, rows, ["dataset", "ground"])
            repeats.keep(connection, tables.taken, messages)
            save_positions(connection, tables.positions, reached)

    def features(self, *kinds: str) -> list[tuple[str, Feature]]:
        """Features of these kinds with their dataset, by id."""
        query = (
            sa.select(tables.feature.c.dataset, tables.feature.c.body)
            .where(tables.feature.c.kind.in_(kinds))
            .order_by(tables.feature.c.id)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [(row.dataset, msgspec.json.decode(row.body, type=Feature)) for row in rows]

    def basis(self, dataset: str) -> set[str]:
        """The agreements that the kept data of a dataset came in under."""
        query = sa.select(tables.basis.c.ground).where(tables.basis.c.dataset == dataset)
        with reading(self._engine) as connection:
            return set(connection.execute(query).scalars())

    def forget_basis(self, ground: str) -> None:
        """An agreement has ended: what is made from now on does not rest on it any more."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(tables.basis).where(tables.basis.c.ground == ground))

    def quarters(self, dataset: str, start: Micros, end: Micros | None = None) -> list[Quarter]:
        """Quarters of a dataset's datastreams that begin in ``[start, end)``, by datastream and time."""
        t = tables.quarter.c
        query = sa.select(tables.quarter).where(t.dataset == dataset, t.start >= start)
        if end is not None:
            query = query.where(t.start < end)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(t.datastream, t.start)).all()
        found = [
            Quarter(r.datastream, r.subject, r.start, r.dataset, r.total, r.readings, r.offsets, r.last)
            for r in rows
        ]
        return [one for one in found if within_bounds(one.mean)]

    def count_quarters(self, dataset: str) -> int:
        """How much history there is of a dataset."""
        query = (
            sa.select(sa.func.count()).select_from(tables.quarter).where(tables.quarter.c.dataset == dataset)
        )
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def recent(self, dataset: str, observed_property: str) -> list[Reading]:
        """The newest readings (half an hour) of each datastream, by datastream and time."""
        t = tables.recent.c
        query = (
            sa.select(tables.recent)
            .where(t.dataset == dataset, t.property == observed_property)
            .order_by(t.datastream, t.time)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Reading(r.datastream, r.dataset, r.property, r.time, r.value, r.subject)
            for r in rows
            if within_bounds(r.value)
        ]

    def counts(self, datastreams: Sequence[str], start: Micros, end: Micros) -> list[Reading]:
        """The kept counts of these datastreams in ``[start, end)``, by datastream and time."""
        t = tables.counted.c
        query = (
            sa.select(tables.counted)
            .where(t.datastream.in_(datastreams), t.time >= start, t.time < end)
            .order_by(t.datastream, t.time)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Reading(r.datastream, r.dataset, CROWD_COUNT, r.time, r.value, r.subject)
            for r in rows
            if within_bounds(r.value)
        ]

    def kept_datasets(self) -> list[str]:
        """The datasets of which readings are kept."""
        kept = sa.union(*(sa.select(table.c.dataset) for table in tables.READINGS))
        with reading(self._engine) as connection:
            return list(connection.execute(kept).scalars())

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete readings of a dataset from before a moment, and quarters that hold some; returns how many rows."""
        deleted = 0
        with transaction(self._engine) as connection:
            for table in tables.READINGS:
                moment = table.c.start if table is tables.quarter else table.c.time
                old = sa.delete(table).where(table.c.dataset == dataset, moment < at)
                deleted += connection.execute(old).rowcount
        return deleted

    def erase(self, dataset: str, person: str, until: Micros) -> int:
        """Delete a person's readings up to a moment, and its quarters that begin by then; returns how many rows."""
        deleted = 0
        with transaction(self._engine) as connection:
            for table in tables.READINGS:
                moment = table.c.start if table is tables.quarter else table.c.time
                theirs = sa.delete(table).where(
                    table.c.dataset == dataset, table.c.subject == person, moment <= until
                )
                deleted += connection.execute(theirs).rowcount
        return deleted

    def forget_old(self, dataset: str, now: Micros) -> int:
        """Delete quarters older than ten weeks before ``now``; returns how many."""
        t = tables.quarter.c
        with transaction(self._engine) as connection:
            return connection.execute(
                sa.delete(tables.quarter).where(t.dataset == dataset, t.start < now - KEPT)
            ).rowcount


def _save_readings(connection: sa.Connection, readings: Sequence[Reading]) -> None:
    quarters = quarters_of(readings)
    if quarters:
        connection.execute(_ADD, [msgspec.structs.asdict(one) for one in quarters])
    _keep_newest(connection, tables.recent, readings, RECENT)
    counts = [one for one in readings if one.observed_property == CROWD_COUNT]
    _keep_newest(connection, tables.counted, counts, COUNTS_KEPT)


def _drop(connection: sa.Connection, parts: Collection[Part]) -> None:
    """Delete all that is kept of these quarters of an hour."""
    for datastream, subject, start in sorted(parts):
        for table in tables.READINGS:
            moment = table.c.start if table is tables.quarter else table.c.time
            theirs = table.c.datastream == datastream, table.c.subject == subject
            within = moment >= start, moment < start + QUARTER
            connection.execute(sa.delete(table).where(*theirs, *within))


def _keep_newest(
    connection: sa.Connection, table: sa.Table, readings: Sequence[Reading], span: Micros
) -> None:
    """Add readings to a table that keeps those of the last ``span`` of each datastream."""
    newest: dict[tuple[str, str], Micros] = {}
    for one in readings:
        key = (one.datastream, one.subject)
        newest[key] = max(newest.get(key, one.time), one.time)
    rows = {
        (one.datastream, one.subject, one.time): {
            name: value
            for name, value in (
                ("datastream", one.datastream), ("subject", one.subject), ("time", one.time),
                ("dataset", one.dataset), ("property", one.observed_property), ("value", one.value),
            )
            if name in table.c
        }
        for one in readings
        if one.time > newest[(one.datastream, one.subject)] - span
    }  # fmt: skip
    upsert(connection, table, list(rows.values()), ["datastream", "subject", "time"], ["value"])
    if newest:
        t, other = table.c, table.alias()
        top = sa.select(sa.func.max(other.c.time)).where(
            other.c.datastream == sa.bindparam("stream"), other.c.subject == sa.bindparam("who")
        )
        connection.execute(
            sa.delete(table).where(
                t.datastream == sa.bindparam("stream"),
                t.subject == sa.bindparam("who"),
                t.time <= top.scalar_subquery() - span,
            ),
            [{"stream": stream, "who": who} for stream, who in newest],
        )


_ADD = sa.text(
    "INSERT INTO quarter (datastream, subject, start, dataset, total, readings, offsets, last) "
    "VALUES (:datastream, :subject, :start, :dataset, :total, :readings, :offsets, :last) "
    "ON CONFLICT (datastream, subject, start) DO UPDATE SET "
    "total = quarter.total + excluded.total, readings = quarter.readings + excluded.readings, "
    "offsets = quarter.offsets + excluded.offsets, "
    "last = CASE WHEN excluded.last > quarter.last THEN excluded.last ELSE quarter.last END"
)
