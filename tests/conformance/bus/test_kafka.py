"""What only the Kafka adapter promises: settings of topics, and records that others wrote."""

from __future__ import annotations

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from dmi_infra.bus import MAX_VALUE_BYTES, UNREADABLE_TYPE, open_bus

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


def test_a_record_without_cloud_event_headers_is_handed_on_as_unreadable(kafka_bus, kafka_server):
    producer = KafkaProducer(bootstrap_servers=kafka_server.address)
    producer.send(f"settings.{RAW}", b"from elsewhere", key=b"k").get(10)
    producer.close()
    found = kafka_bus.replay("platform", [RAW]).poll(10.0)[-1]
    assert found.message.value == b"from elsewhere"
    assert found.message.envelope.type == UNREADABLE_TYPE
    assert found.message.envelope.id == f"{RAW}-{found.partition}-{found.offset}"
