"""What anybody may ask for, without a token, and what costs: made once for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")


class Together(Generic[T]):
    """Makes one thing on a thread that no other request needs, one at a time, however many ask for it.

    Nobody is given what was begun before it asked: who comes while it is made waits for the next, with all others
    who came meanwhile. So there is no line that could be full. All calls come from one event loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._turn = anyio.CapacityLimiter(1)
        # Always free for who has the turn: a thread that was begun cannot be given up.
        self._thread = anyio.CapacityLimiter(1)
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What is made next; raises what making it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._made())
        # Who goes away does not take it from the others.
        return await asyncio.shield(self._next)

    async def _made(self) -> T:
        async with self._turn:
            self._next = None
            return await anyio.to_thread.run_sync(self._make, limiter=self._thread)
