"""Looking back on a measure against crowding: three parts of the time, and no more said than was counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from dmi_agreements.contracts.results import Measure
from dmi_support_centre.model import COUNTS_KEPT, DAY, MINUTE
from dmi_support_centre.models.crowd import Capacities, Level
from dmi_support_centre.models.measures import SPAN, Counted, CrowdLookBack, Walkway, look_back_on_crowd

START = 1_700_000_000_000_000
WIDE = Walkway(60.0, 2.0, Capacities(20.0, 40.0, 60.0, 80.0, 100.0))


def measure(minutes: int = 30, threshold: str = "D") -> Measure:
    texts: dict[str, Any] = {"title": {"nl": ""}, "advice": {"nl": ""}}
    return Measure(
        id="m", rule="r", state="expired", place="p", **texts, proposed_at=START, valid_from=START,
        valid_to=START + minutes * MINUTE, properties={"threshold": threshold},
    )  # fmt: skip


def every(minutes: range, level: Level | None, flow: float = 50.0) -> list[Counted]:
    return [Counted(START + m * MINUTE, flow, level) for m in minutes]


def seen(counts: Sequence[Counted], walkway: Walkway = WIDE, **about: Any) -> CrowdLookBack:
    return look_back_on_crowd(measure(**about), walkway, counts)


def test_the_middle_level_after_it_decides_and_not_one_busy_minute() -> None:
    after = [*every(range(30, 58), Level.B), *every(range(58, 60), Level.F)]
    found = seen([*every(range(-30, 30), Level.E), *after])
    assert (found.verdict, found.after.level, found.after.worst, found.after.crowded) == (
        "below", Level.B, Level.F, 2,
    )  # fmt: skip


@pytest.mark.parametrize(("level", "verdict"), [(Level.C, "below"), (Level.D, "above"), (Level.F, "above")])
def test_at_the_threshold_is_not_below_it(level: Level, verdict: str) -> None:
    assert seen([*every(range(-30, 30), Level.E), *every(range(30, 60), level)]).verdict == verdict


def test_a_moment_belongs_to_one_part_alone() -> None:
    edges = [START - SPAN - 1, START - SPAN, START, START + 30 * MINUTE, START + 30 * MINUTE + SPAN]
    found = seen([Counted(at, 5.0, Level.A) for at in edges])
    assert [part.counted for part in (found.before, found.during, found.after)] == [1, 1, 1]
    assert [one.at for one in found.moments] == edges[1:-1]


@pytest.mark.parametrize(
    ("counts", "about", "lacking"),
    [
        ([], {}, ["before", "during", "after"]),
        (every(range(-30, 44), Level.D), {}, ["after"]),
        (every(range(-30, 45), Level.D), {}, []),
        (every(range(-14, 60), Level.D), {}, ["before"]),
        (every(range(-30, 32), Level.D), {"minutes": 2}, ["during"]),
        (every(range(-30, 60), Level.D), {"minutes": 0}, ["during"]),
        (every(range(-30, 62), Level.D), {"minutes": 3}, []),
    ],
)
def test_too_few_counts_are_no_verdict_and_each_part_says_so(
    counts: list[Counted], about: dict[str, Any], lacking: list[str]
) -> None:
    found = seen(counts, **about)
    assert found.lacking == lacking
    assert (found.verdict == "unknown") == bool(lacking)


def test_few_long_intervals_are_too_few_however_whole_they_are() -> None:
    quarters = [Counted(START + m * MINUTE, 50.0, Level.D) for m in range(-30, 60, 15)]
    found = seen(quarters, Walkway(900.0, 2.0, WIDE.capacities))
    assert (found.before.counted, found.before.expected) == (2, 2)
    assert found.lacking == ["before", "during", "after"]


def test_without_a_width_persons_are_told_and_no_level() -> None:
    found = seen(every(range(-30, 60), None, 12.0), Walkway(60.0))
    assert (found.verdict, found.lacking, found.threshold_flow) == ("unknown", ["width"], None)
    assert (found.during.flow, found.during.level, found.during.crowded) == (12.0, None, None)


@pytest.mark.parametrize(("threshold", "flow"), [("A", 0.0), ("B", 20.0), ("E", 80.0), ("F", 100.0)])
def test_a_level_begins_where_the_one_below_it_ends(threshold: str, flow: float) -> None:
    assert seen([], threshold=threshold).threshold_flow == flow


def test_counts_are_kept_until_the_longest_measure_can_be_looked_back_on() -> None:
    assert COUNTS_KEPT >= DAY + 2 * SPAN + 15 * MINUTE
