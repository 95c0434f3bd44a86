"""A lane for each participant: who asks much waits behind its own requests alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from dmi_infra.errors import Unavailable

WAITING: Final = 200
"""Requests of one participant that may stand in line."""
PATIENCE: Final = 10.0
"""For so many seconds."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a place: every line judges anew who stood in it, before what was asked is carried out."""

    party: str
    """Whose places they are."""
    still: Callable[[], object] = field(compare=False)
    """Raises a ``Failure`` once what let the request in has ended, as a key that was revoked. Does not wait."""

    @classmethod
    def by_nothing(cls, party: str) -> Asker:
        """Of what nothing lets in that could end: what everybody may ask, or what the node does of itself."""
        return cls(party, lambda: None)


class Lanes:
    """So many requests of one participant at a time (``each``), and so many in line behind them (``waiting``).

    There they stand for ``patience`` seconds at most (``None``: as long as it takes). All calls come from one event
    loop; no thread is held by who waits.
    """

    def __init__(self, each: int, waiting: int = WAITING, patience: float | None = PATIENCE) -> None:
        self._each = each
        self._most = each + waiting
        self._patience = patience
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._inside: Counter[str] = Counter()

    async def enter(self, asker: Asker) -> Callable[[], None]:
        """Wait for a place of a party; what this gives leaves it again, and is called once.

        Raises ``Unavailable``: at once when as many stand in line as may, or when this one stood there too long; and
        what ``still`` does, of one that stood there. Who finds a place free is not judged again.
        """
        party = asker.party
        if self._inside[party] >= self._most:
            raise Unavailable(f"{self._most} requests wait already, as many as may here; try again shortly")
        self._inside[party] += 1
        lane = self._lanes.setdefault(party, asyncio.Semaphore(self._each))
        waits = lane.locked()
        try:
            # Taken at once where it is free: a deadline would cost more than that.
            async with asyncio.timeout(self._patience) if waits else nullcontext():
                await lane.acquire()
        except BaseException as exc:
            self._left(party)
            if isinstance(exc, TimeoutError):
                raise Unavailable("your earlier requests are answered first; try again shortly") from exc
            raise

        def leave() -> None:
            lane.release()
            self._left(party)

        try:
            await self._begin()
            if waits:
                asker.still()
        except BaseException:
            leave()
            raise
        return leave

    async def _begin(self) -> None:
        """What comes between a place that is free and its use."""

    def _left(self, party: str) -> None:
        self._inside[party] -= 1
        if not self._inside[party]:
            del self._inside[party], self._lanes[party]


class Turns(Lanes):
    """Work of the event loop itself, one piece for each participant at a time."""

    def __init__(self, waiting: int = WAITING, patience: float | None = PATIENCE) -> None:
        super().__init__(1, waiting, patience)

    async def _begin(self) -> None:
        # Such a piece never waits: without a turn for others first, each would find the place free again, and all
        # would be done one behind the other before anything else is.
        await asyncio.sleep(0)

    @asynccontextmanager
    async def turn(self, asker: Asker) -> AsyncIterator[None]:
        """Hold the place meanwhile; raises as ``enter``."""
        leave = await self.enter(asker)
        try:
            yield
        finally:
            leave()
