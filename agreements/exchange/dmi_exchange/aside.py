"""Requests that wait for somebody else's answer: on threads that no other request needs, and so many of a participant.

The threads that answer all other requests are few. Those of this process may be the ones that are waited for: a
delivery asks the platform for its places, and that may be a part of the same process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from dmi_infra.shares import Shares

T = TypeVar("T")

WHAT: Final = "requests of one participant that wait for others"
THREADS: Final = 48
OF_ONE: Final = 16


class Aside:
    """``threads`` of its own; beyond them requests stand in line, which holds nothing."""

    def __init__(self, threads: int = THREADS, each: int = OF_ONE) -> None:
        self._shares = Shares(each, WHAT)
        self._limiter = anyio.CapacityLimiter(threads)

    async def run(self, party: str, work: Callable[[], T]) -> T:
        """What ``work`` gives, for a request of ``party``; raises ``Unavailable`` beyond its share."""
        with self._shares.of(party):
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
