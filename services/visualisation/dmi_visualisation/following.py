"""Live events of one reader: judged when they leave, so that nothing waits that a right which ended let through."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Delay
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.problems import refusal
from dmi_infra.tally import Tally
from dmi_visualisation.live import Numbered, Stream
from dmi_visualisation.model import Shown

KEEP_ALIVE_SECONDS = 1.0
"""A stream gives a sign of life and asks the gate again this often, so that an agreement that expires ends it too."""
SLOTS: Final = 60
"""Into so many parts a delay is divided; of each part the newest values are held, however many there were."""

ROWS: Final = 250
"""Most features of one event, some 100 KB: no more than this is on its way when a right ends."""

RETRY_MS: Final = 2000
ALIVE = b": alive\n\n"


class Sight(NamedTuple):
    """What may be seen of rows under a permit, now."""

    points: Callable[[Permit, Sequence[Shown]], list[dict[str, Any]]]
    """Their features, which leave."""
    passing: Callable[[Permit, Sequence[Shown]], Set[str]]
    """The datastreams that something would be told of; nothing leaves, and nothing is recorded."""


LOOK_SECONDS: Final = 10.0
"""How often a reader's view is looked over for what a term ends; what the law ends is looked at when it does."""
PARKED_SECONDS: Final = 60.0
"""How long what a delay holds waits for its reader to come back."""
PARKED: Final = 1000
"""Of so many readers what waited is kept at most; the oldest go, and begin their delay anew."""


@dataclass(slots=True)
class Waiting:
    """What waits for a reader: the number up to which all rows have come, what a delay holds, and what is ready."""

    reached: int
    held: deque[tuple[Micros, dict[str, Numbered]]] = field(default_factory=deque)
    ready: dict[str, Numbered] = field(default_factory=dict)
    seen: dict[str, Shown] = field(default_factory=dict)
    """Of each datastream of a person what the reader was told last."""


