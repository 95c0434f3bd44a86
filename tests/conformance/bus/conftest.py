"""Both adapters behind the same fixtures: a test gets an address of its own, and what opens it."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus import Bus, Message, Received, Subscription, open_bus

RAW = "dmi.observations.raw.v1"
LAW = "dmi.agreements.v1"


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def adapter(request: pytest.FixtureRequest) -> str:
    """The adapter under test."""
    name: str = request.param
    return name


@pytest.fixture
def bus_url(adapter: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty bus with several partitions a topic."""
    if adapter == "embedded":
        return f"embedded://{tmp_path}/bus.db?partitions=4"
    server = request.getfixturevalue("kafka_server")
    return f"{server.url}?partitions=4&prefix=t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def open_it(bus_url: str) -> Iterator[Callable[[], Bus]]:
    """Opens the bus at ``bus_url`` as another process would; closed after the test."""
    opened: list[Bus] = []

    def open_one() -> Bus:
        opened.append(open_bus(bus_url))
        return opened[-1]

    yield open_one
    for bus in opened:
        bus.close()


@pytest.fixture
def bus(open_it: Callable[[], Bus]) -> Bus:
    """An open bus with its topics."""
    bus = open_it()
    bus.create_topics()
    return bus


@pytest.fixture
def message() -> Callable[[str, bytes], Message]:
    """Makes messages with ids of their own."""
    numbers = itertools.count()

    def make(key: str, value: bytes) -> Message:
        envelope = Envelope(
            id=f"m-{next(numbers)}",
            source="urn:dmi:participant:gemeente",
            type="dmi.test",
            time="2026-01-01T00:00:00Z",
            dataset="urn:dmi:dataset:gemeente:garages",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        return Message(key, value, envelope)

    return make


@pytest.fixture
def read() -> Callable[..., list[Received]]:
    """Polls until ``count`` messages came; then makes sure that no further one follows."""

    def read_all(subscription: Subscription, count: int, timeout: float = 30.0) -> list[Received]:
        found: list[Received] = []
        deadline = time.monotonic() + timeout
        while len(found) < count and time.monotonic() < deadline:
            found += subscription.poll(0.5)
        found += subscription.poll(0.1)
        assert len(found) == count
        return found

    return read_all
