"""Duties on batches: what each one leaves, their order, and that the unknown passes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import (
    Aggregate,
    Coarsen,
    Delay,
    DeleteAfter,
    Duty,
    LeaveOut,
    OwnRows,
    RestrictArea,
    Suppress,
)
from dmi_agreements.duties import carried as carried_out
from dmi_agreements.duties import carry_out, combine
from dmi_agreements.errors import DutiesConflict, DutyUnknown

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NOW = 1_000 * DAY


class Flat:
    """A projection on which a degree is 100 km, so that cells can be told by heart; fails beyond 80 degrees."""

    def to_rd(self, lon: Sequence[float], lat: Sequence[float]) -> tuple[list[float], list[float]]:
        beyond = float("inf")
        x = [value * 100_000 if abs(value) < 80 else beyond for value in lon]
        return x, [value * 100_000 if abs(value) < 80 else beyond for value in lat]

    def to_wgs84(self, x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
        return [value / 100_000 for value in x], [value / 100_000 for value in y]


def batch(rows: int = 4, **columns: Any) -> ObservationBatch:
    columns.setdefault("datastream", [f"bicycle-air.b{row}.pm2_5" for row in range(rows)])
    columns.setdefault("phenomenon_time", [NOW - HOUR] * rows)
    columns.setdefault("result", [float(row) for row in range(rows)])
    return ObservationBatch("urn:dmi:dataset:gemeente:bicycle-air", **columns)


def carried(rows: ObservationBatch, *duties: Duty, now: int = NOW) -> ObservationBatch:
    return carry_out(rows, duties, now, Flat())


ALL: tuple[Duty, ...] = (
    DeleteAfter(1),
    Delay(60),
    RestrictArea((4.0, 52.0, 6.0, 53.0)),
    Suppress(2),
    Coarsen(100),
    Aggregate(3600, "neighbourhood"),
    LeaveOut(("unit",)),
)


@pytest.mark.parametrize("duty", ALL)
def test_an_empty_batch_stays_empty(duty: Duty) -> None:
    assert len(carried(batch(0), duty)) == 0


def test_without_duties_the_batch_itself_passes() -> None:
    given = batch()
    assert carried(given) is given


@dataclass(frozen=True)
class Shred:
    sheets: int


def test_an_unknown_duty_passes_nothing() -> None:
    with pytest.raises(DutyUnknown, match="Shred"):
        carried(batch(), Shred(1))  # type: ignore[arg-type]
    with pytest.raises(DutyUnknown, match="result"):
        carried(batch(), LeaveOut(("result",)))


def test_leave_out_empties_the_columns_and_no_others() -> None:
    rows = batch(subject=["a"] * 4, unit=["ug/m3"] * 4, flags={"range": [1] * 4})
    left = carried(rows, LeaveOut(("subject", "flags")))
    assert (left.subject, left.flags, left.unit) == (None, None, ["ug/m3"] * 4)
    assert left.result == rows.result


def test_delay_withholds_what_is_newer_to_the_microsecond() -> None:
    rows = batch(3, phenomenon_time=[NOW - 60 * SECOND - 1, NOW - 60 * SECOND, NOW - 60 * SECOND + 1])
    assert carried(rows, Delay(60)).result == [0.0, 1.0]


def test_delete_after_drops_what_is_older_to_the_microsecond() -> None:
    rows = batch(3, phenomenon_time=[NOW - DAY - 1, NOW - DAY, NOW - DAY + 1])
    assert carried(rows, DeleteAfter(1)).result == [1.0, 2.0]


def test_own_rows_are_those_of_one_person_before_the_subject_is_left_out() -> None:
    rows = batch(4, subject=["noor", None, "sam", "noor"])
    left = carried(rows, LeaveOut(("subject",)), OwnRows("noor"))
    assert (left.result, left.subject) == ([0.0, 3.0], None)
    assert len(carried(rows, OwnRows("noor"), OwnRows("sam"))) == 0
    assert len(carried(batch(), OwnRows("noor"))) == 0, "rows that are nobody's are not one's own"


def test_restrict_area_keeps_the_edge_and_drops_what_has_no_position() -> None:
    rows = batch(5, longitude=[4.0, 6.0, 6.1, None, 5.0], latitude=[52.0, 53.0, 52.5, 52.5, None])
    area = RestrictArea((4.0, 52.0, 6.0, 53.0))
    assert carried(rows, area).result == [0.0, 1.0]
    assert len(carried(batch(), area)) == 0
    assert len(carried(rows, area, RestrictArea((5.0, 52.0, 6.0, 53.0)))) == 1


def test_coarsen_moves_to_the_centre_of_the_cell_also_below_zero() -> None:
    rows = batch(3, longitude=[5.00001, 5.00099, -0.00001], latitude=[52.00001, 52.00099, 52.0])
    left = carried(rows, Coarsen(100))
    assert left.longitude == [5.0005, 5.0005, -0.0005]
    assert left.latitude == [52.0005, 52.0005, 52.0005]


def test_coarsen_leaves_no_half_nor_impossible_position_and_no_neighbourhood() -> None:
    rows = batch(
        4,
        longitude=[5.0, None, float("nan"), 85.0],
        latitude=[None, 52.0, 52.0, 52.0],
        neighbourhood=["BU1"] * 4,
    )
    left = carried(rows, Coarsen(100))
    assert left.longitude == left.latitude == [None] * 4
    assert left.neighbourhood is None
    assert carried(batch(2, longitude=[5.0, 5.0]), Coarsen(100)).longitude == [None, None]


@given(st.lists(st.tuples(st.floats(-79, 79), st.floats(-79, 79)), max_size=20), st.integers(1, 5_000))
def test_coarsening_moves_nothing_out_of_its_cell_and_twice_is_once(
    points: list[tuple[float, float]], grid_m: int
) -> None:
    rows = batch(len(points), longitude=[lon for lon, _ in points], latitude=[lat for _, lat in points])
    once = carried(rows, Coarsen(grid_m))
    for (lon, _), moved in zip(points, once.longitude or [], strict=True):
        assert moved is not None
        assert abs(lon - moved) * 100_000 <= grid_m / 2 + 0.02
    assert carried(once, Coarsen(grid_m)) == once


def test_suppress_drops_groups_of_too_few_persons() -> None:
    times = [NOW - HOUR, NOW - HOUR + 5, NOW - HOUR + 9, NOW - 3 * HOUR]
    rows = batch(4, phenomenon_time=times, subject=["a", "b", "a", "c"], neighbourhood=["BU1"] * 4)
    assert carried(rows, Suppress(2)).result == [0.0, 1.0, 2.0]
    assert len(carried(rows, Suppress(3))) == 0


def test_suppress_counts_persons_not_rows_and_nobody_where_none_is_named() -> None:
    rows = batch(3, subject=["a", "a", None], neighbourhood=["BU1"] * 3)
    assert len(carried(rows, Suppress(2))) == 0
    assert len(carried(batch(3, neighbourhood=["BU1"] * 3), Suppress(2))) == 0
    assert len(carried(batch(3, subject=["a", "b", "c"]), Suppress(2))) == 0
    assert len(carried(batch(3, subject=["a", "b", "c"], neighbourhood=[None] * 3), Suppress(2))) == 0


def test_aggregate_by_neighbourhood_gives_the_mean_without_subjects() -> None:
    rows = batch(
        4,
        neighbourhood=["BU1", "BU1", "BU2", None],
        subject=["a", "b", "c", "d"],
        unit=["ug/m3"] * 4,
        longitude=[5.0] * 4,
        latitude=[52.0] * 4,
        source_id=["x"] * 4,
    )
    left = carried(rows, Aggregate(3600, "neighbourhood"))
    assert left.datastream == ["aggregate.pm2_5.BU1", "aggregate.pm2_5.BU2"]
    assert left.result == [0.5, 2.0]
    assert left.phenomenon_time == [NOW - HOUR] * 2
    assert (left.observed_property, left.unit) == (["pm2_5"] * 2, ["ug/m3"] * 2)
    assert left.neighbourhood == ["BU1", "BU2"]
    assert (left.subject, left.source_id, left.longitude) == (None, None, None)


@pytest.mark.parametrize(
    ("results", "mean"),
    [
        ([1.7e308, 1.7e308], 1.7e308),
        ([1.7e308, 1.7e308, -1.7e308], 1.7e308 / 3),
        ([-1.7e308, -1.6e308], -1.65e308),
    ],
)
def test_the_mean_of_values_whose_sum_no_number_holds_is_a_number(results: list[float], mean: float) -> None:
    rows = batch(len(results), result=results, neighbourhood=["BU1"] * len(results))
    assert carried(rows, Aggregate(3600)).result == [pytest.approx(mean)]


def test_aggregate_by_grid_stands_at_the_centre_of_the_cell() -> None:
    rows = batch(3, longitude=[5.0001, 5.0002, None], latitude=[52.0001, 52.0002, 52.0])
    left = carried(rows, Aggregate(60, grid_m=100))
    assert left.datastream == ["aggregate.pm2_5.rd100-500000-5200000"]
    assert (left.longitude, left.latitude, left.result) == ([5.0005], [52.0005], [0.5])


def test_aggregate_keeps_properties_units_and_windows_apart() -> None:
    rows = batch(
        4,
        neighbourhood=["BU1"] * 4,
        observed_property=["pm2_5", "pm10", "pm2_5", "pm2_5"],
        unit=["ug/m3", "ug/m3", "mg/m3", "ug/m3"],
        phenomenon_time=[NOW - 120 * SECOND, NOW - 120 * SECOND, NOW - 120 * SECOND, NOW - 60 * SECOND],
    )
    left = carried(rows, Aggregate(60, "neighbourhood"))
    assert len(left) == 4
    assert left.phenomenon_time == sorted(left.phenomenon_time)


def test_aggregate_counts_neither_missing_nor_failed_values() -> None:
    rows = batch(
        4,
        neighbourhood=["BU1", "BU1", "BU1", "BU2"],
        result=[1.0, 99.0, None, None],
        flags={"range": [1, 4, 9, 9]},
    )
    assert carried(rows, Aggregate(3600, "neighbourhood")).result == [1.0]


def test_only_whole_windows_are_aggregated() -> None:
    rows = batch(3, neighbourhood=["BU1"] * 3, phenomenon_time=[NOW - 61 * SECOND, NOW - 60 * SECOND, NOW])
    minute = Aggregate(60, "neighbourhood")
    assert carried(rows, minute).result == [0.0, 1.0]
    assert carried(rows, minute, Delay(30)).result == [0.0]
    assert carried(rows, minute, DeleteAfter(1), now=NOW + DAY - 61 * SECOND).result == [1.0, 2.0]


def test_suppress_with_aggregate_counts_only_persons_whose_value_counts() -> None:
    rows = batch(3, neighbourhood=["BU1"] * 3, subject=["a", "b", "c"], result=[1.0, 2.0, None])
    hour = Aggregate(3600, "neighbourhood")
    assert len(carried(rows, hour, Suppress(2))) == 1
    assert len(carried(rows, hour, Suppress(3))) == 0


MEANS = Aggregate(3600, "neighbourhood")


@pytest.mark.parametrize(
    ("duties", "rows", "into"),
    [
        ((), [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
        ((Coarsen(100), LeaveOut(("subject",))), [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
        ((Delay(5400),), [0, 1, 2, 5], [0, 1, 2, 3]),
        ((Suppress(2),), [0, 1, 2, 5], [0, 1, 2, 3]),
        ((MEANS,), [1, 0, 2, 4, 3], [0, 1, 1, 2, 3]),
        ((MEANS, OwnRows("c")), [4, 3], [0, 1]),
        ((MEANS, Suppress(2)), [0, 2], [0, 0]),
        ((MEANS, Suppress(3)), [], []),
    ],
)
def test_which_rows_passed_is_told_and_what_each_went_into(
    duties: tuple[Duty, ...], rows: list[int], into: list[int]
) -> None:
    given = batch(
        6,
        subject=["a", "a", "b", "c", "c", "b"],
        observed_property=["pm2_5", "pm10", "pm2_5", "pm2_5", "pm2_5", "pm10"],
        neighbourhood=["BU1", "BU1", "BU1", "BU2", "BU1", "BU1"],
        phenomenon_time=[NOW - 2 * HOUR] * 3 + [NOW - HOUR] * 2 + [NOW - 2 * HOUR],
        result=[1.0, 2.0, 3.0, 4.0, 5.0, None],
    )
    found = carried_out(given, duties, NOW, Flat())
    assert (list(found.rows), list(found.into)) == (rows, into)
    assert sorted(set(into)) == list(range(len(found.batch)))


def test_the_order_in_which_duties_are_given_changes_nothing() -> None:
    rows = batch(
        4,
        longitude=[5.0] * 4,
        latitude=[52.5] * 4,
        neighbourhood=["BU1"] * 4,
        subject=["a", "b", "c", "d"],
        unit=["ug/m3"] * 4,
        phenomenon_time=[NOW - 2 * HOUR] * 4,
    )
    left = carried(rows, *ALL)
    assert left.result == [1.5]
    assert left.unit is None
    assert carried(rows, *reversed(ALL)) == left


def test_the_strictest_of_each_kind_holds() -> None:
    duties = (
        Delay(5), Delay(9), DeleteAfter(7), DeleteAfter(2), Suppress(3), Suppress(5), Coarsen(50), Coarsen(200),
        LeaveOut(("unit",)), LeaveOut(("subject",)), Aggregate(60, grid_m=100), Aggregate(120, grid_m=200),
    )  # fmt: skip
    assert combine(duties) == (
        DeleteAfter(2),
        Delay(9),
        Suppress(5),
        Coarsen(200),
        Aggregate(120, grid_m=200),
        LeaveOut(("subject", "unit")),
    )
    assert combine(combine(duties)) == combine(duties)


@pytest.mark.parametrize(
    "pair",
    [
        (Aggregate(60, "neighbourhood"), Aggregate(60, grid_m=100)),
        (Aggregate(60, grid_m=100), Aggregate(90, grid_m=100)),
        (Aggregate(60, grid_m=100), Aggregate(60, grid_m=150)),
        (Aggregate(120, grid_m=100), Aggregate(60, grid_m=200)),
    ],
)
def test_aggregates_that_do_not_fit_pass_nothing(pair: tuple[Duty, Duty]) -> None:
    for duties in (pair, pair[::-1]):
        with pytest.raises(DutiesConflict):
            carried(batch(), *duties)
