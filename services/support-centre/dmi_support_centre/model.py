"""Pure values of the support centre: what is kept of observations, places, and results with their grounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dmi_agreements.contracts.features import Feature, number_of
from dmi_agreements.contracts.observations import (
    FLAG_FAIL,
    FLAG_MISSING,
    Micros,
    ObservationBatch,
    within_bounds,
)
from dmi_agreements.contracts.results import Grounds

MINUTE: Micros = 60_000_000
DAY: Micros = 24 * 60 * MINUTE
QUARTER: Micros = 15 * MINUTE
KEPT: Micros = 70 * DAY
"""History that forecasts learn from: ten weeks."""
RECENT: Micros = 30 * MINUTE
"""Single readings are kept this long behind the newest of their datastream."""
COUNTS_KEPT: Micros = 26 * 60 * MINUTE
"""Counts are kept this long behind the newest of their datastream: as long as a measure may last, with what came
before and after it."""

OCCUPANCY, CROWD_COUNT = "occupancy", "crowd_count"
NEEDED = frozenset({OCCUPANCY, CROWD_COUNT})
"""Observed properties that an analysis here uses; nothing else is asked for or kept."""

FORECAST, CROWD, SCENARIO, MEASURE = "forecast", "crowd", "scenario", "measure"
"""Kinds of results."""


class Reading(msgspec.Struct, frozen=True):
    """One usable observation; ``subject`` is empty for data about no person."""

    datastream: str
    dataset: str
    observed_property: str
    time: Micros
    value: float
    subject: str = ""


class Quarter(msgspec.Struct, frozen=True):
    """The readings of one datastream in a quarter of an hour, summed up; times are offsets from ``start``."""

    datastream: str
    subject: str
    start: Micros
    dataset: str
    total: float
    readings: int
    offsets: int
    last: int

    @property
    def mean(self) -> float:
        """Mean of the readings."""
        return self.total / self.readings

    @property
    def at(self) -> Micros:
        """Mean time of the readings: a quarter with one reading stands where that was made."""
        return self.start + self.offsets // self.readings


class Place(msgspec.Struct, frozen=True):
    """A place with a datastream of one property, as its features describe it."""

    id: str
    dataset: str
    name: str
    datastream: str
    properties: dict[str, Any] = {}
    geometry: dict[str, Any] | None = None

    @property
    def capacity(self) -> float | None:
        """Vehicles or persons that fit, where known."""
        value = number_of(self.properties.get("capacity"))
        return value if value is not None and value > 0 else None


class Result(msgspec.Struct, frozen=True):
    """A result in its newest state. ``body`` is what the interface shows of it beside its state."""

    id: str
    kind: str
    title: str
    place: str
    made_at: Micros
    grounds: Grounds
    body: dict[str, Any]
    withdrawn_at: Micros | None = None
    withdrawn_ground: str | None = None


def needed_of(batch: ObservationBatch) -> ObservationBatch:
    """The rows of a harmonised batch that an analysis uses: known value, known property, no failed test.

    A value that was stored before results had a bound is none.
    """
    return batch.take([row for row in _known(batch) if _usable(batch, row)])


def corrected_of(batch: ObservationBatch) -> ObservationBatch:
    """The rows of a corrected batch of a property that an analysis uses; what it cannot use has no value.

    Those without are needed as well: what was kept of them is taken back.
    """
    values = [value if _usable(batch, row) else None for row, value in enumerate(batch.result)]
    return msgspec.structs.replace(batch, result=values).take(_known(batch))


def _known(batch: ObservationBatch) -> list[int]:
    properties = batch.observed_property or [name.rsplit(".", 1)[-1] for name in batch.datastream]
    return [row for row, name in enumerate(properties) if name in NEEDED]


def _usable(batch: ObservationBatch, row: int) -> bool:
    tests = (batch.flags or {}).values()
    value = batch.result[row]
    if value is None or not within_bounds(value):
        return False
    return not any(column[row] in (FLAG_FAIL, FLAG_MISSING) for column in tests)


def readings_of(batch: ObservationBatch) -> list[Reading]:
    """Rows of a batch after the gate; a duty may have left out columns, never times or values."""
    properties = batch.observed_property or [name.rsplit(".", 1)[-1] for name in batch.datastream]
    subjects = batch.subject or [None] * len(batch)
    rows = zip(batch.datastream, properties, batch.phenomenon_time, batch.result, subjects, strict=True)
    return [
        Reading(stream, batch.dataset, name, time, value, subject or "")
        for stream, name, time, value, subject in rows
        if value is not None
    ]


def quarters_of(readings: Iterable[Reading]) -> list[Quarter]:
    """Readings of occupancy summed up by quarter."""
    sums: dict[tuple[str, str, Micros], list[Any]] = {}
    for reading in readings:
        if reading.observed_property == OCCUPANCY:
            start = reading.time // QUARTER * QUARTER
            cell = sums.setdefault(
                (reading.datastream, reading.subject, start), [reading.dataset, 0.0, 0, 0, 0]
            )
            offset = reading.time - start
            cell[1] += reading.value
            cell[2] += 1
            cell[3] += offset
            cell[4] = max(cell[4], offset)
    return [Quarter(stream, subject, start, *cell) for (stream, subject, start), cell in sums.items()]


def standing(
    features: Sequence[tuple[str, Feature]], now: Micros
) -> tuple[list[tuple[str, Feature]], Micros | None]:
    """The features that have not ended, with what is not of a thing that has; and when the next of them ends.

    What is deleted at its source comes as a version that has ended.
    """
    ended = {
        (dataset, one.id) for dataset, one in features if one.valid_to is not None and one.valid_to <= now
    }
    kept = [
        (dataset, one)
        for dataset, one in features
        if ended.isdisjoint([(dataset, one.id), (dataset, str(one.properties.get("thing")))])
    ]
    return kept, min((one.valid_to for _, one in kept if one.valid_to is not None), default=None)


def places_of(features: Sequence[tuple[str, Feature]], observed_property: str) -> list[Place]:
    """The places that have a datastream of this property, by id; several datastreams of one place stay apart."""
    # By dataset as well: a datastream that names a thing of another dataset must not show where that stands.
    known = {(dataset, feature.id): feature for dataset, feature in features}
    found = []
    for dataset, feature in features:
        if feature.kind != "datastream" or feature.properties.get("observed_property") != observed_property:
            continue
        identifier = str(feature.properties.get("thing") or feature.id.rsplit(".", 1)[0])
        thing = known.get((dataset, identifier))
        found.append(
            Place(
                id=identifier,
                dataset=dataset,
                name=(thing.name if thing else "") or feature.name or identifier,
                datastream=feature.id,
                properties={**(thing.properties if thing else {}), **feature.properties},
                geometry=feature.geometry or (thing.geometry if thing else None),
            )
        )
    return sorted(found, key=lambda place: (place.id, place.datastream))


def city_time(newest: Sequence[Micros]) -> Micros | None:
    """The present of a dataset: the middle one of its datastreams' newest times, so that one wrong clock is no harm."""
    return sorted(newest)[len(newest) // 2] if newest else None
