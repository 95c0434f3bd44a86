"""A real exchange, with its own store and keys, for commands that only the node itself can answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from tests.unit.exchange.fakes import Node, running

EXCHANGE = "/exchange"


class _Front(httpx.BaseTransport):
    """Gives each request to the exchange, below the path under which the stack has it."""

    def __init__(self, node: Node) -> None:
        self._transport = httpx.ASGITransport(cast(Any, node.service.app))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read to its end."""
        path = request.url.raw_path.decode().removeprefix(EXCHANGE)
        inside = httpx.Request(
            request.method,
            request.url.copy_with(raw_path=path.encode()),
            headers=request.headers,
            content=request.read(),
        )
        return asyncio.run(self._answer(inside))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@contextmanager
def production(folder: Path, **settings: Any) -> Iterator[tuple[Node, httpx.BaseTransport]]:
    """An exchange in production, which lends nobody an identity, and the way to it for clients."""
    with running(folder, env="production", **settings) as node:
        yield node, _Front(node)
