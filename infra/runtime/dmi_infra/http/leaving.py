"""Clients that go away while their request waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request


@asynccontextmanager
async def while_there(request: Request) -> AsyncIterator[None]:
    """Wait for something meanwhile, for a request whose body has been read.

    Raises ``ClientDisconnect`` as soon as its client has gone: a server does not give up by itself what nobody waits
    for any more.
    """

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        there.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as there:
            watching = asyncio.create_task(gone())
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError as exc:
        if not there.expired():
            raise
        raise ClientDisconnect from exc
