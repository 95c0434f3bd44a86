"""A transfer by a topic of its reader on a real broker: for its assignee alone, suspended, stopped, accounted for."""

from __future__ import annotations

import gc
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError
from kafka.net.sasl.oauth import AbstractTokenProvider

from dmi_infra import clock, jose
from dmi_infra.jose import SigningKey
from tests.integration.newcomer import Newcomer, agree, join, publish
from tests.stack_plugin import ROOT, EmbeddedStack, ServerStack

STREAM = "giver.one.occupancy"
PLACE = {"type": "Point", "coordinates": [5.1, 52.1]}
FEATURES = [
    {"id": "giver.one", "kind": "thing", "name": "One", "geometry": PLACE},
    {
        "id": STREAM, "kind": "datastream", "name": "One",
        "properties": {"thing": "giver.one", "observed_property": "occupancy", "unit": "{vehicle}"},
    },
]  # fmt: skip


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reader", ROOT / "infra" / "deploy" / "kafka" / "reader.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reader = _example()


class Fixed(AbstractTokenProvider):
    """One token, whatever becomes of it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token


class Giver:
    """A city with a sensor, and two vendors that have an agreement each about it."""

    def __init__(self, stack: ServerStack) -> None:
        self.stack = stack
        self.city = join(stack, "giver", ["dmi:role:municipality", "dmi:role:provider"])
        self.vendor = join(stack, "topicreader", ["dmi:role:vendor"])
        self.other = join(stack, "nosy", ["dmi:role:vendor"])
        self.dataset = publish(stack, self.city, "topic")
        features = {"dataset": self.dataset, "features": FEATURES}
        assert self.city.ask("POST", "/ingest/v1/features", json=features).status_code == 201
        self.measured: list[int] = []
        self._exchanges = {
            one.id: reader.Exchange(stack.url, one.id, one.key) for one in (self.vendor, self.other)
        }

    def close(self) -> None:
        for exchange in self._exchanges.values():
            exchange.close()

    def measure(self, *values: int) -> None:
        for value in values:
            row = {"datastream": [STREAM], "phenomenon_time": [clock.now()], "result": [value]}
            body = {"dataset": self.dataset, **row}
            assert self.city.ask("POST", "/ingest/v1/batches", json=body).status_code in (200, 201, 202)
        self.measured += values

    def agreed(self, one: Newcomer) -> str:
        agreement = agree(self.stack, self.city, one.id, self.dataset, ["dmi:read"])
        document = one.ask("GET", f"/exchange/v1/agreements/{agreement}").json()["document"]
        body = {"jws": one.key.sign_document(document)}
        signed = one.ask("POST", f"/exchange/v1/agreements/{agreement}/signature", json=body)
        assert signed.status_code == 200, signed.text
        return agreement

    def transfer(self, one: Newcomer, agreement: str) -> str:
        """A running transfer; its id on the side of its reader."""
        body = {"provider": self.city.id, "agreement": agreement, "format": "Kafka-PULL", "own": True}
        made = one.ask("POST", "/exchange/v1/transfers", json=body)
        assert made.status_code == 201, made.text
        mine = str(made.json()["id"])
        soon(lambda: self.shown(one, mine)["state"] == "STARTED")
        return mine

    def shown(self, one: Newcomer, transfer: str) -> dict[str, Any]:
        found: dict[str, Any] = one.ask("GET", f"/exchange/v1/transfers/{transfer}").json()
        return found

    def theirs(self, agreement: str) -> dict[str, Any]:
        """The transfer of an agreement as the city has it."""
        items = self.city.ask("GET", "/exchange/v1/transfers").json()["items"]
        found: dict[str, Any] = next(item for item in items if item["agreement"] == agreement)
        return found

    def token(self, one: Newcomer, transfer: str) -> httpx.Response:
        return one.ask("POST", f"/exchange/v1/transfers/{transfer}/token")

    def consumer(self, one: Newcomer, transfer: str) -> KafkaConsumer:
        """The example's consumer, once it may read: the topic is opened a moment after the transfer has started."""
        exchange = self._exchanges[one.id]

        def may_read() -> bool:
            tried = reader.consumer(exchange, transfer)
            try:
                tried.poll(timeout_ms=200)
            except reader.REFUSED:
                return False
            finally:
                tried.close()
            return True

        soon(may_read)
        return reader.consumer(exchange, transfer)

    def foreign(self, transfer: str, token: str, **change: Any) -> KafkaConsumer:
        """A consumer of the topic of a transfer with whatever token."""
        told = self.shown(self.vendor, transfer)["data_address"]
        found = {item["name"]: item["value"] for item in told["endpointProperties"]}
        options = {
            "security_protocol": found["security.protocol"],
            "sasl_mechanism": found["sasl.mechanism"],
            "sasl_oauth_token_provider": Fixed(token),
            "bootstrap_timeout_ms": 1500,
            **change,
        }
        consumer = KafkaConsumer(bootstrap_servers=told["endpoint"], group_id=None, **options)
        # Without a group the broker judges the right to the topic alone.
        consumer.assign([TopicPartition(found["topic"], 0)])
        return consumer


