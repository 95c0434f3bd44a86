"""Rows of observations on their way out: columns in numpy to the last, then batches of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_command.demo.noise import Floats, Ints

BATCH: Final = 2000
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Rows:
    """Observations of one dataset. ``stream`` counts into ``datastreams`` and ``subjects``; ``value`` is NaN
    where the source gave none; ``delivered`` is when the row reaches ingest. Times are in µs UTC."""

    dataset: str
    datastreams: Sequence[str]
    stream: Ints
    time: Ints
    delivered: Ints
    value: Floats
    longitude: Floats | None = None
    latitude: Floats | None = None
    source: Texts | None = None
    subjects: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.time)

    def take(self, chosen: NDArray[Any]) -> Rows:
        """The rows of these numbers, or where this mask holds."""
        changed: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, np.ndarray):
                changed[field.name] = column[chosen]
        return replace(self, **changed)

    def ordered(self, by: Ints) -> Rows:
        """Sorted by ``by``, then by phenomenon time and datastream; equal rows keep their order."""
        return self.take(np.lexsort((self.stream, self.time, by)))

    def batches(self, size: int = BATCH) -> Iterator[ObservationBatch]:
        """The rows in their order, at most ``size`` a batch."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self)))).batch()

    def batch(self) -> ObservationBatch:
        """All rows as one message of the contract."""
        names, streams = self.datastreams, self.stream.tolist()
        subjects = self.subjects
        return ObservationBatch(
            dataset=self.dataset,
            datastream=[names[stream] for stream in streams],
            phenomenon_time=self.time.tolist(),
            result=_optional(self.value),
            longitude=None if self.longitude is None else _optional(self.longitude),
            latitude=None if self.latitude is None else _optional(self.latitude),
            subject=None if subjects is None else [subjects[stream] for stream in streams],
            source_id=None if self.source is None else self.source.tolist(),
        )


def _optional(column: Floats) -> list[float | None]:
    """The values as Python numbers, ``None`` for NaN."""
    return [None if value != value else value for value in column.tolist()]
