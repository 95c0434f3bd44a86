"""Looks back on measures that were published and are over: what was seen, beside what had been expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Measure
from dmi_infra.gate import Gate, Permit
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.consumer import ANALYSE
from dmi_support_centre.crowding import LOOK_BACK, capacities_of, flows, interval_of, services
from dmi_support_centre.desk import persons
from dmi_support_centre.grounds import Book
from dmi_support_centre.history import Subjects, clean_series, series_by_stream, usable
from dmi_support_centre.model import CROWD_COUNT, MINUTE, OCCUPANCY, Place, Reading
from dmi_support_centre.models.forecast import Series, series_of
from dmi_support_centre.models.measures import (
    SPAN,
    Counted,
    CrowdLookBack,
    ForecastAt,
    LookBack,
    Walkway,
    look_back,
    look_back_on_crowd,
)
from dmi_support_centre.store import Store

SEEN_AFTER: Micros = 16 * MINUTE
"""One looks back once the last quarter of a measure's time is over."""
CROWD_SEEN_AFTER: Micros = SPAN + 5 * MINUTE
"""On a measure against crowding once the time after it is over too, and its last counts are there."""


class Times(Protocol):
    """What time it is where a dataset comes from."""

    def now(self, datasets: Sequence[str]) -> Micros: ...


class LookBacks:
    """Looks back once on each measure, when what came after it is known."""

    def __init__(self, store: Store, atlas: Atlas, gate: Gate, book: Book, city: Times) -> None:
        self._store = store
        self._atlas = atlas
        self._gate = gate
        self._book = book
        self._city = city

    def round(self) -> None:
        """Look back on every measure whose time for that has come."""
        for row in self._store.measures.to_look_back():
            measure = row.measure
            if measure.decided_by is None or self._book.withdrawal(row) is not None:
                continue
            crowd = "threshold" in measure.properties
            ripe = measure.valid_to + (CROWD_SEEN_AFTER if crowd else SEEN_AFTER)
            if self._city.now(measure.grounds.datasets) < ripe:
                continue
            seen = self._crowd(measure) if crowd else self._garage(measure)
            if seen is not None:
                self._store.measures.look_back(measure.id, msgspec.to_builtins(seen))

    def _garage(self, measure: Measure) -> LookBack | None:
        places = {place.id: place for place in self._atlas.places(OCCUPANCY)}
        place, hub = places.get(measure.place), places.get(str(measure.properties.get("hub", "")))
        permit = self._permit([place] if place else [])
        if place is None or permit is None:
            return None
        hub_permit = permit if hub and hub.dataset == place.dataset else self._permit([hub] if hub else [])
        return look_back(
            measure,
            self._series(place, permit, measure),
            self._expected(place, measure),
            self._series(hub, hub_permit, measure) if hub and hub_permit else series_of([], []),
            self._expected(hub, measure) if hub else [],
        )

    def _crowd(self, measure: Measure) -> CrowdLookBack | None:
        own = [place for place in self._atlas.places(CROWD_COUNT) if place.id == measure.place]
        permit = self._permit(own)
        if permit is None:
            return None
        subjects = self._subjects(permit, measure)
        counts: dict[str, list[Reading]] = {}
        since, until = measure.valid_from - SPAN - LOOK_BACK, measure.valid_to + SPAN
        for reading in self._store.observations.counts([one.datastream for one in own], since, until):
            if subjects is None or reading.subject in subjects:
                counts.setdefault(reading.datastream, []).append(reading)
        found = flows(own, counts)
        levels = {at: one.level for at, one in services(own[0], found)}
        width, capacities = capacities_of(own[0]) or (None, None)
        walkway = Walkway(interval_of(own[0]), width, capacities)
        return look_back_on_crowd(
            measure, walkway, [Counted(at, round(flow, 1), levels.get(at)) for at, flow in found]
        )

    def _permit(self, places: Sequence[Place]) -> Permit | None:
        # Asked ahead: a look back that waits for a right would be recorded as refused at every round.
        if not places or self._gate.allows("indicators", ANALYSE, places[0].dataset, None):
            return None
        return self._gate.permit("indicators", ANALYSE, places[0].dataset, rows=len(places))

    def _subjects(self, permit: Permit, measure: Measure) -> Subjects:
        """Whose rows may be seen with the measure: nobody's that it does not rest on itself."""
        given = self._gate.subjects(permit)
        return given and set(given).intersection(persons(self._gate.law, measure.grounds, permit.dataset))

    def _series(self, place: Place, permit: Permit, measure: Measure) -> Series:
        start, end = measure.valid_from - 2 * 60 * MINUTE, measure.valid_to + 60 * MINUTE
        quarters = self._store.observations.quarters(place.dataset, start, end)
        found = series_by_stream(usable(quarters, self._subjects(permit, measure)))
        series = found.get(place.datastream)
        return series_of([], []) if series is None else clean_series(series, place.capacity)

    def _expected(self, place: Place, measure: Measure) -> list[ForecastAt]:
        start, end = measure.valid_from, measure.valid_to + 60 * MINUTE
        rows = self._store.results.track(place.dataset, start, end, known=None, place=place.id)
        return [
            ForecastAt(f"forecast:{row.place}", row.issued_at, row.valid_at, row.p10, row.p50, row.p90)
            for row in rows
            if not row.backtested
        ]
