"""Levels of service from counts."""

from __future__ import annotations

from typing import Any

from dmi_support_centre.crowding import capacities_of, flows, services
from dmi_support_centre.model import MINUTE, Place, Reading

TABLE = {"A": 20.0, "B": 40.0, "C": 60.0, "D": 80.0, "E": 100.0}


def place(stream: str = "c.s.crowd_count", **properties: Any) -> Place:
    return Place("c.s", "c", "Straat", stream, {"interval_s": 60, **properties})


def count(at: int, value: float, stream: str = "c.s.crowd_count") -> Reading:
    return Reading(stream, "c", "crowd_count", at * MINUTE, value)


def test_counts_of_an_interval_become_persons_a_minute() -> None:
    rows = {"c.s.crowd_count": [count(1, 90.0), count(4, 30.0)]}
    assert flows([place(interval_s=180)], rows) == [(MINUTE, 30.0), (4 * MINUTE, 10.0)]


def test_directions_are_added_up_and_half_a_stream_gives_no_figure() -> None:
    both = [place("in"), place("out")]
    rows = {"in": [count(1, 5.0, "in"), count(2, 6.0, "in")], "out": [count(1, 7.0, "out")]}
    assert flows(both, rows) == [(MINUTE, 12.0)]


def test_a_negative_count_is_no_count() -> None:
    assert flows([place()], {"c.s.crowd_count": [count(1, -4.0)]}) == []


def test_both_ways_of_naming_width_and_capacities_are_understood() -> None:
    own = capacities_of(place(effective_width=4.0, los_capacity=TABLE))
    imported = capacities_of(place(effective_width_m=4.0, levels_of_service_per_minute=TABLE))
    assert own == imported
    assert own is not None
    assert own[1].e == 100.0


def test_a_place_without_width_or_with_an_impossible_table_has_no_level() -> None:
    assert capacities_of(place()) is None
    assert capacities_of(place(effective_width=4.0, los_capacity={**TABLE, "B": 10.0})) is None
    assert capacities_of(place(effective_width=4.0, los_capacity={"A": 1.0})) is None


def test_levels_follow_the_flow() -> None:
    found = services(place(effective_width=4.0, los_capacity=TABLE), [(MINUTE, 15.0), (2 * MINUTE, 95.0)])
    assert [one.level.value for _, one in found] == ["A", "E"]
