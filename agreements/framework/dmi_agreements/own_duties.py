"""Duties of persons' own consents: carried out on the rows of each person by itself, before those of agreements.

At intake (``at_source``) ends of trips are cut, positions coarsened and columns emptied, so that what the person did
not want to give is never stored. A delay waits for delivery, since a layer gets each row once; a smallest group is
for who receives rows beside the layer, since there are neither neighbourhoods nor other persons at intake. A duty that
cannot be done to one person's rows keeps all of them back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.decision import Coarsen, CutEnds, Delay, DeleteAfter, Duty, LeaveOut, Suppress
from dmi_agreements.duties import DAY, carry_out
from dmi_agreements.grid import Projection

TRIP_GAP: Final[Micros] = 600_000_000
"""After so long without a row a person begins a new trip."""
EMPTIED: Final = frozenset({"longitude", "latitude", "subject", "source_id", "raw_result", "neighbourhood"})
"""Columns that hold nothing for one row and something for another."""
Own = Mapping[str, tuple[Duty, ...]]


def personal(duty: Duty) -> bool:
    """Whether a duty can be done to the rows of one person, and so stand in its consent."""
    if isinstance(duty, LeaveOut):
        return EMPTIED.issuperset(duty.properties)
    return isinstance(duty, CutEnds | Coarsen | Delay | DeleteAfter | Suppress)


@dataclass(frozen=True, slots=True)
class CutFrom:
    """Of when the rows of a subject are that a layer took in with the ends of trips cut (microseconds UTC)."""

    begun: int
    """When it first consented to that."""
    after: int
    """Later than any row that may have been taken in under a consent that asked for less."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the subjects of a batch want done to their rows at one crossing."""

    own: Own
    cut_from: Callable[[str, int], CutFrom]
    """Of when a subject's rows are whose trips' ends were cut at intake by so many metres."""
    at_source: bool
    outward: bool
    """Whether somebody beside the layer receives the rows."""

    @classmethod
    def of(
        cls, given: Mapping[str, Own], layer: str, at_source: bool, cut_from: Callable[[str, int], CutFrom]
    ) -> Wanted:
        """``given``: the duties by subject, by who asks; all of them hold."""
        own: dict[str, tuple[Duty, ...]] = {}
        for table in given.values():
            for subject, duties in table.items():
                own[subject] = tuple(dict.fromkeys((*own.get(subject, ()), *duties)))
        return cls(own, cut_from, at_source, not at_source and given.keys() != {layer})

    def left(
        self, batch: ObservationBatch, rows: Iterable[int], now: Micros, projection: Projection
    ) -> list[int]:
        """Of ``rows`` those that the duties of their subjects leave."""
        subjects = batch.subject or [None] * len(batch)
        mine: dict[str, list[int]] = {}
        for row in rows:
            mine.setdefault(subjects[row] or "", []).append(row)
        kept: list[int] = []
        for subject, theirs in mine.items():
            for duty in self.own.get(subject, ()):
                theirs = self._left(batch, subject, theirs, duty, now, projection)
            kept += theirs
        return sorted(kept)

    def _left(
        self,
        batch: ObservationBatch,
        subject: str,
        rows: list[int],
        duty: Duty,
        now: Micros,
        projection: Projection,
    ) -> list[int]:
        times = batch.phenomenon_time
        match duty:
            case CutEnds(metres):
                if self.at_source:
                    return inner(batch, rows, metres, projection)
                cut = self.cut_from(subject, metres)
                # Rows of before the first of them may be of when no consent was asked for: they stay here.
                since = max(cut.begun, cut.after) if self.outward else cut.after
                return [row for row in rows if times[row] > since]
            case Delay(seconds):
                return [row for row in rows if self.at_source or times[row] <= now - seconds * 1_000_000]
            case DeleteAfter(days):
                return [row for row in rows if times[row] >= now - days * DAY]
            case LeaveOut(properties):
                return rows if EMPTIED.issuperset(properties) else []
            case Coarsen() | Suppress():
                return rows
            case _:
                return []

    def blurred(self, batch: ObservationBatch, now: Micros, projection: Projection) -> ObservationBatch:
        """The rows with positions coarsened and columns emptied as each subject wants it."""
        columns: dict[str, list[Any]] = {}
        mine: dict[tuple[Duty, ...], list[int]] = {}
        for row, subject in enumerate(batch.subject or ()):
            own = self.own.get(subject or "", ())
            wanted = tuple(duty for duty in own if isinstance(duty, Coarsen | LeaveOut))
            if wanted:
                mine.setdefault(wanted, []).append(row)
        # Without the subject no later gate could tell whose consent a row needs, and nobody erase what is kept of it.
        touched = EMPTIED if self.outward else EMPTIED - {"subject"}
        for duties, rows in mine.items():
            part = carry_out(batch.take(rows), duties, now, projection)
            for name in touched:
                before, after = getattr(batch, name), getattr(part, name)
                if before is not None:
                    column = columns.setdefault(name, list(before))
                    for place, row in enumerate(rows):
                        column[row] = None if after is None else after[place]
        return msgspec.structs.replace(batch, **columns) if columns else batch

    def together(self, batch: ObservationBatch) -> tuple[Duty, ...]:
        """The smallest groups that subjects of these rows ask for, for who receives them beside the layer."""
        if not self.outward:
            return ()
        present = {subject or "" for subject in batch.subject or ()}
        asked = [duty for subject in present for duty in self.own.get(subject, ())]
        return tuple(dict.fromkeys(duty for duty in asked if isinstance(duty, Suppress)))


def inner(batch: ObservationBatch, rows: Sequence[int], metres: int, projection: Projection) -> list[int]:
    """Of one person's rows those farther than ``metres``, as the crow flies, from where their trip begins and ends.

    What is handed in together is a trip, as far as no gap parts it: of a trip that comes row by row nothing is left.
    A row without a position is left out, since nothing tells where it was.
    """
    longitude, latitude = batch.longitude, batch.latitude
    if longitude is None or latitude is None:
        return []
    placed = [row for row in rows if longitude[row] is not None and latitude[row] is not None]
    if not placed:
        return []
    x, y = projection.to_rd(
        [float(longitude[row] or 0.0) for row in placed], [float(latitude[row] or 0.0) for row in placed]
    )
    points = {row: (east, north) for row, east, north in zip(placed, x, y, strict=True)}
    ordered = sorted(placed, key=lambda row: batch.phenomenon_time[row])
    trips: list[list[int]] = []
    for before, row in zip([None, *ordered], ordered, strict=False):
        times = batch.phenomenon_time
        if before is None or times[row] - times[before] > TRIP_GAP:
            trips.append([])
        trips[-1].append(row)
    return [
        row
        for trip in trips
        for row in trip
        # Not a number, where a position cannot be projected, is not farther than anything.
        if all(math.dist(points[row], points[end]) > metres for end in (trip[0], trip[-1]))
    ]
