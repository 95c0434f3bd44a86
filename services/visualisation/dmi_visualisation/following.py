"""Live events of one reader: judged when they leave, so that nothing waits that a right which ended let through."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import islice
from typing import Any, Final

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Delay
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.problems import refusal
from dmi_visualisation.live import Stream
from dmi_visualisation.model import Shown

KEEP_ALIVE_SECONDS = 1.0
"""A quiet stream asks the gate again this often, so that an agreement that expires ends it too."""
SLOTS: Final = 60
"""Into so many parts a delay is divided; of each part the newest values are held, however many there were."""

ROWS: Final = 250
"""Most features of one event, some 100 KB: no more than this is on its way when a right ends."""

ALIVE = b": alive\n\n"

Points = Callable[[Permit, Sequence[Shown]], list[dict[str, Any]]]
"""The features that a permit lets through of these rows, now."""


class Follower:
    """One layer that a reader follows: its right, and what waits for it. Of each datastream the newest value waits."""

    def __init__(self, permit: Permit, stream: Stream, gate: Gate, points: Points) -> None:
        self.layer = permit.dataset
        self.stream = stream
        self._permit = permit
        self._gate = gate
        self._points = points
        self._delay = max((d.seconds for d in permit.duties if isinstance(d, Delay)), default=0) * 1_000_000
        self._held: deque[tuple[Micros, dict[str, Shown]]] = deque()
        self._ready: dict[str, Shown] = {}
        self._asked = time.monotonic()

    def waits(self) -> bool:
        """Whether there are values to send."""
        self._gather()
        return bool(self._ready)

    def stirred(self) -> bool:
        """Whether to ask the gate: for values, since the law changed, or because it was not asked for a while."""
        return self.waits() or self.stream.law_changed or time.monotonic() - self._asked >= KEEP_ALIVE_SECONDS

    def take(self) -> list[dict[str, Any]]:
        """The next features as they may be seen at this moment; ``Refused`` when the right has ended."""
        self._asked = time.monotonic()
        self.stream.law_changed = False
        self._gate.still(self._permit)
        self._gather()
        rows = [self._ready.pop(name) for name in list(islice(self._ready, ROWS))]
        return self._points(self._permit, rows) if rows else []

    def _gather(self) -> None:
        """Move what came to what is ready, by way of the time that a delay holds it."""
        now = clock.now()
        came = self.stream.take()
        if not self._delay:
            self._ready.update(came)
            return
        if came and self._held and now + self._delay < self._held[-1][0]:
            self._held[-1][1].update(came)
        elif came:
            # Due when the last that may still join is old enough.
            self._held.append((now + self._delay + self._delay // SLOTS, came))
        while self._held and self._held[0][0] <= now:
            self._ready.update(self._held.popleft()[1])


async def follow(
    followers: Sequence[Follower], woken: asyncio.Event, several: bool
) -> AsyncGenerator[bytes, None]:
    """``observation`` with new features, ``ended`` with the reason; with ``several`` each event names its layer."""
    left = list(followers)
    while left:
        woken.clear()
        busy = False
        for one in [one for one in left if one.stirred()]:
            try:
                if one.waits():
                    busy = True
                    # The server takes the next piece when the reader has taken enough of those before it. A comment
                    # goes first, so that this wait lies before the gate is asked, and not between answer and data.
                    yield ALIVE
                features = one.take()
            except Refused as exc:
                left.remove(one)
                yield ended(refusal(exc).body(), one.layer if several else None)
                continue
            if features:
                yield event(
                    "observation", {"layer": one.layer, "features": features} if several else features
                )
            # Readers who take all at once would otherwise keep the loop from everyone else.
            await asyncio.sleep(0)
        if left and not busy:
            try:
                await asyncio.wait_for(woken.wait(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield ALIVE


def ended(problem: dict[str, Any], layer: str | None) -> bytes:
    """The last event of a layer."""
    return event("ended", {"layer": layer, **problem} if layer else problem)


def event(name: str, data: object) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'), ensure_ascii=False)}\n\n".encode()
