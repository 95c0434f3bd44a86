"""Telling subscribers: where to, with which headers, and what happens when nobody answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.results import Measure
from dmi_infra.bus.port import Message
from dmi_infra.errors import Conflict, NotFound
from dmi_infra.internet import is_public
from dmi_support_centre.errors import AddressRefused
from dmi_support_centre.model import Result
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import Step
from dmi_support_centre.webhooks import MOST, RETRY_SECONDS, TURNS, HttpSender, Webhooks
from tests.unit.infra.fakes import eventually

ENVELOPE = Envelope(
    "event-1", "urn:dmi:service:support-centre", "nl.dmi.measure.published.v1", "2026-01-01T00:00:00Z"
)
MEASURE = Measure(
    "urn:uuid:1", "garage-full", "published", "garages.a", {"nl": "t", "en": "t"}, {"nl": "a", "en": "a"},
    1, 2, 3, decided_by="urn:dmi:participant:gemeente", properties={"share": 0.97},
)  # fmt: skip
MESSAGE = Message("garages.a", encode(MEASURE), ENVELOPE)


class Postman:
    """A sender that fails as long as it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str], bytes]] = []
        self.failing = False

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        if self.failing:
            raise OSError("nobody answers")
        self.sent.append((url, headers, body))


@pytest.fixture
def moment() -> list[int]:
    return [1_000_000]


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def webhooks(store: Store, postman: Postman, moment: list[int]) -> Webhooks:
    return Webhooks(store.measures, HttpSender(False, 1.0).check, postman, lambda: moment[0])


def publish(store: Store, webhooks: Webhooks) -> None:
    step = Step(MEASURE, deliveries=webhooks.events(MESSAGE))
    result = Result(MEASURE.id, "measure", "", MEASURE.place, 1, MEASURE.grounds, {})
    assert store.measures.begin(step, result, lambda: True) or store.measures.save(step, MEASURE.state)


def test_a_subscriber_gets_the_measure_without_who_decided_and_on_which_figures(
    store: Store, webhooks: Webhooks, postman: Postman
) -> None:
    webhooks.subscribe("https://signs.example/measures", "urn:dmi:participant:v")
    publish(store, webhooks)
    assert webhooks.deliver_due() == 1
    [(url, headers, body)] = postman.sent
    assert url == "https://signs.example/measures"
    assert headers["ce-id"] == "event-1"
    assert headers["ce-type"] == "nl.dmi.measure.published.v1"
    told = json.loads(body)
    assert told["id"] == MEASURE.id
    assert b"gemeente" not in body
    assert b"0.97" not in body
    assert webhooks.deliver_due() == 0


def test_a_delivery_is_tried_again_after_growing_waits_and_given_up_in_the_end(
    store: Store, webhooks: Webhooks, postman: Postman, moment: list[int]
) -> None:
    webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v")
    publish(store, webhooks)
    postman.failing = True
    assert webhooks.deliver_due() == 0
    assert store.measures.due(moment[0]) == []
    for seconds in RETRY_SECONDS:
        moment[0] += seconds * 1_000_000
        assert len(store.measures.due(moment[0])) == 1
        webhooks.deliver_due()
    assert store.measures.due(2**60) == []


def test_no_event_goes_before_an_earlier_one_that_waits(
    store: Store, webhooks: Webhooks, postman: Postman, moment: list[int]
) -> None:
    webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v")
    publish(store, webhooks)
    postman.failing = True
    webhooks.deliver_due()
    postman.failing = False
    gone = Envelope("event-2", ENVELOPE.source, "nl.dmi.measure.withdrawn.v1", ENVELOPE.time)
    told = webhooks.events(Message("garages.a", encode(MEASURE), gone))
    assert store.measures.save(Step(MEASURE, deliveries=told), MEASURE.state)
    moment[0] += 1_000_000
    assert webhooks.deliver_due() == 0
    [backlog] = store.measures.backlogs().values()
    assert (backlog.events, backlog.next_at) == (2, moment[0] + (RETRY_SECONDS[0] - 1) * 1_000_000)
    moment[0] = backlog.next_at
    while webhooks.deliver_due():
        pass
    assert [headers["ce-type"] for _, headers, _ in postman.sent] == [
        "nl.dmi.measure.published.v1", "nl.dmi.measure.withdrawn.v1"
    ]  # fmt: skip


def test_an_address_that_is_gone_gives_up_what_waits_together(
    store: Store, webhooks: Webhooks, postman: Postman, moment: list[int]
) -> None:
    webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v")
    for _ in range(3):
        publish(store, webhooks)
    postman.failing = True
    webhooks.deliver_due()
    for seconds in RETRY_SECONDS:
        moment[0] += seconds * 1_000_000
        webhooks.deliver_due()
    assert [backlog.events for backlog in store.measures.backlogs().values()] == [2]
    webhooks.deliver_due()
    webhooks.deliver_due()
    assert store.measures.backlogs() == {}


