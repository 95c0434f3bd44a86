"""Tells the exchange what the gates of a service decided, in batches and without holding up the data."""

from __future__ import annotations

import random
import threading
import uuid
from collections import deque
from pathlib import Path

import structlog
from msgspec.structs import replace

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.record import DecisionRecord, Quality, RecordBatch
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.crossings import BY_NAME
from dmi_infra import clock
from dmi_infra.bus.errors import MessageTooLarge
from dmi_infra.bus.port import Message, Publisher
from dmi_infra.errors import Unavailable
from dmi_infra.spool import Record, Spool

log = structlog.get_logger("recorder")

FLUSH_SECONDS = 0.2
BATCH = 500
CAPACITY = 50_000
RECORD_TOPIC = BY_NAME["record"].topic or ""


class RecorderFull(Unavailable):
    """Decisions can no longer be recorded; what cannot be recorded is not allowed."""


class Recorder:
    """A bounded queue of records that a thread publishes; a full queue refuses new decisions.

    What waits in it also lies in ``folder``: the next process publishes what a killed one had not, and the exchange
    drops what it has already.
    """

    def __init__(self, service: str, publisher: Publisher, folder: Path) -> None:
        self._service = service
        self._publisher = publisher
        self._spool = Spool(folder)
        self._queue: deque[Record] = deque()
        self._keeping = threading.Lock()
        self._leaving = 0
        """How many records of the queue are in files of the spool that are closed: the next to be published."""
        self._batch = BATCH
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"recorder-{service}", daemon=True)

    def start(self) -> None:
        """Begin to publish, first what an earlier process left."""
        with self._keeping:
            self._queue.extendleft(reversed(list(self._spool.left())))
        self._thread.start()

    def put(self, record: Record) -> None:
        """Keep and queue one record; raises ``RecorderFull`` when the bus has not taken any for long.

        Raises ``SpoolFault`` when the disk takes none.
        """
        with self._keeping:
            if len(self._queue) >= CAPACITY:
                raise RecorderFull("decisions cannot be recorded at the moment, so nothing is let through")
            self._spool.write(record)
            self._queue.append(record)

    def stop(self) -> None:
        """Publish what is queued, then stop."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._wanted.wait(FLUSH_SECONDS)
            try:
                while self._queue:
                    self._publish()
            except Unavailable as exc:
                self._waits(str(exc))
            except (
                Exception
            ) as exc:  # the thread must live: what it cannot publish fills the queue, which refuses
                log.error("records cannot be published", service=self._service, exc_info=exc)
                self._waits(type(exc).__name__)
            if self._stopping:
                if self._queue:
                    log.warning(
                        "records wait for the next start", service=self._service, count=len(self._queue)
                    )
                return

    def _waits(self, reason: str) -> None:
        log.warning("records wait", service=self._service, waiting=len(self._queue), reason=reason)
        self._wanted.wait(1.0)

    def _publish(self) -> None:
        """Publish what is queued now, and only then forget it on disk."""
        with self._keeping:
            # Of a turn that the bus broke off the rest goes first.
            if not self._leaving:
                self._spool.turn()
                self._leaving = len(self._queue)
        while self._leaving:
            self._flush()
        self._spool.drop()

    def _flush(self) -> None:
        taken = [self._queue[index] for index in range(min(self._batch, self._leaving))]
        batch = RecordBatch(
            service=self._service,
            decisions=[r for r in taken if isinstance(r, DecisionRecord)],
            lineage=[r for r in taken if isinstance(r, Lineage)],
            quality=[r for r in taken if isinstance(r, Quality)],
        )
        envelope = Envelope(
            id=str(uuid.uuid4()),
            source=f"urn:dmi:service:{self._service}",
            type="nl.dmi.decisions.recorded.v1",
            time=clock.to_text(clock.now()),
        )
        try:
            self._publisher.publish(RECORD_TOPIC, [Message(self._service, encode(batch), envelope)])
        except MessageTooLarge:
            # Records that name many data subjects: fewer of them at once.
            if len(taken) > 1:
                self._batch = max(1, len(taken) // 2)
            else:
                self._queue[0] = self._bare(taken[0])
            return
        self._batch = BATCH
        for _ in taken:
            self._queue.popleft()
        self._leaving -= len(taken)

    def _bare(self, record: Record) -> Record:
        """A record that the bus can carry, in place of one that would keep all behind it; ``MessageTooLarge`` if none.

        That something was decided is told in any case; the gate lets no use count that much (``COUNTED_OF_A_USE``).
        """
        if not isinstance(record, DecisionRecord) or not (record.counted or record.subjects):
            raise MessageTooLarge(
                "a record is too large for the bus, and there is nothing in it to leave out"
            )
        log.error("a record is told without what it counts", service=self._service, record=record.id)
        return replace(record, counted=[], subjects=[])


def new_id() -> str:
    """The id of a record: a random UUID that need not be secret.

    The system's generator would cost a call that gives up the interpreter's lock.
    """
    return str(uuid.UUID(int=random.getrandbits(128), version=4))
