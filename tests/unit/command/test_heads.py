"""What a request may say before its body has bounds, behind the real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dmi_command import heads
from dmi_command.heads import ADDRESS, PARAMETERS
from dmi_command.stack import server

SIZE, COUNT = 64 * 1024, 200
LINE = b"GET / HTTP/1.1\r\n"
ENDLESS = b"y" * 10 * SIZE
SPARE = 1_000
"""Less than what a request holds beside the one header that is tried."""


async def told(request: Request) -> Response:
    await request.body()
    return PlainTextResponse(str(len(request.headers)))


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = Starlette(routes=[Route("/", told, methods=["GET", "POST"])])
        running = server(app, "127.0.0.1", 0)
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        yield listener.getsockname()
        running.should_exit = True
        thread.join()


@pytest.fixture
def ask(address: tuple[str, int]) -> Iterator[Callable[..., bytes]]:
    """Sends pieces, one after the other, and gives all that is answered until the server closes."""
    with socket.create_connection(address, timeout=5) as connection:

        def ask(*pieces: bytes) -> bytes:
            answer = b""
            # Who closes with something unread resets the connection, behind what was answered.
            with suppress(ConnectionError):
                for piece in pieces:
                    connection.sendall(piece)
            with suppress(ConnectionError):
                while part := connection.recv(65_536):
                    answer += part
            return answer

        yield ask


def headers(count: int) -> bytes:
    return b"".join(b"x-%d: y\r\n" % number for number in range(count))


@pytest.mark.parametrize(
    "head",
    [
        LINE + headers(COUNT + 1) + b"\r\n",
        LINE + b"x: " + b"y" * SIZE + b"\r\n\r\n",
        LINE + b"".join(b"x-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(66)) + b"\r\n",
        LINE + b"x: " + ENDLESS,
        LINE + ENDLESS,
        b"\r\n" * 5 * SIZE,
    ],
    ids=["many", "one", "together", "unfinished", "unfinished name", "nothing"],
)
def test_a_head_that_is_too_large_is_answered_431_and_the_connection_closed(
    ask: Callable[..., bytes], head: bytes
) -> None:
    first, _, body = ask(head).partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in first
    assert json.loads(body)["status"] == 431


@pytest.mark.parametrize(
    "target",
    [b"/?" + b"y" * ADDRESS, b"/" + b"%2f" * 20_000, b"/?" + b"a&" * PARAMETERS, b"/?" + b"y" * 2 * SIZE],
    ids=["query", "path", "parameters", "larger than a head"],
)
def test_an_address_that_is_too_long_is_answered_414_and_the_connection_closed(
    ask: Callable[..., bytes], target: bytes
) -> None:
    first, _, body = ask(b"GET " + target + b" HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 414 ")
    assert b"connection: close" in first
    assert json.loads(body)["status"] == 414


def test_addresses_within_the_bounds_are_read_each_by_itself(ask: Callable[..., bytes]) -> None:
    longest = b"GET /?" + b"y" * (ADDRESS - 2) + b" HTTP/1.1\r\n\r\n"
    most = b"GET /?" + b"a&" * (PARAMETERS - 1) + b" HTTP/1.1\r\n"
    assert ask(longest, most + b"\r\n", most + b"connection: close\r\n\r\n").count(b"HTTP/1.1 200 ") == 3


def test_a_head_within_the_bounds_is_read_whole_and_the_next_one_counts_anew(
    ask: Callable[..., bytes],
) -> None:
    most = LINE + headers(COUNT) + b"\r\n"
    largest = LINE + b"x: " + b"y" * (SIZE - SPARE) + b"\r\nconnection: close\r\n\r\n"
    answer = ask(most, most, largest)
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.count(b"\r\n\r\n200") == 2


def test_what_follows_a_body_counts_with_the_head(ask: Callable[..., bytes]) -> None:
    body = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    assert b" 200 " not in ask(body, headers(COUNT + 1), b"\r\n")


def test_an_unfinished_line_after_a_body_is_not_kept(ask: Callable[..., bytes]) -> None:
    body = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    assert ask(body, b"x: " + ENDLESS) == b""


def test_a_large_body_is_no_head(ask: Callable[..., bytes]) -> None:
    size = 3 * SIZE
    head = b"POST / HTTP/1.1\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % size
    assert b" 200 " in ask(head, b"y" * size)


@pytest.mark.parametrize(
    "before", [b"", LINE + b"\r\n", LINE[:3], LINE + b"\r\n" + LINE + b"x: y\r\n", LINE + b"\r\n\r\n"],
    ids=["silent", "kept alive", "begun", "second begun", "empty lines"],
)  # fmt: skip
def test_a_head_that_does_not_end_ends_its_connection_however_it_drips(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(heads, "LONGEST", 0.15)
    drip = b"\r\n" if before.endswith(b"\r\n\r\n") else b"z"
    with socket.create_connection(address, timeout=0.03) as connection:
        connection.sendall(before)
        closed, end = False, time.monotonic() + 2
        # Who closes with something unread resets the connection.
        with suppress(ConnectionError):
            while not closed and time.monotonic() < end:
                with suppress(TimeoutError):
                    closed = not connection.recv(65_536)
                if before:
                    connection.sendall(drip)
        assert time.monotonic() < end


def test_a_body_may_take_longer_than_a_head(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "LONGEST", 0.1)
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n")
        for _ in range(4):
            time.sleep(0.05)
            connection.sendall(b"a")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
