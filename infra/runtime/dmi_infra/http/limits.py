"""The limit on request bodies, counted while they stream in."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dmi_infra.http.problems import Problem

FORM = b"multipart/form-data"


class _TooLarge(Exception):
    pass


class BodyLimit:
    """ASGI middleware: a body over ``limit`` bytes is answered with 413 before it is read whole.

    ``forms`` are paths of the service that take files and stream them, with a limit of their own in bytes. It
    holds for forms alone: anything else that is sent there would be read into memory.
    """

    def __init__(self, app: ASGIApp, limit: int, forms: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._forms = dict(forms or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = self._limit_of(scope, headers)
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await self._answer(limit, scope, receive, send)
            return
        seen = 0
        exceeded = False
        begun = False

        async def counted() -> Message:
            nonlocal seen, exceeded
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
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
            await self._answer(limit, scope, receive, send)

    def _limit_of(self, scope: Scope, headers: Mapping[bytes, bytes]) -> int:
        if not headers.get(b"content-type", b"").lower().startswith(FORM):
            return self._limit
        return self._forms.get(scope["path"].removeprefix(scope.get("root_path", "")), self._limit)

    async def _answer(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"a request body may hold at most {limit} bytes here"
        await Problem(413, "too-large", detail).response()(scope, receive, send)