def soon(holds: Callable[[], bool], seconds: float = 15.0) -> float:
    """Wait until it holds; how long that took in seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(0.02)
    return time.monotonic() - begun


def values(consumer: KafkaConsumer, number: int, seconds: float = 15.0) -> list[int]:
    """The results of the next rows, at least ``number`` of them unless that takes too long."""
    found: list[int] = []
    until = time.monotonic() + seconds
    while len(found) < number and time.monotonic() < until:
        for records in consumer.poll(timeout_ms=100).values():
            for record in records:
                found += [
                    int(value) for value in (json.loads(record.value)["observations"] or {}).get("result", ())
                ]
    if consumer.config["group_id"] is not None:
        consumer.commit()
    return found


@pytest.fixture(scope="module")
def giver(server_stack: ServerStack) -> Iterator[Giver]:
    made = Giver(server_stack)
    yield made
    made.close()


pytestmark = [
    pytest.mark.kafka,
    # A connection that the broker shut leaves its socket to the collector.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What the client leaves behind is collected here, where the filter above knows it."""
    yield
    gc.collect()


def test_the_assignee_reads_what_was_measured_and_nobody_else_gets_in(giver: Giver) -> None:
    giver.measure(1, 2, 3)
    mine = giver.transfer(giver.vendor, giver.agreed(giver.vendor))
    consumer = giver.consumer(giver.vendor, mine)
    assert values(consumer, 3) == giver.measured
    giver.measure(4)
    assert values(consumer, 1) == [4]
    consumer.close()

    # Another participant, with a token of its own: known to the broker, and not let in.
    assert giver.token(giver.other, mine).status_code == 404
    others = giver.transfer(giver.other, giver.agreed(giver.other))
    theirs = giver.token(giver.other, others).json()["access_token"]
    assert _whole(giver.foreign(mine, theirs)) == []
    assert (
        _whole(giver.foreign(mine, giver.token(giver.vendor, mine).json()["access_token"])) == giver.measured
    )


def test_whoever_has_no_token_of_a_transfer_does_not_even_come_in(
    giver: Giver,
) -> None:
    mine = giver.transfer(giver.vendor, giver.agreed(giver.vendor))
    right = giver.token(giver.vendor, mine).json()["access_token"]
    claims = jose.read_unverified(right, jose.HEADER)[1]
    forged = SigningKey.generate().sign_token(claims, "data+jwt")
    for token in (forged, giver.vendor.token, "none"):
        with pytest.raises(KafkaTimeoutError):
            giver.foreign(mine, token)
    with pytest.raises(KafkaTimeoutError):
        giver.foreign(mine, "", security_protocol="PLAINTEXT", sasl_mechanism=None)
    assert _whole(giver.foreign(mine, right)) == giver.measured


