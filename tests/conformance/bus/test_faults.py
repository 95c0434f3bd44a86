"""What is kept when a publisher, a consumer or the server itself is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from dmi_infra.bus import BusUnavailable, open_bus

RAW = "dmi.observations.raw.v1"
PUBLISHER = Path(__file__).with_name("acknowledging_publisher.py")


def read_everything(bus):
    """Every message of the raw topic: the ids per key, in order."""
    per_key = defaultdict(list)
    replay = bus.replay("platform", [RAW])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = replay.poll(0.5)
        for one in found:
            per_key[one.message.key].append(int(one.message.envelope.id.split("-")[1]))
        if not found and replay.assigned() and not any(replay.lag().values()):
            return per_key
    raise AssertionError("the topic has no end")


@pytest.mark.parametrize("after", [0.3, 0.5, 0.9])
def test_a_killed_publisher_leaves_every_acknowledged_message_once_and_in_order(bus, bus_url, after):
    process = subprocess.Popen([sys.executable, PUBLISHER, bus_url], stdout=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    time.sleep(after)
    process.kill()
    lines = [first, *process.communicate()[0].splitlines(keepends=True)]
    acknowledged = defaultdict(list)
    for line in lines:
        if line.endswith("\n"):
            acknowledged[line.split()[0]].append(int(line.split()[1]))
    assert sum(map(len, acknowledged.values())) > 10
    stored = read_everything(bus)
    for key, numbers in acknowledged.items():
        assert stored[key] == list(range(len(stored[key])))
        assert numbers == stored[key][: len(numbers)]


@pytest.mark.kafka
def test_kafka_killed_and_restarted_while_publishing_keeps_what_was_acknowledged(own_kafka, message):
    server = own_kafka()
    bus = open_bus(f"{server.url}?partitions=2")
    bus.create_topics()
    publisher = bus.publisher("ingest")
    acknowledged, refused = [], 0
    killed_at = None
    number = 0
    until = time.monotonic() + 60
    while time.monotonic() < until and (killed_at is None or len(acknowledged) < killed_at + 50):
        if len(acknowledged) == 50 and killed_at is None:
            server.kill()
            killed_at = 50
        started = time.monotonic()
        try:
            publisher.publish(RAW, [message("k", b"%d" % number)], timeout=2.0)
            acknowledged.append(number)
        except BusUnavailable:
            assert time.monotonic() - started < 3.0
            refused += 1
            if not server.running:
                server.restart()
        number += 1
    assert refused >= 1
    assert len(acknowledged) >= 100
    replay = bus.replay("platform", [RAW])
    stored = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not set(acknowledged) <= set(stored):
        stored += [int(one.message.value) for one in replay.poll(0.5)]
    bus.close()
    kept = [value for value in stored if value in set(acknowledged)]
    assert kept == acknowledged


@pytest.mark.kafka
def test_a_reader_and_a_publisher_survive_that_kafka_is_away(own_kafka, message):
    server = own_kafka()
    bus = open_bus(f"{server.url}?partitions=2")
    bus.create_topics()
    subscription = bus.subscribe("platform", [RAW], "g")
    publisher = bus.publisher("ingest")
    publisher.publish(RAW, [message("k", b"before")])
    values = []
    while not values:
        values += [one.message.value for one in subscription.poll(0.5)]
    server.kill()
    started = time.monotonic()
    assert subscription.poll(1.0) == []
    assert time.monotonic() - started < 5
    with pytest.raises(BusUnavailable):
        publisher.publish(RAW, [message("k", b"lost")], timeout=1.5)
    assert not bus.ready()
    server.restart()
    deadline = time.monotonic() + 30
    while b"after" not in values and time.monotonic() < deadline:
        try:
            publisher.publish(RAW, [message("k", b"after")], timeout=2.0)
        except BusUnavailable:
            continue
        values += [one.message.value for one in subscription.poll(1.0)]
    assert b"after" in values
    assert bus.ready()
    subscription.commit()
    bus.close()


@pytest.mark.kafka
def test_a_service_starts_while_kafka_is_away_and_goes_on_when_it_comes(own_kafka, message, read):
    server = own_kafka()
    bus = open_bus(f"{server.url}?partitions=2")
    server.stop()
    replay = bus.replay("platform", [RAW])
    assert replay.poll(0.3) == []
    assert replay.assigned() == frozenset()
    assert not bus.ready()
    with pytest.raises(BusUnavailable):
        bus.create_topics()
    with pytest.raises(BusUnavailable):
        bus.publisher("ingest").publish(RAW, [message("k", b"x")], timeout=1.0)
    server.start()
    bus.create_topics()
    bus.publisher("ingest").publish(RAW, [message("k", b"x")])
    assert b"x" in [one.message.value for one in replay.poll(10.0)]
    bus.close()


@pytest.mark.kafka
def test_closing_while_kafka_is_away_takes_less_than_five_seconds(own_kafka, message):
    server = own_kafka()
    bus = open_bus(f"{server.url}?partitions=2")
    bus.create_topics()
    bus.publisher("ingest").publish(RAW, [message("k", b"x")])
    subscriptions = [bus.subscribe("platform", [RAW], f"g{n}") for n in range(4)]
    for subscription in subscriptions:
        while not subscription.assigned():
            subscription.poll(0.5)
    server.kill()
    with pytest.raises(BusUnavailable):
        bus.publisher("ingest").publish(RAW, [message("k", b"x")], timeout=0.5)
    started = time.monotonic()
    bus.close()
    assert time.monotonic() - started < 5
