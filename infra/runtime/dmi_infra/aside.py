"""Requests that wait for an answer of others or for their turn: on threads of their own, so many of a participant.

The threads that answer all other requests are few. Those of this process may be the ones that are waited for: a
delivery asks the platform for its places, and that may be a part of the same process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from dmi_infra.errors import Unavailable

T = TypeVar("T")

THREADS: Final = 64
OF_ONE: Final = 16
WAITING_OF_ONE: Final = 200
"""Requests of one participant that may stand behind those that run, as a burst of negotiations does."""


class Aside:
    """``threads`` of its own, ``each`` for one participant; beyond them requests stand in line, which holds nothing."""

    def __init__(self, threads: int = THREADS, each: int = OF_ONE, waiting: int = WAITING_OF_ONE) -> None:
        self._limiter = anyio.CapacityLimiter(threads)
        self._each = each
        self._most = each + waiting
        # All on the one event loop of the service.
        self._lanes: dict[str, anyio.CapacityLimiter] = {}
        self._inside: Counter[str] = Counter()

    async def run(self, party: str, work: Callable[[], T]) -> T:
        """What ``work`` gives, for a request of ``party``; raises ``Unavailable`` when too many stand in line."""
        if self._inside[party] >= self._most:
            raise Unavailable(f"{self._most} requests of this participant wait for others; try again shortly")
        self._inside[party] += 1
        try:
            async with self._lanes.setdefault(party, anyio.CapacityLimiter(self._each)):
                return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside[party] -= 1
            if not self._inside[party]:
                del self._inside[party], self._lanes[party]
