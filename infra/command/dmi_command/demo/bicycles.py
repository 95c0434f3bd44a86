"""Residents who ride with an air-quality sensor: personal data, for a track shows where its rider lives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dmi_agreements.contracts.features import Feature
from dmi_command.demo import noise
from dmi_command.demo.buildings import Building
from dmi_command.demo.moments import DAY, HOUR, MINUTE, SECOND, at_local, local, local_day
from dmi_command.demo.noise import Floats, Ints
from dmi_command.demo.profiles import between
from dmi_command.demo.streets import Network, along

STEP: Final = 5 * SECOND
WEATHER_STEP: Final = 30 * SECOND
PROPERTIES: Final = (
    ("pm2_5", "ug/m3", 0, 1000),
    ("temperature", "Cel", -30, 50),
    ("relative_humidity", "%", 0, 100),
)
"""Observed property, unit, lowest and highest value; the datastreams of a bicycle in this order."""
IMPOSSIBLE: Final = ((9999.0, -1.0), (-127.0, 85.0), (254.0, -1.0))
"""Error codes of each property."""
RIDERS: Final = (
    "noor", "bram", "fenna", "joris", "meike", "tijmen", "saar", "willem", "yara", "stijn",
    "lotte", "karim", "hanneke", "ruben", "amina", "pieter", "jasmijn", "olaf", "roos", "dirk",
    "imke", "sven", "esra", "gijs", "maud", "teun", "nadia", "koen", "britt", "hugo",
    "femke", "youssef", "tess", "sybren", "anouk", "jelle", "dewi", "marijn", "iris", "wouter",
)  # fmt: skip
"""Slugs of the riders' person ids; bicycle 1 is the first one's."""


@dataclass(frozen=True)
class Track:
    """A line in metres from door to door; from ``main[0]`` to ``main[1]`` metres it follows main streets."""

    line: Floats
    distance: Floats
    main: tuple[float, float]


@dataclass(frozen=True)
class Rider:
    """``tracks`` lead from home to work and to two places for errands; ``speed`` in m/s."""

    number: int
    person: str
    commutes: bool
    speed: float
    tracks: tuple[Track, ...]

    @property
    def thing(self) -> str:
        """The bicycle's id; it does not name the rider."""
        return f"bicycle-air.bicycle-{self.number}"

    def datastreams(self) -> list[str]:
        """Ids, in the order of ``PROPERTIES``."""
        return [f"{self.thing}.{name}" for name, *_ in PROPERTIES]


@dataclass(frozen=True)
class Ride:
    """One ride: from ``start`` to ``end`` (µs UTC), back along the track when ``back``."""

    rider: Rider
    track: Track
    back: bool
    start: int
    end: int


def riders(seed: int, built: tuple[Building, ...], streets: Network) -> tuple[Rider, ...]:
    """The riders, at home in housing, at work in other buildings (three in ten at the Nachtwachtlaan)."""
    homes = [building for building in built if building.use == "housing"]
    others = [building for building in built if building.use != "housing"]
    found = []
    for number, slug in enumerate(RIDERS, start=1):
        chance = noise.uniform(noise.key(seed, f"rider/{slug}"), np.arange(8))
        home = homes[int(chance[0] * len(homes))]
        at_office = chance[1] < 0.3
        work = built[int(chance[2] * 9)] if at_office else others[int(chance[2] * len(others))]
        errands = [others[int(share * len(others))] for share in chance[3:5]]
        tracks = tuple(_track(streets, home, goal, chance[6]) for goal in (work, *errands))
        speed = 3.9 + 1.5 * float(chance[5])
        found.append(Rider(number, f"urn:dmi:person:{slug}", chance[7] < 0.7 or number == 1, speed, tracks))
    return tuple(found)


def _track(streets: Network, home: Building, goal: Building, bend: float) -> Track:
    """By a side street to the nearest crossing, along the main streets, and by a side street to the door."""
    start, end = ((float(place.x), float(place.y)) for place in (home.shape.centroid, goal.shape.centroid))
    way = streets.line(streets.way(streets.nearest(start), streets.nearest(end)))
    first, last = way[0], way[-1]
    corner = (start[0], first[1]) if bend < 0.5 else (first[0], start[1])
    before_end = (last[0], end[1]) if bend < 0.5 else (end[0], last[1])
    line = np.vstack([[start], [corner], way, [before_end], [end]])
    distance = along(line)
    return Track(line, distance, (float(distance[2]), float(distance[-3])))


def rides(seed: int, everyone: tuple[Rider, ...], after: int, until: int) -> Iterator[Ride]:
    """The rides that touch (after, until], in order of rider and start."""
    for rider in everyone:
        key = noise.key(seed, f"rides/{rider.person}")
        for day in range(local_day(after), local_day(until) + 1):
            for ride in _rides_of_day(rider, day, noise.uniform(key, np.arange(12) + 12 * day)):
                if ride.start <= until and ride.end > after:
                    yield ride


