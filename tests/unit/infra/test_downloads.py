"""A file that is made while it is sent ends with who takes it, also behind a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from dmi_infra.http import downloads
from dmi_infra.http.downloads import SLICE, Download

PIECE = b"x" * 1_000_000


class Endless:
    """An application whose answer has no end; ``over`` once it has been given up."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.over = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Download(self._pieces(), self._end, "application/zip", {})(scope, receive, send)
        except ClientDisconnect:
            return

    def _pieces(self) -> Generator[bytes]:
        try:
            while True:
                yield PIECE
        finally:
            self.closed.set()

    def _end(self) -> None:
        assert self.closed.is_set(), "first the pieces are closed"
        self.over.set()


@contextmanager
def served(app: Endless) -> Iterator[socket.socket]:
    """A connection to the application, which has asked and read nothing yet."""
    listener = socket.create_server(("127.0.0.1", 0))
    # The server says that the answer was broken off, as it should.
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        with socket.create_connection(listener.getsockname()) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n")
            yield connection
    finally:
        server.should_exit = True
        thread.join()


def test_who_takes_nothing_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "TAKE_SECONDS", 0.3)
    app = Endless()
    with served(app):
        assert app.over.wait(20)


def test_who_takes_it_slowly_gets_it_and_who_goes_away_ends_it() -> None:
    app = Endless()
    with served(app) as connection:
        taken = 0
        while taken < 20 * len(PIECE):
            part = connection.recv(SLICE)
            assert part
            taken += len(part)
        assert not app.over.is_set()
        connection.close()
        assert app.over.wait(20)


@pytest.mark.parametrize("end", ["whole", "fault", "refused"])
def test_the_pieces_are_closed_before_the_place_is_given_back(end: str) -> None:
    done: list[str] = []
    sent: list[bytes] = []

    def pieces() -> Generator[bytes]:
        try:
            yield b"x" * (SLICE + 1)
            if end == "fault":
                raise RuntimeError("of the store")
            yield b""
            yield b"y"
        finally:
            done.append("closed")

    async def send(message: Any) -> None:
        if end == "refused":
            raise OSError("gone")
        sent.append(message.get("body", b""))

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def answer() -> None:
        made = Download(pieces(), over, "application/zip", {})
        await made({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)

    def over() -> None:
        done.append("over")

    if end == "whole":
        asyncio.run(answer())
        assert [len(part) for part in sent] == [0, SLICE, 1, 1, 0]
    else:
        with pytest.raises(RuntimeError if end == "fault" else OSError):
            asyncio.run(answer())
    assert done == (["over"] if end == "refused" else ["closed", "over"]), (
        "what never began has nothing to close"
    )
