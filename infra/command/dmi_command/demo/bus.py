"""Bus line 5: its route, its twelve stops, a quarter-hourly timetable, and where its vehicles are.

Every quarter of an hour from 06:00 to 23:45 local time, so also at 15:00, a bus towards P+R Noord is due
at the stop Nachtwachtlaan, in winter and in summer time. A vehicle drives out and back in an hour;
there are four.

A row's ``source_id`` is ``<line>:<direction>:<HHMM of departure>:<next stop>``: the direction is ``out``
(towards P+R Noord) or ``back``, the next stop is the ``sequence`` of its feature, in both directions.
Its result is the delay in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shapely.geometry import LineString, Point

from dmi_agreements.contracts.features import Feature
from dmi_command.demo import noise
from dmi_command.demo.moments import HOUR, MINUTE, SECOND, TIME_ZONE, at_local, local_day
from dmi_command.demo.noise import Floats, Ints
from dmi_command.demo.plane import geojson
from dmi_command.demo.rows import Texts
from dmi_command.demo.streets import Network, along

STEP: Final = 5 * SECOND
PROPERTY: Final = "vehicle_position"
UNIT: Final = "s"
VEHICLES: Final = 4
HEADWAY: Final = 15
"""Minutes between buses of one direction."""
DEPARTURES: Final = 72
"""Departures a day in each direction."""
FIRST_AT_NACHTWACHTLAAN: Final = 6 * 60
TURN: Final = 30
"""Minutes from a departure outward to the same vehicle's departure back, and the other way round."""
NACHTWACHTLAAN: Final = "nachtwachtlaan"
IMPOSSIBLE: Final = (86399.0, -99999.0)
_DWELL = 15 * SECOND
_LARGEST_DELAY: Final = 240.0
_STOPS: Final = (
    ("sluiswachter", "Sluiswachter", 0.0),
    ("westerpark", "Westerpark", 800.0),
    ("binnenring-west", "Binnenring West", 1520.0),
    ("theater", "Theater", 1950.0),
    ("marktplein", "Marktplein", 2450.0),
    ("winkelhof", "Winkelhof", 2960.0),
    ("binnenring-oost", "Binnenring Oost", 3380.0),
    (NACHTWACHTLAAN, "Nachtwachtlaan", 3800.0),
    ("buitenring-oost", "Buitenring Oost", 4450.0),
    ("spiegelvelden", "Spiegelvelden", 5250.0),
    ("rietlanden", "Rietlanden", 6480.0),
    ("pr-noord", "P+R Noord", 7700.0),
)
"""Slug, name, and metres from the start of the route (the last one is put at its end)."""


@dataclass(frozen=True)
class Line:
    """The route in metres, and each stop's distance and scheduled minutes after departure outward."""

    path: Floats
    distance: Floats
    stops: tuple[tuple[str, str], ...]
    stop_distance: Floats
    minutes: tuple[int, ...]

    def minutes_of(self, direction: str) -> tuple[int, ...]:
        """Scheduled minutes after departure, in the order in which the stops are served."""
        total = self.minutes[-1]
        return self.minutes if direction == "out" else tuple(total - minute for minute in self.minutes[::-1])

    def departure(self, number: int, direction: str) -> int:
        """Scheduled local minute of departure number ``number``; may pass midnight (1440)."""
        place = [slug for slug, _ in self.stops].index(NACHTWACHTLAAN)
        first = FIRST_AT_NACHTWACHTLAAN - self.minutes[place] + (TURN if direction == "back" else 0)
        return first + HEADWAY * number

    def scheduled(self, stop: int, direction: str) -> list[str]:
        """The day's scheduled times (HH:MM, local) at the stop of this number from the start of the route."""
        minutes = self.minutes_of(direction)[stop if direction == "out" else len(self.stops) - 1 - stop]
        return [clock_time(self.departure(number, direction) + minutes) for number in range(DEPARTURES)]


@dataclass(frozen=True)
class Trip:
    """One trip of a vehicle: at each point of the route (metres) at a moment (µs UTC), with a delay (s)."""

    vehicle: int
    direction: str
    departure: int
    times: Ints
    metres: Floats
    delays: Floats
    stop_times: Ints


def clock_time(minute: int) -> str:
    """HH:MM of a minute since midnight."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def line(streets: Network) -> Line:
    """The route from the southwest over the market square and the Nachtwachtlaan to the P+R in the north."""
    way = [(4, level) for level in range(5, 0, -1)] + [(0, level) for level in range(5)]
    path = streets.line([*way, (1, 4), (2, 4), (2, 5)])
    distance = along(path)
    end = float(distance[-2]) + 160.0
    metres = np.array([*[stop[2] for stop in _STOPS[:-1]], end])
    path = np.vstack([path[:-1], [_at(path, distance, np.array([end]))[0]]])
    gaps = np.maximum(1, np.round(np.diff(metres) / 5.4 / 60.0)).astype(int)
    minutes = (0, *np.cumsum(gaps).tolist())
    return Line(path, along(path), tuple(stop[:2] for stop in _STOPS), metres, minutes)


def _at(path: Floats, distance: Floats, metres: Floats) -> Floats:
    """Points at these distances along the route."""
    return np.column_stack([np.interp(metres, distance, path[:, axis]) for axis in (0, 1)])


def trips(seed: int, route: Line, after: int, until: int) -> Iterator[Trip]:
    """The trips that touch (after, until], in order of departure; yesterday's last ones run past midnight."""
    for day in range(local_day(after) - 1, local_day(until) + 1):
        if at_local(day, 30 * 60) < after:
            continue
        for number in range(DEPARTURES):
            for direction in ("out", "back"):
                departure = route.departure(number, direction)
                start = at_local(day, departure)
                if start <= until and start + HOUR > after:
                    trip = _trip(seed, route, day, number, direction)
                    if trip.times[0] <= until and trip.times[-1] > after:
                        yield trip


