"""The last day in steps of a quarter of an hour: what each datastream said last before a moment, and where.

Kept apart from the quarters of the charts, since it holds positions, also of persons: so it is no older than
the slider of the map reaches back, and what is older is deleted. One value of each datastream from before that stays,
for as long as the map would show it: a sensor that is silent for hours has not gone.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import upsert
from dmi_visualisation.model import BUCKET, Shown

REACH: Micros = 24 * 3600 * 1_000_000
"""How far back a moment may be asked for."""
OLDEST: Micros = 30 * 24 * 3600 * 1_000_000
"""An older value is an archive to the pages of the application, and no longer a measurement that is late."""


def moment_table(metadata: sa.MetaData) -> sa.Table:
    """The table: one row for each datastream and quarter of an hour in which it said something."""
    return sa.Table(
        "moment",
        metadata,
        sa.Column("datastream", sa.Text, primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
        sa.Column("phenomenon_time", sa.BigInteger, nullable=False),
        sa.Column("result", sa.Float),
        sa.Column("flag", sa.Integer, nullable=False),
        sa.Column("longitude", sa.Float),
        sa.Column("latitude", sa.Float),
        sa.Column("neighbourhood", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("source_id", sa.Text),
    )


_SAID = (
    "phenomenon_time",
    "result",
    "flag",
    "longitude",
    "latitude",
    "neighbourhood",
    "subject",
    "source_id",
)


def boundary(at: Micros) -> Micros:
    """The quarter of an hour that ``at`` lies in begins here; values before it are known for certain."""
    return at // BUCKET * BUCKET


def _reached(now: Micros) -> Micros:
    """The earliest boundary that may still be asked for, with a quarter of leeway for clocks that differ."""
    return boundary(now - REACH) - BUCKET


def keep_moments(connection: sa.Connection, table: sa.Table, rows: Sequence[Shown], now: Micros) -> None:
    """Keep the last value of each quarter within reach, and the last one from before; older ones are left out."""
    reached = _reached(now)
    last: dict[tuple[str, Micros], Shown] = {}
    for row in rows:
        if reached - OLDEST < row.phenomenon_time:
            # What came before all moments is of one time: the last of it is all that is ever asked for.
            key = (row.datastream, max(boundary(row.phenomenon_time), reached - BUCKET))
            known = last.get(key)
            if known is None or row.phenomenon_time >= known.phenomenon_time:
                last[key] = row
    upsert(
        connection,
        table,
        [
            {
                "datastream": row.datastream,
                "start": boundary(row.phenomenon_time),
                **{field: getattr(row, field) for field in _SAID},
            }
            for row in last.values()
        ],
        ["datastream", "start"],
        _SAID,
        not_older="phenomenon_time",
    )


def forget_moments(connection: sa.Connection, table: sa.Table, now: Micros) -> None:
    """Delete what is older than the slider reaches, but for the last of each datastream until that is too old."""
    reached = _reached(now)
    later = table.alias("later")
    followed = sa.exists().where(
        later.c.datastream == table.c.datastream, later.c.start > table.c.start, later.c.start < reached
    )
    too_old = table.c.phenomenon_time <= reached - OLDEST
    connection.execute(sa.delete(table).where(table.c.start < reached, sa.or_(followed, too_old)))


def said_before(
    connection: sa.Connection, table: sa.Table, newest: sa.Table, dataset: str, at: Micros
) -> list[Shown]:
    """The last value before the quarter of ``at``, up to ``OLDEST``, of each datastream that has spoken since."""
    bound = boundary(at)
    earlier = table.alias("earlier")
    latest = (
        sa.select(sa.func.max(earlier.c.start))
        .where(earlier.c.datastream == newest.c.datastream, earlier.c.start < bound)
        .scalar_subquery()
    )
    query = (
        sa.select(
            newest.c.datastream,
            newest.c.dataset,
            newest.c.observed_property,
            newest.c.unit,
            *[table.c[field] for field in _SAID],
        )
        .select_from(newest)
        .join(table, sa.and_(table.c.datastream == newest.c.datastream, table.c.start == latest))
        .where(
            newest.c.dataset == dataset,
            newest.c.phenomenon_time >= bound,
            table.c.phenomenon_time > bound - OLDEST,
        )
    )
    rows = connection.execute(query).mappings().all()
    return [Shown(**row) for row in rows]
