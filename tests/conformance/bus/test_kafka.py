"""What only the Kafka adapter promises: settings of topics, and records that others wrote."""

from __future__ import annotations

import threading
import time

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from dmi_infra.bus import MAX_VALUE_BYTES, UNREADABLE_TYPE, open_bus
from dmi_infra.bus.kafka import subscription

RAW = "dmi.observations.raw.v1"
LAW = "dmi.agreements.v1"

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka_bus(kafka_server):
    bus = open_bus(f"{kafka_server.url}?partitions=3&prefix=settings.")
    bus.create_topics()
    yield bus
    bus.close()


def test_topics_have_their_partitions_and_the_law_is_compacted(kafka_bus, kafka_server):
    admin = KafkaAdminClient(bootstrap_servers=kafka_server.address)
    names = [
        f"settings.{topic}" for topic in (RAW, f"{RAW}.rejected", LAW, f"{LAW}.rejected", "dmi.decisions.v1")
    ]
    counts = {found["name"]: len(found["partitions"]) for found in admin.describe_topics(names)}
    assert [counts[name] for name in names] == [3, 3, 1, 1, 1]
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described = admin.describe_configs(resources)["topic"]
    admin.close()
    policies = [described[name]["cleanup.policy"]["value"] for name in names]
    assert policies == ["delete", "delete", "compact", "delete", "delete"]
    assert {int(described[name]["max.message.bytes"]["value"]) > MAX_VALUE_BYTES for name in names} == {True}


def test_a_member_that_has_nothing_to_do_does_not_disturb_the_group_by_joining_anew(
    kafka_bus, monkeypatch, caplog
):
    monkeypatch.setattr(subscription, "PATIENCE_S", 8.0)
    members = [kafka_bus.subscribe("platform", [LAW], "spare") for _ in range(2)]
    stop = threading.Event()

    def follow(member):
        while not stop.is_set():
            member.poll(0.5)

    # Each in a thread of its own, as consumers are: a group settles only while all its members poll.
    threads = [threading.Thread(target=follow, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    try:
        deadline = time.monotonic() + 30
        # While the group forms, each of them may be without a partition for a moment.
        settled, shared = [], [(False, True), (True, False)]
        while sorted((bool(has), spare) for has, spare in settled) != shared and time.monotonic() < deadline:
            time.sleep(0.1)
            settled = [(member.assigned(), member.spare()) for member in members]
        assert sorted((bool(has), spare) for has, spare in settled) == shared
        caplog.clear()
        time.sleep(12)
        assert [(member.assigned(), member.spare()) for member in members] == settled
        assert caplog.records == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_record_without_cloud_event_headers_is_handed_on_as_unreadable(kafka_bus, kafka_server):
    producer = KafkaProducer(bootstrap_servers=kafka_server.address)
    producer.send(f"settings.{RAW}", b"from elsewhere", key=b"k").get(10)
    producer.close()
    found = kafka_bus.replay("platform", [RAW]).poll(10.0)[-1]
    assert found.message.value == b"from elsewhere"
    assert found.message.envelope.type == UNREADABLE_TYPE
    assert found.message.envelope.id == f"{RAW}-{found.partition}-{found.offset}"