def test_a_participant_whose_addresses_do_not_answer_keeps_others_waiting_once_a_round(
    store: Store, webhooks: Webhooks, postman: Postman
) -> None:
    for number in range(MOST):
        webhooks.subscribe(f"http://dead-{number}.example/", "urn:dmi:participant:bad")
    with pytest.raises(Conflict):
        webhooks.subscribe("http://one-more.example/", "urn:dmi:participant:bad")
    assert webhooks.subscribe("http://dead-0.example/", "urn:dmi:participant:bad"), "which it has already"
    webhooks.subscribe("http://signs.example/", "urn:dmi:participant:good")
    tried = []

    def send(url: str, _headers: dict[str, str], _body: bytes) -> None:
        tried.append(url)
        if "dead" in url:
            raise OSError("nobody answers")

    webhooks._send = send
    for _ in range(60):
        publish(store, webhooks)
    assert webhooks.deliver_due() == 1
    assert sorted(tried) == ["http://dead-0.example/", "http://signs.example/"]
    while webhooks.deliver_due():
        pass
    assert tried.count("http://signs.example/") == 60
    assert len({url for url in tried if "dead" in url}) == MOST, "each of them has its turn"


def test_a_participant_whose_addresses_answer_late_keeps_nobody_else_waiting(
    store: Store, webhooks: Webhooks
) -> None:
    for number in range(MOST):
        webhooks.subscribe(f"http://late-{number}.example/", "urn:dmi:participant:bad")
    webhooks.subscribe("http://signs.example/", "urn:dmi:participant:good")
    tried, answers = [], threading.Event()

    def send(url: str, _headers: dict[str, str], _body: bytes) -> None:
        tried.append(url)
        if "late" in url:
            answers.wait(20)

    webhooks._send = send
    webhooks.start()
    try:
        for times in (1, 2):
            publish(store, webhooks)
            webhooks.wake()
            eventually(lambda times=times: tried.count("http://signs.example/") == times)
        assert [url for url in tried if "late" in url] == ["http://late-0.example/"]
        answers.set()
        eventually(lambda: store.measures.due(2**60) == [])
    finally:
        answers.set()
        webhooks.stop()
    assert len(tried) == 2 * (MOST + 1)


def test_who_waits_for_a_turn_gets_one_and_an_address_that_hangs_does_not_hold_the_end_of_the_process(
    store: Store, webhooks: Webhooks
) -> None:
    participants = TURNS + 3
    for number in range(participants):
        webhooks.subscribe(f"http://late-{number}.example/", f"urn:dmi:participant:p{number}")
    tried, answers = [], threading.Event()

    def send(url: str, _headers: dict[str, str], _body: bytes) -> None:
        tried.append(url)
        answers.wait(20)

    webhooks._send = send
    webhooks.start()
    try:
        publish(store, webhooks)
        webhooks.wake()
        eventually(lambda: len(tried) == TURNS)
        # The interpreter waits for no thread of these.
        assert {one.daemon for one in threading.enumerate() if one.name.startswith("webhook")} == {True}
        answers.set()
        eventually(lambda: len(tried) == participants)
        eventually(lambda: store.measures.due(2**60) == [])
    finally:
        answers.set()
        webhooks.stop()


def test_of_who_has_enough_addresses_no_name_is_looked_up(store: Store, postman: Postman) -> None:
    judged: list[str] = []
    webhooks = Webhooks(store.measures, judged.append, postman)
    for number in range(MOST):
        webhooks.subscribe(f"http://signs-{number}.example/", "urn:dmi:participant:v")
    with pytest.raises(Conflict, match=f"{MOST} addresses already"):
        webhooks.subscribe("http://slow.example/", "urn:dmi:participant:v")
    webhooks.subscribe("http://signs-0.example/", "urn:dmi:participant:v")
    assert judged == [f"http://signs-{number}.example/" for number in range(MOST)]


def test_a_participant_has_one_name_looked_up_at_a_time(store: Store, postman: Postman) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(url: str) -> None:
        if "slow" in url:
            begun.set()
            assert go_on.wait(10)

    webhooks = Webhooks(store.measures, slow, postman)
    first = threading.Thread(
        target=webhooks.subscribe, args=("http://slow.example/", "urn:dmi:participant:v")
    )
    first.start()
    assert begun.wait(10)
    try:
        with pytest.raises(Conflict, match="being looked up"):
            webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v")
        assert webhooks.subscribe("http://signs.example/", "urn:dmi:participant:other")
    finally:
        go_on.set()
        first.join()
    assert webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v")
    assert len(store.measures.subscriptions("urn:dmi:participant:v")) == 2


def test_an_address_that_is_refused_leaves_room_for_the_next(store: Store, postman: Postman) -> None:
    webhooks = Webhooks(store.measures, HttpSender(True, 1.0).check, postman)
    for _ in range(2):
        with pytest.raises(AddressRefused):
            webhooks.subscribe("http://127.0.0.1/", "urn:dmi:participant:v")


