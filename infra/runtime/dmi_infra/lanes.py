"""A lane for each participant: who asks much waits behind its own requests alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from dmi_infra.errors import Unavailable


class Lanes:
    """So many requests of one participant at a time (``each``), and so many in line behind them (``waiting``).

    All calls come from one event loop; no thread is held by who waits.
    """

    def __init__(self, each: int, waiting: int) -> None:
        self._each = each
        self._most = each + waiting
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._inside: Counter[str] = Counter()

    async def enter(self, party: str) -> Callable[[], None]:
        """Wait for a place of ``party``; what this gives leaves it again, and is called once.

        Raises ``Unavailable`` at once when as many stand in line as may.
        """
        if self._inside[party] >= self._most:
            raise Unavailable(f"{self._most} requests wait already, as many as may here; try again shortly")
        self._inside[party] += 1
        lane = self._lanes.setdefault(party, asyncio.Semaphore(self._each))
        try:
            await lane.acquire()
        except BaseException:
            self._left(party)
            raise

        def leave() -> None:
            lane.release()
            self._left(party)

        return leave

    def _left(self, party: str) -> None:
        self._inside[party] -= 1
        if not self._inside[party]:
            del self._inside[party], self._lanes[party]