class Parked:
    """What waits for readers whose stream ended, by their right and the id that they were told last.

    A delay may be longer than a stream: without this nothing would ever come through it. And a consent may end between
    two streams: without this a map would go on showing what it let through.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[float, Waiting]] = {}

    def put(self, permit: Permit, told: str, waiting: Waiting | None) -> None:
        """Keep what waits; ``None``: nothing does that numbers cannot give again."""
        now = time.monotonic()
        self._kept = {key: one for key, one in self._kept.items() if now - one[0] < PARKED_SECONDS}
        if waiting is not None:
            self._kept[_right(permit, told)] = (now, waiting)
        while len(self._kept) > PARKED:
            del self._kept[next(iter(self._kept))]

    def take(self, permit: Permit, told: str) -> Waiting | None:
        """What was kept, for the one who comes back for it."""
        kept = self._kept.pop(_right(permit, told), None)
        return None if kept is None or time.monotonic() - kept[0] >= PARKED_SECONDS else kept[1]


def _right(permit: Permit, told: str) -> tuple[object, ...]:
    return permit.requests, permit.duties, told


class Follower:
    """One layer that a reader follows: its right, and what waits for it. Of each datastream the newest value waits."""

    def __init__(
        self,
        permit: Permit,
        stream: Stream,
        gate: Gate,
        sight: Sight,
        waiting: Waiting | None = None,
        known: Sequence[Shown] = (),
    ) -> None:
        """``known``: the rows of which a map that was opened just now shows those that may be seen."""
        self.layer = permit.dataset
        self.stream = stream
        self._permit = permit
        self._gate = gate
        self._sight = sight
        self._delay = max((d.seconds for d in permit.duties if isinstance(d, Delay)), default=0) * 1_000_000
        if waiting is None:
            waiting = Waiting(0)
            persons = [row for row in known if row.subject]
            passing = sight.passing(permit, persons) if persons else frozenset()
            waiting.seen.update((row.datastream, row) for row in persons if row.datastream in passing)
        self._held, self._ready, self._seen = waiting.held, waiting.ready, waiting.seen
        self._looked_at = time.monotonic()
        # What ended before this stream began is told with its first sign of life.
        self._look = bool(self._seen)
        self._tally = Tally(gate, permit)

    def close(self) -> Waiting | None:
        """Tell the log what has left; what a delay still holds."""
        self._tally.close()
        self._gather()
        if not (self._delay or self._seen):
            return None
        return Waiting(self.stream.reached, self._held, self._ready, self._seen)

    def waits(self) -> bool:
        """Whether there are values to send."""
        self._gather()
        return bool(self._ready)

    def shows(self) -> bool:
        """Whether values wait that may be seen; those before them that may not are let go.

        So an event is as long as if there were no others, and for them alone not a byte is sent.
        """
        self._gather()
        seen = 0
        while seen < ROWS and (rows := self._next(seen)):
            passing = self._sight.passing(self._permit, rows)
            for row in rows:
                if row.datastream not in passing:
                    del self._ready[row.datastream]
            seen += len(passing)
        return seen > 0

    def still(self) -> None:
        """Ask the gate; ``Refused`` when the right has ended."""
        self._look |= self.stream.law_changed
        self.stream.law_changed = False
        self._gate.still(self._permit)

    def gone(self) -> list[str]:
        """Datastreams of persons that the reader was told of and may see no more, each told once."""
        now = time.monotonic()
        if not self._seen or not (self._look or now - self._looked_at >= LOOK_SECONDS):
            return []
        self._look, self._looked_at = False, now
        left = sorted(self._seen.keys() - self._sight.passing(self._permit, list(self._seen.values())))
        for datastream in left:
            del self._seen[datastream]
        return left

    def take(self) -> list[dict[str, Any]]:
        """The next features as they may be seen at this moment; ``Refused`` when the right has ended."""
        self.still()
        self._gather()
        rows = self._next(0)
        for row in rows:
            del self._ready[row.datastream]
        features = self._sight.points(self._permit, rows) if rows else []
        told = {feature["id"] for feature in features}
        self._seen.update((row.datastream, row) for row in rows if row.subject and row.datastream in told)
        self._tally.add(len(features))
        return features

    def position(self) -> int:
        """The number behind which a later stream goes on without a gap: nothing up to it waits here."""
        self._gather()
        waiting = [*self._ready.values(), *(each for _, held in self._held for each in held.values())]
        return min((number for number, _ in waiting), default=self.stream.reached + 1) - 1

    def due(self) -> float:
        """In how many seconds a delay ends for something that it holds."""
        return (self._held[0][0] - clock.now()) / 1_000_000 if self._held else math.inf

    def _next(self, behind: int) -> list[Shown]:
        return [row for _, row in islice(self._ready.values(), behind, behind + ROWS)]

    def _gather(self) -> None:
        """Move what came to what is ready, by way of the time that a delay holds it."""
        now = clock.now()
        came = self.stream.take()
        if not self._delay:
            self._ready.update(came)
            return
        if came:
            # Parts of the delay by the clock: one that began with the first row would tell when a hidden row came.
            part = self._delay // SLOTS
            due = -(-(now + self._delay) // part) * part
            if self._held and due <= self._held[-1][0]:
                self._held[-1][1].update(came)
            else:
                self._held.append((due, came))
        while self._held and self._held[0][0] <= now:
            self._ready.update(self._held.popleft()[1])


async def follow(
    followers: Sequence[Follower], woken: asyncio.Event, several: bool, position: Callable[[], str]
) -> AsyncGenerator[bytes, None]:
    """``observation`` with new features, ``gone`` with the datastreams of persons that may be seen no more, ``ended``
    with the reason; with ``several`` each event names its layer.

    ``position`` is the id of an event of now, behind which a later stream goes on.
    """
    left = list(followers)
    alive = time.monotonic() + KEEP_ALIVE_SECONDS
    while left:
        woken.clear()
        ask = time.monotonic() >= alive
        if ask:
            # At its own times, whatever comes: a sign that waited for a row, or went before one that may not be seen,
            # would tell of that row.
            yield ALIVE
            alive = time.monotonic() + KEEP_ALIVE_SECONDS
        for one in list(left):
            features = []
            try:
                if ask or one.stream.law_changed:
                    one.still()
                # Before rows are taken: its id must not lie behind rows that are not sent, nor its wait before them.
                if gone := one.gone():
                    about = {"layer": one.layer, "datastreams": gone} if several else gone
                    yield event("gone", about, position())
                if one.shows():
                    # The server takes the next piece when the reader has taken enough of those before it. A comment
                    # goes first, so that this wait lies before the gate is asked, and not between answer and data.
                    yield ALIVE
                    features = one.take()
            except Refused as exc:
                left.remove(one)
                yield ended(refusal(exc).body(), one.layer if several else None)
                continue
            if features:
                told = {"layer": one.layer, "features": features} if several else features
                yield event("observation", told, position())
            # Readers who take all at once would otherwise keep the loop from everyone else.
            await asyncio.sleep(0)
        if left and not any(one.waits() for one in left):
            # Also when a delay ends: what came through it must not wait for a row that wakes, and so tell of that one.
            wait = min(alive - time.monotonic(), *(one.due() for one in left))
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), max(0.0, wait))


def ended(problem: dict[str, Any], layer: str | None) -> bytes:
    """The last event of a layer."""
    return event("ended", {"layer": layer, **problem} if layer else problem)


def event(name: str, data: object, identifier: str = "") -> bytes:
    """One server-sent event."""
    last = f"id: {identifier}\n" if identifier else ""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n{last}\n".encode()


def begun(identifier: str) -> bytes:
    """The first words of a stream: how soon to come back, and behind which id when nothing came at all."""
    return f"retry: {RETRY_MS}\nid: {identifier}\n\n".encode()
