"""Topics of outside readers on Kafka: who may read one is an ACL, which the cluster itself asks at every request."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as NotInTime
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import (
    KafkaError,
    SecurityDisabledError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus.errors import BusClosed, BusError, BusTimeout, BusUnavailable, MessageTooLarge
from dmi_infra.bus.kafka.client import CONNECT_MS, REQUEST_MS, connect_admin, short
from dmi_infra.bus.kafka.writer import KafkaWriter
from dmi_infra.bus.port import Message
from dmi_infra.bus.submission import Submission

DELIVERY: Final = "dmi.delivery.v1."
LARGEST: Final = 64 * 1024 * 1024
"""A batch of observations as JSON for outsiders takes up to three times what it takes on the bus (bytes)."""
ANSWER_S: Final = 5.0
_PATTERNS: Final = (
    (ResourceType.TOPIC, ACLResourcePatternType.LITERAL),
    (ResourceType.GROUP, ACLResourcePatternType.PREFIXED),
)
"""Read the topic, and keep positions in groups whose names begin with the topic's."""


class KafkaDeliveries:
    """See ``port.Deliveries``. One partition each: whoever reads it gets everything in one order."""

    def __init__(self, brokers: Sequence[str], prefix: str, replicas: int, retain_days: int) -> None:
        self._brokers = list(brokers)
        self._prefix = prefix + DELIVERY
        self._replicas = replicas
        self._retain_ms = retain_days * 86_400_000
        # Every client can read gzip; zstd needs a library that outsiders may lack.
        self._writer = KafkaWriter(brokers, self._prefix, "gzip", LARGEST)
        self._asking = threading.Lock()
        self._admin: KafkaAdminClient | None = None
        self._closed = False

    def topic(self, name: str) -> str:
        """See ``port.Deliveries.topic``."""
        return self._prefix + name

    def allow(self, name: str, reader: str) -> None:
        """See ``port.Deliveries.allow``. Raises ``BusError`` on a cluster that asks nobody for a right."""
        topic = self.topic(name)
        with self._admin_for("opened") as admin:
            # Before the topic: on a cluster without rights it would be open to everybody.
            made = admin.create_acls([_right(kind, pattern, topic, reader) for kind, pattern in _PATTERNS])
            for error in made["failed"]:
                raise error(f"rights to {topic}")
            answer = admin.create_topics({topic: self._settings()}, timeout_ms=REQUEST_MS, raise_errors=False)
            _check(answer["topics"], TopicAlreadyExistsError)
            admin.wait_for_topics([topic])

    def forbid(self, name: str) -> None:
        """See ``port.Deliveries.forbid``."""
        with self._admin_for("closed") as admin:
            _forbid(admin, self.topic(name))

    def remove(self, name: str) -> None:
        """See ``port.Deliveries.remove``."""
        with self._admin_for("removed") as admin:
            _forbid(admin, self.topic(name))
            answer = admin.delete_topics([self.topic(name)], timeout_ms=REQUEST_MS, raise_errors=False)
            _check(answer["topics"], UnknownTopicOrPartitionError)

    def names(self) -> list[str]:
        """See ``port.Deliveries.names``."""
        with self._admin_for("listed") as admin:
            topics: list[str] = admin.list_topics()
        return [topic.removeprefix(self._prefix) for topic in topics if topic.startswith(self._prefix)]

    def last(self, name: str) -> Message | None:
        """See ``port.Deliveries.last``."""
        if name not in self.names():
            return None
        at = TopicPartition(self.topic(name), 0)
        try:
            consumer = KafkaConsumer(
                bootstrap_servers=self._brokers,
                client_id="dmi",
                group_id=None,
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                bootstrap_timeout_ms=CONNECT_MS,
                request_timeout_ms=REQUEST_MS,
                metrics_enabled=False,
            )
            try:
                return _last(consumer, at)
            finally:
                consumer.close(autocommit=False)
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"a delivery of Kafka could not be read: {short(error)}") from error

    def put(self, name: str, message: Message, timeout: float = 10.0) -> None:
        """See ``port.Deliveries.put``."""
        if len(message.value) > LARGEST - 1024 * 1024:
            raise MessageTooLarge(f"{len(message.value)} bytes: a delivery carries at most {LARGEST}")
        submission = Submission(name, [message])
        self._writer.submit(submission)
        try:
            submission.future.result(timeout)
        except NotInTime:
            submission.future.cancel()
            raise BusTimeout(f"Kafka did not acknowledge a delivery within {timeout:g} s") from None

    def close(self) -> None:
        """Write what waits, and leave; rights stay as they are."""
        self._writer.close()
        with self._asking:
            self._closed = True
            if self._admin is not None:
                self._admin.close()

    def _settings(self) -> dict[str, object]:
        return {
            "num_partitions": 1,
            "replication_factor": self._replicas,
            "configs": {
                "max.message.bytes": str(LARGEST),
                "min.insync.replicas": str(max(1, self._replicas - 1)),
                "cleanup.policy": "delete",
                "retention.ms": str(self._retain_ms),
            },
        }

    @contextmanager
    def _admin_for(self, done: str) -> Iterator[KafkaAdminClient]:
        with self._asking:
            if self._closed:
                raise BusClosed("the bus is closed")
            try:
                if self._admin is None:
                    self._admin = connect_admin(self._brokers)
                yield self._admin
            except SecurityDisabledError as error:
                raise BusError(
                    "the Kafka cluster asks nobody for a right; set authorizer.class.name on its brokers"
                ) from error
            except (KafkaError, OSError) as error:
                raise BusUnavailable(f"a delivery of Kafka could not be {done}: {short(error)}") from error


def _right(kind: ResourceType, pattern: ACLResourcePatternType, topic: str, reader: str) -> ACL:
    return ACL(
        principal=f"User:{reader}",
        host="*",
        operation=ACLOperation.READ,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(kind, topic, pattern),
    )


def _forbid(admin: KafkaAdminClient, topic: str) -> None:
    rights = [
        ACLFilter(
            principal=None,
            host=None,
            operation=ACLOperation.ANY,
            permission_type=ACLPermissionType.ANY,
            resource_pattern=ResourcePatternFilter(kind, topic, pattern),
        )
        for kind, pattern in _PATTERNS
    ]
    for _filter, _rights, error in admin.delete_acls(rights):
        if error.errno:
            raise error(f"rights to {topic}")


def _check(topics: Sequence[dict[str, Any]], expected: type[KafkaError]) -> None:
    for topic in topics:
        error = for_code(topic["error_code"])
        if topic["error_code"] and error is not expected:
            raise error(f"topic {topic['name']}")


def _last(consumer: KafkaConsumer, at: TopicPartition) -> Message | None:
    consumer.assign([at])
    end = consumer.end_offsets([at])[at]
    if end == consumer.beginning_offsets([at])[at]:
        return None
    consumer.seek(at, end - 1)
    until = time.monotonic() + ANSWER_S
    while time.monotonic() < until:
        for records in consumer.poll(timeout_ms=200).values():
            record = records[-1]
            envelope = Envelope.from_headers(dict(record.headers))
            return Message((record.key or b"").decode(), record.value, envelope)
    raise BusTimeout("Kafka did not give the last message of a delivery in time")
