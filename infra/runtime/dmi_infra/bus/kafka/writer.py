"""The one thread of a process that hands messages to the Kafka producer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from dmi_infra.bus.errors import BusClosed
from dmi_infra.bus.kafka.client import (
    CONNECT_MS,
    RECORD_BYTES,
    REQUEST_MS,
    as_bus_error,
    check_reachable,
    short,
)
from dmi_infra.bus.outage import Outage
from dmi_infra.bus.submission import Delivery, Submission, SubmissionQueue, take_group

CLOSE_S: Final = 2.0
DELIVERY_MS: Final = 9_000
"""Below the publishers' usual timeout of 10 s, so that they hear what failed, not only that it took long."""

SILENT_S: Final = DELIVERY_MS / 1000 + 1
"""A producer that answers nothing for this long, not even with a failure, hangs: seen after a broker was killed."""

_LOG = logging.getLogger(__name__)


class KafkaWriter:
    """Owns the producer and its thread; both begin with the first message."""

    def __init__(
        self,
        brokers: Sequence[str],
        prefix: str,
        compression: str = "zstd",
        largest: int = RECORD_BYTES,
    ) -> None:
        self._brokers = list(brokers)
        self._prefix = prefix
        self._compression = compression
        self._largest = largest
        self._producer: KafkaProducer | None = None
        self._broken = False
        self._silent_since: float | None = None
        self._waiting: SubmissionQueue = SubmissionQueue()
        self._closing = False
        self._submit_lock = threading.Lock()
        self.outage = Outage("publisher")
        self._thread: threading.Thread | None = None

    def submit(self, submission: Submission) -> None:
        """Queue a submission; its future is done when every record is acknowledged, or has failed."""
        with self._submit_lock:
            if self._closing:
                raise BusClosed("the bus is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bus-writer", daemon=True)
                self._thread.start()
            self._waiting.put(submission)

    def close(self) -> None:
        """Send what waits, then stop."""
        with self._submit_lock:
            self._closing = True
            self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not (self._closing and self._waiting.empty()):
            group = take_group(self._waiting, 1.0)
            if group:
                self._send_group(group)
        self._drop_producer()

    def _send_group(self, group: list[Submission]) -> None:
        try:
            producer = self._connected()
        except (KafkaError, OSError) as error:
            self.outage.away(short(error))
            for submission in group:
                submission.future.set_exception(as_bus_error(error))
            return
        for submission in group:
            self._send(producer, submission)

    def _connected(self) -> KafkaProducer:
        silent = self._silent_since is not None and time.monotonic() - self._silent_since > SILENT_S
        if self._broken or silent:
            self._drop_producer()
        if self._producer is None:
            check_reachable(self._brokers)
            self._producer = KafkaProducer(
                bootstrap_servers=self._brokers,
                client_id="dmi",
                acks="all",
                enable_idempotence=True,
                compression_type=self._compression,
                batch_size=512 * 1024,
                max_request_size=self._largest,
                max_block_ms=CONNECT_MS,
                bootstrap_timeout_ms=CONNECT_MS,
                request_timeout_ms=REQUEST_MS,
                delivery_timeout_ms=DELIVERY_MS,
                reconnect_backoff_max_ms=1_000,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            self._broken, self._silent_since = False, None
        return self._producer

    def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=CLOSE_S)
        except KafkaError:
            # While messages wait for a cluster that is away the client refuses to close; they expire by
            # themselves, and until then nobody needs to wait.
            threading.Thread(target=_close_later, args=(producer,), name="bus-leaving", daemon=True).start()

    def _send(self, producer: KafkaProducer, submission: Submission) -> None:
        delivery = Delivery(submission, as_bus_error)
        if self._silent_since is None:
            self._silent_since = time.monotonic()
        for number, message in enumerate(submission.messages):
            try:
                future = producer.send(
                    self._prefix + submission.topic,
                    message.value,
                    key=message.key.encode(),
                    headers=message.envelope.headers(),
                )
            except (KafkaError, ValueError, AssertionError) as error:
                # This record and those behind it were not sent; order allows no gap.
                for _ in submission.messages[number:]:
                    delivery.failed(error)
                self._note(error)
                return
            future.add_callback(delivery.delivered)
            future.add_errback(delivery.failed)
            future.add_errback(self._note)
            future.add_callback(self._answered)

    def _answered(self, _metadata: object) -> None:
        self._silent_since = None
        self.outage.back()

    def _note(self, error: BaseException) -> None:
        self._silent_since = None
        self.outage.away(short(error))
        # The producer says that it repairs what can be tried again; after a killed broker it did not.
        self._broken = True


def _close_later(producer: KafkaProducer) -> None:
    try:
        producer.close(timeout=2 * DELIVERY_MS / 1000)
    except KafkaError as error:
        _LOG.warning("a Kafka producer could not be closed: %s", short(error))
