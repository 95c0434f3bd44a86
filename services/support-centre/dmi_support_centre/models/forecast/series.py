"""Irregular series of occupancy: cleaning by stated rules, interpolation, local time.

Times are int64 microseconds UTC; values are parked vehicles. Nothing here looks past the times it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SLOT = 15 * MINUTE
SLOTS = DAY // SLOT

OVER_CAPACITY = 1.10
"""Up to this share of capacity a value is taken as drift of the counter and set to the capacity."""
UNDER_ZERO = -0.02
"""Down to this share of capacity a negative value is taken as drift and set to zero."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values at times; ``times`` (microseconds UTC) and ``values`` (vehicles) have one shape ``(n,)``."""

    times: Times
    values: Values

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.values.shape:
            raise ValueError(f"times {self.times.shape} and values {self.values.shape} must be equal vectors")

    def __len__(self) -> int:
        return int(self.times.size)

    def until(self, at: int) -> Series:
        """The part at or before ``at``; the series must be in order of time."""
        end = int(np.searchsorted(self.times, at, side="right"))
        return Series(self.times[:end], self.values[:end])


@dataclass(frozen=True, slots=True)
class PlaceHistory:
    """What is known of one place: its series and its capacity (vehicles), ``None`` when not known."""

    series: Series
    capacity: float | None = None


History = Mapping[str, PlaceHistory]


def series_of(times: npt.ArrayLike, values: npt.ArrayLike) -> Series:
    """A series from any two equal sequences."""
    return Series(np.asarray(times, dtype=np.int64), np.asarray(values, dtype=np.float64))


def estimated_capacity(series: Series) -> float:
    """The largest finite value seen, at least 1: the only honest bound where no capacity is known."""
    finite = series.values[np.isfinite(series.values)]
    return max(1.0, float(finite.max())) if finite.size else 1.0


def clean(series: Series, capacity: float) -> Series:
    """The series in order of time, one value a time, within ``[0, capacity]``.

    Rules: not finite: dropped. Between -2 % of capacity and 0: zero. Between capacity and 110 % of it:
    capacity. Further outside: dropped. Several values at one time: their median.
    """
    values = series.values
    keep = np.isfinite(values) & (values >= UNDER_ZERO * capacity) & (values <= OVER_CAPACITY * capacity)
    times, values = series.times[keep], np.clip(values[keep], 0.0, capacity)
    order = np.lexsort((values, times))
    times, values = times[order], values[order]
    first = np.flatnonzero(np.r_[True, times[1:] != times[:-1]]) if times.size else np.zeros(0, np.int64)
    if first.size == times.size:
        return Series(times, values)
    # Sorted by value within a time, so the median is the mean of the two middle ones.
    last = np.r_[first[1:], times.size] - 1
    middle = (values[(first + last) // 2] + values[(first + last + 1) // 2]) / 2
    return Series(times[first], middle)


def merge(earlier: Series, later: Series) -> Series:
    """Both series in order of time; at a time in both the later one's value holds."""
    if not len(later):
        return earlier
    if not len(earlier):
        return later
    kept = ~np.isin(earlier.times, later.times)
    times = np.concatenate([earlier.times[kept], later.times])
    values = np.concatenate([earlier.values[kept], later.values])
    order = np.argsort(times, kind="stable")
    return Series(times[order], values[order])


def interpolate(series: Series, at: Times, largest_gap: int) -> Values:
    """Linear between the two observations around each time; NaN outside them or over a larger gap (µs)."""
    if not len(series):
        return np.full(at.shape, np.nan)
    times, values = series.times, series.values
    index = np.searchsorted(times, at)
    low, high = np.clip(index - 1, 0, times.size - 1), np.clip(index, 0, times.size - 1)
    exact = times[high] == at
    gap = times[high] - times[low]
    share = np.where(gap > 0, (at - times[low]) / np.maximum(gap, 1), 0.0)
    found = np.where(exact, values[high], values[low] * (1 - share) + values[high] * share)
    outside = ~exact & ((index == 0) | (index == times.size) | (gap > largest_gap))
    return np.where(outside, np.nan, found)


def actual(series: Series, at: Times, nearest: int = 8 * MINUTE, largest_gap: int = HOUR) -> Values:
    """What was the case at each time: the observation within ``nearest`` µs, else linear between the two.

    NaN where the observations around lie more than ``largest_gap`` apart. Only for scoring and for learning
    from the past: it looks at both sides of ``at``.
    """
    if not len(series):
        return np.full(at.shape, np.nan)
    times = series.times
    index = np.searchsorted(times, at)
    low, high = np.clip(index - 1, 0, times.size - 1), np.clip(index, 0, times.size - 1)
    before, after = np.abs(at - times[low]), np.abs(times[high] - at)
    closest = np.where(before <= after, low, high)
    near = np.minimum(before, after) <= nearest
    return np.where(near, series.values[closest], interpolate(series, at, largest_gap))


def last_at(series: Series, at: Times) -> npt.NDArray[np.int64]:
    """Index of the last observation at or before each time, -1 where there is none."""
    return np.searchsorted(series.times, at, side="right").astype(np.int64) - 1


class LocalClock:
    """Local wall-clock time of a zone, for arrays; people park by it, not by UTC."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._offsets: dict[int, int] = {}

    def local(self, times: Times) -> Times:
        """Local time as microseconds since 1970-01-01 00:00 local."""
        # Offsets change on quarter hours at the finest, so one lookup a quarter is exact.
        quarters, where = np.unique(times // SLOT, return_inverse=True)
        return times + np.array([self._offset(int(q)) for q in quarters], dtype=np.int64)[where]

    def _offset(self, quarter: int) -> int:
        known = self._offsets.get(quarter)
        if known is None:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=quarter * SLOT)
            offset = moment.astimezone(self._zone).utcoffset()
            known = int((offset or timedelta(0)) / timedelta(microseconds=1))
            self._offsets[quarter] = known
        return known
