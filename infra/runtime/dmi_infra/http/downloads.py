"""Files that are made while they are sent, for who takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import anyio
import anyio.to_thread
import structlog
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from dmi_infra.lanes import Asker, Lanes

log = structlog.get_logger("http")

SLICE: Final = 64 * 1024
"""Bytes that are sent at a time."""
TAKE_SECONDS: Final = 30.0
"""How long somebody may take for as many."""
AT_WORK: Final = 2
"""Pieces that a service makes at a time: each keeps a thread busy, and with more all else would wait for a turn."""


class Makers:
    """Places to make pieces, one of each participant and ``AT_WORK`` in all, in the order in which they are asked.

    There is no end to the patience: how many downloads stand in line is bounded where they begin.
    """

    def __init__(self, most: int = AT_WORK) -> None:
        self._each = Lanes(1, patience=None)
        self._all = asyncio.Semaphore(most)

    @asynccontextmanager
    async def place(self, party: str) -> AsyncIterator[None]:
        """Hold one meanwhile; a piece that is made is judged by itself, so who waits is not judged again here."""
        leave = await self._each.enter(Asker.by_nothing(party))
        try:
            async with self._all:
                yield
        finally:
            leave()


class Download(StreamingResponse):
    """A file in pieces, each made in a place of ``party``. However it ends, they are closed, then ``over`` is called.

    Who does not take what is sent holds what it is made of: after ``TAKE_SECONDS`` without progress it is broken off.
    """

    def __init__(
        self,
        pieces: Generator[bytes],
        over: Callable[[], None],
        media_type: str,
        headers: Mapping[str, str],
        makers: Makers,
        party: str,
    ) -> None:
        self._pieces = pieces
        self._over = over
        super().__init__(_sliced(pieces, makers, party), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also when the caller goes away, or the service stops: closing them tells the record what has left.
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._end)

    async def stream_response(self, send: Send) -> None:
        """The pieces, each within its time; raises ``ClientDisconnect`` for who takes none."""

        async def taken(message: Message) -> None:
            try:
                async with asyncio.timeout(TAKE_SECONDS):
                    await send(message)
            except TimeoutError:
                log.warning("a download is broken off, since nobody takes it", seconds=TAKE_SECONDS)
                raise ClientDisconnect from None

        await super().stream_response(taken)

    def _end(self) -> None:
        try:
            self._pieces.close()
        finally:
            self._over()


async def _sliced(pieces: Generator[bytes], makers: Makers, party: str) -> AsyncIterator[bytes]:
    while True:
        async with makers.place(party):
            piece = await anyio.to_thread.run_sync(next, pieces, None)
        if piece is None:
            return
        for start in range(0, len(piece), SLICE):
            yield piece[start : start + SLICE]
