"""The demonstration city Waterstad: its map, eight weeks of history, and its life by the clock.

Everything is a function of the seed and the time. A row is *delivered* at its phenomenon time, a late
one up to two hours after it. ``history`` up to a moment and ``live`` from that moment on together deliver
every row once (apart from those repeated on purpose); a restart goes on where the last delivery stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_command.demo import (
    addresses,
    bicycles,
    buildings,
    bus,
    crowd,
    faults,
    garages,
    neighbourhoods,
    story,
    streets,
)
from dmi_command.demo.faults import Faults
from dmi_command.demo.moments import DAY, MINUTE, grid
from dmi_command.demo.noise import Bools, Floats, Ints
from dmi_command.demo.plane import to_degrees
from dmi_command.demo.rows import Rows, Texts

HISTORY: Final = 56 * DAY
"""How far back the history of garages and crowd counters is meant to go: eight weeks."""
BICYCLE_HISTORY: Final = 3 * DAY
CROWD_FINE_HISTORY: Final = DAY
"""The last part of the crowd's history, with a row every three minutes."""

Keep = Callable[[Ints, Ints], Bools]
"""Which of the rows (number of the datastream, phenomenon time) are wanted."""


@dataclass(frozen=True)
class City:
    """Datasets and features to publish; the other fields are what observations are made from."""

    seed: int
    datasets: list[Dataset]
    features: dict[str, list[Feature]]
    """By dataset id."""
    plan: neighbourhoods.Plan
    buildings: tuple[buildings.Building, ...]
    riders: tuple[bicycles.Rider, ...]
    line: bus.Line
    faults: dict[str, Faults]
    """By dataset id."""


def build_city(seed: int = 5) -> City:
    """Waterstad; another seed moves its borders, buildings, riders and chances, never names or ids."""
    plan = neighbourhoods.plan(seed)
    built = buildings.buildings(seed, plan)
    network = streets.network()
    riders = bicycles.riders(seed, built, network)
    line = bus.line(network)
    features = {
        story.GARAGES: garages.features(),
        story.CROWD: crowd.features(),
        story.BICYCLE_AIR: bicycles.features(riders),
        story.NEIGHBOURHOODS: [
            *buildings.area_features(plan, built),
            *buildings.features(plan, built),
            *streets.features(),
        ],
        story.ADDRESSES: addresses.features(plan, built),
        story.BUS: bus.features(line),
    }
    return City(seed, story.datasets(), features, plan, built, riders, line, _faults(seed, riders))


def _faults(seed: int, riders: tuple[bicycles.Rider, ...]) -> dict[str, Faults]:
    """The faults of each dataset with observations, with the impossible values of each datastream."""
    return {
        story.GARAGES: Faults.of(
            seed,
            [garage.datastream for garage in garages.GARAGES],
            [(-12.0, float(round(1.3 * garage.capacity)), 65535.0) for garage in garages.GARAGES],
            True,
        ),
        story.CROWD: Faults.of(
            seed,
            [counter.datastream for counter in crowd.COUNTERS],
            [(-4.0, 9999.0)] * len(crowd.COUNTERS),
            True,
        ),
        story.BICYCLE_AIR: Faults.of(
            seed,
            [name for rider in riders for name in rider.datastreams()],
            [values for _ in riders for values in bicycles.IMPOSSIBLE],
            False,
        ),
        story.BUS: Faults.of(seed, bus.datastreams(), [bus.IMPOSSIBLE] * bus.VEHICLES, False),
    }


def history(city: City, start: int, end: int) -> Iterator[ObservationBatch]:
    """All rows of (start, end] (µs UTC) that were delivered by ``end``, by phenomenon time in each dataset.

    Garages and crowd counters give a row every 15 minutes (the crowd every three in the last day);
    bicycles give all rows of the last three days, buses those since local midnight.
    """
    for dataset in city.faults:
        yield from _past(city, dataset, start, end)[0].batches()


def expected_faults(city: City, dataset: str, start: int, end: int) -> dict[str, int]:
    """How many rows of ``history`` each fault struck, by its name.

    ``late`` counts the rows held back, to be delivered after ``end``, and ``silent`` those that never come.
    """
    return dict(_past(city, dataset, start, end)[1])


def _past(city: City, dataset: str, start: int, end: int) -> tuple[Rows, Counter[str]]:
    """The history of one dataset, and the rows that each fault struck."""
    broken = city.faults[dataset]
    counts: Counter[str] = Counter()

    def keep(stream: Ints, time: Ints) -> Bools:
        silent = broken.silent(stream, time)
        late = broken.delivered(stream, time) > end
        counts[faults.SILENT.name] += int(silent.sum())
        counts[faults.LATE.name] += int((late & ~silent).sum())
        return np.asarray(~silent & ~late)

    if dataset == story.GARAGES:
        rows = _garages(city, grid(start, end, 15 * MINUTE), keep)
    elif dataset == story.CROWD:
        fine = max(start, end - CROWD_FINE_HISTORY)
        times = [grid(start, fine, 15 * MINUTE), grid(fine, end, 3 * MINUTE)]
        rows = _crowd(city, np.concatenate(times), keep)
    elif dataset == story.BICYCLE_AIR:
        rows = _bicycles(city, max(start, end - BICYCLE_HISTORY), end, keep)
    else:
        rows = _bus(city, max(start, bus.service_start(end)), end, 2 * bus.STEP, keep)
    spoiled, struck = broken.spoil(rows.ordered(rows.time))
    return spoiled, counts + struck


