"""Quality tests after QARTOD: one flag column a test, for a whole batch at once; no value is ever changed.

Source: IOOS QARTOD manuals (gross range, rate of change, gap, location test); flag values in
``dmi_agreements.contracts.observations``. All columns have one length; a missing number is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dmi_agreements.contracts.observations import (
    FLAG_FAIL,
    FLAG_MISSING,
    FLAG_NOT_EVALUATED,
    FLAG_PASS,
    FLAG_SUSPECT,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.int8]

TESTS: Final = ("range", "rate", "missing", "place")
MINUTE: Final = 60_000_000
BITS: Final = 4
UNTESTED: Final = sum(FLAG_NOT_EVALUATED << (place * BITS) for place in range(len(TESTS)))
"""The packed flags of a value that no test has looked at, as of one that a person corrected."""


def range_test(value: Floats, minimum: Floats, maximum: Floats, capacity: Floats) -> Flags:
    """Fail outside minimum to maximum, suspect above the capacity; not evaluated where no bound is known."""
    flags = np.full(len(value), FLAG_PASS, np.int8)
    unbounded = np.isnan(minimum) & np.isnan(maximum) & np.isnan(capacity)
    flags[unbounded] = FLAG_NOT_EVALUATED
    flags[value > capacity] = FLAG_SUSPECT
    flags[(value < minimum) | (value > maximum)] = FLAG_FAIL
    flags[np.isnan(value)] = FLAG_MISSING
    return flags


def rate_test(
    key: Ints, time: Ints, value: Floats, step: Floats, before_time: Ints, before_value: Floats
) -> Flags:
    """Suspect where the value moved more than ``step`` per minute since the previous value of its ``key``.

    The previous value stands earlier in the batch, or is ``before_value`` (NaN: none) of
    ``before_time`` (microseconds). Within a minute one whole step is allowed, since sensors round.
    """
    flags = np.full(len(value), FLAG_NOT_EVALUATED, np.int8)
    flags[np.isnan(value)] = FLAG_MISSING
    known = np.flatnonzero(~np.isnan(value) & ~np.isnan(step))
    if not len(known):
        return flags
    order = known[np.lexsort((time[known], key[known]))]
    keys, times, values = key[order], time[order], value[order]
    earlier_time, earlier = before_time[order], before_value[order]
    follows = keys[1:] == keys[:-1]
    earlier_time[1:][follows] = times[:-1][follows]
    earlier[1:][follows] = values[:-1][follows]
    elapsed = times - earlier_time
    judged = ~np.isnan(earlier) & (elapsed > 0)
    allowed = step[order] * np.maximum(elapsed / MINUTE, 1.0)
    jumped = np.abs(values - earlier) > allowed
    flags[order[judged]] = np.where(jumped[judged], FLAG_SUSPECT, FLAG_PASS)
    return flags


def missing_test(value: Floats) -> Flags:
    """Missing where the source delivered no value."""
    return np.where(np.isnan(value), FLAG_MISSING, FLAG_PASS).astype(np.int8)


def place_test(
    longitude: Floats, latitude: Floats, west: Floats, south: Floats, east: Floats, north: Floats
) -> Flags:
    """Fail at 0,0 (a receiver without a fix), suspect outside the plausible area, not evaluated without position."""
    inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    flags = np.where(inside, FLAG_PASS, FLAG_SUSPECT).astype(np.int8)
    flags[(longitude == 0.0) & (latitude == 0.0)] = FLAG_FAIL
    flags[np.isnan(longitude) | np.isnan(latitude)] = FLAG_NOT_EVALUATED
    return flags


def pack(flags: Mapping[str, Flags]) -> Ints:
    """All tests of a row in one number, four bits a test in the order of ``TESTS``; how the store keeps them."""
    packed = np.zeros(len(flags[TESTS[0]]), np.int64)
    for place, test in enumerate(TESTS):
        packed |= flags[test].astype(np.int64) << (place * BITS)
    return packed


def unpack(packed: list[int]) -> dict[str, list[int]]:
    """The flag columns of packed numbers."""
    column = np.array(packed, np.int64)
    return {test: (column >> (place * BITS) & 0xF).tolist() for place, test in enumerate(TESTS)}


def overall(flags: Mapping[str, list[int]]) -> list[int]:
    """One flag a row: missing when there is no value, else the worst of its tests."""
    return [_worst(row) for row in zip(*flags.values(), strict=True)]


@cache
def _worst(row: tuple[int, ...]) -> int:
    # Remembered, since rows have few different combinations of flags and lists of them are long.
    for flag in (FLAG_MISSING, FLAG_FAIL, FLAG_SUSPECT, FLAG_PASS):
        if flag in row:
            return flag
    return FLAG_NOT_EVALUATED


def numbers(column: list[float | None] | None, rows: int) -> Floats:
    """A column with NaN for ``None``; all NaN when the column is absent."""
    return np.full(rows, np.nan) if column is None else np.array(column, np.float64)


def optional(column: NDArray[Any]) -> list[Any]:
    """A numpy column as Python numbers, with ``None`` for NaN."""
    values: list[Any] = column.tolist()
    if np.isnan(column).any():
        return [None if value != value else value for value in values]
    return values
