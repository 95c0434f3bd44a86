"""The one thread of a process that writes messages: it takes all that wait and commits them at once."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
import zstandard

from dmi_infra.bus.embedded.file import OFFSET_BITS, connect
from dmi_infra.bus.embedded.retention import Retention
from dmi_infra.bus.embedded.topics import StoredPartition, TopicTable, partition_of
from dmi_infra.bus.errors import BusClosed, BusUnavailable
from dmi_infra.bus.outage import Outage
from dmi_infra.bus.port import Message
from dmi_infra.bus.submission import Submission, SubmissionQueue, take_group

log = structlog.get_logger("bus")

PACK_ABOVE_BYTES: Final = 1_000
PACK_LEVEL: Final = 1
"""Column batches shrink about as well on level 1 as on 3, at twice the speed."""
DUTIES_EVERY_S: Final = 60.0
REST_S: Final = 1.0

AT_ONCE: Final = 32
"""Rows that one statement takes at most."""

Row = tuple[int, str, int, int, bytes, bytes]
"""Id of the partition, key, microseconds at which it is stored, whether packed, envelope, value."""
# Appending is one statement: the view's trigger gives each row its offset. Both last as long as the connection.
_APPEND: Final = (
    "CREATE TEMP VIEW append AS SELECT 0 AS partition, key, stored_at, packed, envelope, value FROM record",
    f"""
    CREATE TEMP TRIGGER appended INSTEAD OF INSERT ON append BEGIN
      INSERT INTO record
        SELECT (id << {OFFSET_BITS:d}) + next_offset, NEW.key, compacted, NEW.stored_at, NEW.packed,
          NEW.envelope, NEW.value
        FROM partition WHERE id = NEW.partition;
      UPDATE partition SET next_offset = next_offset + 1, stored_bytes = stored_bytes + length(NEW.value)
        WHERE id = NEW.partition;
      SELECT RAISE(ABORT, 'the partition is missing') WHERE changes() = 0;
    END
    """,  # noqa: S608 - a number of our own
)
_INSERT: Final = "INSERT INTO append VALUES (?, ?, ?, ?, ?, ?)"

OnWritten = Callable[[Mapping[int, int]], None]
"""Told of each commit: the next offset of every partition that it wrote to."""


class Writer:
    """Owns the writing connection and its thread."""

    def __init__(
        self,
        path: Path,
        topics: TopicTable,
        retention: Retention,
        turn: threading.Lock,
        on_written: OnWritten,
        outage: Outage,
    ) -> None:
        self._turn = turn
        self._connection = connect(path, cache_kib=4096)
        for statement in _APPEND:
            self._connection.execute(statement)
        self._topics = topics
        self._retention = retention
        self._on_written = on_written
        self._outage = outage
        self._waiting: SubmissionQueue = SubmissionQueue()
        self._packer = zstandard.ZstdCompressor(level=PACK_LEVEL)
        self._encode = msgspec.json.Encoder().encode
        self._closing = False
        self._submit_lock = threading.Lock()
        self._duties_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="bus-writer", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> None:
        """Queue a submission; its future is done when it is durable or has failed."""
        with self._submit_lock:  # so that nothing is queued behind the last group of a closing writer
            if self._closing:
                raise BusClosed("the bus is closed")
            self._waiting.put(submission)

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._submit_lock:
            self._closing = True
            self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            group = take_group(self._waiting, REST_S)
            if group:
                self._store(group)
            elif self._closing and self._waiting.empty():
                return
            elif time.monotonic() >= self._duties_at:
                self._do_duties()

    def _do_duties(self) -> None:
        """One small step of retention; the next one follows at once while there is more to remove."""
        try:
            with self._turn:
                more = self._retention.step(self._connection)
        except sqlite3.Error as error:
            # Nothing is lost by keeping records longer, but the file grows as long as it lasts.
            log.warning("old records of the bus are kept for now", reason=str(error))
            more = False
        self._duties_at = time.monotonic() + (0.0 if more else DUTIES_EVERY_S)

    def _store(self, group: list[Submission]) -> None:
        try:
            rows = [row for submission in group for row in self._rows(submission)]
            with self._turn:
                self._commit(rows)
        except sqlite3.Error as error:
            self._outage.away(str(error))
            self._fail(group, BusUnavailable(f"the bus file could not store the messages: {error}"))
        except Exception as error:
            # Whatever went wrong, callers must be answered and the thread must live on.
            self._fail(group, error)
        else:
            self._outage.back()
            for submission in group:
                submission.future.set_result(None)
            self._tell(rows)

    def _tell(self, rows: Sequence[Row]) -> None:
        """Wake those who read, behind the answer: when the file cannot be read now, the bus's watch wakes them."""
        with contextlib.suppress(sqlite3.Error):
            self._on_written(self._ends(rows))

    def _fail(self, group: list[Submission], error: Exception) -> None:
        for submission in group:
            submission.future.set_exception(error)

    def _rows(self, submission: Submission) -> list[Row]:
        """The rows of a submission; packing happens before the file is locked."""
        partitions = self._topics.of(self._connection, submission.topic)
        now = time.time_ns() // 1000
        return [self._row(partitions, message, now) for message in submission.messages]

    def _row(self, partitions: tuple[StoredPartition, ...], message: Message, now: int) -> Row:
        value, packed = message.value, 0
        if len(value) > PACK_ABOVE_BYTES:
            smaller = self._packer.compress(value)
            if len(smaller) < len(value):
                value, packed = smaller, 1
        partition = partitions[partition_of(message.key, len(partitions))]
        return partition.id, message.key, now, packed, self._encode(message.envelope), value

    def _commit(self, rows: list[Row]) -> None:
        connection = self._connection
        if len(rows) <= AT_ONCE:
            # One statement is its own transaction, and gives up the interpreter's lock once: under load each
            # of the five statements of a transaction waited some 0.4 ms to get it back.
            statement = f"{_INSERT}{', (?, ?, ?, ?, ?, ?)' * (len(rows) - 1)}"
            connection.execute(statement, [field for row in rows for field in row])
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _ends(self, rows: Sequence[Row]) -> dict[int, int]:
        """The next offset of every partition that ``rows`` went to; not of one that left the file meanwhile."""
        asked = "SELECT next_offset FROM partition WHERE id = ?"
        found = {id_: self._connection.execute(asked, (id_,)).fetchone() for id_ in {row[0] for row in rows}}
        return {id_: int(row[0]) for id_, row in found.items() if row is not None}
