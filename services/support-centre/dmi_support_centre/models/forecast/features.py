"""What the forecast looks at: weekly profiles, the deviation from them, and recent changes.

Every row is anchored at the last observation at or before the issue time. Its profiles come from the local
days *before* the anchor's day, its lags from observations up to the anchor, so a row can never contain what
was not known yet, in training as in use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmi_support_centre.models.forecast.series import (
    DAY,
    HOUR,
    MINUTE,
    SLOT,
    SLOTS,
    LocalClock,
    Series,
    Times,
    Values,
    interpolate,
)

Matrix = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

GRID_GAP = 100 * MINUTE
"""Half-hourly sources that miss one or two rows still give a profile; longer gaps stay gaps."""
LAG_GAP = 75 * MINUTE


@dataclass(frozen=True, slots=True)
class Kernel:
    """How much an earlier day counts: halves every ``half_life`` days, by likeness of the day of the week."""

    half_life: float
    same_weekday: float
    same_class: float
    other: float


KERNELS = (
    Kernel(21.0, 1.0, 0.0, 0.0),
    Kernel(10.0, 1.0, 1.0, 0.0),
    Kernel(14.0, 1.0, 0.25, 0.01),
    Kernel(4.0, 1.0, 1.0, 0.05),
)
"""Same weekday; same class of day (working day, Saturday, Sunday); a blend; the last few days."""
BLEND = 2


@dataclass(frozen=True, slots=True)
class Profiles:
    """Per kernel the expected values of a day and the next, ``(days, 192)``, from the days before it."""

    first_day: int
    tables: tuple[Matrix, ...]

    def at(self, kernel: int, day: Index, slot: Values) -> Values:
        """Profile of local day ``day`` at ``slot`` quarters after midnight (two days), NaN if unknown."""
        table = self.tables[kernel]
        place = np.clip(slot, 0, table.shape[1] - 1.001)
        low = place.astype(np.int64)
        share = place - low
        before, after = table[day - self.first_day, low], table[day - self.first_day, low + 1]
        found = before * (1 - share) + after * share
        nearest = np.where(share < 0.5, before, after)
        return np.where(np.isnan(found), nearest, found)


def day_table(series: Series, clock: LocalClock, first_day: int, days: int) -> Matrix:
    """Values on local quarters, shape ``(days, 96)``; NaN where nothing was observed around."""
    table = np.full((days, SLOTS), np.nan)
    # A day's margin on both sides holds every offset from UTC.
    at = np.arange((first_day - 1) * DAY, (first_day + days + 1) * DAY, SLOT, dtype=np.int64)
    values = interpolate(series, at, GRID_GAP)
    local = clock.local(at)
    day, slot = local // DAY - first_day, (local % DAY) // SLOT
    known = (day >= 0) & (day < days) & ~np.isnan(values)
    table[day[known], slot[known]] = values[known]
    return table


def _class(weekday: Index) -> Index:
    return np.where(weekday < 5, 0, weekday)


def profiles(series: Series, clock: LocalClock, wanted: Index) -> Profiles:
    """Profiles of the local days ``wanted`` (days since 1970), each from strictly earlier days."""
    local = clock.local(series.times[[0, -1]])
    first = int(min(local[0] // DAY, wanted.min()))
    total = int(max(local[1] // DAY, wanted.max())) - first + 1
    table = day_table(series, clock, first, total)
    known = (~np.isnan(table)).astype(np.float64)
    filled = np.nan_to_num(table)
    source = np.arange(total, dtype=np.int64)
    # 1970-01-01 was a Thursday: day number + 3 counts from Monday.
    weekday = (source + first + 3) % 7
    age = source[:, None] - source[None, :]
    rows = np.zeros(total, dtype=bool)
    rows[wanted - first] = True
    tables = []
    for kernel in KERNELS:
        result = np.full((total, 2 * SLOTS), np.nan)
        for ahead in (0, 1):
            target = (weekday + ahead) % 7
            alike = np.where(
                _class(weekday)[None, :] == _class(target)[:, None], kernel.same_class, kernel.other
            )
            alike = np.where(weekday[None, :] == target[:, None], kernel.same_weekday, alike)
            weight = (alike * 0.5 ** (np.maximum(age, 0) / kernel.half_life) * (age > 0))[rows]
            total_weight = weight @ known
            mean = (weight @ filled) / np.maximum(total_weight, 1e-12)
            result[rows, ahead * SLOTS : (ahead + 1) * SLOTS] = np.where(total_weight > 1e-6, mean, np.nan)
        tables.append(result)
    return Profiles(first, tuple(tables))


@dataclass(frozen=True, slots=True)
class Anchors:
    """Rows of one place that share everything but the time ahead; values are shares of capacity."""

    series: Series
    times: Times
    value: Values
    day: Index
    slot: Values
    profiles: Profiles
    change_30: Values
    change_60: Values


def anchors(series: Series, index: Index, capacity: float, clock: LocalClock) -> Anchors:
    """Anchors at the observations ``index`` of a clean series in order of time."""
    scaled = Series(series.times, series.values / capacity)
    times, value = scaled.times[index], scaled.values[index]
    local = clock.local(times)
    day = local // DAY
    table = profiles(scaled, clock, np.unique(day))
    slot = (local % DAY) / SLOT
    change_30 = value - interpolate(scaled, times - 30 * MINUTE, LAG_GAP)
    change_60 = value - interpolate(scaled, times - 60 * MINUTE, LAG_GAP)
    return Anchors(scaled, times, value, day, slot, table, change_30, change_60)


def matrix(rows: Anchors, ahead: npt.NDArray[np.float64]) -> Matrix:
    """Features of each anchor for ``ahead`` minutes (scalar array or one a row); shape ``(n, features)``.

    Missing profiles and lags become neutral values (no change expected) beside a column that says so.
    """
    value, slot = rows.value, rows.slot
    columns: list[Values] = []
    steps: list[Values] = []
    deviations: list[Values] = []
    for kernel in range(len(KERNELS)):
        here = rows.profiles.at(kernel, rows.day, slot)
        there = rows.profiles.at(kernel, rows.day, slot + ahead / 15.0)
        unknown = np.isnan(here) | np.isnan(there)
        steps.append(np.where(unknown, 0.0, there - here))
        deviations.append(np.where(unknown, 0.0, value - here))
    step, deviation = steps[BLEND], deviations[BLEND]
    expected_30 = np.nan_to_num(_profile_change(rows, 2.0))
    surprise_30 = np.nan_to_num(rows.change_30 - expected_30)
    surprise_60 = np.nan_to_num(rows.change_60 - np.nan_to_num(_profile_change(rows, 4.0)))
    ratio = np.clip(deviation / np.maximum(value - deviation, 0.05), -1.0, 1.5)
    columns += [*steps, *deviations, surprise_30, surprise_60, expected_30, step * ratio, step * value]
    columns += [
        deviation * value,
        np.maximum(step, 0) * value,
        np.maximum(step, 0) * np.maximum(value - 0.85, 0),
    ]
    fresh = np.isnan(rows.change_30).astype(np.float64)
    weekend = ((rows.day + 3) % 7 >= 5).astype(np.float64)
    columns += [
        fresh,
        fresh * deviation,
        fresh * step,
        weekend * deviation,
        weekend * step,
        weekend * surprise_30,
    ]
    columns += _daily_pattern(slot, step, deviation, surprise_30)
    columns += _last_week(rows, ahead)
    columns += [wave(2 * np.pi * k * slot / SLOTS) for k in (1, 2) for wave in (np.cos, np.sin)]
    columns += [value, np.ones_like(value)]
    return np.column_stack(columns)


def _profile_change(rows: Anchors, quarters: float) -> Values:
    """How much the blended profile changed over the last ``quarters`` quarters; NaN before midnight."""
    earlier = np.where(rows.slot >= quarters, rows.slot - quarters, np.nan)
    safe = np.nan_to_num(earlier)
    change = rows.profiles.at(BLEND, rows.day, rows.slot) - rows.profiles.at(BLEND, rows.day, safe)
    return np.where(np.isnan(earlier), np.nan, change)


def _daily_pattern(slot: Values, step: Values, deviation: Values, surprise: Values) -> list[Values]:
    """Effects that change over the day: two harmonics each, and one more for the expected change."""
    columns = []
    for harmonic in (1, 2, 3):
        angle = 2 * np.pi * harmonic * slot / SLOTS
        for wave in (np.cos(angle), np.sin(angle)):
            columns += [deviation * wave, step * wave]
            if harmonic < 3:
                columns.append(surprise * wave)
    return columns


def _last_week(rows: Anchors, ahead: npt.NDArray[np.float64]) -> list[Values]:
    """The change a week before over the same stretch, and whether it is missing."""
    then = rows.times - 7 * DAY
    target = then + (ahead * MINUTE).astype(np.int64)
    change = interpolate(rows.series, target, GRID_GAP) - interpolate(rows.series, then, GRID_GAP)
    missing = np.isnan(change)
    return [np.where(missing, 0.0, change), missing.astype(np.float64)]


LONGEST = 4 * HOUR
"""The longest stretch from anchor to target that the features describe."""
