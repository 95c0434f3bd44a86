"""Who may read the topic of a transfer, and until when: only while it runs and somebody writes to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from dmi_agreements.dsp import states
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.steps import moved, new_id
from dmi_exchange.dsp.store import Change, Processes
from dmi_exchange.flow.feed import further
from dmi_exchange.flow.keyfile import KeyFile
from dmi_exchange.flow.outlets import Outlets, name_of, reader_of
from dmi_exchange.flow.supply import Given
from dmi_exchange.settings import ExchangeSettings
from dmi_infra.bus.errors import BusUnavailable
from dmi_infra.bus.port import Deliveries, Message
from dmi_infra.sql import migrate, open_engine

VENDOR = "urn:dmi:participant:vendor"


@dataclass
class FakeDeliveries:
    """Topics in memory. ``away`` refuses everything."""

    readers: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[Message]] = field(default_factory=dict)
    away: bool = False
    broken: set[str] = field(default_factory=set)
    """Names of which nothing can be taken back."""
    failure: Exception = field(default_factory=BusUnavailable)
    """As the adapter's, also for what the broker says of one topic."""

    def _reached(self) -> None:
        if self.away:
            raise BusUnavailable

    def topic(self, name: str) -> str:
        return f"t.{name}"

    def allow(self, name: str, reader: str) -> None:
        self._reached()
        self.readers[name] = reader
        self.held.setdefault(name, [])

    def forbid(self, name: str) -> None:
        self._reached()
        if name in self.broken:
            raise self.failure
        self.readers.pop(name, None)

    def remove(self, name: str) -> None:
        self.forbid(name)
        self.held.pop(name, None)

    def names(self) -> list[str]:
        self._reached()
        return list(self.held)

    def last(self, name: str) -> Message | None:
        held = self.held.get(name)
        return held[-1] if held else None

    def put(self, name: str, message: Message, timeout: float = 10.0) -> None:
        self.held[name].append(message)


class Room:
    """A store with transfers, topics, and what the law says of agreements."""

    def __init__(self, folder: Path) -> None:
        engine = open_engine(f"sqlite:///{folder / 'exchange.db'}", "exchange")
        migrate(engine, "dmi_exchange")
        self.processes = Processes(engine)
        self.topics = FakeDeliveries()
        self.ended: set[str] = set()
        self.outlets = self.another()

    def another(self) -> Outlets:
        """As after a new start of the node."""
        port: Deliveries = self.topics
        return Outlets(port, self.processes, lambda p: p.agreement_id in self.ended, "https://node.example")

    def running(self) -> Process:
        """A transfer that runs."""
        begun = Process(
            id=new_id(), kind="transfer", role="provider", owner="o", peer=VENDOR, address="a", begun_at=1,
            changed_at=1, peer_pid=new_id(), dataset="d", agreement_id=new_id(), format="Kafka-PULL",
        )  # fmt: skip
        return self.processes.begin(moved(begun, states.STARTED), None)[0]

    def move(self, process: Process, state: str) -> None:
        """The transfer goes to another state."""
        self.processes.change(
            process.id, lambda known, _r: Change(msgspec.structs.replace(known, state=state))
        )


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def open_one(room: Room) -> Iterator[Process]:
    """A transfer that runs, whose topic may be read."""
    process = room.running()
    with room.outlets.opened(process):
        assert room.topics.readers == {name_of(process): reader_of(process)}
        yield process


def test_the_reader_is_the_other_side_by_a_token_of_this_transfer_alone(room: Room) -> None:
    one, two = room.running(), room.running()
    assert reader_of(one).startswith(f"{VENDOR}/")
    assert reader_of(one) != reader_of(two)
    assert name_of(one).split(".") == [one.agreement_id[9:], one.id[9:]]


def test_an_agreement_of_any_name_makes_a_topic_that_kafka_takes(room: Room) -> None:
    odd = msgspec.structs.replace(room.running(), agreement_id="https://city.example/agreements/één?x=1")
    assert set(name_of(odd)) <= set("0123456789abcdef.-")


