"""Groups of rows: their mean per window and area, and the suppression of groups that are too small."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dmi_agreements.contracts.observations import FLAG_FAIL, FLAG_MISSING, ObservationBatch
from dmi_agreements.decision import Aggregate
from dmi_agreements.grid import Cell, Projection, cells, centres

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND


@dataclass(frozen=True, slots=True)
class Means:
    """The means of groups, and which rows they were made of."""

    batch: ObservationBatch
    rows: Sequence[int]
    """The rows that are in a group that passed; those of one mean stand together."""
    into: Sequence[int]
    """Of each of these the row of ``batch`` that it went into."""


@dataclass(slots=True)
class _Group:
    rows: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)


def in_large_groups(batch: ObservationBatch, minimum: int) -> list[int]:
    """The rows of each neighbourhood and hour in which at least ``minimum`` subjects occur.

    A row without neighbourhood belongs to no group, and a batch without subjects counts nobody: both drop.
    """
    if batch.subject is None or batch.neighbourhood is None:
        return []
    keys = [
        (area, time // HOUR) for area, time in zip(batch.neighbourhood, batch.phenomenon_time, strict=True)
    ]
    subjects: dict[tuple[str | None, int], set[str]] = {}
    for key, subject in zip(keys, batch.subject, strict=True):
        if subject is not None:
            subjects.setdefault(key, set()).add(subject)
    large = {key for key, members in subjects.items() if key[0] is not None and len(members) >= minimum}
    return [row for row, key in enumerate(keys) if key in large]


def aggregate(
    batch: ObservationBatch,
    duty: Aggregate,
    minimum: int,
    oldest: int | None,
    newest: int,
    projection: Projection,
) -> Means:
    """The mean of each window, area, observed property and unit, as rows without subjects.

    Only windows that lie wholly between ``oldest`` and ``newest`` (microseconds UTC) count: the means of a
    window that still fills would, one after the other, give away the single values. Missing results and
    results that failed a quality test do not count, nor do rows without an area; a group to which fewer than
    ``minimum`` distinct subjects contribute is dropped. ``phenomenon_time`` is the start of the window,
    windows begin at whole multiples of their length since 1970 in UTC, rows stand in order of time and id.
    """
    areas = _areas(batch, duty, projection)
    groups = _groups(batch, areas, duty.window_s * SECOND, oldest, newest)
    kept = [(key, group) for key, group in groups.items() if minimum == 0 or len(group.subjects) >= minimum]
    rows = sorted(
        ((key[0], _datastream(key, duty), key, _mean(g.values), g.rows) for key, g in kept),
        key=lambda row: row[:3],
    )
    longitude: list[float | None] | None = None
    latitude: list[float | None] | None = None
    if duty.grid_m is not None:
        points = centres(
            [key[1] for _, _, key, _, _ in rows if isinstance(key[1], tuple)], duty.grid_m, projection
        )
        longitude, latitude = [lon for lon, _ in points], [lat for _, lat in points]
    units = [key[3] for _, _, key, _, _ in rows]
    means = ObservationBatch(
        dataset=batch.dataset,
        datastream=[datastream for _, datastream, _, _, _ in rows],
        phenomenon_time=[start for start, _, _, _, _ in rows],
        result=[mean for _, _, _, mean, _ in rows],
        longitude=longitude,
        latitude=latitude,
        observed_property=[key[2] for _, _, key, _, _ in rows],
        unit=units if batch.unit is not None else None,
        neighbourhood=None if duty.grid_m is not None else [str(key[1]) for _, _, key, _, _ in rows],
        batch_id=batch.batch_id,
    )
    made_of = [(row, number) for number, (*_, members) in enumerate(rows) for row in members]
    return Means(means, [row for row, _ in made_of], [number for _, number in made_of])


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        # By fractions, which have no end but are slow: of values that were stored before results had a bound.
        return statistics.mean(values)


def _areas(batch: ObservationBatch, duty: Aggregate, projection: Projection) -> Sequence[str | Cell | None]:
    if duty.grid_m is not None:
        return cells(batch.longitude, batch.latitude, len(batch), duty.grid_m, projection)
    return batch.neighbourhood if batch.neighbourhood is not None else [None] * len(batch)


_Key = tuple[int, "str | Cell", str, str]


def _groups(
    batch: ObservationBatch, areas: Sequence[str | Cell | None], window: int, oldest: int | None, newest: int
) -> dict[_Key, _Group]:
    """Contributing rows by window start, area, observed property and unit."""
    rows = len(batch)
    properties = _properties(batch)
    units = batch.unit or [""] * rows
    subjects = batch.subject or [None] * rows
    failed = _failed(batch)
    groups: dict[_Key, _Group] = {}
    for row, (time, area, value) in enumerate(zip(batch.phenomenon_time, areas, batch.result, strict=True)):
        if area is None or value is None or row in failed or not math.isfinite(value):
            continue
        start = time // window * window
        if start + window > newest or (oldest is not None and start < oldest):
            continue
        group = groups.setdefault((start, area, properties[row], units[row]), _Group())
        group.rows.append(row)
        group.values.append(value)
        subject = subjects[row]
        if subject is not None:
            group.subjects.add(subject)
    return groups


def _properties(batch: ObservationBatch) -> Sequence[str]:
    return batch.observed_property or [name.rpartition(".")[2] for name in batch.datastream]


def _failed(batch: ObservationBatch) -> set[int]:
    """Rows of which a quality test says that the value is wrong or missing."""
    return {
        row
        for column in (batch.flags or {}).values()
        for row, flag in enumerate(column)
        if flag in (FLAG_FAIL, FLAG_MISSING)
    }


def _datastream(key: _Key, duty: Aggregate) -> str:
    _, area, observed_property, _ = key
    if isinstance(area, str) or duty.grid_m is None:
        return f"aggregate.{observed_property}.{area}"
    column, row = area
    return f"aggregate.{observed_property}.rd{duty.grid_m}-{column * duty.grid_m}-{row * duty.grid_m}"


def series(batch: ObservationBatch, duty: Aggregate, projection: Projection) -> frozenset[str]:
    """The ids that the means get to which rows of ``batch`` contribute: one an area and observed property."""
    areas = _areas(batch, duty, projection)
    found = zip(areas, _properties(batch), strict=True)
    pairs = {(area, name) for area, name in found if area is not None}
    return frozenset(_datastream((0, area, name, ""), duty) for area, name in pairs)
