"""How good forecasts were, beside the two that need no model.

The actual value is the observation within 8 minutes of the target, else linear between the two around it
when they lie at most an hour apart; targets without an actual value (the place was closed, the source was
silent) are not scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dmi_support_centre.models.forecast.baselines import last_week, persistence
from dmi_support_centre.models.forecast.model import Forecast
from dmi_support_centre.models.forecast.series import MINUTE, Series, Times, Values, actual


@dataclass(frozen=True, slots=True)
class Scored:
    """Forecasts with what became of them, in equal columns; NaN where there is no such value."""

    place: npt.NDArray[np.str_]
    horizon_min: npt.NDArray[np.int64]
    p10: Values
    p50: Values
    p90: Values
    actual: Values
    persistence: Values
    last_week: Values


@dataclass(frozen=True, slots=True)
class Score:
    """Figures in vehicles over ``count`` forecasts; ``place`` or ``horizon_min`` ``None`` means all together.

    ``mae_last_week`` is over the ``count_last_week`` of them with a value a week before, ``None`` if none.
    ``pinball`` is the mean quantile loss of p10, p50 and p90: lower is better, for middle and interval.
    """

    place: str | None
    horizon_min: int | None
    count: int
    mae: float
    mae_persistence: float
    mae_last_week: float | None
    count_last_week: int
    coverage: float
    mean_width: float
    pinball: float


def with_actuals(
    place: str, series: Series, issued_at: Times, valid_at: Times, quantiles: tuple[Values, Values, Values]
) -> Scored:
    """One place's forecasts beside actual values and baselines, from its clean series; equal vectors."""
    horizon = (valid_at - issued_at) // MINUTE
    names = np.full(issued_at.size, place)
    baseline = persistence(series, issued_at), last_week(series, valid_at)
    return Scored(names, horizon, *quantiles, actual(series, valid_at), *baseline)


def score(forecasts: Sequence[Forecast], actuals: Mapping[str, Series]) -> list[Score]:
    """Scores per place and horizon, per horizon over all places, and over all; from clean series a place."""
    parts = []
    for place in sorted({forecast.place for forecast in forecasts} & actuals.keys()):
        own = [forecast for forecast in forecasts if forecast.place == place]
        issued = np.array([forecast.issued_at for forecast in own], dtype=np.int64)
        valid = np.array([forecast.valid_at for forecast in own], dtype=np.int64)
        p10, p50, p90 = (np.array(c) for c in zip(*((f.p10, f.p50, f.p90) for f in own), strict=True))
        parts.append(with_actuals(place, actuals[place], issued, valid, (p10, p50, p90)))
    return score_columns(parts) if parts else []


def score_columns(parts: Sequence[Scored]) -> list[Score]:
    """As ``score``, for columns; forecasts whose actual or last known value is missing are left out."""
    table = Scored(*(np.concatenate([getattr(p, name) for p in parts]) for name in Scored.__slots__))
    known = ~np.isnan(table.actual) & ~np.isnan(table.persistence) & ~np.isnan(table.p50)
    horizons = np.unique(table.horizon_min[known])
    scores = [
        _score(
            table, known & (table.place == place) & (table.horizon_min == horizon), str(place), int(horizon)
        )
        for place in np.unique(table.place[known])
        for horizon in horizons
    ]
    scores += [
        _score(table, known & (table.horizon_min == horizon), None, int(horizon)) for horizon in horizons
    ]
    scores.append(_score(table, known, None, None))
    return [one for one in scores if one is not None]


def _score(
    table: Scored, rows: npt.NDArray[np.bool_], place: str | None, horizon: int | None
) -> Score | None:
    if not rows.any():
        return None
    truth, p10, p50, p90 = table.actual[rows], table.p10[rows], table.p50[rows], table.p90[rows]
    week = np.abs(table.last_week[rows] - truth)
    week = week[~np.isnan(week)]
    loss = [
        np.maximum(level * (truth - value), (level - 1) * (truth - value))
        for level, value in ((0.1, p10), (0.5, p50), (0.9, p90))
    ]
    return Score(
        place=place,
        horizon_min=horizon,
        count=int(rows.sum()),
        mae=float(np.abs(p50 - truth).mean()),
        mae_persistence=float(np.abs(table.persistence[rows] - truth).mean()),
        mae_last_week=float(week.mean()) if week.size else None,
        count_last_week=int(week.size),
        coverage=float(((truth >= p10) & (truth <= p90)).mean()),
        mean_width=float((p90 - p10).mean()),
        pinball=float(np.mean(loss)),
    )
