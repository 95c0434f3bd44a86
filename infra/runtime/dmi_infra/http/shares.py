"""A share of a service's threads for each participant: who asks much waits behind its own requests alone."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Final

from starlette.types import Scope

from dmi_infra.errors import Unavailable
from dmi_infra.lanes import Lanes

EACH: Final = 4
"""Requests of one participant that a service works on at a time: they keep a process busy together."""
WAITING: Final = 200
"""And so many may stand in line behind them."""
PATIENCE: Final = 10.0
"""For so many seconds."""

HELD: Final = "dmi.held"
"""In the scope of a request: what gives back the places that it holds."""
PLACED: Final = "dmi.placed"
"""There too: that one of them is of the share."""


class Shares:
    """For requests that are answered on a thread, from when the caller is known until the answer begins to leave.

    An answer that goes out slowly, or as it is made, holds no place, nor does what is answered on the event loop: that
    has lines of its own (``aside``, ``room``). All calls come from one event loop.
    """

    def __init__(self, each: int = EACH, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._lanes = Lanes(each, waiting)
        self._bodies = Lanes(1, waiting)
        self._patience = patience

    async def take(self, scope: Scope, party: str) -> None:
        """Wait for a place of ``party`` for this request.

        Raises ``Unavailable`` when too many of the participant's stand in line, or this one stood there too long.
        """
        endpoint = scope.get("endpoint")
        on_loop = inspect.iscoroutinefunction(endpoint) and not hasattr(endpoint, "dmi_on_thread")
        if PLACED not in scope and not on_loop:
            await self._enter(self._lanes, scope, party)
            scope[PLACED] = True

    async def take_to_read(self, scope: Scope, party: str) -> None:
        """As ``take``, before a heavy body is read, which is done on the event loop: one of ``party`` at a time."""
        await self._enter(self._bodies, scope, party)
        # To read it and to refuse it are one piece of work of the loop: without a turn for others meanwhile, each would
        # find the place free again, and all would be read one behind the other.
        await asyncio.sleep(0)

    async def _enter(self, lanes: Lanes, scope: Scope, party: str) -> None:
        try:
            async with asyncio.timeout(self._patience):
                scope[HELD].append(await lanes.enter(party))
        except TimeoutError as exc:
            raise Unavailable("your earlier requests are answered first; try again shortly") from exc


def on_thread(endpoint: Any) -> None:
    """Give a coroutine a place too: it answers most requests at once, and the others on a thread that all share."""
    endpoint.dmi_on_thread = True


def let_go(held: list[Callable[[], None]]) -> None:
    """Give back the places of a request; repeating it does no harm."""
    while held:
        held.pop()()
