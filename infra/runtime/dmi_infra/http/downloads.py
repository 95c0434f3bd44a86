"""Files that are made while they are sent, for who takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Final

import anyio
import anyio.to_thread
import structlog
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

log = structlog.get_logger("http")

SLICE: Final = 64 * 1024
"""Bytes that are sent at a time."""
TAKE_SECONDS: Final = 30.0
"""How long somebody may take for as many."""


class Download(StreamingResponse):
    """A file in pieces. However it ends, the pieces are closed, and then ``over`` is called.

    Who does not take what is sent holds what it is made of: after ``TAKE_SECONDS`` without progress it is broken off.
    """

    def __init__(
        self, pieces: Generator[bytes], over: Callable[[], None], media_type: str, headers: Mapping[str, str]
    ) -> None:
        self._pieces = pieces
        self._over = over
        super().__init__(_sliced(pieces), media_type=media_type, headers=headers)

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


def _sliced(pieces: Generator[bytes]) -> Iterator[bytes]:
    with closing(pieces):
        for piece in pieces:
            for start in range(0, len(piece), SLICE):
                yield piece[start : start + SLICE]
