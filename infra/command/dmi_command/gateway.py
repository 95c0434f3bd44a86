"""One address for services that run in processes of their own: the first part of the path chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import structlog
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from dmi_command.stack import outside
from dmi_infra.http.problems import Problem

log = structlog.get_logger("gateway")

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailers",
        "transfer-encoding",
        "upgrade",
        "host",
    }
)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def gateway(targets: Mapping[str, str]) -> Starlette:
    """A reverse proxy from ``/<service>/…`` to the address in ``targets``; the rest goes to visualisation.

    Bodies and answers are streamed, so that live events pass at once. A service that is away is a 503.
    """
    client = httpx.AsyncClient(
        timeout=httpx.Timeout(60.0, read=None),
        limits=httpx.Limits(max_connections=500, max_keepalive_connections=100),
    )

    async def forward(request: Request) -> Response:
        first = request.url.path.split("/", 2)[1]
        base = targets.get(first, targets["visualisation"])
        headers = [(k, v) for k, v in request.headers.raw if k.decode().lower() not in _HOP_BY_HOP]
        query = f"?{request.url.query}" if request.url.query else ""
        outgoing = client.build_request(
            request.method,
            f"{base}{request.scope['raw_path'].decode()}{query}",
            headers=headers,
            content=request.stream()
            if "content-length" in request.headers or "transfer-encoding" in request.headers
            else None,
        )
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.TransportError:
            return Problem(
                503, "unavailable", f"the service {first or 'visualisation'} does not answer"
            ).response()
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
        return StreamingResponse(
            _passed_on(answer), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    return Starlette(
        routes=[Route("/{path:path}", forward, methods=METHODS)],
        lifespan=lifespan,
        exception_handlers={HTTPException: outside},
    )


async def _passed_on(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it arrives. When the service dies in the middle the connection is broken off, as by itself."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.TransportError as exc:
        log.warning("a service broke off its answer", address=str(answer.url.path), error=type(exc).__name__)
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            raise
