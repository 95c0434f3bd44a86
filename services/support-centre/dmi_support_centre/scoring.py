"""How good past forecasts were, beside "it stays as it is" and "as a week ago", as actual values come in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.history import Subjects, clean_series, series_by_stream, usable
from dmi_support_centre.model import DAY, MINUTE, OCCUPANCY
from dmi_support_centre.models.forecast import Score, Scored, score_columns, with_actuals
from dmi_support_centre.store import Store
from dmi_support_centre.store.results import Tracked

KNOWN_AFTER: Micros = 16 * MINUTE
"""An actual value is looked for once the quarter around its moment is over."""
GIVEN_UP: Micros = 3 * 60 * MINUTE
KEPT_DAYS = 3


class Scores:
    """Fills in what became of forecasts and keeps the score; called by one thread per dataset."""

    def __init__(self, store: Store, atlas: Atlas, days: float) -> None:
        self._store = store
        self._atlas = atlas
        self.days = days

    def backfill(self, dataset: str, rows: Sequence[Tracked]) -> None:
        """Forecasts made afterwards, as from a rolling origin; live ones of the same moment stay."""
        self._store.results.add_track(rows)

    def renew(self, grounds: Grounds, now: Micros, subjects: Subjects) -> None:
        """Fill in actual values that are known by now, and score the last days of a dataset.

        ``grounds`` are those of its forecasts: a score of one place tells of the same persons as these do.
        """
        [dataset] = grounds.datasets
        since = now - int(self.days * DAY)
        results = self._store.results
        waiting = results.track(dataset, since - DAY, now - KNOWN_AFTER, known=False)
        settled = self._settle(dataset, waiting, subjects)
        results.settle_track([row for row in settled if row.actual is not None])
        kept = now - int(max(self.days, KEPT_DAYS) * DAY)
        results.forget_track(dataset, now - GIVEN_UP, kept)
        rows = results.track(dataset, since, now, known=True)
        told = {"grounds": msgspec.to_builtins(grounds)}
        results.save_scores(dataset, score_body(rows, since, now) | told)

    def forget(self, dataset: str) -> None:
        """Somebody's rows may not be used any more: what was scored with them is gone, and made anew without."""
        self._store.results.forget_scores(dataset)

    def _settle(self, dataset: str, rows: Sequence[Tracked], subjects: Subjects) -> list[Tracked]:
        if not rows:
            return []
        first = min(row.issued_at for row in rows) - 7 * DAY - 3 * 60 * MINUTE
        series = series_by_stream(usable(self._store.observations.quarters(dataset, first), subjects))
        settled: list[Tracked] = []
        for place in self._atlas.places(OCCUPANCY, dataset):
            own = [row for row in rows if row.place == place.id]
            if not own or place.datastream not in series:
                continue
            truth = clean_series(series[place.datastream], place.capacity)
            issued = np.array([row.issued_at for row in own], dtype=np.int64)
            valid = np.array([row.valid_at for row in own], dtype=np.int64)
            empty = np.zeros(len(own))
            seen = with_actuals(place.id, truth, issued, valid, (empty, empty, empty))
            for row, actual, same, week in zip(
                own, seen.actual.tolist(), seen.persistence.tolist(), seen.last_week.tolist(), strict=True
            ):
                settled.append(
                    Tracked(
                        row.place,
                        row.issued_at,
                        row.valid_at,
                        row.dataset,
                        row.p10,
                        row.p50,
                        row.p90,
                        _known(actual),
                        _known(same),
                        _known(week),
                        row.backtested,
                    )
                )
        return settled


def score_body(rows: Sequence[Tracked], since: Micros, until: Micros) -> dict[str, Any]:
    """The scores of past forecasts as they are shown, with how many of them were live and how many not."""
    if not rows:
        return {"since": since, "until": until, "items": [], "overall": []}

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([_or_nan(getattr(row, name)) for row in rows])

    horizon = np.array([round((row.valid_at - row.issued_at) / MINUTE) for row in rows], dtype=np.int64)
    table = Scored(
        np.array([row.place for row in rows]),
        horizon,
        column("p10"),
        column("p50"),
        column("p90"),
        column("actual"),
        column("persistence"),
        column("last_week"),
    )
    live: dict[tuple[str | None, int | None], int] = {}
    for row, minutes in zip(rows, horizon.tolist(), strict=True):
        if not row.backtested and row.persistence is not None:
            for key in ((row.place, minutes), (None, minutes), (None, None)):
                live[key] = live.get(key, 0) + 1
    scores = [_shown(one, live.get((one.place, one.horizon_min), 0)) for one in score_columns([table])]
    return {
        "since": since,
        "until": until,
        "items": [one for one in scores if one["place"] is not None],
        "overall": [one for one in scores if one["place"] is None],
    }


def _shown(score: Score, live: int) -> dict[str, Any]:
    return {
        "place": score.place,
        "horizon_min": score.horizon_min,
        "mae": round(score.mae, 2),
        "mae_persistence": round(score.mae_persistence, 2),
        "mae_last_week": None if score.mae_last_week is None else round(score.mae_last_week, 2),
        "coverage": round(score.coverage, 3),
        "mean_width": round(score.mean_width, 2),
        "count": score.count,
        "live": live,
        "backtested": score.count - live,
    }


def _known(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