def live(city: City, after: int, until: int) -> Iterator[ObservationBatch]:
    """All rows delivered in (after, until] (µs UTC), by moment of delivery in each dataset.

    Garages and crowd counters give a row every minute, bicycles every five seconds while they are
    ridden (temperature and humidity every thirty), buses every five seconds.
    """
    since = after - faults.LATEST
    for dataset, broken in city.faults.items():
        keep = _delivered_in(broken, after, until)
        if dataset == story.GARAGES:
            rows = _garages(city, grid(since, until, garages.STEP), keep)
        elif dataset == story.CROWD:
            rows = _crowd(city, grid(since, until, crowd.STEP), keep)
        elif dataset == story.BICYCLE_AIR:
            rows = _bicycles(city, since, until, keep)
        else:
            rows = _bus(city, since, until, bus.STEP, keep)
        yield from broken.spoil(rows.ordered(rows.delivered))[0].batches()


def _delivered_in(broken: Faults, after: int, until: int) -> Keep:
    """The rows that reach ingest in (after, until]."""

    def keep(stream: Ints, time: Ints) -> Bools:
        moment = broken.delivered(stream, time)
        wanted = np.asarray((moment > after) & (moment <= until))
        if wanted.any():  # mostly not: of two hours of rows, few are late enough to come now
            wanted &= ~broken.silent(stream, time)
        return wanted

    return keep


def _pairs(streams: int, times: Ints, keep: Keep) -> tuple[Ints, Ints]:
    """Every datastream at every time, as far as wanted."""
    stream = np.repeat(np.arange(streams, dtype=np.int64), len(times))
    time = np.tile(times, streams)
    chosen = keep(stream, time)
    return stream[chosen], time[chosen]


def _garages(city: City, times: Ints, keep: Keep) -> Rows:
    broken = city.faults[story.GARAGES]
    stream, time = _pairs(len(garages.GARAGES), times, keep)
    value = garages.occupancy(city.seed, stream, broken.reported(stream, time))
    names = [garage.datastream for garage in garages.GARAGES]
    return Rows(story.GARAGES, names, stream, time, broken.delivered(stream, time), value)


def _crowd(city: City, times: Ints, keep: Keep) -> Rows:
    broken = city.faults[story.CROWD]
    stream, time = _pairs(len(crowd.COUNTERS), times, keep)
    value = crowd.counts(city.seed, stream, broken.reported(stream, time))
    names = [counter.datastream for counter in crowd.COUNTERS]
    return Rows(story.CROWD, names, stream, time, broken.delivered(stream, time), value)


@dataclass(frozen=True)
class _Part:
    """Rows of one moving thing, before they are put together."""

    stream: Ints
    time: Ints
    value: Floats
    place: Floats
    source: Texts


def _moving(dataset: str, names: list[str], broken: Faults, parts: list[_Part]) -> Rows:
    """The parts as rows with positions in degrees."""
    if not parts:
        nothing, no_time = np.empty(0), np.empty(0, dtype=np.int64)
        parts = [_Part(no_time, no_time, nothing, np.empty((0, 2)), np.empty(0, dtype=np.object_))]
    stream, time = (np.concatenate([getattr(part, name) for part in parts]) for name in ("stream", "time"))
    degrees = to_degrees(np.vstack([part.place for part in parts]))
    return Rows(
        dataset,
        names,
        stream,
        time,
        broken.delivered(stream, time),
        np.concatenate([part.value for part in parts]),
        longitude=degrees[:, 0],
        latitude=degrees[:, 1],
        source=np.concatenate([part.source for part in parts]),
    )


def _bicycles(city: City, after: int, until: int, keep: Keep) -> Rows:
    """Rows of all rides; a row's source id is the sensor's own message number."""
    names = [name for rider in city.riders for name in rider.datastreams()]
    parts = []
    for ride in bicycles.rides(city.seed, city.riders, after, until):
        begin, finish = max(after, ride.start), min(until, ride.end)
        for kind in range(len(bicycles.PROPERTIES)):
            times = grid(begin, finish, bicycles.STEP if kind == 0 else bicycles.WEATHER_STEP)
            stream = np.full(len(times), (ride.rider.number - 1) * len(bicycles.PROPERTIES) + kind)
            chosen = keep(stream, times)
            stream, time = stream[chosen], times[chosen]
            if not len(time):
                continue
            place, on_main = bicycles.places(city.seed, ride, time)
            value = bicycles.measured(city.seed, ride, kind, time, on_main)
            numbers = (time // bicycles.STEP).tolist()
            source = np.array([f"MF{ride.rider.number:03d}-{number}" for number in numbers], dtype=np.object_)
            parts.append(_Part(stream, time, value, place, source))
    rows = _moving(story.BICYCLE_AIR, names, city.faults[story.BICYCLE_AIR], parts)
    subjects = [rider.person for rider in city.riders for _ in bicycles.PROPERTIES]
    return replace(rows, subjects=subjects)


def _bus(city: City, after: int, until: int, step: int, keep: Keep) -> Rows:
    """Rows of all trips."""
    parts = []
    for trip in bus.trips(city.seed, city.line, after, until):
        times = grid(max(after, int(trip.times[0])), min(until, int(trip.times[-1])), step)
        time = times[keep(np.full(len(times), trip.vehicle), times)]
        if len(time):
            place, delay, source = bus.seen(city.line, trip, time)
            parts.append(_Part(np.full(len(time), trip.vehicle), time, delay, place, source))
    return _moving(story.BUS, bus.datastreams(), city.faults[story.BUS], parts)
