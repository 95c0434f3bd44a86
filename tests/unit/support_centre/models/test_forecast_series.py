"""Cleaning, interpolation and local time of the forecast's series."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_support_centre.models.forecast import actual, clean, last_week, persistence, series_of
from dmi_support_centre.models.forecast.series import DAY, HOUR, MINUTE, LocalClock, interpolate, merge


def test_cleaning_sorts_drops_the_impossible_and_takes_drift_as_the_bound() -> None:
    raw = series_of([5, 1, 2, 3, 4, 6], [50, -1, -30, 104, 150, np.nan])
    cleaned = clean(raw, 100)
    assert cleaned.times.tolist() == [1, 3, 5]
    assert cleaned.values.tolist() == [0, 100, 50]


def test_several_values_at_one_time_become_their_median() -> None:
    cleaned = clean(series_of([7, 7, 7, 9, 9], [10, 90, 20, 4, 8]), 100)
    assert cleaned.times.tolist() == [7, 9]
    assert cleaned.values.tolist() == [20, 6]


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(allow_nan=True, allow_infinity=True)), max_size=60))
def test_a_clean_series_is_strictly_rising_in_time_and_within_capacity(rows: list[tuple[int, float]]) -> None:
    cleaned = clean(series_of([t for t, _ in rows], [v for _, v in rows]), 100)
    assert (np.diff(cleaned.times) > 0).all()
    assert ((cleaned.values >= 0) & (cleaned.values <= 100)).all()


def test_unequal_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="equal vectors"):
        series_of([1, 2], [1])


def test_interpolation_is_linear_and_does_not_cross_a_large_gap() -> None:
    series = series_of([0, 10, 100], [0, 20, 200])
    found = interpolate(series, np.array([-1, 0, 5, 10, 50, 100, 101]), largest_gap=20)
    assert found[1:4].tolist() == [0, 10, 20]
    assert np.isnan(found[[0, 4, 6]]).all()
    assert found[5] == 200


def test_the_actual_value_is_the_near_observation_or_lies_between_two() -> None:
    series = series_of([0, 30 * MINUTE, 150 * MINUTE], [0, 30, 60])
    found = actual(series, np.array([7 * MINUTE, 15 * MINUTE, 90 * MINUTE, 158 * MINUTE]))
    assert found[:2].tolist() == [0, 15]
    assert np.isnan(found[2])
    assert found[3] == 60


def test_merging_prefers_the_later_series_at_the_same_time() -> None:
    merged = merge(series_of([1, 3], [1, 3]), series_of([2, 3], [20, 30]))
    assert merged.times.tolist() == [1, 2, 3]
    assert merged.values.tolist() == [1, 20, 30]


def test_persistence_never_uses_a_later_observation() -> None:
    series = series_of([10, 20], [1, 2])
    found = persistence(series, np.array([9, 10, 19, 20, 99]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [1, 1, 2, 2]


def test_last_week_is_the_value_seven_days_before_the_target() -> None:
    series = series_of([0, HOUR], [10, 30])
    assert last_week(series, np.array([7 * DAY + HOUR // 2])).tolist() == [20]


def test_local_time_follows_the_change_to_winter_time() -> None:
    clock = LocalClock("Europe/London")
    before = int(datetime(2016, 10, 29, 7, tzinfo=UTC).timestamp()) * 1_000_000
    local = clock.local(np.array([before, before + DAY]))
    assert (local[0] % DAY) // HOUR == 8
    assert (local[1] % DAY) // HOUR == 7
