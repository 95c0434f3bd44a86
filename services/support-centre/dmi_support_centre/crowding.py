"""How crowded the counted streets are: level of service from the newest counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import number_of
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds, Indicator
from dmi_infra.bus.port import Message
from dmi_support_centre.consumer import ANALYSE
from dmi_support_centre.forecasting import INDICATORS
from dmi_support_centre.grounds import Workshop, envelope
from dmi_support_centre.model import CROWD, CROWD_COUNT, MINUTE, Place, Reading, Result, city_time
from dmi_support_centre.models.crowd import Capacities, CapacityRefused, Service, flow_per_minute, service

MODEL = "level-of-service-1"
LOOK_BACK: Micros = 10 * MINUTE
DEFAULT_INTERVAL_S = 60.0


def flows(place: Sequence[Place], counts: Mapping[str, Sequence[Reading]]) -> list[tuple[Micros, float]]:
    """Persons a minute at each moment that all directions of one place were counted, oldest first."""
    streams = [one.datastream for one in place]
    seconds = interval_of(place[0])
    by_time: dict[Micros, dict[str, float]] = {}
    for stream in streams:
        for reading in counts.get(stream, ()):
            by_time.setdefault(reading.time, {})[stream] = reading.value
    found = []
    for at in sorted(by_time):
        values = [by_time[at].get(stream) for stream in streams]
        # A negative count is a broken counter, which the platform flags; here it is no count at all.
        if all(value is None or value >= 0 for value in values):
            flow = flow_per_minute(values, seconds)
            if flow is not None:
                found.append((at, flow))
    return found


def interval_of(place: Place) -> float:
    """Seconds that one count is over."""
    interval = number_of(place.properties.get("interval_s"))
    return interval if interval is not None and interval > 0 else DEFAULT_INTERVAL_S


def capacities_of(place: Place) -> tuple[float, Capacities] | None:
    """Effective width (m) and capacities of a place; ``None`` where they are not known or cannot be."""
    known = place.properties
    width = number_of(known.get("effective_width", known.get("effective_width_m")))
    ends = known.get("los_capacity", known.get("levels_of_service_per_minute"))
    if width is None or width <= 0:
        return None
    try:
        if isinstance(ends, dict):
            return width, Capacities(*(float(ends[level]) for level in "ABCDE"))
        return width, Capacities.of_width(width)
    except (CapacityRefused, KeyError, TypeError, ValueError, OverflowError):
        # A table that cannot be is as good as none: the place shows its flow without a level.
        return None


def services(place: Place, found: Sequence[tuple[Micros, float]]) -> list[tuple[Micros, Service]]:
    """Level of service at each moment, from the flow then and in the ten minutes before."""
    known = capacities_of(place)
    if known is None:
        return []
    width, capacities = known
    levels = []
    times = [at for at, _ in found]
    for index, (at, flow) in enumerate(found):
        previous = [before for _, before in found[bisect_left(times, at - LOOK_BACK) : index]]
        levels.append((at, service(flow, width, capacities, previous=previous)))
    return levels


class Crowding:
    """Levels of service of every counted place of a dataset; ``round`` is called by one thread."""

    def __init__(self, workshop: Workshop) -> None:
        self._store = workshop.store
        self._atlas = workshop.atlas
        self._gate = workshop.gate
        self._book = workshop.book
        self._withdrawals = workshop.withdrawals
        self._forgotten = workshop.forgotten

    def round(self, dataset: str) -> Micros | None:
        """Compute, keep, publish; returns the dataset's present. Raises ``Refused``.

        What is made while rows of the dataset go is not kept: the marks of what was there before stand then.
        """
        begun = self._forgotten.times(dataset)
        places = self._atlas.places(CROWD_COUNT, dataset)
        permit = self._gate.permit("indicators", ANALYSE, dataset, rows=len(places))
        subjects = self._gate.subjects(permit)
        counts: dict[str, list[Reading]] = {}
        for reading in self._store.observations.recent(dataset, CROWD_COUNT):
            if subjects is None or reading.subject in subjects:
                counts.setdefault(reading.datastream, []).append(reading)
        now = city_time([rows[-1].time for rows in counts.values()])
        if now is None:
            return None
        results = []
        known: dict[frozenset[str], Grounds] = {}
        for identifier, group in groupby(places, key=lambda place: place.id):
            own = list(group)
            found = flows(own, counts)
            if found:
                rows = (row for one in own for row in counts.get(one.datastream, ()))
                used = frozenset(row.subject for row in rows if row.subject)
                grounds = known[used] = known.get(used) or self._book.ground_of(permit, used, subjects)
                title = f"Drukte {own[0].name}"
                body = _body(own[0], found)
                results.append(
                    Result(f"crowd:{identifier}", CROWD, title, identifier, found[-1][0], grounds, body)
                )
        with self._forgotten.keeping(dataset, begun) as whole:
            standing = [one for one in results if whole and self._book.fallen(one.grounds) is None]
            self._store.results.save(standing, INDICATORS, [m for one in standing for m in messages_of(one)])
        for result in standing:
            self._book.tell(result, CROWD, _TRANSFORMATIONS)
            self._withdrawals.recheck(self._book.fallen(result.grounds))
        return now


def messages_of(result: Result) -> list[Message]:
    """The message that tells of a level of service; a withdrawn one without its figures."""
    gone = result.withdrawn_at is not None
    body = result.body
    figures: dict[str, Any] = {} if gone else {"level": body["level"], "load": body["load"]}
    indicator = Indicator(
        id=result.id,
        kind="level-of-service",
        place=result.place,
        issued_at=result.made_at,
        valid_at=result.made_at,
        unit="{person}/min",
        p50=None if gone else body["flow"],
        properties={"name": body["name"], "model": MODEL, "result": result.id, **figures},
        grounds=result.grounds,
        withdrawn=gone,
    )
    kind = "nl.dmi.indicator.withdrawn.v1" if gone else "nl.dmi.indicator.issued.v1"
    return [Message(result.place, encode(indicator), envelope(kind, result.place, result.grounds))]


def _body(place: Place, found: Sequence[tuple[Micros, float]]) -> dict[str, Any]:
    levels = services(place, found)
    known = capacities_of(place)
    newest = levels[-1][1] if levels else None
    return {
        "name": place.name,
        "geometry": place.geometry,
        "flow": round(found[-1][1], 1),
        "level": newest.level.value if newest else None,
        "load": round(newest.load, 3) if newest else None,
        "flow_per_metre": round(newest.flow_per_metre, 1) if newest else None,
        "reason": newest.reason if newest else None,
        "effective_width": known[0] if known else None,
        "capacity": known[1].e if known else None,
        "capacities": dict(zip("ABCDE", known[1].ends(), strict=True)) if known else None,
        "levels": [one.level.value for _, one in levels],
    }


_TRANSFORMATIONS = (
    "harmonised counts through the gate; rows that failed a quality test left out",
    "persons a minute, both directions together; without one direction there is no figure",
    f"level of service {MODEL} from flow, effective width and capacities of the place",
)
