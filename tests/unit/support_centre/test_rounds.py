"""What time it is in a city whose data runs with the clock, ahead of it, or behind."""

from __future__ import annotations

from dmi_support_centre.model import DAY, MINUTE
from dmi_support_centre.rounds import CityClock


def test_with_live_data_the_clock_counts() -> None:
    wall = [DAY]
    city = CityClock(lambda: wall[0])
    city.heard("garages", DAY - MINUTE)
    wall[0] += 3 * MINUTE
    assert city.now(["garages"]) == DAY + 3 * MINUTE


def test_with_data_of_another_time_that_time_counts_and_goes_on_by_the_clock() -> None:
    wall = [100 * DAY]
    city = CityClock(lambda: wall[0])
    city.heard("garages", DAY)
    wall[0] += 5 * MINUTE
    city.heard("garages", DAY)
    assert city.now(["unknown", "garages"]) == DAY + 5 * MINUTE
    city.heard("garages", DAY + MINUTE)
    assert city.now(["garages"]) == DAY + MINUTE


def test_without_data_the_clock_counts() -> None:
    assert CityClock(lambda: 7).now(["garages"]) == 7
