"""Messages to other nodes: none waits without end, and none keeps those of others waiting."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from dmi_exchange.dsp import client as client_module
from dmi_exchange.dsp import courier as couriers
from dmi_exchange.dsp.client import (
    CONNECTIONS,
    DATA_CONNECTIONS,
    DATA_KEPT,
    DATA_OF_FEW,
    DATA_OF_ONE,
    Answer,
    Client,
    DataQuota,
    Unreachable,
    lines_of,
)
from dmi_exchange.dsp.courier import AT_ONCE, OF_ONE, WORKERS, Courier
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.dsp.process import Waiting
from dmi_exchange.dsp.store import Processes
from dmi_exchange.flow.inflow import events_of
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import KnownNode
from dmi_infra.errors import Unavailable

HEADER = b"HTTP/1.1 200 OK\r\nX-Slow: "
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
BETWEEN_SECONDS = 0.05
ENOUGH_SECONDS = 0.4
LATE_SECONDS = 5.0


def client() -> Client:
    return Client(lambda _sender, _address, _request: None, public_only=False)


@pytest.fixture
def trickling() -> Iterator[Any]:
    """Makes the address of a server that answers with a beginning, and then a byte now and then."""
    stopping = threading.Event()
    listening: list[socket.socket] = []

    def answer(connection: socket.socket, beginning: bytes) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(beginning)
            while not stopping.wait(BETWEEN_SECONDS):
                connection.sendall(b"a")

    def serve(server: socket.socket, beginning: bytes) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=answer, args=(connection, beginning), daemon=True).start()

    def make(beginning: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)
        threading.Thread(target=serve, args=(server, beginning), daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield make
    stopping.set()
    for server in listening:
        server.close()


@pytest.mark.parametrize("beginning", [HEADER, BODY], ids=["header", "body"])
def test_an_answer_that_trickles_in_is_not_waited_for(trickling: Any, beginning: bytes) -> None:
    address = trickling(beginning)
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="did not answer"):
        client().ask("POST", address, f"{address}/x", b"{}", "urn:x", seconds=ENOUGH_SECONDS)
    assert time.monotonic() - begun < LATE_SECONDS


@pytest.mark.parametrize("coding", ["zstd", "gzip", "identity, br", "zstd, identity"])
def test_a_packed_answer_is_not_unpacked(trickling: Any, coding: str) -> None:
    """Eight kilobytes of zstd are 256 MiB; the body never comes here, so whoever reads any of it waits."""
    asked = client()
    address = trickling(
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 9\r\n\r\n".encode()
    )
    requests = (
        lambda: asked.ask("POST", address, f"{address}/x", b"{}", "urn:x"),
        lambda: asked.get(f"{address}/x"),
        lambda: asked.raw(f"{address}/x", "*/*", 100),
        lambda: asked.fetch(f"{address}/x", "t", 100, "urn:x"),
        lambda: asked.stream(f"{address}/x", "t", "", "urn:x", lambda: True).__enter__(),
    )
    for request in requests:
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="compressed, which was not asked for"):
            request()
        assert time.monotonic() - begun < ENOUGH_SECONDS


def test_answers_are_asked_for_as_they_are() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["accept-encoding"])
        return httpx.Response(200, headers={"Content-Encoding": "Identity"}, json={"a": 1})

    asking = Client(lambda *_: None, public_only=False, transport=httpx.MockTransport(answer))
    assert asking.get("http://a.example/x").body == {"a": 1}
    assert asking.push("http://a.example", "http://a.example/x", b"", "urn:x", "urn:y").body == {"a": 1}
    assert seen == ["identity"] * 2


def test_what_one_thread_may_wait_says_nothing_of_the_next_request(trickling: Any) -> None:
    address, asking = trickling(HEADER), client()
    for _ in range(2):
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            asking.ask("GET", address, f"{address}/x", b"", "urn:x", seconds=ENOUGH_SECONDS)
        assert time.monotonic() - begun > ENOUGH_SECONDS * 0.9


def test_a_stream_is_read_by_lines_and_one_without_end_is_not_kept() -> None:
    pieces = ["event: da", "ta\r", "\ndata: 1\n\nda", "ta: 2\n", "\n"]
    assert list(lines_of(pieces)) == ["event: data", "data: 1", "", "data: 2", ""]
    assert list(events_of(iter(lines_of(pieces)))) == [("data", b"1"), ("message", b"2")]
    endless = lines_of(itertools.repeat("x" * 10), largest=100)
    with pytest.raises(Unreachable, match="too long"):
        next(endless)
    with pytest.raises(Unreachable, match="too large"):
        next(events_of(itertools.repeat("data: xxxxxxxxxx"), largest=100))


def test_streams_leave_connections_to_messages_and_those_of_one_participant_to_others(
    trickling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = 32
    monkeypatch.setattr("dmi_exchange.dsp.client.DATA_OF_ONE", few)
    streaming, asking = trickling(STREAM), client()

    def follow(party: str) -> Any:
        return asking.stream(f"{streaming}/x", "t", "", party, lambda: True)

    with ExitStack() as opened:
        for party in range(CONNECTIONS // few + 1):
            for _ in range(few):
                opened.enter_context(follow(f"urn:{party}"))
        with pytest.raises(Unavailable, match="transfers of one participant"), follow("urn:0"):
            pass
        with pytest.raises(Unavailable, match="transfers of one participant"):
            asking.fetch(f"{streaming}/x", "t", 10, "urn:1")
        opened.enter_context(follow("urn:another"))
        # Not for want of a connection: it is this server that does not end its answer.
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="ReadTimeout"):
            asking.ask("GET", streaming, f"{trickling(BODY)}/x", b"", "urn:x", seconds=ENOUGH_SECONDS)
        assert time.monotonic() - begun < LATE_SECONDS
    with follow("urn:0"):
        pass


def test_who_has_many_connections_for_data_leaves_some_to_who_has_few() -> None:
    quota = DataQuota(DATA_OF_ONE, "transfers")
    for party in range(3):
        for _ in range(DATA_OF_ONE):
            with suppress(Unavailable):
                quota.take(f"urn:{party}")
    # The third one is among those who have few.
    assert quota._taken.total() == DATA_CONNECTIONS - DATA_KEPT + DATA_OF_FEW
    for party in range(3, 2 + DATA_KEPT // DATA_OF_FEW):
        for _ in range(DATA_OF_FEW):
            quota.take(f"urn:{party}")
        with pytest.raises(Unavailable, match="too many transfers"):
            quota.take(f"urn:{party}")
    with pytest.raises(Unavailable, match="too many transfers"):
        quota.take("urn:new")


def test_a_stream_whose_lines_never_end_is_left_when_its_transfer_ends(
    trickling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmi_exchange.dsp.client.LOOK_SECONDS", 0.0)
    going = iter([True, True, False])
    with client().stream(f"{trickling(STREAM)}/x", "t", "", "urn:x", lambda: next(going)) as lines:
        assert list(lines) == []


def test_a_name_that_takes_long_is_no_reason_to_refuse_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_of: object) -> list[str]:
        raise TimeoutError

    monkeypatch.setattr("dmi_exchange.dsp.client.Lookups.addresses", silent)
    asking = Client(lambda _sender, _address, _request: None, public_only=True)
    with pytest.raises(Unavailable, match="in time"):
        asking.check("https://slow.example/dsp")
    with pytest.raises(Unreachable, match="in time"):
        asking.get("https://slow.example/dsp")


def waiting(number: int) -> Waiting:
    message = {"id": number, "process": f"p{number}", "type": "x", "path": "x", "body": b"", "attempts": 0}
    return cast(Waiting, SimpleNamespace(**message))


def test_whoever_chose_many_addresses_leaves_workers_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    hold, tried, released = threading.Event(), [], []
    others = 100

    def get(identifier: str) -> Any:
        number = int(identifier[1:])
        owner = "urn:good" if number >= others else "urn:bad"
        return SimpleNamespace(
            role="consumer", owner=owner, peer="urn:p", address=f"http://h{number}.example/x"
        )

    def post(address: str, *_args: Any) -> Answer:
        tried.append(address)
        hold.wait(LATE_SECONDS)
        raise Unreachable("no")

    processes = SimpleNamespace(get=get, release=lambda number, at: released.append(number))
    courier = Courier(
        cast(Processes, processes), cast(Client, SimpleNamespace(post=post)), 10, lambda _who: True
    )
    monkeypatch.setattr(couriers.Courier, "_again", lambda *_args: None)
    for number in range(2 * WORKERS):
        courier._carry(waiting(number))
    courier._carry(waiting(others))
    until = time.monotonic() + LATE_SECONDS
    while f"http://h{others}.example/x" not in tried and time.monotonic() < until:
        time.sleep(0.01)
    try:
        assert f"http://h{others}.example/x" in tried
        assert len(tried) == OF_ONE + 1
        assert len(released) == 2 * WORKERS - OF_ONE
    finally:
        hold.set()
        courier._pool.shutdown(wait=True)
    assert not courier._busy
    assert not courier._queued


def test_addresses_of_one_host_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hold, tried = threading.Event(), []

    def post(address: str, *_args: Any) -> Answer:
        tried.append(address)
        hold.wait(LATE_SECONDS)
        raise Unreachable("no")

    def get(identifier: str) -> Any:
        return SimpleNamespace(
            role="consumer", owner=identifier, peer="p", address=f"http://one.example/{identifier}"
        )

    processes = SimpleNamespace(get=get, release=lambda *_args, at: None)
    courier = Courier(
        cast(Processes, processes), cast(Client, SimpleNamespace(post=post)), 10, lambda _who: True
    )
    monkeypatch.setattr(couriers.Courier, "_again", lambda *_args: None)
    for number in range(WORKERS):
        courier._carry(waiting(number))
    time.sleep(0.2)
    try:
        assert len(tried) == AT_ONCE
    finally:
        hold.set()
        courier._pool.shutdown(wait=True)


def test_a_node_that_answers_slowly_keeps_nobody_from_the_keys_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, quick = KnownNode(url="http://slow.example"), KnownNode(url="http://quick.example")
    asked, hold = threading.Event(), threading.Event()

    def get(url: str) -> Answer:
        if url.startswith(slow.issuer):
            asked.set()
            hold.wait(LATE_SECONDS)
        return Answer(200, {"keys": [{"kid": "k"}]}, {})

    monkeypatch.setattr("dmi_exchange.dsp.nodes.ASKED_SECONDS", 0.05)
    http = cast(Client, SimpleNamespace(get=get))
    nodes = Nodes([slow, quick], cast(Exchange, None), http, "urn:x")
    first = threading.Thread(target=nodes.key, args=(slow.issuer, "k"))
    first.start()
    try:
        assert asked.wait(LATE_SECONDS)
        assert nodes.key(quick.issuer, "k") == {"kid": "k"}
        # Whoever makes up tokens of the slow one holds no more threads than the first.
        with pytest.raises(Unavailable, match="try again"):
            nodes.key(slow.issuer, "made-up")
    finally:
        hold.set()
        first.join()
    assert nodes.key(slow.issuer, "k") == {"kid": "k"}


@pytest.mark.parametrize("read", [b"", b"[1]", b"{", b"\xff", b'{"a": "\\ud800"}', b'{"a": "\xed\xa0\x80"}'])
def test_an_answer_that_is_no_object_of_texts_that_can_be_kept_counts_as_empty(read: bytes) -> None:
    assert client_module._object(read) == {}


def test_an_answer_may_begin_with_a_mark_and_escape_whole_pairs() -> None:
    assert client_module._object(b'\xef\xbb\xbf{"a": "\\ud83d\\ude80"}') == {"a": "🚀"}