def test_suspended_it_cannot_be_read_and_keeps_what_it_holds(room: Room, open_one: Process) -> None:
    room.outlets.put(open_one, Given([], {"datastream": ["s"]}, "0:5", "0:4"))
    room.move(open_one, states.SUSPENDED)
    room.outlets._look()
    assert room.topics.readers == {}
    assert len(room.topics.held[name_of(open_one)]) == 1
    room.move(open_one, states.STARTED)
    room.outlets._look()
    assert room.topics.readers == {name_of(open_one): reader_of(open_one)}


@pytest.mark.parametrize("end", [states.TERMINATED, states.COMPLETED, "agreement"])
def test_ended_it_is_gone(room: Room, open_one: Process, end: str) -> None:
    if end == "agreement":
        room.ended.add(open_one.agreement_id)
    else:
        room.move(open_one, end)
    room.outlets._look()
    assert (room.topics.readers, room.topics.held) == ({}, {})


def test_what_nobody_writes_to_cannot_be_read(room: Room) -> None:
    process = room.running()
    with room.outlets.opened(process):
        pass
    room.outlets._look()
    assert room.topics.readers == {}
    assert name_of(process) in room.topics.held


def test_what_a_killed_node_left_open_is_closed_and_what_belongs_to_nothing_removed(
    room: Room, open_one: Process
) -> None:
    room.topics.allow("agreement.unknown", "somebody")
    room.another()._look()
    assert room.topics.readers == {}
    assert list(room.topics.held) == [name_of(open_one)]


def test_a_right_that_could_not_be_taken_back_is_taken_back_later(room: Room) -> None:
    process = room.running()
    with room.outlets.opened(process):
        room.topics.away = True
    room.outlets._guarded()
    assert room.topics.readers
    room.topics.away = False
    room.outlets._guarded()
    assert room.topics.readers == {}


def test_a_node_that_stops_leaves_nothing_open(room: Room, open_one: Process) -> None:
    room.outlets.start()
    room.outlets.stop()
    assert room.topics.readers == {}


def test_a_writer_goes_on_behind_what_stands_in_the_topic(room: Room, open_one: Process) -> None:
    assert room.outlets.reached(open_one) == ""
    room.outlets.put(open_one, Given([], {"datastream": ["s"]}, "0:5,1:2", "0:4"))
    assert further("1:3", room.outlets.reached(open_one)) == "0:5,1:3"
    (message,) = room.topics.held[name_of(open_one)]
    assert message.envelope.id == f"{open_one.id[9:]}/0:4"
    assert (message.envelope.agreement, message.envelope.dataset) == (open_one.agreement_id, "d")
    assert json.loads(message.value)["observations"] == {"datastream": ["s"]}


def test_the_file_of_keys_changes_with_the_keys_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    counted = [[{"kid": "a"}], [{"kid": "a"}], [{"kid": "a"}, {"kid": "b"}]]
    given: Callable[[], list[dict[str, str]]] = lambda: counted.pop(0)  # noqa: E731
    file = KeyFile(path, given)
    file.keep()
    before = path.stat().st_mtime_ns
    file.keep()
    assert path.stat().st_mtime_ns == before
    file.keep()
    assert [key["kid"] for key in json.loads(path.read_bytes())["keys"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"delivery_brokers": "city.example:9094"}, "needs a Kafka cluster in DMI_BUS_URL"),
        ({"bus_url": "kafka://k:9092", "delivery_brokers": "city.example"}, "must be host:port"),
        ({"env": "production", "delivery_security": "SASL_PLAINTEXT"}, "is refused in production"),
    ],
)
def test_settings_that_would_open_topics_wrongly_are_refused(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        ExchangeSettings(**given)


@pytest.mark.parametrize("failure", [BusUnavailable("TopicDeletionDisabledError"), ValueError()], ids=repr)
def test_one_delivery_that_cannot_be_closed_keeps_open_none_of_the_others(
    room: Room, failure: Exception
) -> None:
    room.topics.failure = failure
    first, second = room.running(), room.running()
    with room.outlets.opened(first), room.outlets.opened(second):
        room.topics.broken.add(name_of(first))
        for process in (first, second):
            room.ended.add(process.agreement_id)
        room.outlets._guarded()
        assert set(room.topics.readers) == {name_of(first)}
        assert list(room.outlets._outlets) == [first.id]
        room.topics.broken.clear()
        room.outlets._look()
        assert room.topics.readers == {}
