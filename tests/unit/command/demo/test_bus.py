"""Line 5 keeps its timetable by the local clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dmi_command.demo import City, build_city, bus, live
from dmi_command.demo.moments import HOUR, MINUTE, SECOND, at_local
from dmi_command.demo.story import BUS

STOP = 7  # Nachtwachtlaan, from the start of the route


@pytest.fixture(scope="module")
def city() -> City:
    return build_city()


def day_number(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("day", "hour_utc"),
    [((2026, 1, 14), 14), ((2026, 7, 15), 13), ((2026, 3, 29), 13), ((2026, 10, 25), 14)],
    ids=["winter", "summer", "clocks go forward", "clocks go back"],
)
def test_a_bus_is_due_at_the_nachtwachtlaan_at_three_local_time(
    city: City, day: tuple[int, int, int], hour_utc: int
) -> None:
    line = city.line
    assert line.stops[STOP] == ("nachtwachtlaan", "Nachtwachtlaan")
    three = int(datetime(*day, hour_utc, tzinfo=UTC).timestamp()) * SECOND
    assert datetime.fromtimestamp(three / 1e6, ZoneInfo("Europe/Amsterdam")).strftime("%H:%M") == "15:00"
    due = {
        at_local(day_number(*day), line.departure(number, "out")) + line.minutes[STOP] * MINUTE
        for number in range(bus.DEPARTURES)
    }
    assert three in due
    assert "15:00" in line.scheduled(STOP, "out")
    running = bus.trips(city.seed, line, three - HOUR, three + HOUR)
    passing = [trip.stop_times[STOP] - three for trip in running if trip.direction == "out"]
    assert any(-30 * SECOND <= delay <= 300 * SECOND for delay in passing)


def test_the_stop_and_the_line_tell_the_timetable(city: City) -> None:
    features = {feature.id: feature for feature in city.features[BUS]}
    stop = features["bus-5.stop-nachtwachtlaan"].properties
    assert "15:00" in stop["scheduled"]
    assert (stop["line"], stop["sequence"]) == ("5", STOP + 1)
    timetable: dict[str, Any] = features["bus-5.line-5"].properties["timetable"]
    assert len(timetable["stops"]) == 12
    assert timetable["stops"][STOP] == "bus-5.stop-nachtwachtlaan"
    departure = datetime.strptime(timetable["departures"]["out"][36], "%H:%M")
    assert departure.hour * 60 + departure.minute + timetable["minutes"]["out"][STOP] == 15 * 60
    assert timetable["minutes"]["back"][-1] == timetable["minutes"]["out"][-1]


def test_a_vehicle_is_on_one_trip_at_a_time_and_goes_forward_through_all_stops(city: City) -> None:
    start = at_local(day_number(2026, 2, 3), 0)
    last: dict[int, int] = {}
    trips = sorted(bus.trips(city.seed, city.line, start, start + 24 * HOUR), key=lambda trip: trip.times[0])
    assert len(trips) > 140
    for trip in trips:
        assert trip.times[0] > last.get(trip.vehicle, 0)
        assert (np.diff(trip.times) > 0).all()
        assert len(trip.stop_times) == 12
        assert np.abs(trip.delays).max() < 600
        last[trip.vehicle] = int(trip.times[-1])


def test_two_to_four_vehicles_are_seen_at_noon_and_their_rows_name_trip_and_next_stop(city: City) -> None:
    noon = at_local(day_number(2026, 2, 3), 12 * 60)
    batch = next(batch for batch in live(city, noon, noon + 20 * MINUTE) if batch.dataset == BUS)
    assert 2 <= len(set(batch.datastream)) <= 4
    assert batch.source_id is not None
    for source in batch.source_id:
        assert source is not None
        line, direction, departure, stop = source.split(":")
        assert line == "5"
        assert direction in ("out", "back")
        assert len(departure) == 4
        assert 1 <= int(stop) <= 12


def test_a_row_on_its_way_to_the_nachtwachtlaan_lies_before_that_stop(city: City) -> None:
    noon = at_local(day_number(2026, 2, 3), 12 * 60)
    for trip in bus.trips(city.seed, city.line, noon, noon + MINUTE):
        time = np.array([(trip.stop_times[STOP - 1] + trip.stop_times[STOP]) // 2])
        _, _, source = bus.seen(city.line, trip, time)
        if trip.direction == "out":
            assert source[0].endswith(f":{STOP + 1}")
        else:
            assert source[0].endswith(f":{12 - STOP}")
