"""Carrying out duties on a batch of observations: what passes a gate is what these functions leave.

The order is fixed, because one duty changes what the next one sees: own rows, delete after, delay, restrict
area, suppress (when nothing is aggregated), coarsen, aggregate (with suppress inside), leave out. Rows are
chosen by their true subject, position and time; positions are coarsened before they are aggregated, so that
an aggregate never tells more than the coarsened rows would; columns are emptied last, because the duties
before need them.

What a duty cannot judge it drops: a row without position has no area, a row without subject is no person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from dmi_agreements.aggregation import HOUR, SECOND, aggregate, in_large_groups, series
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import (
    Aggregate,
    Coarsen,
    CutEnds,
    Delay,
    DeleteAfter,
    Duty,
    LeaveOut,
    OwnRows,
    RestrictArea,
    Suppress,
)
from dmi_agreements.errors import DutiesConflict, DutyUnknown
from dmi_agreements.grid import Cell, Projection, cells, centres

__all__ = [
    "COLUMNS",
    "Carried",
    "Projection",
    "carried",
    "carry_out",
    "combine",
    "series_of",
    "together",
    "window",
]

COLUMNS: Final = frozenset(
    {
        "longitude", "latitude", "subject", "source_id", "raw_result",
        "unit", "observed_property", "neighbourhood", "flags",
    }
)  # fmt: skip
"""The columns that can be left out; the others are what makes a row a row."""

DAY: Final = 86_400 * SECOND

D = TypeVar("D")


def combine(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Duties of one or several agreements in the order of carrying out, the strictest of each kind.

    Raises ``DutyUnknown`` for a duty outside this module, ``DutiesConflict`` for aggregates that cannot hold
    together (one by neighbourhood, one by grid; windows or cells that do not fit into each other).
    """
    given = tuple(duties)
    for duty in given:
        if not isinstance(duty, Duty):
            raise DutyUnknown(f"nobody can carry out {type(duty).__name__}")
    found: list[Duty] = [*dict.fromkeys(_of(given, OwnRows))]
    if deletions := _of(given, DeleteAfter):
        found.append(min(deletions, key=lambda duty: duty.days))
    if delays := _of(given, Delay):
        found.append(max(delays, key=lambda duty: duty.seconds))
    if cuts := _of(given, CutEnds):
        found.append(max(cuts, key=lambda duty: duty.metres))
    found += dict.fromkeys(_of(given, RestrictArea))
    if suppressions := _of(given, Suppress):
        found.append(max(suppressions, key=lambda duty: duty.minimum))
    if coarse := _of(given, Coarsen):
        found.append(max(coarse, key=lambda duty: duty.grid_m))
    if aggregates := _of(given, Aggregate):
        found.append(_one_aggregate(aggregates))
    if left_out := _of(given, LeaveOut):
        found.append(LeaveOut(tuple(sorted({name for duty in left_out for name in duty.properties}))))
    return tuple(found)


def _of(duties: Sequence[object], kind: type[D]) -> list[D]:
    return [duty for duty in duties if isinstance(duty, kind)]


def _one_aggregate(duties: list[Aggregate]) -> Aggregate:
    """The coarsest of several aggregates; a coarser one holds for both only if the finer fits into it."""
    largest = max(duties, key=lambda duty: (duty.window_s, duty.grid_m or 0))
    for duty in duties:
        if duty.area_level != largest.area_level or (duty.grid_m is None) != (largest.grid_m is None):
            raise DutiesConflict("one duty aggregates by neighbourhood, another by grid")
        if largest.window_s % duty.window_s or (largest.grid_m or 0) % (duty.grid_m or 1):
            raise DutiesConflict("windows or cells of two aggregates do not fit into each other")
    return largest


@dataclass(frozen=True, slots=True)
class Carried:
    """What duties leave of a batch, and which of its rows that was made of."""

    batch: ObservationBatch
    rows: Sequence[int]
    """The rows that passed, or contribute to a mean that did."""
    into: Sequence[int]
    """Of each of these the row of ``batch`` that it became, or went into."""


def carry_out(
    batch: ObservationBatch, duties: Iterable[Duty], now: int, projection: Projection
) -> ObservationBatch:
    """What ``carried`` leaves of a batch."""
    return carried(batch, duties, now, projection).batch


