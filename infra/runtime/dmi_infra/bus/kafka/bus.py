"""The open bus of one process on a Kafka cluster.

Nothing connects before it is used, so that a service starts while the cluster is away.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.errors import Cancelled, KafkaError, TopicAlreadyExistsError, for_code
from kafka.record.util import crc32c_c

from dmi_infra.bus.errors import BusAddressError, BusClosed, BusError, BusUnavailable
from dmi_infra.bus.kafka.client import RECORD_BYTES, REQUEST_MS, connect_admin, short
from dmi_infra.bus.kafka.deliveries import KafkaDeliveries
from dmi_infra.bus.kafka.subscription import KafkaSubscription
from dmi_infra.bus.kafka.writer import KafkaWriter
from dmi_infra.bus.opened import OpenedBus
from dmi_infra.bus.options import whole_numbers
from dmi_infra.bus.port import OnAssign
from dmi_infra.bus.submission import Submission
from dmi_infra.bus.topics import all_topics, is_compacted, is_spread

DEFAULTS: Final = {"partitions": 8, "replicas": 1, "retain_days": 7}


def open_kafka(brokers: str, options: Mapping[str, str]) -> KafkaBus:
    """The bus on the cluster of ``brokers`` (``host:port[,host:port]``); see ``dmi_infra.bus.open_bus``."""
    addresses = brokers.split(",")
    if not all(re.fullmatch(r"[^\s:,]+:\d{1,5}", address) for address in addresses):
        raise BusAddressError(f"bus address: {brokers!r} must be host:port[,host:port]")
    numbers = dict(options)
    prefix = numbers.pop("prefix", "")
    if not re.fullmatch(r"[a-z0-9.-]*", prefix):
        raise BusAddressError(f"bus address: prefix={prefix!r} may hold a-z, 0-9, dot and hyphen")
    # Its pure-Python stand-in would hold large batches to a tenth of the speed without saying so.
    if crc32c_c is None:
        raise BusError("Kafka needs the Python package crc32c; install it next to kafka-python")
    # The client reports each lost connection several times; we say once that the bus is away.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    return KafkaBus(addresses, prefix, whole_numbers(numbers, DEFAULTS))


class KafkaBus(OpenedBus[KafkaSubscription]):
    """See ``port.Bus``."""

    def __init__(self, brokers: Sequence[str], prefix: str, numbers: Mapping[str, int]) -> None:
        super().__init__()
        self._brokers = list(brokers)
        self._prefix = prefix
        self._numbers = dict(numbers)
        self._writer = KafkaWriter(brokers, prefix)
        self._asking = threading.Lock()
        self._admin: KafkaAdminClient | None = None
        self._deliveries: KafkaDeliveries | None = None

    def deliveries(self) -> KafkaDeliveries:
        """See ``port.Bus.deliveries``."""
        with self._state:
            self._check_open()
            if self._deliveries is None:
                self._deliveries = KafkaDeliveries(
                    self._brokers, self._prefix, self._numbers["replicas"], self._numbers["retain_days"]
                )
            return self._deliveries

    def _submit(self) -> Callable[[Submission], None]:
        return self._writer.submit

    def _subscription(
        self,
        service: str,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assign: OnAssign | None,
    ) -> KafkaSubscription:
        return KafkaSubscription(
            self._brokers, self._prefix, service, topics, group, from_start, on_assign, self._describe
        )

    def _describe(self, group: str) -> Mapping[str, Any]:
        with self._asking:
            self._check_open()
            found: dict[str, Any] = self._connected().describe_groups([group])[group]
        return found

    def ready(self) -> bool:
        """See ``port.Bus.ready``."""
        try:
            with self._asking:
                self._check_open()
                self._ask_cluster()
        except (KafkaError, OSError, BusClosed):
            return False
        return not self._writer.outage.lasts

    def _ask_cluster(self) -> None:
        try:
            self._connected().describe_cluster()
        except Cancelled:
            # Client and broker close connections that rest for minutes; what is asked at that very moment is
            # cancelled, which says nothing of the cluster.
            self._connected().describe_cluster()

    def create_topics(self) -> None:
        """See ``port.Bus.create_topics``."""
        wanted = {self._prefix + topic: self._settings(topic) for topic in all_topics()}
        try:
            with self._asking:
                self._check_open()
                admin = self._connected()
                answer = admin.create_topics(wanted, timeout_ms=REQUEST_MS, raise_errors=False)
                for topic in answer["topics"]:
                    error = for_code(topic["error_code"])
                    if topic["error_code"] and error is not TopicAlreadyExistsError:
                        raise error(f"topic {topic['name']}")
                admin.wait_for_topics(list(wanted))
        except (KafkaError, OSError) as error:
            raise BusUnavailable(f"Kafka could not make the topics: {short(error)}") from error

    def _settings(self, topic: str) -> dict[str, object]:
        replicas = self._numbers["replicas"]
        keep = (
            # The active segment is never compacted: without a term a quiet topic would keep everything.
            {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": str(86_400_000)}
            if is_compacted(topic)
            else {"cleanup.policy": "delete", "retention.ms": str(self._numbers["retain_days"] * 86_400_000)}
        )
        return {
            "num_partitions": self._numbers["partitions"] if is_spread(topic) else 1,
            "replication_factor": replicas,
            # With three replicas one may be away and a message still stands on two.
            "configs": {
                "max.message.bytes": str(RECORD_BYTES),
                "min.insync.replicas": str(max(1, replicas - 1)),
            }
            | keep,
        }

    def _connected(self) -> KafkaAdminClient:
        if self._admin is None:
            self._admin = connect_admin(self._brokers)
        return self._admin

    def close(self) -> None:
        """See ``port.Bus.close``."""
        if not self._begin_closing():
            return
        for publisher in self._publishers:
            publisher.close()
        self._writer.close()
        if self._deliveries is not None:
            self._deliveries.close()
        if self._subscriptions:
            # Side by side: each may wait for a cluster that is away.
            with ThreadPoolExecutor(len(self._subscriptions)) as pool:
                list(pool.map(KafkaSubscription.close, self._subscriptions))
        with self._asking:
            if self._admin is not None:
                self._admin.close()
