"""Opens streams of live events, and puts away what waits for their readers when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import ExitStack, aclosing

from dmi_infra.errors import Refused, Unavailable
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import problem_of
from dmi_infra.jose import ITSELF
from dmi_infra.room import Room, whose_share
from dmi_visualisation.following import Follower, Parked, Sight, begun, ended, follow
from dmi_visualisation.going_on import Counted
from dmi_visualisation.ids import Ids
from dmi_visualisation.live import ALL, LiveMap


class Opened(AsyncIterator[bytes]):
    """An open stream of one reader. Whoever has it closes it, also before its first piece: else its place is lost."""

    def __init__(
        self, layers: Sequence[str], several: bool, last: str, tell: Callable[[Sequence[int]], str]
    ) -> None:
        self.told = last
        """The id that the reader knows."""
        self.woken = asyncio.Event()
        self.followers: dict[str, Follower] = {}
        self.refused: list[bytes] = []
        self.closing = ExitStack()
        """Gives back what the stream holds, all of it also when the record cannot take what has left."""
        self._layers = layers
        self._tell = tell
        self._pieces = self._follow(several)

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """End the stream, however far it is."""
        try:
            await self._pieces.aclose()
        finally:
            self.closing.close()

    async def _follow(self, several: bool) -> AsyncGenerator[bytes]:
        try:
            yield begun(self._position())
            for piece in self.refused:
                yield piece
            followers = list(self.followers.values())
            async with aclosing(follow(followers, self.woken, several, self._position)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self.closing.close()

    def _position(self) -> str:
        known = self.followers
        self.told = self._tell([known[one].position() if one in known else 0 for one in self._layers])
        return self.told


class Streams:
    """The live events of this process. For one thread, that of the loop."""

    def __init__(self, live: LiveMap, gate: Gate, room: Room, sight: Sight) -> None:
        self._live = live
        self._gate = gate
        self._room = room
        self._sight = sight
        self._ids = Ids()
        self._parked = Parked()
        self._counted = Counted()

    def open(self, opening: Opening, layers: Sequence[str], last: str, several: bool) -> Opened:
        """A stream of these layers, behind the event ``last`` where there is one; whoever gets it closes it.

        ``Refused`` is raised for the only layer; with ``several`` each is refused, and ends, alone. Raises
        ``InputRefused`` for what was never an id, and ``TooManyStreams``, before any use is counted.
        """
        by = opening.identity.acting or ITSELF
        about = opening.identity.participant, by.actor, by.mandate, *layers
        numbers = self._ids.read(last, *about) if last else None
        opened = Opened(layers, several, last, lambda numbers: self._ids.tell(numbers, *about))
        with ExitStack() as undone:
            undone.callback(opened.closing.close)
            opened.closing.callback(self._room.take(whose_share(self._gate.law, opening.identity)))
            for at, layer in enumerate(layers):
                try:
                    self._begin(opened, opening, layer, None if numbers is None else numbers[at])
                except (Refused, Unavailable) as exc:
                    if not several:
                        raise
                    problem = problem_of(exc)
                    opened.refused.append(ended(problem.body() if problem else {}, layer))
            undone.pop_all()
        return opened

    def _begin(self, opened: Opened, opening: Opening, layer: str, behind: int | None) -> None:
        """Follow a layer ``behind`` a number that this process told the reader, as one use with what told it.

        Any other id says nothing here: that is another use, which begins with what is newest, so that nothing is lost.
        """
        last = opened.told
        permit = opening.permit(layer) if behind is None else self._counted.resume(opening, layer)
        opened.closing.callback(self._counted.put, permit)
        # Where nothing can be told by events, that is said now: the first row, which is hidden, must not bring it up.
        self._sight.points(permit, [])
        waiting = None if behind is None else self._parked.take(permit, last)
        after = (ALL if last else None) if behind is None else behind if waiting is None else waiting.reached
        stream = self._live.open(permit.dataset, opened.woken, after)
        opened.closing.callback(self._live.close, stream)
        known = self._live.rows(layer) if waiting is None else ()
        follower = Follower(permit, stream, self._gate, self._sight, waiting, known)
        opened.closing.callback(self._park, opened, permit, follower)
        opened.followers[layer] = follower

    def _park(self, opened: Opened, permit: Permit, follower: Follower) -> None:
        self._parked.put(permit, opened.told, follower.close())
