"""A share of a service's threads for each participant: who asks much waits behind its own requests alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

from starlette.types import Scope

from dmi_infra.lanes import PATIENCE, WAITING, Asker, Lanes, Turns

T = TypeVar("T", bound=Callable[..., Any])

EACH: Final = 4
"""Requests of one participant that a service works on at a time: they keep a process busy together."""
ENDS: Final = 2
"""And those besides that take a right away (``at_once``): they wait for nothing else that was asked."""

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
        self._lanes = Lanes(each, waiting, patience)
        self._ends = Lanes(ENDS, waiting, patience)
        self._bodies = Turns(waiting, patience)

    async def take(self, scope: Scope, asker: Asker) -> None:
        """Wait for a place of who asks for this request.

        Raises ``Unavailable`` when too many of the participant's stand in line, or this one stood there too long; and
        as ``Lanes.enter`` when what let it in has ended meanwhile.
        """
        endpoint = scope.get("endpoint")
        on_loop = inspect.iscoroutinefunction(endpoint) and not hasattr(endpoint, "dmi_on_thread")
        if PLACED not in scope and not on_loop:
            lanes = self._ends if hasattr(endpoint, "dmi_at_once") else self._lanes
            scope[HELD].append(await lanes.enter(asker))
            scope[PLACED] = True

    async def take_to_read(self, scope: Scope, asker: Asker) -> None:
        """As ``take``, before a heavy body is read, which is done on the event loop: one of a party at a time."""
        scope[HELD].append(await self._bodies.enter(asker))


def on_thread(endpoint: Any) -> None:
    """Give a coroutine a place too: it answers most requests at once, and the others on a thread that all share."""
    endpoint.dmi_on_thread = True


def at_once(endpoint: T) -> T:
    """Let what takes a right away stand in a line of its own: it is asked when somebody has too much in hand."""
    endpoint.dmi_at_once = True  # type: ignore[attr-defined]
    return endpoint


def let_go(held: list[Callable[[], None]]) -> None:
    """Give back the places of a request; repeating it does no harm."""
    while held:
        held.pop()()
