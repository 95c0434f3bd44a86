"""A stop must not wait for streams that never end by themselves: they end with the server."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class EndsStreams:
    """ASGI middleware: after ``leave`` an open event stream is told that its reader went, and is finished."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """End all event streams; in the event loop."""
        self._leaving.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Streams are read, not written; what else there is ends by itself.
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        streams = finished = False

        async def watched_send(message: Message) -> None:
            nonlocal streams, finished
            if message["type"] == "http.response.start":
                types = [value for name, value in message["headers"] if name.lower() == b"content-type"]
                streams = any(value.startswith(b"text/event-stream") for value in types)
            elif message["type"] == "http.response.body":
                finished = not message.get("more_body", False)
            await send(message)

        async def watched_receive() -> Message:
            arriving = asyncio.ensure_future(receive())
            leaving = asyncio.ensure_future(self._leaving.wait())
            try:
                await asyncio.wait((arriving, leaving), return_when=asyncio.FIRST_COMPLETED)
                if arriving.done() or not streams:
                    return await arriving
                return {"type": "http.disconnect"}
            finally:
                arriving.cancel()
                leaving.cancel()

        await self._app(scope, watched_receive, watched_send)
        if streams and not finished and self._leaving.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
