"""Single observations that come in while others are being stored travel together.

One decision, one message and one record then stand for all of them, which spares every layer behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_ingest.intake import Contributor, Intake
from dmi_ingest.store.features import KnownStream

LARGEST = 500
"""Observations that travel together at most."""
ON_THE_WAY = 2
"""Groups of one contributor and dataset at a time: while one is being stored the next is made ready."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One observation as it was read."""

    datastream: str
    time: Micros
    result: float
    source_id: str | None
    position: tuple[float, float] | None
    known: KnownStream

    @property
    def id(self) -> str:
        """Its id: what makes it the same observation when it is handed in again."""
        ending = f"~{self.source_id}" if self.source_id else ""
        return f"{self.datastream}@{self.time}{ending}"


_Waiting = tuple[Observation, asyncio.Future[bool]]
_Key = tuple[Contributor, str]


class Gathering:
    """Hands over single observations of one contributor and dataset in groups, none of them held up."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._waiting: dict[_Key, list[_Waiting]] = {}
        # The loop keeps only weak references to tasks.
        self._carriers: dict[_Key, set[asyncio.Task[None]]] = {}

    async def take(self, contributor: Contributor, item: Observation) -> bool:
        """Return when the observation is durable: whether it was withheld. Raises what its group raises."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        key = (contributor, item.known.dataset)
        self._waiting.setdefault(key, []).append((item, future))
        carriers = self._carriers.setdefault(key, set())
        if len(carriers) < ON_THE_WAY:
            carriers.add(asyncio.create_task(self._carry(key)))
        return await future

    async def _carry(self, key: _Key) -> None:
        """Hand over what waits, group by group, until nothing does."""
        while waiting := self._waiting.pop(key, None):
            group, rest = waiting[:LARGEST], waiting[LARGEST:]
            if rest:
                self._waiting[key] = rest
            await self._hand_over(key, group)
        carriers = self._carriers[key]
        carriers.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        if not carriers:
            del self._carriers[key]

    async def _hand_over(self, key: _Key, group: Sequence[_Waiting]) -> None:
        contributor, dataset = key
        batch = batch_of(dataset, [item for item, _ in group], self._intake.new_id())
        try:
            withheld = (await self._intake.take(contributor, [batch]))[0]
        except Exception as exc:  # whatever it is, each caller must hear it, and those that follow go on
            for _, future in group:
                if not future.done():
                    future.set_exception(exc)
            return
        for row, (_, future) in enumerate(group):
            if not future.done():
                future.set_result(row in withheld)


def batch_of(dataset: str, items: Sequence[Observation], batch_id: str) -> ObservationBatch:
    """Observations of one dataset in columns."""
    subjects = [item.known.subject for item in items]
    sources = [item.source_id for item in items]
    positions = [item.position for item in items]
    placed = any(positions)
    return ObservationBatch(
        dataset=dataset,
        datastream=[item.datastream for item in items],
        phenomenon_time=[item.time for item in items],
        result=[item.result for item in items],
        longitude=[p[0] if p else None for p in positions] if placed else None,
        latitude=[p[1] if p else None for p in positions] if placed else None,
        subject=subjects if any(subjects) else None,
        source_id=sources if any(sources) else None,
        batch_id=batch_id,
    )
