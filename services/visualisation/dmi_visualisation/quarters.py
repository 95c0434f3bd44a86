"""Quarters of an hour of what each datastream measured, for charts: apart by person and neighbourhood.

A datastream may pass from one person to the next, and from one place to another. So a quarter is of one of each, and
knows within which times and places its readings lie: the gate can judge it by what is in it, whoever measures now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros, within_bounds
from dmi_visualisation.model import BUCKET, Shown

KEY = ("datastream", "start", "subject", "neighbourhood")


def quarter_table(metadata: sa.MetaData) -> sa.Table:
    """The table; no person, no neighbourhood and not known are all the empty text."""
    return sa.Table(
        "quarter",
        metadata,
        sa.Column("datastream", sa.Text, primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("neighbourhood", sa.Text, primary_key=True),
        sa.Column("minimum", sa.Float, nullable=False),
        sa.Column("maximum", sa.Float, nullable=False),
        sa.Column("total", sa.Float, nullable=False),
        sa.Column("readings", sa.Integer, nullable=False),
        sa.Column("flag", sa.Integer, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        # Around all readings; empty as soon as the place of one is not known.
        sa.Column("west", sa.Float),
        sa.Column("south", sa.Float),
        sa.Column("east", sa.Float),
        sa.Column("north", sa.Float),
    )


class Quarter(msgspec.Struct, frozen=True):
    """What one datastream measured in a quarter of an hour, of one person and in one neighbourhood."""

    start: Micros
    subject: str
    neighbourhood: str
    minimum: float
    maximum: float
    total: float
    readings: int
    flag: int
    first: Micros
    last: Micros
    west: float | None = None
    south: float | None = None
    east: float | None = None
    north: float | None = None

    @property
    def mean(self) -> float:
        """The mean of its readings; between them too where the total of what came before results had a bound is
        no number."""
        return max(self.minimum, min(self.maximum, self.total / self.readings))

    def joined(self, other: Quarter) -> Quarter:
        """Both as one, under the person and the neighbourhood of this one."""
        return msgspec.structs.replace(
            self,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            total=self.total + other.total,
            readings=self.readings + other.readings,
            flag=max(self.flag, other.flag),
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            west=_both(min, self.west, other.west),
            south=_both(min, self.south, other.south),
            east=_both(max, self.east, other.east),
            north=_both(max, self.north, other.north),
        )


def _both(choose: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else choose(one, other)


def quarters_of(rows: Iterable[Shown]) -> dict[tuple[str, Micros, str, str], Quarter]:
    """The quarters that rows with a value make, by ``KEY``; one that was stored before results had a bound is none."""
    found: dict[tuple[str, Micros, str, str], Quarter] = {}
    for row in rows:
        value, at = row.result, row.phenomenon_time
        if value is None or not within_bounds(value):
            continue
        start, subject, area = at // BUCKET * BUCKET, row.subject or "", row.neighbourhood or ""
        place = (
            (row.longitude, row.latitude)
            if row.longitude is not None and row.latitude is not None
            else (None, None)
        )
        single = Quarter(start, subject, area, value, value, value, 1, row.flag, at, at, *place, *place)
        key = (row.datastream, start, subject, area)
        known = found.get(key)
        found[key] = single if known is None else known.joined(single)
    return found


def add_quarters(connection: sa.Connection, rows: Iterable[Shown]) -> None:
    """Add rows to the quarters that are kept."""
    found = quarters_of(rows)
    if found:
        connection.execute(
            _ADD,
            [{"datastream": key[0], **msgspec.structs.asdict(quarter)} for key, quarter in found.items()],
        )


def _least(name: str, sign: str) -> str:
    # Without ELSE: what is not known on either side is not known together.
    return (
        f"{name} = CASE WHEN excluded.{name} {sign} quarter.{name} THEN excluded.{name} "
        f"WHEN quarter.{name} {sign}= excluded.{name} THEN quarter.{name} END"
    )


_NAMES = ("datastream", *Quarter.__struct_fields__)
_ADD = sa.text(
    f"INSERT INTO quarter ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)}) "  # noqa: S608
    f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET "
    "total = quarter.total + excluded.total, readings = quarter.readings + excluded.readings, "
    + ", ".join(_least(name, "<") for name in ("minimum", "first", "west", "south"))
    + ", "
    + ", ".join(_least(name, ">") for name in ("maximum", "last", "flag", "east", "north"))
)


def read_quarters(
    connection: sa.Connection, table: sa.Table, datastream: str, start: Micros, end: Micros, limit: int
) -> list[Quarter]:
    """Quarters in ``[start, end)``, the newest ``limit`` of them, oldest first."""
    query = (
        sa.select(*(table.c[name] for name in Quarter.__struct_fields__))
        .where(table.c.datastream == datastream, table.c.start >= start, table.c.start < end)
        .order_by(table.c.start.desc(), table.c.subject, table.c.neighbourhood)
        .limit(limit)
    )
    return [Quarter(*row) for row in reversed(connection.execute(query).all())]