def _read_again(consumer: KafkaConsumer, seconds: float) -> None:
    """Read everything again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        consumer.seek_to_beginning()
        consumer.poll(timeout_ms=50)


def _whole(consumer: KafkaConsumer) -> list[int]:
    """What it reads of the topic; nothing when the broker does not let it."""
    try:
        consumer.seek_to_beginning()
        return values(consumer, 1, 2.0)
    except TopicAuthorizationFailedError:
        return []
    finally:
        consumer.close()


def test_suspended_nothing_can_be_read_and_resumed_nothing_is_lost_or_repeated(giver: Giver) -> None:
    agreement = giver.agreed(giver.vendor)
    mine = giver.transfer(giver.vendor, agreement)
    consumer = giver.consumer(giver.vendor, mine)
    before = values(consumer, len(giver.measured))
    theirs = giver.theirs(agreement)["id"]
    giver.city.ask("POST", f"/exchange/v1/transfers/{theirs}/suspend", json={"reason": "onderhoud"})
    soon(lambda: giver.shown(giver.vendor, mine)["state"] == "SUSPENDED")
    assert giver.token(giver.vendor, mine).status_code == 409
    with pytest.raises(reader.REFUSED):
        _read_again(consumer, 5.0)
    consumer.close()
    giver.measure(11, 12, 13)
    giver.city.ask("POST", f"/exchange/v1/transfers/{theirs}/start", json={})
    soon(lambda: giver.shown(giver.vendor, mine)["state"] == "STARTED")
    consumer = giver.consumer(giver.vendor, mine)
    giver.measure(14)
    assert before + values(consumer, 4) == giver.measured
    consumer.close()
    giver.vendor.ask("POST", f"/exchange/v1/transfers/{mine}/complete", json={})
    soon(lambda: giver.theirs(agreement)["state"] == "COMPLETED")
    soon(lambda: giver.theirs(agreement)["data"]["log"] is not None)
    data = giver.theirs(agreement)["data"]
    assert (data["sent"], data["sent_again"]) == (len(giver.measured), 0)


def test_after_revocation_nothing_can_be_read_within_a_second(giver: Giver) -> None:
    agreement = giver.agreed(giver.vendor)
    mine = giver.transfer(giver.vendor, agreement)
    topic = next(
        item["value"]
        for item in giver.shown(giver.vendor, mine)["data_address"]["endpointProperties"]
        if item["name"] == "topic"
    )
    consumer = giver.consumer(giver.vendor, mine)
    assert values(consumer, len(giver.measured)) == giver.measured
    token = giver.token(giver.vendor, mine).json()["access_token"]
    kafka = giver.stack.fleet.kafka
    assert kafka is not None
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    assert topic in admin.list_topics()

    giver.city.ask("POST", f"/exchange/v1/agreements/{agreement}/end", json={"reason": "genoeg"})
    ended = time.monotonic()
    with pytest.raises(reader.REFUSED):
        _read_again(consumer, 5.0)
    assert time.monotonic() - ended < 1.0
    assert _whole(giver.foreign(mine, token)) == []
    consumer.close()
    assert giver.token(giver.vendor, mine).status_code == 409
    soon(lambda: topic not in admin.list_topics(), 2)
    admin.close()
    soon(lambda: giver.shown(giver.vendor, mine)["state"] == "TERMINATED")
    assert "genoeg" in giver.shown(giver.vendor, mine)["reason"]
    path = f"/exchange/v1/transfers/{giver.theirs(agreement)['id']}/deliveries?limit=1000"

    def given() -> int:
        return sum(item["rows"] for item in giver.city.ask("GET", path).json()["items"])

    # Entries of the log come in batches.
    soon(lambda: given() == len(giver.measured))


def test_a_node_without_a_broker_offers_no_topics_and_says_so(
    embedded_stack: EmbeddedStack, clumsy: Newcomer
) -> None:
    reading = join(embedded_stack, "hopeful", ["dmi:role:vendor"])
    agreement = agree(embedded_stack, clumsy, reading.id, clumsy.dataset("things"), ["dmi:read"])
    document = reading.ask("GET", f"/exchange/v1/agreements/{agreement}").json()["document"]
    body = {"jws": reading.key.sign_document(document)}
    reading.ask("POST", f"/exchange/v1/agreements/{agreement}/signature", json=body)
    wanted = {"provider": clumsy.id, "agreement": agreement, "format": "Kafka-PULL"}
    answer = reading.ask("POST", "/exchange/v1/transfers", json=wanted)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "own"
    mine = reading.ask("POST", "/exchange/v1/transfers", json={**wanted, "own": True}).json()["id"]
    path = f"/exchange/v1/transfers/{mine}"
    soon(lambda: reading.ask("GET", path).json()["state"] == "TERMINATED")
    reason = reading.ask("GET", path).json()["reason"]
    assert "is not offered by this node: must be one of HttpData-PULL" in reason
