"""Robust pooled regression and the spread of what it misses; dense linear algebra only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmi_support_centre.models.forecast.features import BLEND, KERNELS, Index, Matrix
from dmi_support_centre.models.forecast.series import Values

RIDGE = 0.3
PLACE_RIDGE = 2.0
ROUNDS = 5
SMALLEST = 0.005
"""Residuals below this share of capacity count quadratically, larger ones linearly."""
FOLDS = 3
LEVELS = (0.1, 0.5, 0.9)

STEP, DEVIATION = BLEND, len(KERNELS) + BLEND
SURPRISE = 2 * len(KERNELS)
FRESH = SURPRISE + 8
WAVES = slice(-6, -2)
ADAPTED = (STEP, DEVIATION, -1)
"""Columns whose effect may differ a little by place: expected change, deviation, constant."""


def absolute_fit(x: Matrix, y: Values, weight: Values, ridge: float = RIDGE) -> Values:
    """Coefficients that minimise the weighted absolute error (by reweighted least squares) plus a ridge."""
    result = _solve(x, y, weight, ridge)
    for _ in range(ROUNDS):
        miss = np.abs(y - x @ result)
        result = _solve(x, y, weight * SMALLEST / np.maximum(miss, SMALLEST), ridge * 0.1)
    return result


def _solve(x: Matrix, y: Values, weight: Values, ridge: float) -> Values:
    weighted = x * weight[:, None]
    gram = weighted.T @ x
    gram[np.diag_indices_from(gram)] += ridge
    return np.asarray(np.linalg.solve(gram, weighted.T @ y), dtype=np.float64)


def quantiles(values: Values, weight: Values, levels: tuple[float, ...]) -> Values:
    """Weighted quantiles of a non-empty sample."""
    order = np.argsort(values)
    mass = np.cumsum(weight[order])
    position = np.searchsorted(mass, np.asarray(levels) * mass[-1])
    return np.asarray(values[order][np.clip(position, 0, values.size - 1)], dtype=np.float64)


def spread_features(x: Matrix) -> Matrix:
    """What makes a forecast less sure: size of the changes, level, hour; shape ``(n, 12)``."""
    value = x[:, -2]
    fresh = x[:, FRESH]
    return np.column_stack(
        [
            np.ones(x.shape[0]),
            np.abs(x[:, STEP]),
            np.abs(x[:, DEVIATION]),
            np.abs(x[:, SURPRISE]),
            np.abs(x[:, STEP] - x[:, len(KERNELS) - 1]),
            np.clip(value * (1 - value), 0, None),
            np.abs(x[:, STEP] * x[:, DEVIATION]),
            fresh,
            *x[:, WAVES].T,
        ]
    )


@dataclass(frozen=True, slots=True)
class HorizonModel:
    """Everything learned for one stretch from anchor to target; values are shares of capacity."""

    coefficients: Values
    place_coefficients: npt.NDArray[np.float64]
    spread: Values
    place_spread: Values
    low: float
    high: float

    def middle(self, x: Matrix, place: int) -> Values:
        """Expected change from the anchor."""
        numbers = np.full(x.shape[0], place, dtype=np.int64)
        return _middle(x, numbers, self.coefficients, self.place_coefficients)

    def width(self, x: Matrix, place: int) -> Values:
        """Typical absolute miss of each row."""
        relative = np.maximum(spread_features(x) @ self.spread, 0.2)
        return np.asarray(relative * self.place_spread[place], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to learn one stretch from: features ``x`` (n, f), change, place number, local day, weight."""

    x: Matrix
    y: Values
    place: Index
    day: Index
    weight: Values

    def take(self, rows: npt.NDArray[np.bool_]) -> Sample:
        """Only the rows where ``rows`` holds."""
        return Sample(self.x[rows], self.y[rows], self.place[rows], self.day[rows], self.weight[rows])


def joined(parts: Sequence[Sample]) -> Sample:
    """Several places' rows as one sample; at least one part."""
    return Sample(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.place for part in parts]),
        np.concatenate([part.day for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


def fit_horizon(sample: Sample, places: int) -> HorizonModel:
    """Learns one stretch; the interval rests on misses on days that the middle had not seen."""
    common, own = _fit_middle(sample, places)
    rest = np.empty_like(sample.y)
    # Whole days are left out: rows of one day miss together, across places as well.
    fold = sample.day % FOLDS
    for number in range(FOLDS):
        unseen = fold == number
        if unseen.all() or not unseen.any():
            rest[unseen] = (sample.y - _middle(sample.x, sample.place, common, own))[unseen]
            continue
        parts = _fit_middle(sample.take(~unseen), places)
        rest[unseen] = (sample.y - _middle(sample.x, sample.place, *parts))[unseen]
    return _with_spread(sample, rest, common, own)


def _fit_middle(sample: Sample, places: int) -> tuple[Values, Matrix]:
    # The bare waves of the day serve the spread only: as main effects they fit the past, not the future.
    bare = sample.x.copy()
    bare[:, WAVES] = 0.0
    common = absolute_fit(bare, sample.y, sample.weight)
    rest = sample.y - sample.x @ common
    own = np.zeros((places, len(ADAPTED)))
    adapted = sample.x[:, list(ADAPTED)]
    for number in np.unique(sample.place):
        rows = sample.place == number
        own[number] = absolute_fit(adapted[rows], rest[rows], sample.weight[rows], PLACE_RIDGE)
    return common, own


def _middle(x: Matrix, place: Index, common: Values, own: Matrix) -> Values:
    return np.asarray(x @ common + np.einsum("ij,ij->i", x[:, list(ADAPTED)], own[place]), dtype=np.float64)


def _with_spread(sample: Sample, rest: Values, common: Values, own: Matrix) -> HorizonModel:
    places, place, miss = own.shape[0], sample.place, np.abs(rest)
    overall = max(float(np.average(miss, weights=sample.weight)), 1e-4)
    # A place with few rows leans on the others: as if 50 rows of the average were added.
    mass = np.bincount(place, sample.weight, places)
    typical = (np.bincount(place, sample.weight * miss, places) + 50 * overall) / (mass + 50)
    # The interval follows the last weeks more closely than the middle: twice as fast a forgetting.
    weight = sample.weight**2
    z = spread_features(sample.x)
    spread = _solve(z, miss / typical[place], weight, 1.0)
    relative = np.maximum(z @ spread, 0.2) * typical[place]
    low, high = quantiles(rest / relative, weight, (LEVELS[0], LEVELS[2]))
    return HorizonModel(common, own, spread, typical, float(low), float(high))