def _rides_of_day(rider: Rider, day: int, chance: Floats) -> Iterator[Ride]:
    """To work and back on most working days of commuters, and errands on many days, more at the weekend."""
    working = (day + 3) % 7 < 5
    morning, evening = 7.2 * 60 + 95 * chance[0], 16.4 * 60 + 110 * chance[1]
    if working and rider.commutes and chance[2] < 0.8:
        yield _ride(rider, 0, False, day, morning)
        yield _ride(rider, 0, True, day, evening)
        if chance[3] < 0.35:
            yield from _errand(rider, 1, day, 19 * 60 + 60 * chance[4], 30 + 40 * chance[5])
    elif chance[3] < (0.7 if working else 0.8):
        yield from _errand(rider, 1, day, 9 * 60 + 200 * chance[6], 40 + 80 * chance[7])
        if chance[8] < 0.6:
            yield from _errand(rider, 2, day, 15 * 60 + 150 * chance[9], 40 + 50 * chance[10])


def _errand(rider: Rider, track: int, day: int, minute: float, stay: float) -> Iterator[Ride]:
    """There, and back after ``stay`` minutes."""
    there = _ride(rider, track, False, day, minute)
    yield there
    yield _ride(rider, track, True, day, minute + (there.end - there.start) / MINUTE + stay)


def _ride(rider: Rider, number: int, back: bool, day: int, minute: float) -> Ride:
    """One ride at the rider's speed."""
    track = rider.tracks[number]
    start = at_local(day, minute)
    return Ride(rider, track, back, start, start + int(track.distance[-1] / rider.speed) * SECOND)


def places(seed: int, ride: Ride, time: Ints) -> tuple[Floats, Floats]:
    """Positions in metres with the scatter of GPS, and whether each (0 or 1) is on a main street."""
    passed = (time - ride.start) / SECOND * ride.rider.speed
    total = ride.track.distance[-1]
    gone = np.clip(total - passed if ride.back else passed, 0.0, total)
    scatter = [
        2.5 * noise.smooth(noise.key(seed, f"{ride.rider.thing}/{axis}"), time / (20.0 * SECOND))
        for axis in ("east", "north")
    ]
    columns = [
        np.interp(gone, ride.track.distance, ride.track.line[:, axis]) + scatter[axis] for axis in (0, 1)
    ]
    on_main = (gone >= ride.track.main[0]) & (gone <= ride.track.main[1])
    return np.column_stack(columns), on_main.astype(np.float64)


def measured(seed: int, ride: Ride, kind: int, time: Ints, on_main: Floats) -> Floats:
    """What the sensor of property number ``kind`` reads, before its faults."""
    day, minute = local(time)
    sensor = noise.key(seed, f"{ride.rider.thing}/{PROPERTIES[kind][0]}")
    jitter = noise.normal(sensor, time // SECOND)
    warmth = _temperature(seed, time, minute)
    if kind == 1:
        return np.asarray(np.round(warmth + 0.15 * jitter, 1))
    if kind == 2:
        damp = (
            82.0 - 2.2 * (warmth - 9.0) + 6.0 * noise.smooth(noise.key(seed, "humidity"), time / (9 * HOUR))
        )
        return np.asarray(np.round(np.clip(damp + 0.6 * jitter, 25.0, 100.0), 1))
    background = 8.5 * np.exp(0.45 * noise.smooth(noise.key(seed, "background"), time / (20 * HOUR)))
    background *= 1.0 + 0.22 * between(minute, 19 * 60, 23 * 60, 120.0)
    rush = between(minute, 7.5 * 60, 9 * 60, 60.0) + between(minute, 16.25 * 60, 18 * 60, 60.0)
    traffic = (2.0 + 4.5 * rush * np.where((day + 3) % 7 < 5, 1.0, 0.4)) * on_main
    plume = np.exp(0.35 * noise.smooth(noise.key(seed, f"{ride.rider.thing}/plume"), time / (40.0 * SECOND)))
    return np.asarray(np.round(np.clip(background + traffic * plume + 0.7 * jitter, 0.3, 400.0), 1))


def _temperature(seed: int, time: Ints, minute: Floats) -> Floats:
    """Season, time of day and the weather of the week, in degrees Celsius."""
    season = 10.5 - 7.5 * np.cos(2.0 * np.pi * (time / DAY - 18.0) / 365.25)
    hour_of_day = 3.2 * np.sin(2.0 * np.pi * (minute - 9.5 * 60.0) / 1440.0)
    return np.asarray(
        season + hour_of_day + 2.6 * noise.smooth(noise.key(seed, "weather"), time / (60 * HOUR))
    )


def features(everyone: tuple[Rider, ...]) -> list[Feature]:
    """A ``thing`` and three datastreams for each bicycle, without a place and without the rider."""
    found = []
    for rider in everyone:
        name = f"Meetfiets {rider.number}"
        found.append(Feature(rider.thing, "thing", name, None, {"mobile": True}))
        for (observed, unit, lowest, highest), datastream in zip(
            PROPERTIES, rider.datastreams(), strict=True
        ):
            properties: dict[str, Any] = {
                "thing": rider.thing,
                "observed_property": observed,
                "unit": unit,
                "minimum": lowest,
                "maximum": highest,
                "mobile": True,
                "interval_s": (STEP if observed == "pm2_5" else WEATHER_STEP) // SECOND,
            }
            found.append(Feature(datastream, "datastream", f"{name} {observed}", None, properties))
    return found
