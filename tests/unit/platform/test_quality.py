"""The quality tests and their flags."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dmi_platform import quality

NAN = math.nan
MINUTE = quality.MINUTE


def floats(*values: float) -> quality.Floats:
    return np.array(values, np.float64)


def ints(*values: int) -> quality.Ints:
    return np.array(values, np.int64)


def test_range_fails_outside_the_bounds_and_suspects_above_capacity() -> None:
    value = floats(-1, 0, 50, 101, 1001, NAN)
    flags = quality.range_test(value, np.full(6, 0.0), np.full(6, 1000.0), np.full(6, 100.0))
    assert flags.tolist() == [4, 1, 1, 3, 4, 9]


def test_range_is_not_evaluated_without_any_bound() -> None:
    nothing = np.full(2, NAN)
    assert quality.range_test(floats(5, NAN), nothing, nothing, nothing).tolist() == [2, 9]
    assert quality.range_test(floats(5, -5), floats(0, 0), nothing, nothing).tolist() == [1, 4]


def rate(key: list[int], minutes: list[float], value: list[float], step: float = 10.0,
         before: tuple[float, float] = (-1e6, NAN)) -> list[int]:  # fmt: skip
    rows = len(key)
    return quality.rate_test(
        ints(*key), ints(*(int(m * MINUTE) for m in minutes)), floats(*value), np.full(rows, step),
        np.full(rows, int(before[0] * MINUTE), np.int64), np.full(rows, before[1]),
    ).tolist()  # fmt: skip


def test_rate_suspects_a_jump_within_the_batch() -> None:
    assert rate([1, 1, 1], [0, 1, 2], [0, 10, 21]) == [2, 1, 3]


def test_rate_allows_more_over_a_longer_time_and_one_step_within_a_minute() -> None:
    assert rate([1, 1], [0, 5], [0, 50]) == [2, 1]
    assert rate([1, 1], [0, 0.1], [0, 10]) == [2, 1]
    assert rate([1, 1], [0, 0.1], [0, 11]) == [2, 3]


def test_rate_compares_the_first_row_with_what_was_there_before() -> None:
    assert rate([1], [1], [100], before=(0, 0)) == [3]
    assert rate([1], [1], [5], before=(0, 0)) == [1]
    assert rate([1], [0], [100], before=(1, 0)) == [2], "a late row is not judged by a later one"


def test_rate_passes_over_missing_values_and_keeps_datastreams_apart() -> None:
    assert rate([1, 1, 1], [0, 1, 2], [0, NAN, 15]) == [2, 9, 1]
    assert rate([1, 2], [0, 1], [0, 1000]) == [2, 2]


def test_rate_does_not_depend_on_the_order_of_rows() -> None:
    assert rate([1, 1, 1], [2, 0, 1], [21, 0, 10]) == [3, 2, 1]


def test_rate_is_not_evaluated_without_a_step() -> None:
    assert rate([1, 1], [0, 1], [0, 1e9], step=NAN) == [2, 2]


def test_place_fails_at_zero_zero_and_suspects_outside_the_area() -> None:
    flags = quality.place_test(
        floats(5.1, 0, 52.1, NAN),
        floats(52.1, 0, 5.1, NAN),
        *(np.full(4, side) for side in (3.0, 50.0, 8.0, 54.0)),
    )
    assert flags.tolist() == [1, 4, 3, 2]


def test_missing_is_only_where_no_value_came() -> None:
    assert quality.missing_test(floats(0, NAN)).tolist() == [1, 9]


def test_the_overall_flag_is_missing_or_the_worst() -> None:
    flags = {
        "range": [1, 4, 9, 2, 1],
        "rate": [2, 3, 9, 2, 3],
        "missing": [1, 1, 9, 2, 1],
        "place": [1, 1, 1, 2, 1],
    }
    assert quality.overall(flags) == [1, 4, 9, 2, 3]


FLAG = st.sampled_from([1, 2, 3, 4, 9])


@given(st.lists(st.tuples(FLAG, FLAG, FLAG, FLAG), min_size=1, max_size=50))
def test_packed_flags_come_back_as_they_were(rows: list[tuple[int, int, int, int]]) -> None:
    columns = {
        test: np.array(column, np.int8)
        for test, column in zip(quality.TESTS, zip(*rows, strict=True), strict=True)
    }
    unpacked = quality.unpack(quality.pack(columns).tolist())
    assert unpacked == {test: column.tolist() for test, column in columns.items()}


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 1000), st.floats(-100, 100) | st.just(NAN)),
        max_size=40,
        unique_by=lambda r: r[:2],
    )
)
def test_rate_agrees_with_going_through_the_rows_one_by_one(rows: list[tuple[int, int, float]]) -> None:
    found = rate([r[0] for r in rows], [float(r[1]) for r in rows], [r[2] for r in rows])
    last: dict[int, tuple[int, float]] = {}
    expected = {}
    for number in sorted(range(len(rows)), key=lambda n: rows[n][1]):
        key, minute, value = rows[number]
        if math.isnan(value):
            expected[number] = 9
            continue
        earlier = last.get(key)
        if earlier is None:
            expected[number] = 2
        else:
            expected[number] = 3 if abs(value - earlier[1]) > 10.0 * max(minute - earlier[0], 1) else 1
        last[key] = (minute, value)
    assert found == [expected[number] for number in range(len(rows))]
