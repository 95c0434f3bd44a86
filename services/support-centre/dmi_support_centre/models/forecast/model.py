"""The forecast of garage occupancy 15 to 120 minutes ahead, with an 80 % interval.

One linear model a stretch, shared by all places, from weekly profiles, the deviation from them and recent
changes; it minimises absolute error, each place adapts three effects a little, and the interval comes from
what the model missed, by place, hour and situation. Its simplification: garages do not see one another, nor
the weather, nor events; a day unlike all days before it is met by the deviation only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmi_support_centre.models.forecast.features import LONGEST, Index, anchors, matrix
from dmi_support_centre.models.forecast.regression import HorizonModel, Sample, fit_horizon, joined
from dmi_support_centre.models.forecast.series import (
    DAY,
    MINUTE,
    SLOT,
    History,
    LocalClock,
    Series,
    Times,
    Values,
    clean,
    estimated_capacity,
    last_at,
    merge,
)
from dmi_support_centre.models.forecast.series import actual as actual_at

HORIZONS = tuple(range(15, 121, 15))
STRETCHES = (*HORIZONS, 150, 180, 240)
"""Minutes from the last observation to the target; longer than the horizons, since data may be late."""
NEEDED_DAYS = 7
"""Days with observations before a place has a profile worth the name."""
NEEDED_ROWS = 200
HALF_LIFE_DAYS = 30.0


class NotEnoughHistory(Exception):
    """Too little is known of a place for more than "it stays as it is"."""

    def __init__(self, place: str, days: int) -> None:
        super().__init__(
            f"{place}: {days} days with observations are too few; {NEEDED_DAYS} are needed, and after them "
            f"{NEEDED_ROWS} observations of all places together to learn from"
        )
        self.place = place
        self.days = days


@dataclass(frozen=True, slots=True)
class Forecast:
    """Vehicles parked at ``valid_at``, with an 80 % chance between ``p10`` and ``p90``; times in µs UTC."""

    place: str
    issued_at: int
    valid_at: int
    p10: float
    p50: float
    p90: float
    note: str = ""
    """Empty, or why this is persistence with a wide interval: ``not-enough-history`` or ``stale-data``."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Columns for n issue times and h horizons, each of shape ``(n, h)``; NaN without any observation."""

    p10: Values
    p50: Values
    p90: Values
    modelled: npt.NDArray[np.bool_]
    """False where persistence stands in for the model."""
    stale: npt.NDArray[np.bool_]
    """True where the last observation is too old for any model."""


@dataclass(frozen=True, slots=True)
class _Place:
    number: int
    capacity: float
    known_capacity: bool
    series: Series
    days: int


