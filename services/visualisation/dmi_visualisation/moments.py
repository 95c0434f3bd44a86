"""The last day in steps of a quarter of an hour: what each datastream said last before a moment, and where.

Kept apart from the quarters of the charts, since it holds positions, also of persons: so it is no older than
the slider of the map reaches back, and what is older is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import upsert
from dmi_visualisation.model import BUCKET, Shown

REACH: Micros = 24 * 3600 * 1_000_000
"""How far back a moment may be asked for."""
_KEPT: Micros = REACH + 2 * 3600 * 1_000_000
"""A value up to two hours older than the earliest moment still tells what was true then."""


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


def keep_moments(connection: sa.Connection, table: sa.Table, rows: Sequence[Shown], now: Micros) -> None:
    """Keep the last value of each quarter; rows older than what is kept are left out."""
    last: dict[tuple[str, Micros], Shown] = {}
    for row in rows:
        if now - _KEPT < row.phenomenon_time:
            key = (row.datastream, boundary(row.phenomenon_time))
            known = last.get(key)
            if known is None or row.phenomenon_time >= known.phenomenon_time:
                last[key] = row
    upsert(
        connection,
        table,
        [
            {"datastream": name, "start": start, **{field: getattr(row, field) for field in _SAID}}
            for (name, start), row in last.items()
        ],
        ["datastream", "start"],
        _SAID,
        not_older="phenomenon_time",
    )


def forget_moments(connection: sa.Connection, table: sa.Table, now: Micros) -> None:
    """Delete what is older than the slider reaches."""
    connection.execute(sa.delete(table).where(table.c.start <= now - _KEPT))


def said_before(
    connection: sa.Connection, table: sa.Table, newest: sa.Table, dataset: str, at: Micros
) -> list[Shown]:
    """The last value before the quarter of ``at`` of each datastream of a dataset that has spoken since."""
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
        .where(newest.c.dataset == dataset, newest.c.phenomenon_time >= bound)
    )
    rows = connection.execute(query).mappings().all()
    return [Shown(**row) for row in rows]
