"""Reading Kafka, alone (replay) or as a member of a group."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus.errors import BusClosed, BusUnavailable
from dmi_infra.bus.kafka.client import CONNECT_MS, REQUEST_MS, check_reachable, short
from dmi_infra.bus.kafka.group import left_without
from dmi_infra.bus.lost import warn_of_loss
from dmi_infra.bus.outage import Outage
from dmi_infra.bus.port import UNREADABLE_TYPE, Message, OnAssign, Partition, Received

FETCH_BYTES: Final = 32 * 1024 * 1024
SLICE_S: Final = 0.2
"""A poll is cut into slices: between them new partitions get their positions in the caller's thread."""
LEAVE_MS: Final = 1_000
"""How long closing tries to tell the group; a service stops within 5 s, also when the cluster is away."""
ASK_S: Final = 3.0
"""A member of a group without a partition asks the cluster every so often whether one is left for it."""
PATIENCE_S: Final = 15.0
"""A member that lacks a partition for this long joins anew; each time it waits twice as long."""
LONGEST_PATIENCE_S: Final = 300.0
EMPTY_WAIT_S: Final = 0.02
"""The client may return at once with nothing, before it has joined; without a wait that would be a busy loop."""
MAX_HANDLING_MS: Final = 15 * 60_000
"""How long a handler may take between polls before its partitions go to another member."""

Describe = Callable[[str], Mapping[str, Any]]
"""What the cluster says of a group, by its name there."""

_LOG = logging.getLogger(__name__)


class _Record(Protocol):
    """What is read of the client's records."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the client has no types
    """Holds new partitions back until ``KafkaSubscription.poll`` has set their positions."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self.fresh: set[TopicPartition] = set()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.fresh -= set(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        # Runs on the client's own thread, so it must not ask the caller's store; a pause costs nothing.
        partitions = set(assigned)
        self._consumer.pause(*partitions)
        self.fresh |= partitions


