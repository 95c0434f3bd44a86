"""Visualisation's store: places and things, newest values, and quarters of an hour for charts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock, repeats
from dmi_infra.bus.port import Received
from dmi_infra.corrections import Part
from dmi_infra.places import keep_newest
from dmi_infra.sql import (
    Positions,
    load_positions,
    positions_table,
    reading,
    save_positions,
    transaction,
    upsert,
)
from dmi_visualisation.model import BUCKET, Shown
from dmi_visualisation.moments import boundary, forget_moments, keep_moments, moment_table, said_before
from dmi_visualisation.quarters import Quarter, add_quarters, quarter_table, read_quarters

metadata = sa.MetaData()
positions = positions_table(metadata)
taken = repeats.taken_table(metadata)

feature = sa.Table(
    "feature",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False, index=True),
    sa.Column("valid_from", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
newest = sa.Table(
    "newest",
    metadata,
    sa.Column("datastream", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("phenomenon_time", sa.BigInteger, nullable=False),
    sa.Column("result", sa.Float),
    sa.Column("flag", sa.Integer, nullable=False),
    sa.Column("longitude", sa.Float),
    sa.Column("latitude", sa.Float),
    sa.Column("neighbourhood", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("observed_property", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text),
    # By it the quarters and moments of others are found; what it held has gone with its person, so it shows nothing.
    sa.Column("erased", sa.Boolean, nullable=False, server_default=sa.false()),
)
quarter = quarter_table(metadata)
moment = moment_table(metadata)

_GONE: Final = {
    **dict.fromkeys(("result", "longitude", "latitude", "neighbourhood", "subject", "source_id")),
    "erased": True,
}
"""Of a newest value that is kept no longer."""
_NEWEST = [c.name for c in newest.columns if c.name != "datastream"]


class Store:
    """All reads and writes of visualisation."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._forgotten: Micros = 0

    def positions(self) -> Positions:
        """Where the consumer goes on."""
        return load_positions(self._engine, positions)

    def fresh(self, messages: Sequence[Received]) -> list[Received]:
        """These messages without those that repeat another one; see ``repeats``."""
        return repeats.fresh(self._engine, taken, messages)

    def save(
        self,
        features: Sequence[tuple[str, Feature]],
        rows: Sequence[Shown],
        reached: Positions,
        corrected: Collection[Part] = (),
        messages: Sequence[Received] = (),
    ) -> None:
        """Keep new features (with their dataset), newest values, quarters, and the position: all or nothing.

        Of the quarters of an hour in ``corrected`` the ``rows`` are all, in place of what was kept of these.
        ``messages`` are all that were taken in with this, by which their copies are known.
        """
        latest: dict[str, Shown] = {}
        for row in rows:
            known = latest.get(row.datastream)
            if known is None or row.phenomenon_time >= known.phenomenon_time:
                latest[row.datastream] = row
        with transaction(self._engine) as connection:
            keep_newest(connection, feature, features)
            _drop(connection, corrected)
            upsert(
                connection,
                newest,
                [{**msgspec.structs.asdict(row), "erased": False} for row in latest.values()],
                ["datastream"],
                _NEWEST,
                not_older="phenomenon_time",
            )
            add_quarters(connection, rows)
            self._keep_moments(connection, rows)
            repeats.keep(connection, taken, messages)
            save_positions(connection, positions, reached)

    def _keep_moments(self, connection: sa.Connection, rows: Sequence[Shown]) -> None:
        now = clock.now()
        keep_moments(connection, moment, rows, now)
        if boundary(now) > self._forgotten:
            # Once a quarter of an hour is enough, since rows are kept by the quarter.
            forget_moments(connection, moment, now)
            self._forgotten = boundary(now)

    def features(self) -> list[tuple[str, Feature]]:
        """Every feature with its dataset."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(feature.c.dataset, feature.c.body)).all()
        return [(row.dataset, msgspec.json.decode(row.body, type=Feature)) for row in rows]

    def newest(self) -> list[Shown]:
        """The newest value of every datastream; none of one whose newest value was erased."""
        shown = sa.select(*(newest.c[name] for name in Shown.__struct_fields__)).where(~newest.c.erased)
        with reading(self._engine) as connection:
            rows = connection.execute(shown).mappings().all()
        return [Shown(**row) for row in rows]

    def datasets(self) -> list[str]:
        """The datasets of which values are kept."""
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(newest.c.dataset).distinct()).scalars())

    def erase(self, dataset: str, person: str, until: Micros) -> int:
        """Delete a person's values of a dataset up to a moment, and its quarters that begin by then; how many rows."""
        streams = sa.select(newest.c.datastream).where(newest.c.dataset == dataset)
        deleted = 0
        with transaction(self._engine) as connection:
            names = list(connection.execute(streams).scalars())
            for table, at in ((quarter, quarter.c.start), (moment, moment.c.phenomenon_time)):
                theirs = sa.delete(table).where(
                    table.c.datastream == sa.bindparam("name"), table.c.subject == person, at <= until
                )
                deleted += sum(connection.execute(theirs, {"name": name}).rowcount for name in names)
            # The row stays, marked: without it the rows of others on this datastream would not be found.
            gone = sa.update(newest).where(
                newest.c.dataset == dataset, newest.c.subject == person, newest.c.phenomenon_time <= until
            )
            return deleted + connection.execute(gone.values(**_GONE)).rowcount

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete values of a dataset from before a moment, and quarters that hold some; returns how many rows."""
        streams = sa.select(newest.c.datastream).where(newest.c.dataset == dataset)
        with transaction(self._engine) as connection:
            names = list(connection.execute(streams).scalars())
            deleted = 0
            for table in (quarter, moment):
                old = sa.delete(table).where(table.c.datastream == sa.bindparam("name"), table.c.start < at)
                deleted += sum(connection.execute(old, {"name": name}).rowcount for name in names)
            # Last, since the others are found by them.
            gone = sa.delete(newest).where(newest.c.dataset == dataset, newest.c.phenomenon_time < at)
            return deleted + connection.execute(gone).rowcount

    def said_before(self, dataset: str, at: Micros) -> list[Shown]:
        """What each datastream of a dataset said last before the quarter of an hour of ``at``.

        A datastream that has said nothing since is left out: its newest value is that of the moment too.
        """
        with reading(self._engine) as connection:
            return said_before(connection, moment, newest, dataset, at)

    def quarters(self, datastream: str, start: Micros, end: Micros, limit: int) -> list[Quarter]:
        """Quarters of an hour in ``[start, end)``, the newest ``limit`` of them, oldest first."""
        with reading(self._engine) as connection:
            return read_quarters(connection, quarter, datastream, start, end, limit)


def _drop(connection: sa.Connection, parts: Collection[Part]) -> None:
    """Delete all that is kept of these quarters of an hour."""
    for stream, subject, start in sorted(parts):
        for table in (quarter, moment):
            theirs = sa.func.coalesce(table.c.subject, "") == subject
            connection.execute(
                sa.delete(table).where(table.c.datastream == stream, table.c.start == start, theirs)
            )
        last = newest.c
        within = last.phenomenon_time >= start, last.phenomenon_time < start + BUCKET
        theirs = sa.func.coalesce(last.subject, "") == subject
        connection.execute(
            sa.update(newest).where(last.datastream == stream, theirs, *within).values(**_GONE)
        )
