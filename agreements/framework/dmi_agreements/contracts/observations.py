"""Observations travel as batches in columns: one message carries hundreds to thousands of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

Micros = int
"""Microseconds since 1970-01-01T00:00:00Z."""

LARGEST_RESULT: Final = 1e18
"""No result lies further from zero: all that is counted or measured does (microseconds since 1970 are 2e15), and what
sums them up, or squares them, still gets a number."""


def within_bounds(result: float) -> bool:
    """Whether a result can be one: a finite number that lies no further from zero than ``LARGEST_RESULT``.

    The same holds of the numbers among the properties of features. Every door of intake refuses others. What was stored
    before it did is served as it is, and left out of what sums up.
    """
    return abs(result) <= LARGEST_RESULT


class ObservationBatch(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Rows of one dataset in columns of equal length; optional columns are ``None`` when absent.

    ``result`` is ``None`` where the source delivered no value (missing is not zero). Positions are
    WGS84 degrees. ``subject`` names the data subject of a row of personal data. ``source_id`` is the
    source's own identifier of the row, where it has one. The columns from ``raw_result`` on are added
    by the platform: the untouched value, one QARTOD flag column a test, the neighbourhood.
    """

    dataset: str
    datastream: list[str]
    phenomenon_time: list[Micros]
    result: list[float | None]
    longitude: list[float | None] | None = None
    latitude: list[float | None] | None = None
    subject: list[str | None] | None = None
    source_id: list[str | None] | None = None
    observed_property: list[str] | None = None
    unit: list[str] | None = None
    raw_result: list[float | None] | None = None
    flags: dict[str, list[int]] | None = None
    neighbourhood: list[str | None] | None = None
    batch_id: str = ""
    """The intake's id of the batch; outcomes are reported under it."""

    def __len__(self) -> int:
        return len(self.datastream)

    def __post_init__(self) -> None:
        rows = len(self.datastream)
        for name, column in self.columns():
            if len(column) != rows:
                raise ValueError(f"column {name} has {len(column)} rows, datastream has {rows}")

    def columns(self) -> list[tuple[str, Sequence[Any]]]:
        """Every column that is present, by name; flag columns as ``flags.<test>``."""
        found: list[tuple[str, Sequence[Any]]] = []
        for name in _COLUMNS:
            column = getattr(self, name)
            if column is not None:
                found.append((name, column))
        for test, column in (self.flags or {}).items():
            found.append((f"flags.{test}", column))
        return found

    def take(self, rows: Sequence[int]) -> ObservationBatch:
        """The batch with only these row numbers, in this order."""
        if len(rows) == len(self) and all(index == row for index, row in enumerate(rows)):
            return self
        changed: dict[str, Any] = {}
        for name in _COLUMNS:
            column = getattr(self, name)
            if column is not None:
                changed[name] = [column[row] for row in rows]
        if self.flags is not None:
            changed["flags"] = {test: [c[row] for row in rows] for test, c in self.flags.items()}
        return msgspec.structs.replace(self, **changed)


_COLUMNS = (
    "datastream",
    "phenomenon_time",
    "result",
    "longitude",
    "latitude",
    "subject",
    "source_id",
    "observed_property",
    "unit",
    "raw_result",
    "neighbourhood",
)

FLAG_PASS, FLAG_NOT_EVALUATED, FLAG_SUSPECT, FLAG_FAIL, FLAG_MISSING = 1, 2, 3, 4, 9
"""QARTOD quality flags; one per test, the raw value is never overwritten."""

CORRECTED = "nl.dmi.observations.corrected.v1"
"""The type of a message with all rows of whole quarters of an hour, one of which a person corrected: they take the
place of what is kept of these quarters."""
QUARTER: Micros = 900_000_000
"""A quarter of an hour, by which layers sum up."""
