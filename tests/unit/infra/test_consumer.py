"""The consumer's loop: in order, once from the stored position, one bad message does not hold up others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from dmi_infra import consumer
from dmi_infra.bus.port import Received
from dmi_infra.consumer import ConsumerLoop, Unprocessable
from dmi_infra.errors import Unavailable
from dmi_infra.health import Well
from dmi_infra.telemetry import Metrics
from tests.unit.infra.fakes import FakeBus, FakeSubscription, as_bus, eventually, message

TOPIC = "dmi.observations.raw.v1"


@dataclass
class Store:
    """A handler whose store is a list; each fault is raised once, by the text that it is named after."""

    faults: dict[bytes, BaseException] = field(default_factory=dict)
    lasting: dict[bytes, Exception] = field(default_factory=dict)
    done: list[bytes] = field(default_factory=list)
    rejected: list[tuple[bytes, str]] = field(default_factory=list)
    position: int = 0
    refuses_rejects: int = 0

    def positions(self) -> Mapping[tuple[str, int], int]:
        return {(TOPIC, 0): self.position, ("another", 0): 99}

    def handle(self, messages: Sequence[Received]) -> None:
        for received in messages:
            value = received.message.value
            fault = self.faults.pop(value, None) or self.lasting.get(value)
            if fault is not None:
                raise fault
        self.done += [received.message.value for received in messages]
        self.position = messages[-1].offset + 1

    def reject(self, message: Received, reason: str) -> None:
        if self.refuses_rejects:
            self.refuses_rejects -= 1
            raise RuntimeError("the store has a fault")
        self.rejected.append((message.message.value, reason))
        self.position = message.offset + 1


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "BACKOFF_SECONDS", (0.01, 0.02))


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("platform")


@pytest.fixture
def loop(bus: FakeBus, store: Store, metrics: Metrics) -> Iterator[ConsumerLoop]:
    made = ConsumerLoop(as_bus(bus), "platform", [TOPIC], store, metrics)
    yield made
    made.stop()


def loop_of(bus: FakeBus, store: Store) -> ConsumerLoop:
    return ConsumerLoop(as_bus(bus), "platform", [TOPIC], store, Metrics("platform"))


def send(bus: FakeBus, *values: bytes) -> None:
    bus.publish(TOPIC, [message(value) for value in values])


def test_reading_begins_where_the_store_stands(bus: FakeBus, store: Store, loop: ConsumerLoop) -> None:
    send(bus, b"a", b"b", b"c")
    store.position = 1
    loop.start()
    eventually(lambda: store.done == [b"b", b"c"])
    eventually(lambda: bus.subscriptions[0].commits == 1)


def test_a_bad_message_is_rejected_and_its_neighbours_are_handled(
    bus: FakeBus, store: Store, loop: ConsumerLoop
) -> None:
    store.lasting = {b"bad": Unprocessable("no such dataset"), b"worse": KeyError("inside")}
    send(bus, b"a", b"bad", b"b", b"worse", b"c")
    loop.start()
    eventually(lambda: store.done == [b"a", b"b", b"c"])
    assert store.rejected == [(b"bad", "no such dataset"), (b"worse", "internal: KeyError")]


def test_a_store_that_is_away_rejects_nothing_and_the_messages_come_again(
    bus: FakeBus, store: Store, loop: ConsumerLoop
) -> None:
    store.faults = {b"b": Unavailable("the store is away")}
    send(bus, b"a", b"b", b"c")
    loop.start()
    eventually(lambda: store.done == [b"a", b"b", b"c"])
    assert store.rejected == []
    assert len(bus.subscriptions) == 2
    assert bus.subscriptions[0].closed


def test_it_tells_since_when_it_has_messages_in_hand_until_they_are_carried_out_or_given_back(
    bus: FakeBus, store: Store, loop: ConsumerLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, found = store.handle, list[float | None]()

    def watched(messages: Sequence[Received]) -> None:
        found.append(loop.in_hand())
        handle(messages)

    monkeypatch.setattr(store, "handle", watched)
    monkeypatch.setattr(consumer, "BACKOFF_SECONDS", (0.5,))
    store.faults = {b"a": Unavailable("the store is away")}
    assert loop.in_hand() is None
    before = time.monotonic()
    send(bus, b"a")
    loop.start()
    eventually(lambda: bool(bus.subscriptions) and bus.subscriptions[0].closed)
    assert loop.in_hand() is None
    eventually(lambda: store.done == [b"a"])
    eventually(lambda: loop.in_hand() is None)
    assert all(since is not None and before <= since <= time.monotonic() for since in found)
    assert len(found) == 2


def test_a_fault_while_rejecting_does_not_end_the_consumer(
    bus: FakeBus, store: Store, loop: ConsumerLoop
) -> None:
    store.lasting = {b"bad": Unprocessable("no")}
    store.refuses_rejects = 2
    send(bus, b"bad", b"a")
    loop.start()
    eventually(lambda: store.done == [b"a"])
    assert store.rejected == [(b"bad", "no")]


def test_after_a_success_waiting_begins_short_again(
    bus: FakeBus, store: Store, loop: ConsumerLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.faults = {b"a": Unavailable("away"), b"b": Unavailable("away")}
    loop.start()
    for value in (b"a", b"b"):
        send(bus, value)
        eventually(lambda wanted=value: wanted in store.done)  # type: ignore[misc]
    assert loop._failures == 0


def test_while_the_bus_is_away_the_consumer_waits(bus: FakeBus, store: Store, loop: ConsumerLoop) -> None:
    bus.away = True
    loop.start()
    eventually(lambda: loop._failures > 2)
    bus.away = False
    send(bus, b"a")
    eventually(lambda: store.done == [b"a"])


def test_lag_is_that_of_all_partitions_of_a_topic_together(
    bus: FakeBus, store: Store, loop: ConsumerLoop, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.start()
    eventually(lambda: bool(bus.subscriptions))
    monkeypatch.setattr(bus.subscriptions[0], "lag", lambda: {(TOPIC, 0): 3, (TOPIC, 1): 4})
    eventually(lambda: metrics.registry.get_sample_value("dmi_platform_lag", {"topic": TOPIC}) == 7)


def test_a_consumer_that_works_is_well_and_one_that_has_ended_is_not(bus: FakeBus) -> None:
    loop = loop_of(bus, Store())
    assert "does not run" in str(loop.check())
    loop.start()
    eventually(lambda: loop._idle_since is None)
    assert loop.check() is None
    loop.stop()
    assert loop.check() == f"the consumer of {TOPIC} does not run; start the service again"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_consumer_whose_thread_died_says_so(bus: FakeBus) -> None:
    # What is no Exception gets past every net of the loop.
    store = Store(faults={b"deadly": SystemExit()})
    loop = loop_of(bus, store)
    loop.start()
    bus.publish(TOPIC, [message(b"deadly")])
    eventually(lambda: loop.check() is not None)
    assert "does not run" in str(loop.check())


def test_a_consumer_without_a_partition_is_not_well_after_a_while(
    bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(FakeSubscription, "assigned", lambda _self: frozenset())
    loop = loop_of(bus, Store())
    loop.start()
    try:
        assert loop.check() is None, "a partition may be on its way"
        eventually(lambda: loop.check() is not None)
        assert f"the consumer of {TOPIC} has had no partition for" in str(loop.check())
        monkeypatch.setattr(FakeSubscription, "assigned", lambda self: frozenset(self.positions))
        eventually(lambda: loop.check() is None)
    finally:
        loop.stop()


def test_a_consumer_for_which_no_partition_is_left_is_well_and_says_why(
    bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(FakeSubscription, "assigned", lambda _self: frozenset())
    monkeypatch.setattr(FakeSubscription, "spare", lambda _self: True)
    loop = loop_of(bus, Store())
    loop.start()
    try:
        eventually(lambda: isinstance(loop.check(), Well))
        assert (
            loop.check() == f"other members of the group read all of {TOPIC}; this one takes over from them"
        )
        monkeypatch.setattr(FakeSubscription, "spare", lambda _self: False)
        eventually(lambda: "has had no partition" in str(loop.check()))
        monkeypatch.setattr(FakeSubscription, "assigned", lambda self: frozenset(self.positions))
        eventually(lambda: loop.check() is None)
    finally:
        loop.stop()
