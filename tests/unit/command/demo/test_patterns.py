"""Garages, crowds and air behave as in a city."""

from __future__ import annotations

import numpy as np
import pytest

from dmi_command.demo import build_city, crowd, garages
from dmi_command.demo.bicycles import measured, places, rides
from dmi_command.demo.moments import DAY, MINUTE, SECOND, grid, local, weekday
from dmi_command.demo.noise import Bools, Floats, Ints

END = 1_773_000_000 * SECOND  # March 2026
TIMES = grid(END - 56 * DAY, END, 5 * MINUTE)
DAYS, CLOCK = local(TIMES)
SEED = 5


def occupancy(slug: str) -> Floats:
    number = [garage.slug for garage in garages.GARAGES].index(slug)
    share = garages.occupancy(SEED, np.full(len(TIMES), number), TIMES)
    return share / garages.GARAGES[number].capacity


def hours(start: float, end: float) -> Bools:
    return (start * 60 <= CLOCK) & (end * 60 >= CLOCK)


def days_full(share: Floats, when: Bools) -> int:
    return len(np.unique(DAYS[when & (share >= 0.97)]))


@pytest.mark.parametrize("garage", garages.GARAGES, ids=lambda garage: garage.slug)
def test_occupancy_stays_between_zero_and_capacity_without_jumps(garage: garages.Garage) -> None:
    share = occupancy(garage.slug)
    assert share.min() >= 0
    assert share.max() <= 1
    assert np.abs(np.diff(share)).max() < 0.08  # in five minutes


def test_shopping_garages_peak_on_saturday_and_are_nearly_empty_at_night() -> None:
    share, saturday = occupancy("winkelhof"), weekday(DAYS) == 5
    afternoon = hours(13.5, 16)
    assert share[afternoon & saturday].mean() > share[afternoon & (weekday(DAYS) < 5)].mean() + 0.1
    assert share[hours(3, 5)].mean() < 0.2
    assert (
        share[hours(18.5, 20) & (weekday(DAYS) == 3)].mean()
        > 1.4 * share[hours(18.5, 20) & (weekday(DAYS) == 1)].mean()
    )


def test_a_central_garage_is_full_on_most_afternoons_and_the_theatre_on_most_evenings() -> None:
    assert days_full(occupancy("centrum"), hours(13.5, 16)) >= 40
    assert days_full(occupancy("theater"), hours(19, 22.5)) >= 40
    several = [
        days_full(occupancy(s), hours(13.5, 16) & (weekday(DAYS) == 5)) for s in ("markt", "winkelhof")
    ]
    assert min(several) >= 3


def test_office_workers_stay_away_at_the_weekend_and_the_hub_always_has_room() -> None:
    office = occupancy("nachtwachtlaan")
    assert office[hours(10, 15) & (weekday(DAYS) < 4)].mean() > 0.75
    assert office[hours(10, 15) & (weekday(DAYS) > 4)].max() < 0.4
    assert occupancy("pr-noord").max() < 0.9


def test_one_day_differs_from_the_same_day_a_week_later() -> None:
    share = occupancy("station")
    week = 7 * 24 * 12
    difference = np.abs(share[week:] - share[:-week])
    assert 0.01 < difference.mean() < 0.15


def flow(slug: str) -> Floats:
    number = [counter.slug for counter in crowd.COUNTERS].index(slug)
    return crowd.counts(SEED, np.full(len(TIMES), number), TIMES)


@pytest.mark.parametrize("counter", crowd.COUNTERS, ids=lambda counter: counter.slug)
def test_counts_are_whole_and_within_what_the_street_can_carry(counter: crowd.Counter) -> None:
    found = flow(counter.slug)
    assert np.array_equal(found, np.round(found))
    assert found.min() >= 0
    assert found.max() <= counter.capacities()["E"]
    assert list(counter.capacities().values()) == sorted(counter.capacities().values())
    assert found[hours(3, 5)].mean() < 0.2 * found[hours(11, 21)].mean()


def test_the_market_fills_the_square_and_a_saturday_reaches_a_high_level_of_service() -> None:
    square, midday = flow("marktplein"), hours(11, 15)
    market, none = weekday(DAYS) == 2, weekday(DAYS) == 1
    assert square[midday & market].mean() > 1.3 * square[midday & none].mean()
    place = next(counter for counter in crowd.COUNTERS if counter.slug == "marktplein")
    assert (square[weekday(DAYS) == 5] > place.capacities()["D"]).any()


def test_air_is_worse_on_main_streets_in_the_rush_hour() -> None:
    city = build_city(SEED)
    main, side = [], []
    for ride in rides(SEED, city.riders, END - 14 * DAY, END):
        time: Ints = grid(ride.start, ride.end, 5 * SECOND)
        _, minute = local(time)
        _, on_main = places(SEED, ride, time)
        pm = measured(SEED, ride, 0, time, on_main)
        assert pm.min() > 0
        rush = (minute > 450) & (minute < 540)
        main.extend(pm[rush & (on_main == 1)])
        side.extend(pm[rush & (on_main == 0)])
    assert len(side) > 1000
    assert np.mean(main) > np.mean(side) + 2


def test_commuters_ride_in_the_morning_and_nobody_at_night() -> None:
    city = build_city(SEED)
    starts = np.array([ride.start for ride in rides(SEED, city.riders, END - 28 * DAY, END)])
    day, minute = local(starts)
    working = weekday(day) < 5
    assert np.sum(working & (minute > 430) & (minute < 530)) > 300
    assert minute.min() > 6 * 60
    assert minute.max() < 23.5 * 60
