"""Kept quarters and readings as the series that the models read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dmi_agreements.contracts.observations import Micros
from dmi_support_centre.model import OCCUPANCY, QUARTER, Place, Quarter, Reading
from dmi_support_centre.models.forecast import PlaceHistory, Series, clean, estimated_capacity, series_of
from dmi_support_centre.store.observations import ObservationStore

Subjects = Collection[str] | None
"""Data subjects whose rows may be used; ``None``: the data is about no person."""


def usable(rows: Sequence[Quarter], subjects: Subjects) -> list[Quarter]:
    """Quarters that may be used now: of a person only while there is consent."""
    return [row for row in rows if subjects is None or row.subject in subjects]


def series_by_stream(quarters: Sequence[Quarter], newest: Sequence[Reading] = ()) -> dict[str, Series]:
    """Means of quarters at their mean times, and the newest reading of each datastream as it is.

    A mean holds no reading later than its quarter's last one, so a forecast issued at or after that one
    looks at nothing that was not known yet.
    """
    times: dict[str, list[Micros]] = {}
    values: dict[str, list[float]] = {}
    for quarter in quarters:
        times.setdefault(quarter.datastream, []).append(quarter.at)
        values.setdefault(quarter.datastream, []).append(quarter.mean)
    last = {reading.datastream: reading for reading in newest}
    for stream, reading in last.items():
        known = times.setdefault(stream, [])
        if not known or reading.time > known[-1]:
            known.append(reading.time)
            values.setdefault(stream, []).append(reading.value)
    return {stream: series_of(times[stream], values[stream]) for stream in times}


def newest_readings(store: ObservationStore, dataset: str, subjects: Subjects) -> list[Reading]:
    """The newest reading of occupancy of each datastream."""
    found: dict[str, Reading] = {}
    for reading in store.recent(dataset, OCCUPANCY):
        if subjects is None or reading.subject in subjects:
            known = found.get(reading.datastream)
            if known is None or reading.time >= known.time:
                found[reading.datastream] = reading
    return list(found.values())


def place_histories(series: Mapping[str, Series], places: Sequence[Place]) -> dict[str, PlaceHistory]:
    """What the forecast learns from, by place."""
    return {
        place.id: PlaceHistory(series[place.datastream], place.capacity)
        for place in places
        if place.datastream in series
    }


def clean_series(series: Series, capacity: float | None) -> Series:
    """A series by the forecast's own rules, to score against."""
    return clean(series, capacity or estimated_capacity(series))


def issue_times(quarters: Sequence[Quarter]) -> dict[str, list[Micros]]:
    """The last reading of each quarter by datastream: the moments at which its mean was known."""
    found: dict[str, list[Micros]] = {}
    for quarter in quarters:
        found.setdefault(quarter.datastream, []).append(quarter.start + quarter.last)
    return found


def slot(at: Micros) -> Micros:
    """The quarter of an hour that a moment lies in."""
    return at // QUARTER