def carried(batch: ObservationBatch, duties: Iterable[Duty], now: int, projection: Projection) -> Carried:
    """What may pass of ``batch`` at ``now`` (microseconds UTC) after all duties, in the module's order.

    An aggregate is of this batch alone: hand over whole windows of all datastreams. Without duties the batch
    itself passes. Raises ``DutyUnknown`` and ``DutiesConflict`` (see ``combine``); then nothing may pass.
    """
    ordered = combine(duties)
    oldest = max((now - duty.days * DAY for duty in _of(ordered, DeleteAfter)), default=None)
    newest = min((now - duty.seconds * SECOND for duty in _of(ordered, Delay)), default=now)
    aggregates = _of(ordered, Aggregate)
    minimum = max((duty.minimum for duty in _of(ordered, Suppress)), default=0)
    rows: Sequence[int] = range(len(batch))
    into = rows
    for duty in ordered:
        if isinstance(duty, Coarsen):
            batch = _coarsen(batch, duty.grid_m, projection, keep_area=any(a.area_level for a in aggregates))
        elif isinstance(duty, Aggregate):
            means = aggregate(batch, duty, minimum, oldest, newest, projection)
            batch, rows, into = means.batch, [rows[row] for row in means.rows], means.into
        elif isinstance(duty, LeaveOut):
            batch = _leave_out(batch, duty.properties)
        elif not (aggregates and isinstance(duty, Suppress)):
            chosen = _chosen(batch, duty, now)
            batch, rows, into = batch.take(chosen), [rows[row] for row in chosen], range(len(chosen))
    return Carried(batch, rows, into)


def _chosen(batch: ObservationBatch, duty: Duty, now: int) -> list[int]:
    """The rows that a duty leaves which changes none of them."""
    if isinstance(duty, OwnRows):
        return [row for row, subject in enumerate(batch.subject or ()) if subject == duty.person]
    if isinstance(duty, DeleteAfter):
        oldest = now - duty.days * DAY
        return [row for row, time in enumerate(batch.phenomenon_time) if time >= oldest]
    if isinstance(duty, Delay):
        newest = now - duty.seconds * SECOND
        return [row for row, time in enumerate(batch.phenomenon_time) if time <= newest]
    if isinstance(duty, RestrictArea):
        return _inside(batch, duty.bbox)
    if isinstance(duty, Suppress):
        return in_large_groups(batch, duty.minimum)
    raise DutyUnknown("ends of trips are cut at intake, for a person's own consent alone")


def window(duties: Iterable[Duty]) -> int | None:
    """The length of the windows (microseconds) in which these duties judge rows together; ``None``: each by itself.

    Windows begin at whole multiples of their length since 1970 in UTC. Whoever hands over a part of a window gets
    an answer about that part, which the duty does not allow: hand over whole ones.
    """
    ordered = combine(duties)
    for aggregated in _of(ordered, Aggregate):
        return aggregated.window_s * SECOND
    return HOUR if _of(ordered, Suppress) else None


def together(duties: Iterable[Duty]) -> bool:
    """Whether these duties give means over several datastreams: a batch must then hold whole windows of them all."""
    return any(isinstance(duty, Aggregate) for duty in duties)


def series_of(batch: ObservationBatch, duties: Iterable[Duty], projection: Projection) -> frozenset[str]:
    """The ids of the means, under duties that aggregate, to which rows of ``batch`` contribute."""
    ordered = combine(duties)
    aggregates = _of(ordered, Aggregate)
    for coarsen in _of(ordered, Coarsen):
        batch = _coarsen(
            batch, coarsen.grid_m, projection, keep_area=any(one.area_level for one in aggregates)
        )
    return frozenset().union(*(series(batch, duty, projection) for duty in aggregates))


def _inside(batch: ObservationBatch, bbox: tuple[float, float, float, float]) -> list[int]:
    if batch.longitude is None or batch.latitude is None:
        return []
    west, south, east, north = bbox
    positions = enumerate(zip(batch.longitude, batch.latitude, strict=True))
    return [
        row
        for row, (lon, lat) in positions
        if lon is not None and lat is not None and west <= lon <= east and south <= lat <= north
    ]


def _coarsen(
    batch: ObservationBatch, grid_m: int, projection: Projection, *, keep_area: bool
) -> ObservationBatch:
    """Positions at the centre of their cell; half a position becomes none.

    The neighbourhood goes too, unless rows are aggregated by it: within a cell it would tell the part. A
    receiver can look up the neighbourhood of the centre.
    """
    if batch.longitude is None and batch.latitude is None and batch.neighbourhood is None:
        return batch
    found = cells(batch.longitude, batch.latitude, len(batch), grid_m, projection)
    distinct: list[Cell] = list(dict.fromkeys(cell for cell in found if cell is not None))
    points = dict(zip(distinct, centres(distinct, grid_m, projection), strict=True))
    positions = [points[cell] if cell is not None else (None, None) for cell in found]
    return msgspec.structs.replace(
        batch,
        longitude=[lon for lon, _ in positions] if batch.longitude is not None else None,
        latitude=[lat for _, lat in positions] if batch.latitude is not None else None,
        neighbourhood=batch.neighbourhood if keep_area else None,
    )


def _leave_out(batch: ObservationBatch, properties: Iterable[str]) -> ObservationBatch:
    changed: dict[str, Any] = {}
    for name in properties:
        if name not in COLUMNS:
            raise DutyUnknown(f"column {name!r} cannot be left out")
        changed[name] = None
    return msgspec.structs.replace(batch, **changed)