def test_a_name_that_nobody_answers_for_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    asked: list[str] = []

    def never(host: str, _port: int, **_: Any) -> list[Any]:
        asked.append(host)
        assert go_on.wait(10)
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    sender = HttpSender(True, 0.05)
    try:
        for _ in range(3):
            with pytest.raises(AddressRefused, match="in time"):
                sender.check("http://slow.example/")
        with pytest.raises(AddressRefused, match="in time"):
            sender("http://slow.example/", {}, b"")
        assert asked == ["slow.example"], "who asks again waits for the same look-up"
    finally:
        go_on.set()


def test_a_name_is_judged_anew_each_time_and_an_unknown_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = ["8.8.8.8", "127.0.0.1"]

    def next_one(_host: str, port: int, **_: Any) -> list[Any]:
        if not answers:
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", next_one)
    sender = HttpSender(True, 5.0)
    sender.check("http://signs.example/")
    with pytest.raises(AddressRefused, match="private"):
        sender.check("http://signs.example/")
    with pytest.raises(AddressRefused, match="not known"):
        sender.check("http://signs.example/")


def test_no_address_and_no_fault_ends_the_delivery_to_others(
    store: Store, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(url: str, headers: dict[str, str], body: bytes) -> None:
        if "odd" in url:
            raise ValueError("Invalid header value")
        postman(url, headers, body)

    webhooks = Webhooks(store.measures, HttpSender(False, 1.0).check, send)
    webhooks.subscribe("http://odd.example/", "urn:dmi:participant:bad")
    webhooks.subscribe("http://signs.example/", "urn:dmi:participant:good")
    due, faults = store.measures.due, [RuntimeError("nobody expected this")]

    def once_faulty(now: int, *limit: int) -> Any:
        if faults:
            raise faults.pop()
        return due(now)

    monkeypatch.setattr(store.measures, "due", once_faulty)
    publish(store, webhooks)
    webhooks.start()
    try:
        until = time.monotonic() + 20
        while not postman.sent and time.monotonic() < until:
            webhooks.wake()
            time.sleep(0.02)
    finally:
        webhooks.stop()
    assert [url for url, _, _ in postman.sent] == ["http://signs.example/"]
    assert faults == []
    assert [one.attempts for one in due(2**60)] == [1], "it is tried again as any other"


def test_ending_a_subscription_drops_what_waits_for_it(store: Store, webhooks: Webhooks) -> None:
    made = webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v")
    assert webhooks.subscribe("http://signs.example/", "urn:dmi:participant:v").id == made.id
    publish(store, webhooks)
    with pytest.raises(NotFound):
        webhooks.unsubscribe(made.id, "urn:dmi:participant:other")
    webhooks.unsubscribe(made.id, "urn:dmi:participant:v")
    assert store.measures.due(2**60) == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://signs.example/", "file:///etc/passwd", "signs.example", "http://", "http://a b/",
        "http://user:word@signs.example/", "http://signs.example:99999/", "http://sïgns.example/",
        "http://signs.example/\r\nHost: other", "http://signs.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        HttpSender(False, 1.0).check(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2a00:1450::1", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
        ("10.1.2.3", False), ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False),
        ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("::127.0.0.1", False),
        ("fec0::1", False), ("ff02::1", False), ("fe80::1%eth0", False), ("::", False),
    ],
)  # fmt: skip
def test_a_private_address_is_known_in_every_disguise(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "192.168.0.1", "0.0.0.0"]
)
def test_in_production_no_address_may_lead_into_the_own_network(host: str) -> None:
    sender = HttpSender(True, 1.0)
    with pytest.raises(AddressRefused):
        sender.check(f"http://{host}/")
    with pytest.raises(AddressRefused):
        sender(f"http://{host}/", {}, b"")


class Signboard(BaseHTTPRequestHandler):
    """Takes what comes; the path says with which status it answers."""

    seen: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, dict(self.headers), body))
        self.send_response(int(self.path.rsplit("/", 1)[-1]))
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def signboard() -> Iterator[HTTPServer]:
    Signboard.seen = []
    server = HTTPServer(("127.0.0.1", 0), Signboard)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_trickles_in_is_not_waited_for() -> None:
    stopping = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stopping.wait(0.05):
                connection.sendall(b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    begun = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            HttpSender(False, 0.4)(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"{}")
        assert time.monotonic() - begun < 5
    finally:
        stopping.set()
        thread.join()
        server.close()


def test_an_event_is_posted_and_only_success_counts(signboard: HTTPServer) -> None:
    sender = HttpSender(False, 2.0)
    base = f"http://127.0.0.1:{signboard.server_port}"
    sender(f"{base}/a?b=1/204", {"ce-id": "7"}, b"{}")
    [(path, headers, body)] = Signboard.seen
    assert (path, headers["ce-id"], body) == ("/a?b=1/204", "7", b"{}")
    for status in (302, 404, 500):
        with pytest.raises(OSError, match=str(status)):
            sender(f"{base}/{status}", {}, b"{}")
    assert len(Signboard.seen) == 4