class OccupancyForecaster:
    """Learns from ``fit`` and forecasts with ``predict``; ``zone`` is the wall clock by which people park."""

    def __init__(self, zone: str = "Europe/Amsterdam") -> None:
        self._clock = LocalClock(zone)
        self._places: dict[str, _Place] = {}
        self._models: dict[int, HorizonModel] = {}
        self.fitted_until: int | None = None
        """The newest observation that was learned from."""

    def fit(self, history: History) -> None:
        """Learns from the whole history; whatever is too short stays on persistence (see ``shortage``)."""
        self._places, self._models, self.fitted_until = {}, {}, None
        for number, (place, known) in enumerate(sorted(history.items())):
            capacity = known.capacity if known.capacity else estimated_capacity(known.series)
            series = clean(known.series, capacity)
            days = int(np.unique(self._clock.local(series.times) // DAY).size) if len(series) else 0
            self._places[place] = _Place(number, capacity, bool(known.capacity), series, days)
        seen = [int(p.series.times[-1]) for p in self._places.values() if len(p.series)]
        self.fitted_until = max(seen, default=None)
        self._learn()

    def shortage(self, place: str) -> NotEnoughHistory | None:
        """Why this place is on persistence, or ``None`` when it is modelled."""
        known = self._places.get(place)
        if known is None or known.days < NEEDED_DAYS or not self._models:
            return NotEnoughHistory(place, known.days if known else 0)
        return None

    def predict(
        self, place: str, issued_at: int, recent: Series, horizons_min: Sequence[int] = HORIZONS
    ) -> list[Forecast]:
        """Forecasts from what was learned and the ``recent`` observations at or before ``issued_at``.

        ``recent`` may overlap what was learned; it need not be clean or in order. Without any observation at
        all the list is empty.
        """
        found = self.predict_many(place, np.array([issued_at], dtype=np.int64), recent, horizons_min)
        if np.isnan(found.p50).all():
            return []
        notes = np.where(found.stale[0], "stale-data", "not-enough-history")
        p10, p50, p90 = (column[0].round(1).tolist() for column in (found.p10, found.p50, found.p90))
        notes = np.where(found.modelled[0], "", notes).tolist()
        return [
            Forecast(place, issued_at, issued_at + horizon * MINUTE, p10[i], p50[i], p90[i], notes[i])
            for i, horizon in enumerate(horizons_min)
        ]

    def predict_many(
        self, place: str, issued_at: Times, recent: Series, horizons_min: Sequence[int] = HORIZONS
    ) -> Quantiles:
        """As ``predict``, for many issue times at once; each uses only observations at or before itself."""
        series, capacity, known_capacity = self._merged(place, recent)
        shape = (issued_at.size, len(horizons_min))
        index = last_at(series, issued_at)
        p10, p50, p90 = (np.full(shape, np.nan) for _ in range(3))
        modelled, stale = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        rows = np.flatnonzero(index >= 0)
        if not rows.size:
            return Quantiles(p10, p50, p90, modelled, stale)
        target = issued_at[rows, None] + np.asarray(horizons_min, dtype=np.int64)[None, :] * MINUTE
        stretch = target - series.times[index[rows]][:, None]
        low, middle, high, ok = self._rows(place, series, capacity, index[rows], stretch)
        # Where the capacity is not known, the largest value seen is no wall: a tenth may come on top.
        top = capacity if known_capacity else 1.1 * capacity
        p50[rows] = np.clip(middle * capacity, 0, top)
        p10[rows] = np.clip(np.minimum(low * capacity, p50[rows]), 0, top)
        p90[rows] = np.clip(np.maximum(high * capacity, p50[rows]), 0, top)
        modelled[rows] = ok
        stale[rows] = stretch > LONGEST
        return Quantiles(p10, p50, p90, modelled, stale)

    def _merged(self, place: str, recent: Series) -> tuple[Series, float, bool]:
        known = self._places.get(place)
        if known is None:
            capacity = estimated_capacity(recent)
            return clean(recent, capacity), capacity, False
        capacity = known.capacity
        if not known.known_capacity:
            # Else a new highest value would be thrown away as impossible until the next fit.
            capacity = max(capacity, estimated_capacity(known.series))
            recent = Series(recent.times, np.minimum(recent.values, 1.1 * capacity))
        return merge(known.series, clean(recent, capacity)), capacity, known.known_capacity

    def _rows(
        self, place: str, series: Series, capacity: float, index: Index, stretch: Times
    ) -> tuple[Values, Values, Values, npt.NDArray[np.bool_]]:
        """Low, middle and high as shares of capacity for anchors ``index`` and stretches ``(n, h)``."""
        value = (series.values[index] / capacity)[:, None]
        minutes = stretch / MINUTE
        # No model: the last value, and an interval that widens with the root of the time ahead.
        wide = 0.08 + 0.03 * np.sqrt(minutes)
        low, middle, high = value - wide, np.repeat(value, stretch.shape[1], axis=1), value + wide
        ok = np.zeros(stretch.shape, dtype=bool)
        if self.shortage(place):
            return low, middle, high, ok
        ok = stretch <= max(self._models) * MINUTE
        wanted = np.flatnonzero(ok.any(axis=1))
        if not wanted.size:
            return low, middle, high, ok
        base = anchors(series, index[wanted], capacity, self._clock)
        number = self._places[place].number
        for column in range(stretch.shape[1]):
            ahead = np.minimum(minutes[wanted, column], LONGEST / MINUTE)
            x = matrix(base, ahead)
            change, down, up = self._between(x, ahead, number)
            use = ok[wanted, column]
            rows = wanted[use]
            middle[rows, column] = (base.value + change)[use]
            low[rows, column] = (base.value + change + down)[use]
            high[rows, column] = (base.value + change + up)[use]
        return low, middle, high, ok

    def _between(
        self, x: npt.NDArray[np.float64], ahead: npt.NDArray[np.float64], number: int
    ) -> tuple[Values, Values, Values]:
        """Change, lower and upper margin: linear between the models of the two stretches around ``ahead``."""
        result = np.zeros((3, x.shape[0]))
        learned = sorted(self._models)
        position = np.interp(ahead, (0, *learned), range(len(learned) + 1))
        for step, stretch in enumerate(learned, start=1):
            share = np.maximum(0.0, 1 - np.abs(position - step))
            rows = np.flatnonzero(share)
            if rows.size:
                model = self._models[stretch]
                width = model.width(x[rows], number)
                parts = (model.middle(x[rows], number), model.low * width, model.high * width)
                result[:, rows] += share[rows] * np.stack(parts)
        return result[0], result[1], result[2]

    def _learn(self) -> None:
        usable = [p for p in self._places.values() if p.days >= NEEDED_DAYS]
        prepared = []
        for place in usable:
            index = _training_rows(place.series, self._clock)
            if index.size:
                prepared.append((place, anchors(place.series, index, place.capacity, self._clock)))
        if sum(rows.times.size for _, rows in prepared) < NEEDED_ROWS:
            return
        models: dict[int, HorizonModel] = {}
        newest = max(int(rows.times[-1]) for _, rows in prepared)
        for stretch in STRETCHES:
            parts: list[Sample] = []
            for place, rows in prepared:
                truth = actual_at(rows.series, rows.times + stretch * MINUTE)
                known = ~np.isnan(truth)
                x = matrix(rows, np.full(rows.times.size, float(stretch)))
                weight = 0.5 ** ((newest - rows.times) / (HALF_LIFE_DAYS * DAY))
                number = np.full(rows.times.size, place.number, dtype=np.int64)
                parts.append(Sample(x, truth - rows.value, number, rows.day, weight).take(known))
            sample = joined(parts)
            # Garages that are open for a few hours have no long stretches; those then stay on persistence.
            if sample.y.size >= NEEDED_ROWS:
                models[stretch] = fit_horizon(sample, len(self._places))
        self._models = models


def _training_rows(series: Series, clock: LocalClock) -> Index:
    """Anchors to learn from: after the place's first week, about one a quarter of an hour."""
    day = clock.local(series.times) // DAY
    first = day[0] + NEEDED_DAYS
    late = np.flatnonzero(day >= first)
    if not late.size:
        return late
    quarter = series.times[late] // SLOT
    return late[np.r_[True, quarter[1:] != quarter[:-1]]]
