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
from dmi_infra.http.downloads import AT_WORK, SLICE, Download, Makers

PIECE = b"x" * 1_000_000


class Endless:
    """An application whose answer has no end; ``over`` once it has been given up."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.over = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Download(self._pieces(), self._end, "application/zip", {}, Makers(), "one")(
                scope, receive, send
            )
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
        made = Download(pieces(), over, "application/zip", {}, Makers(), "one")
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


def test_few_pieces_are_made_at_a_time_and_those_of_a_party_stand_behind_each_other() -> None:
    makers = Makers()
    at_work: list[str] = []
    most: list[int] = []
    done: list[str] = []
    go_on = threading.Event()

    def pieces(party: str) -> Generator[bytes]:
        for _ in range(2):
            at_work.append(party)
            most.append(len(at_work))
            assert at_work.count(party) == 1
            assert go_on.wait(5)
            at_work.remove(party)
            done.append(party)
            yield PIECE

    async def sent(_message: Any) -> None:
        return

    async def never() -> Any:
        await asyncio.Event().wait()

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for party in ("hog", "hog", "hog", "hog", "two", "three"):
                file = Download(pieces(party), lambda: None, "application/zip", {}, makers, party)
                group.create_task(file({"type": "http", "asgi": {"spec_version": "2.3"}}, never, sent))
            while len(at_work) < AT_WORK:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)
            go_on.set()

    asyncio.run(all_of_them())
    assert max(most) == AT_WORK
    assert len(done) == 12
    assert {"two", "three"} <= set(done[:4]), "nobody waits for all that one has asked"
