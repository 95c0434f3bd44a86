"""The limit on request bodies, counted while they stream in."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dmi_infra.http.problems import Problem


class _TooLarge(Exception):
    pass


class BodyLimit:
    """ASGI middleware: a body over ``limit`` bytes is answered with 413 before it is read whole."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limit:
            await self._answer(scope, receive, send)
            return
        seen = 0
        exceeded = False
        begun = False

        async def counted() -> Message:
            nonlocal seen, exceeded
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._limit:
                    exceeded = True
                    raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            # A framework may turn the exception above into an answer of its own; ours goes out instead.
            nonlocal begun
            if not exceeded or begun:
                begun = True
                await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLarge:
            if begun:
                raise
        if exceeded and not begun:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"a request body may hold at most {self._limit} bytes"
        await Problem(413, "too-large", detail).response()(scope, receive, send)
