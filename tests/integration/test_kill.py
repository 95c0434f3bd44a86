"""``kill -9`` at random moments of intake: every acknowledged observation is stored exactly once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from dmi_command.client import Client
from dmi_command.errors import AnswerRefused, CommandFailed, NotReached
from dmi_command.servers import free_port
from dmi_command.stack import check_port
from dmi_infra.clock import to_text
from tests.stack_plugin import EmbeddedStack, ServerStack, Stack, await_settled, load_city

GARAGES = "urn:dmi:dataset:gemeente:garages"
DATASTREAM = "garages.centrum.occupancy"
OFFICE = "urn:dmi:participant:gemeente"
KILLS = 20
READS = 30
ROWS = 50
HOUR = 3_600_000_000
FIRST = 1_500_000_000_000_000
"""Long before the city's own measurements, so that only these tests' rows lie there (microseconds)."""
SPAN = 100_000_000_000_000
"""From one test's rows to the next one's; room for more than a million."""


class Sensor(threading.Thread):
    """Posts batch after batch; one without an answer is sent again, as a sensor would."""

    def __init__(self, stack: Stack, first: int = FIRST) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self.first = first
        self.acknowledged = 0
        self.failure: str | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        with self._stack.participant("urn:dmi:participant:gemeente") as client:
            self._hand_in(client)

    def _hand_in(self, client: Client) -> None:
        while not self.stopping.is_set():
            first = self.first + self.acknowledged * 60_000_000
            body = {
                "dataset": GARAGES,
                "datastream": [DATASTREAM] * ROWS,
                "phenomenon_time": [first + row * 60_000_000 for row in range(ROWS)],
                "result": [float((self.acknowledged + row) % 400) for row in range(ROWS)],
            }
            try:
                client.post("/ingest/v1/batches", body)
            except NotReached:
                time.sleep(0.02)
                continue
            except AnswerRefused as refused:
                if refused.status == 503:
                    time.sleep(0.05)
                    continue
                self.failure = str(refused)
                return
            self.acknowledged += ROWS
            # Up to 30 batches a second: a kill still meets them at every stage, and the stack has the machine.
            self.stopping.wait(0.03)


def _stored(stack: Stack, first: int) -> Counter[str]:
    """How often each acknowledged time is stored, read page by page through the public interface."""
    found: Counter[str] = Counter()
    with stack.demo("officer") as client:
        cursor = None
        while True:
            page = client.get(
                f"/platform/v1/datastreams/{DATASTREAM}/observations",
                **{"from": to_text(first), "to": to_text(first + SPAN)},
                limit=10_000,
                cursor=cursor,
            )
            found.update(item["phenomenon_time"] for item in page["items"])
            cursor = page["next"]
            if cursor is None:
                return found


def _reads(stack: Stack) -> int:
    """How many decisions about reading the garages by the city's office the log has."""
    found, after = 0, "0"
    with stack.demo("officer") as client:
        while after is not None:
            page = client.get("/exchange/v1/log", dataset=GARAGES, limit=1000, after=after)
            found += sum(
                entry["crossing"] == "query"
                and entry["assignee"] == OFFICE
                # How many rows left follows in an entry of its own, where there were any.
                and not entry["reasons"][0].startswith("given")
                for entry in page["items"]
            )
            after = page["next"]
    return found


def _check(stack: Stack, sensor: Sensor) -> None:
    sensor.stopping.set()
    sensor.join(30)
    assert sensor.failure is None
    await_settled(stack)
    assert sensor.acknowledged > 0
    limit = time.monotonic() + 60
    while len(stored := _stored(stack, sensor.first)) < sensor.acknowledged and time.monotonic() < limit:
        time.sleep(0.5)  # a bus tells its lag a moment late
    assert len(stored) >= sensor.acknowledged, "an acknowledged observation is missing"
    assert len(stored) <= sensor.acknowledged + ROWS, "more than the one batch without an answer was added"
    assert set(stored.values()) == {1}, "an observation is stored twice"


@pytest.fixture(scope="module")
def own_embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    folder = tmp_path_factory.mktemp("kill")
    stack = EmbeddedStack("embedded", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    stack.start()
    load_city(stack, HOUR)
    yield stack
    stack.stop()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory, fleet_programs: None) -> Iterator[ServerStack]:
    folder = tmp_path_factory.mktemp("kill")
    stack = ServerStack("server", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    try:
        stack.start()
        load_city(stack, HOUR)
        yield stack
    finally:
        stack.stop()


@pytest.mark.timeout(400)
def test_embedded_every_acknowledged_observation_is_stored_once_after_twenty_kills(
    own_embedded: EmbeddedStack,
) -> None:
    moments = random.Random(7)
    sensor = Sensor(own_embedded)
    sensor.start()
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.05, 1.0))
        own_embedded.kill()
        own_embedded.start()
    _check(own_embedded, sensor)


@pytest.mark.timeout(600)
def test_server_every_acknowledged_observation_is_stored_once_after_twenty_kills(
    own_server: ServerStack,
) -> None:
    moments = random.Random(11)
    sensor = Sensor(own_server)
    sensor.start()
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.1, 1.5))
        service = moments.choice(["ingest", "platform", "exchange"])
        own_server.kill(service)
        own_server.restart(service)
    _check(own_server, sensor)


@pytest.mark.parametrize("deployment", ["own_embedded", "own_server"])
@pytest.mark.timeout(400)
def test_the_log_has_every_read_that_was_answered_before_a_kill(
    deployment: str, request: pytest.FixtureRequest
) -> None:
    stack: EmbeddedStack | ServerStack = request.getfixturevalue(deployment)
    before = _reads(stack)
    answered = 0
    for _ in range(3):
        with stack.demo("officer") as client:
            for _ in range(READS):
                client.get(f"/platform/v1/datastreams/{DATASTREAM}/observations", limit=1)
                answered += 1
        stack.kill("platform")
        if isinstance(stack, ServerStack):
            stack.restart("platform")
        else:
            stack.start()
    limit = time.monotonic() + 30
    while _reads(stack) < before + answered and time.monotonic() < limit:
        time.sleep(0.2)  # what was left on disk goes over the bus first
    assert _reads(stack) == before + answered


def test_a_graceful_stop_takes_less_than_five_seconds(own_embedded: EmbeddedStack) -> None:
    sensor = Sensor(own_embedded, FIRST - SPAN)
    sensor.start()
    time.sleep(1)
    took = own_embedded.stop()
    own_embedded.start()
    _check(own_embedded, sensor)
    assert took < 5


def test_a_second_stack_on_the_same_port_is_refused_with_one_clear_line(own_embedded: EmbeddedStack) -> None:
    port = int(own_embedded.url.rsplit(":", 1)[1])
    with pytest.raises(CommandFailed, match="is in use by another program"):
        check_port("127.0.0.1", port)
