"""Requests that wait for somebody else's answer, or reckon long: on threads that no other request needs, and so many of
a participant.

The threads that answer all other requests are few. Those of this process may be the ones that are waited for: a
delivery asks the platform for its places, and that may be a part of the same process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from dmi_infra.errors import Unavailable
from dmi_infra.lanes import Asker, Lanes

T = TypeVar("T")

THREADS: Final = 64
OF_ONE: Final = 16
WAITING_OF_ONE: Final = 200
"""Requests of one participant that may stand behind those that run, as a burst of negotiations does."""
PATIENCE: Final = 10.0
"""Seconds that a request stands in line for what is reckoned: who asks for it looks at a page meanwhile."""
ANYBODY: Final = Asker.by_nothing("anybody")
"""In whose name all stand in line who prove nothing."""


class Aside:
    """``threads`` of its own, ``each`` for one participant; beyond them requests stand in line, which holds nothing.

    So many of one participant may stand there (``waiting``), for no longer than ``patience`` (seconds; ``None``: any).
    """

    def __init__(
        self,
        threads: int = THREADS,
        each: int = OF_ONE,
        waiting: int = WAITING_OF_ONE,
        patience: float | None = None,
    ) -> None:
        self._turns = anyio.CapacityLimiter(threads)
        # Always free for who has a turn: a thread that was begun cannot be given up.
        self._threads = anyio.CapacityLimiter(threads)
        self._lanes = Lanes(each, waiting, None)
        self._patience = patience

    async def run(
        self, asker: Asker, work: Callable[[], T], waiting: AbstractAsyncContextManager[None] | None = None
    ) -> T:
        """What ``work`` gives, for a request of ``asker``; ``waiting`` is entered for as long as it stands in line.

        Raises ``Unavailable`` when too many of the participant stand in line, or this one stood there too long; and as
        ``Lanes.enter`` when what let it in has ended meanwhile.
        """
        async with AsyncExitStack() as held:
            async with waiting or nullcontext():
                await held.enter_async_context(self.turn(asker))
            return await anyio.to_thread.run_sync(work, limiter=self._threads)

    @asynccontextmanager
    async def turn(self, asker: Asker) -> AsyncIterator[None]:
        """One of the places of who asks meanwhile, without a thread; raises as ``run``."""
        async with AsyncExitStack() as held:
            try:
                with anyio.fail_after(self._patience):
                    held.callback(await self._lanes.enter(asker))
                    waits = await self._take()
                    held.callback(self._turns.release)
            except TimeoutError as exc:
                raise Unavailable("others are served first at the moment; try again shortly") from exc
            if waits:
                asker.still()
            yield

    async def _take(self) -> bool:
        """Take one of all the turns; whether it was waited for."""
        try:
            self._turns.acquire_nowait()
        except anyio.WouldBlock:
            await self._turns.acquire()
            return True
        return False


def looks() -> Aside:
    """For requests that read far back in the log: four at a time, one of a participant, with a page's others behind."""
    return Aside(threads=4, each=1, waiting=8, patience=PATIENCE)


def for_anybody() -> Aside:
    """For what is reckoned for ``ANYBODY``, without a token: one request at a time, all of them in one line."""
    return Aside(threads=1, each=1, patience=PATIENCE)