class KafkaSubscription:
    """See ``port.Subscription``; ``group=None`` reads all partitions without a group."""

    def __init__(
        self,
        brokers: Sequence[str],
        prefix: str,
        service: str,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assign: OnAssign | None,
        describe: Describe,
    ) -> None:
        self._describe = describe
        self._brokers = list(brokers)
        self._prefix = prefix
        self._service = service
        self._topics = [prefix + topic for topic in topics]
        self._group = prefix + group if group is not None else None
        self._from_start = from_start
        self._on_assign = on_assign
        self._consumer: KafkaConsumer | None = None
        self._listener: _Listener | None = None
        self._sought: dict[Partition, int] = {}
        self._lag: dict[Partition, int] = {}
        self._moved = False
        self._patience = PATIENCE_S
        self._idle_since: float | None = None
        self._asked_at = 0.0
        self._spare = False
        self._using = threading.Lock()
        self._closed = threading.Event()
        self._outage = Outage(f"subscription of {service}")

    def poll(self, timeout: float, max_messages: int = 500) -> list[Received]:
        """See ``port.Subscription.poll``."""
        if self._closed.is_set():
            raise BusClosed("the subscription is closed")
        deadline = time.monotonic() + timeout
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            try:
                batch = self._slice(min(remaining, SLICE_S), max_messages)
            except (KafkaError, OSError) as error:
                batch = []
                self._outage.away(short(error))
                self._closed.wait(min(remaining, SLICE_S))
            if batch or time.monotonic() >= deadline or self._closed.is_set():
                return batch

    def _slice(self, seconds: float, max_messages: int) -> list[Received]:
        with self._using:
            if self._closed.is_set():
                return []
            consumer = self._connected()
            begun = time.monotonic()
            found = consumer.poll(timeout_ms=int(seconds * 1000), max_records=max_messages)
            if not found and time.monotonic() - begun < min(seconds, EMPTY_WAIT_S):
                self._closed.wait(min(seconds, EMPTY_WAIT_S))
            batch = [self._received(record) for records in found.values() for record in records]
            self._moved = self._moved or bool(batch)
            self._place(consumer)
            self._measure(consumer)
            self._look_idle(consumer)
        if self._lag:
            self._outage.back()
        return batch

    def _look_idle(self, consumer: KafkaConsumer) -> None:
        """Tell a member for which no partition is left from one that lacks one; the latter joins anew in the end."""
        now = time.monotonic()
        if self._group is None or consumer.assignment():
            self._idle_since, self._spare, self._patience = None, False, PATIENCE_S
            return
        if self._idle_since is None:
            self._idle_since = self._asked_at = now
        if now - self._asked_at >= ASK_S:
            self._asked_at = now
            self._spare = self._left_without(consumer, self._group)
            if self._spare:
                self._idle_since = now
        if now - self._idle_since > self._patience:
            self._join_anew(consumer)

    def _left_without(self, consumer: KafkaConsumer, group: str) -> bool:
        wanted = {
            TopicPartition(topic, number)
            for topic in self._topics
            for number in consumer.partitions_for_topic(topic) or ()
        }
        return left_without(self._describe(group), consumer.group_metadata().member_id, wanted)

    def _join_anew(self, consumer: KafkaConsumer) -> None:
        """Replace a member that the group has forgotten; seen once, at the first start of a whole stack."""
        _LOG.warning("%s has had no partition for %.0f s; it joins anew", self._service, self._patience)
        self._idle_since, self._patience = None, min(2 * self._patience, LONGEST_PATIENCE_S)
        self._consumer, self._listener = None, None
        consumer.close(autocommit=False, timeout_ms=LEAVE_MS)

    def _connected(self) -> KafkaConsumer:
        if self._consumer is not None:
            return self._consumer
        check_reachable(self._brokers)
        consumer = KafkaConsumer(
            bootstrap_servers=self._brokers,
            client_id=self._service,
            group_id=self._group,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest" if self._from_start else "latest",
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_BYTES // 4,
            bootstrap_timeout_ms=CONNECT_MS,
            request_timeout_ms=REQUEST_MS,
            reconnect_backoff_max_ms=1_000,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=MAX_HANDLING_MS,
            metadata_max_age_ms=30_000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        try:
            listener = _Listener(consumer)
            if self._group is not None:
                consumer.subscribe(self._topics, listener=listener)
            else:
                self._take_all(consumer, listener)
        except BaseException:
            # Half a consumer would keep its connections and its thread.
            consumer.close(autocommit=False, timeout_ms=LEAVE_MS)
            raise
        self._consumer, self._listener = consumer, listener
        return consumer

    def _take_all(self, consumer: KafkaConsumer, listener: _Listener) -> None:
        partitions: list[TopicPartition] = []
        for topic in self._topics:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise KafkaError(f"topic {topic!r} does not exist yet")
            partitions += [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        listener.on_partitions_assigned(partitions)

    def _place(self, consumer: KafkaConsumer) -> None:
        """Give new partitions their positions; between two batches the caller's store is up to date."""
        listener = self._listener
        if listener is None or not listener.fresh:
            return
        assigned = consumer.assignment()
        # A copy, since the client's thread may add to the set at any moment.
        fresh = {partition for partition in listener.fresh.copy() if partition in assigned}
        starts = self._starts(consumer, fresh)
        ends = consumer.end_offsets(list(starts), timeout_ms=REQUEST_MS) if starts else {}
        # Asking took a while: what went to another member meanwhile is no longer ours to place.
        fresh &= listener.fresh.copy() & consumer.assignment()
        lost: dict[Partition, int] = {}
        for partition in fresh:
            start = starts.get(partition)
            if start is not None and start > ends[partition]:
                # The log that this position is of was lost.
                lost[self._name(partition)] = start
                consumer.seek_to_beginning(partition)
            elif start is not None:
                consumer.seek(partition, start)
            self._sought.pop(self._name(partition), None)
        listener.fresh -= fresh
        if fresh:
            consumer.resume(*fresh)
        if lost:
            warn_of_loss(_LOG, lost)

    def _starts(self, consumer: KafkaConsumer, fresh: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where to read on, as the caller sought, its store says or the group has committed; else not in it."""
        names = {partition: self._name(partition) for partition in fresh}
        asked = (self._on_assign(frozenset(names.values())) if self._on_assign else None) or {}
        found: dict[TopicPartition, int] = {}
        for partition, name in names.items():
            start = self._sought.get(name, asked.get(name))
            if start is None and self._group is not None:
                start = consumer.committed(partition, timeout_ms=REQUEST_MS)
            if start is not None:
                found[partition] = start
        return found

    def _measure(self, consumer: KafkaConsumer) -> None:
        lag: dict[Partition, int] = {}
        for partition in consumer.assignment():
            end = consumer.highwater(partition)
            position = consumer.position(partition, timeout_ms=0) if end is not None else None
            # Not told yet: count one, so that nobody takes "unknown" for "everything polled".
            known = end is not None and position is not None
            lag[self._name(partition)] = max(0, end - position) if known else 1
        self._lag = lag

    def _name(self, partition: TopicPartition) -> Partition:
        return partition.topic.removeprefix(self._prefix), partition.partition

    def _received(self, record: _Record) -> Received:
        topic = record.topic.removeprefix(self._prefix)
        try:
            envelope = Envelope.from_headers({name: value or b"" for name, value in record.headers})
        except ValueError:
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.timestamp / 1000))
            id_ = f"{topic}-{record.partition}-{record.offset}"
            envelope = Envelope(id=id_, source="urn:dmi:unknown", type=UNREADABLE_TYPE, time=at)
        key = (record.key or b"").decode(errors="replace")
        return Received(topic, record.partition, record.offset, Message(key, record.value or b"", envelope))

    def commit(self) -> None:
        """See ``port.Subscription.commit``."""
        if self._closed.is_set():
            raise BusClosed("the subscription is closed")
        with self._using:
            if self._group is None or self._consumer is None or not self._moved:
                return
            try:
                self._consumer.commit(timeout_ms=REQUEST_MS)
            except (CommitFailedError, RebalanceInProgressError) as error:
                # The partitions went to another member, which reads from the older position: at least once.
                _LOG.info("subscription of %s: positions not committed: %s", self._service, short(error))
            except (KafkaError, OSError) as error:
                raise BusUnavailable(f"Kafka could not store the positions: {short(error)}") from error
            self._moved = False

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """See ``port.Subscription.seek``."""
        with self._using:
            self._sought |= positions
            consumer, listener = self._consumer, self._listener
            if consumer is None or listener is None:
                return
            named = {TopicPartition(self._prefix + topic, number) for topic, number in positions}
            held = named & consumer.assignment()
            if held:
                # Placed at the next poll, as partitions just assigned are.
                consumer.pause(*held)
                listener.fresh |= held
                self._moved = True

    def assigned(self) -> frozenset[Partition]:
        """See ``port.Subscription.assigned``."""
        return frozenset(self._lag)

    def spare(self) -> bool:
        """See ``port.Subscription.spare``."""
        return self._spare

    def lag(self) -> dict[Partition, int]:
        """See ``port.Subscription.lag``."""
        return dict(self._lag)

    def close(self) -> None:
        """See ``port.Subscription.close``."""
        self._closed.set()
        with self._using:
            if self._consumer is not None:
                self._consumer.close(autocommit=False, timeout_ms=LEAVE_MS)
                self._consumer = None
