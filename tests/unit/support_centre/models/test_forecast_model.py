"""The forecast of occupancy: better than its baselines, honest intervals, honest about what it does not know."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmi_support_centre.models.forecast import (
    HORIZONS,
    Forecast,
    OccupancyForecaster,
    PlaceHistory,
    Score,
    Series,
    clean,
    score,
    score_columns,
    series_of,
    with_actuals,
)
from dmi_support_centre.models.forecast.series import DAY, HOUR, MINUTE

MakeHistory = Callable[..., dict[str, PlaceHistory]]


def before(history: dict[str, PlaceHistory], at: int) -> dict[str, PlaceHistory]:
    return {name: PlaceHistory(one.series.until(at - 1), one.capacity) for name, one in history.items()}


def scores_after(history: dict[str, PlaceHistory], cut: int, zone: str = "UTC") -> list[Score]:
    model = OccupancyForecaster(zone)
    model.fit(before(history, cut))
    parts = []
    for name, one in history.items():
        series = clean(one.series, one.capacity or 1)
        issues = series.times[series.times >= cut][::3]
        made = model.predict_many(name, issues, series)
        valid = issues[:, None] + np.array(HORIZONS)[None, :] * MINUTE
        flat = (made.p10.ravel(), made.p50.ravel(), made.p90.ravel())
        parts.append(with_actuals(name, series, np.repeat(issues, len(HORIZONS)), valid.ravel(), flat))
    return score_columns(parts)


def overall(scores: list[Score]) -> Score:
    return next(one for one in scores if one.place is None and one.horizon_min is None)


def test_half_hourly_garages_are_forecast_better_than_both_baselines(
    make_history: MakeHistory, monday: int
) -> None:
    total = overall(scores_after(make_history(days=42), monday + 28 * DAY))
    assert total.mae < 0.5 * total.mae_persistence
    assert total.mae_last_week is not None
    assert total.mae < 0.5 * total.mae_last_week
    assert 0.72 <= total.coverage <= 0.88


def test_five_minute_garages_that_never_close_are_forecast_better_than_both_baselines(
    make_history: MakeHistory, monday: int
) -> None:
    history = make_history(days=28, step_min=5, hours=(0, 24), places=2)
    total = overall(scores_after(history, monday + 21 * DAY, "Europe/Amsterdam"))
    assert total.mae < 0.6 * total.mae_persistence
    assert total.mae_last_week is not None
    assert total.mae < 0.5 * total.mae_last_week
    assert 0.7 <= total.coverage <= 0.9


def test_forecasts_are_ordered_within_capacity_and_at_the_asked_moments(
    make_history: MakeHistory, monday: int
) -> None:
    history = make_history(days=21)
    model = OccupancyForecaster("UTC")
    model.fit(before(history, monday + 16 * DAY))
    issued = monday + 16 * DAY + 11 * HOUR
    made = model.predict("garage-0", issued, history["garage-0"].series, [15, 50, 120])
    assert [one.valid_at - issued for one in made] == [15 * MINUTE, 50 * MINUTE, 120 * MINUTE]
    for one in made:
        assert 0 <= one.p10 <= one.p50 <= one.p90 <= 200
        assert one.note == ""
    assert made[2].p90 - made[2].p10 > made[0].p90 - made[0].p10


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.integers(0, 5 * 24 * 60), seed=st.integers(0, 99))
def test_a_forecast_does_not_change_with_anything_that_happens_after_it(
    fitted: tuple[OccupancyForecaster, Series], monday: int, minutes: int, seed: int
) -> None:
    model, series = fitted
    issued = monday + 16 * DAY + minutes * MINUTE
    draw = np.random.default_rng(seed)
    later = series.times > issued
    altered = Series(series.times, np.where(later, draw.uniform(0, 200, series.times.size), series.values))
    known = model.predict("garage-0", issued, series)
    assert known == model.predict("garage-0", issued, altered)
    assert known == model.predict("garage-0", issued, series.until(issued))


@pytest.fixture(scope="module")
def fitted() -> tuple[OccupancyForecaster, Series]:
    draw = np.random.default_rng(3)
    start = 1_700_438_400_000_000 // DAY * DAY
    minutes = np.arange(0, 21 * 24 * 60, 30)
    values = 100 + 80 * np.sin(2 * np.pi * minutes / 1440) + draw.normal(0, 5, minutes.size)
    series = series_of(start + minutes * MINUTE, np.clip(values, 0, 200))
    model = OccupancyForecaster("UTC")
    model.fit({"garage-0": PlaceHistory(series.until(start + 16 * DAY), 200.0)})
    return model, series


def test_forecasts_for_many_issue_times_equal_those_one_at_a_time(
    fitted: tuple[OccupancyForecaster, Series], monday: int
) -> None:
    model, series = fitted
    issues = monday + 17 * DAY + np.array([8, 9, 15, 23], dtype=np.int64) * HOUR + 7 * MINUTE
    many = model.predict_many("garage-0", issues, series)
    for row, issued in enumerate(issues):
        single = model.predict("garage-0", int(issued), series)
        assert [one.p50 for one in single] == pytest.approx(many.p50[row], abs=0.06)
        assert [one.p90 for one in single] == pytest.approx(many.p90[row], abs=0.06)


def test_a_place_with_few_days_falls_back_to_persistence_and_says_so(
    make_history: MakeHistory, monday: int
) -> None:
    history = make_history(days=5)
    model = OccupancyForecaster("UTC")
    model.fit(history)
    shortage = model.shortage("garage-1")
    assert shortage is not None
    assert shortage.days == 5
    issued = int(history["garage-1"].series.times[-1])
    made = model.predict("garage-1", issued, history["garage-1"].series)
    last = history["garage-1"].series.values[-1]
    assert {one.note for one in made} == {"not-enough-history"}
    assert all(one.p50 == last for one in made)
    assert made[-1].p90 - made[-1].p10 > 0.3 * 350


def test_an_unknown_place_is_answered_from_its_recent_values_only() -> None:
    model = OccupancyForecaster("UTC")
    made = model.predict("nowhere", 10 * HOUR, series_of([9 * HOUR, 11 * HOUR], [40, 90]))
    assert {one.p50 for one in made} == {40.0}
    assert model.predict("nowhere", 10 * HOUR, series_of([], [])) == []


def test_old_data_gives_persistence_with_a_note(
    fitted: tuple[OccupancyForecaster, Series], monday: int
) -> None:
    model, series = fitted
    made = model.predict("garage-0", monday + 19 * DAY, series.until(monday + 18 * DAY + 12 * HOUR))
    assert {one.note for one in made} == {"stale-data"}


def test_a_place_without_known_capacity_is_forecast_from_the_largest_value_seen(
    make_history: MakeHistory, monday: int
) -> None:
    known = make_history(days=28)["garage-0"]
    model = OccupancyForecaster("UTC")
    model.fit({"garage-0": PlaceHistory(known.series.until(monday + 22 * DAY), None)})
    made = model.predict("garage-0", monday + 22 * DAY + 10 * HOUR, known.series)
    assert len(made) == len(HORIZONS)
    assert all(one.note == "" and 0 <= one.p50 <= 1.1 * known.series.values.max() for one in made)


def test_fitting_again_with_the_same_history_gives_the_same_forecasts(make_history: MakeHistory) -> None:
    history = make_history(days=15)
    issued = int(history["garage-2"].series.times[-10])
    made = []
    for _ in range(2):
        model = OccupancyForecaster("UTC")
        model.fit(history)
        made.append(model.predict("garage-2", issued, history["garage-2"].series))
    assert made[0] == made[1]


def test_scores_count_errors_intervals_and_both_baselines() -> None:
    times = np.array([0, HOUR, 7 * DAY, 7 * DAY + HOUR])
    series = series_of(times, [10, 30, 20, 60])
    made = [Forecast("a", 7 * DAY, 7 * DAY + HOUR, 45, 50, 55), Forecast("a", 0, HOUR, 20, 30, 40)]
    total = overall(score(made, {"a": series}))
    assert total.count == 2
    assert total.mae == 5
    assert total.mae_persistence == 30
    assert total.mae_last_week == 30
    assert total.count_last_week == 1
    assert total.coverage == 0.5
    assert total.mean_width == 15


def test_forecasts_without_an_actual_value_are_not_scored() -> None:
    assert score([Forecast("a", 0, HOUR, 1, 2, 3)], {"a": series_of([0], [5])}) == []
    assert score([], {}) == []


def test_garages_that_open_for_three_hours_are_modelled_as_far_as_their_days_reach(
    make_history: MakeHistory, monday: int
) -> None:
    history = make_history(days=28, hours=(9, 12), step_min=15)
    model = OccupancyForecaster("UTC")
    model.fit(before(history, monday + 24 * DAY))
    made = model.predict("garage-0", monday + 24 * DAY + 9 * HOUR + 30 * MINUTE, history["garage-0"].series)
    assert made[0].note == ""
    assert len(made) == len(HORIZONS)