def _trip(seed: int, route: Line, day: int, number: int, direction: str) -> Trip:
    """A trip whose delay wanders from stop to stop, more so in the rush hours."""
    departure = route.departure(number, direction)
    planned = at_local(day, departure) + np.array(route.minutes_of(direction), dtype=np.int64) * MINUTE
    rush = 1.0 if 7 * 60 <= departure % 1440 < 9 * 60 or 16 * 60 <= departure % 1440 < 18 * 60 + 30 else 0.25
    steps = noise.normal(noise.key(seed, f"bus-5/{direction}/{number}"), np.arange(len(planned)) + 16 * day)
    delay, delays = abs(float(steps[0])) * 12.0, []
    for step in steps.tolist():
        delay = min(max(0.88 * delay + 16.0 * step + 14.0 * rush, -25.0), _LARGEST_DELAY)
        delays.append(delay)
    delays[0] = max(delays[0], 0.0)
    arrivals = planned + (np.round(delays).astype(np.int64) * SECOND)
    for stop in range(1, len(arrivals)):  # a bus needs its time, however late it is
        arrivals[stop] = max(arrivals[stop], arrivals[stop - 1] + 30 * SECOND)
    metres = route.stop_distance if direction == "out" else route.stop_distance[::-1]
    times = np.column_stack([arrivals, arrivals + _DWELL]).ravel()
    late = np.repeat((arrivals - planned) / SECOND, 2)
    return Trip(number % VEHICLES, direction, departure, times, np.repeat(metres, 2), late, arrivals)


def seen(route: Line, trip: Trip, time: Ints) -> tuple[Floats, Floats, Texts]:
    """Positions in metres, delays in seconds and source ids of a trip at moments within it."""
    metres = np.interp(time, trip.times, trip.metres)
    delays = np.round(np.interp(time, trip.times, trip.delays))
    order = np.minimum(np.searchsorted(trip.stop_times, time), len(route.stops) - 1)
    next_stop = order + 1 if trip.direction == "out" else len(route.stops) - order
    head = f"5:{trip.direction}:{clock_time(trip.departure).replace(':', '')}"
    sources = np.array([f"{head}:{number}" for number in next_stop.tolist()], dtype=np.object_)
    return _at(route.path, route.distance, metres), delays, sources


def service_start(until: int) -> int:
    """Local midnight of the day of ``until``: the bus has no longer history."""
    return at_local(local_day(until), 0)


def vehicle_thing(number: int) -> str:
    """The id of vehicle number 0 to 3."""
    return f"bus-5.vehicle-{number + 1}"


def datastreams() -> list[str]:
    """The vehicles' datastreams, in order."""
    return [f"{vehicle_thing(number)}.{PROPERTY}" for number in range(VEHICLES)]


def features(route: Line) -> list[Feature]:
    """The line with its timetable, the stops in order, the vehicles and their datastreams."""
    timetable: dict[str, Any] = {
        "time_zone": TIME_ZONE,
        "headway_min": HEADWAY,
        "stops": [f"bus-5.stop-{slug}" for slug, _ in route.stops],
        "stop_distance_m": [round(metres) for metres in route.stop_distance.tolist()],
        "departures": {
            "out": route.scheduled(0, "out"),
            "back": route.scheduled(len(route.stops) - 1, "back"),
        },
        "minutes": {way: list(route.minutes_of(way)) for way in ("out", "back")},
        "towards": {"out": route.stops[-1][1], "back": route.stops[0][1]},
    }
    found = [
        Feature(
            "bus-5.line-5",
            "line",
            "Lijn 5",
            geojson(LineString(route.path)),
            {
                "mode": "bus",
                "line": "5",
                "timetable": timetable,
                "length_m": round(float(route.distance[-1])),
            },
        )
    ]
    points = _at(route.path, route.distance, route.stop_distance)
    for number, (slug, name) in enumerate(route.stops):
        properties = {
            "line": "5",
            "sequence": number + 1,
            "time_zone": TIME_ZONE,
            "scheduled": route.scheduled(number, "out") if number < len(route.stops) - 1 else [],
            "scheduled_back": route.scheduled(number, "back") if number else [],
        }
        found.append(Feature(f"bus-5.stop-{slug}", "stop", name, geojson(Point(points[number])), properties))
    for number, datastream in enumerate(datastreams()):
        thing, name = vehicle_thing(number), f"Bus {501 + number}"
        found.append(Feature(thing, "thing", name, None, {"mobile": True, "line": "5"}))
        described: dict[str, Any] = {
            "thing": thing,
            "observed_property": PROPERTY,
            "unit": UNIT,
            "line": "5",
            "mobile": True,
            "minimum": -1800,
            "maximum": 7200,
            "interval_s": STEP // SECOND,
        }
        found.append(Feature(datastream, "datastream", name, None, described))
    return found
