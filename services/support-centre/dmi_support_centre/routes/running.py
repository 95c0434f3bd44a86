"""Requests that run scenarios: they wait for their turn without a thread, and in nobody's share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from dmi_infra.http.access import Opening
from dmi_infra.http.leaving import while_there
from dmi_infra.http.shares import HELD, let_go
from dmi_support_centre.scenarios import Scenarios

T = TypeVar("T")


class Line:
    """The line before the runs of scenarios, which a request leaves when its client has gone."""

    def __init__(self, scenarios: Scenarios) -> None:
        self._scenarios = scenarios

    async def run(self, request: Request, opening: Opening, work: Callable[[], T]) -> T:
        """What ``work`` gives, which runs scenarios. Raises ``Unavailable`` and ``ClientDisconnect``."""
        return await self._scenarios.runs.in_turn(opening.asker(), work, while_there(request))

    async def look(
        self,
        request: Request,
        opening: Opening,
        scenarios: Sequence[str],
        version: int | None,
        work: Callable[[], T],
    ) -> T:
        """As ``run``, for what shows outcomes: at once in the share of the caller where all of them are kept.

        One that goes at that very moment is run there: these are few, and the share bounds them.
        """
        if await run_in_threadpool(self._scenarios.worked_out, scenarios, version, opening.identity):
            return await run_in_threadpool(work)
        # What waits keeps nothing waiting that the same participant asks besides.
        let_go(request.scope[HELD])
        return await self.run(request, opening, work)
