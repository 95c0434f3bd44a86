"""The one thread of a process that writes messages: it takes all that wait and commits them at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from dmi_infra.bus.embedded.file import connect
from dmi_infra.bus.embedded.retention import Retention
from dmi_infra.bus.embedded.topics import StoredPartition, TopicTable, partition_of
from dmi_infra.bus.errors import BusClosed, BusUnavailable
from dmi_infra.bus.port import Message
from dmi_infra.bus.submission import Submission, SubmissionQueue, take_group

PACK_ABOVE_BYTES: Final = 1_000
PACK_LEVEL: Final = 1
"""Column batches shrink about as well on level 1 as on 3, at twice the speed."""
DUTIES_EVERY_S: Final = 60.0
REST_S: Final = 1.0

Row = tuple[int, str, int, int, int, bytes, bytes]
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
    ) -> None:
        self._turn = turn
        self._connection = connect(path, cache_kib=4096)
        self._topics = topics
        self._retention = retention
        self._on_written = on_written
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
        except sqlite3.Error:
            # Nothing is lost by keeping records longer; a disk that is full is told to publishers.
            more = False
        self._duties_at = time.monotonic() + (0.0 if more else DUTIES_EVERY_S)

    def _store(self, group: list[Submission]) -> None:
        try:
            prepared = [self._prepared(submission) for submission in group]
            with self._turn:
                ends = self._commit(prepared)
        except sqlite3.Error as error:
            self._fail(group, BusUnavailable(f"the bus file could not store the messages: {error}"))
        except Exception as error:
            # Whatever went wrong, callers must be answered and the thread must live on.
            self._fail(group, error)
        else:
            for submission in group:
                submission.future.set_result(None)
            self._on_written(ends)

    def _fail(self, group: list[Submission], error: Exception) -> None:
        for submission in group:
            submission.future.set_exception(error)

    def _prepared(self, submission: Submission) -> list[tuple[StoredPartition, str, int, bytes, bytes]]:
        """The rows of a submission without their offsets; packing happens before the file is locked."""
        partitions = self._topics.of(self._connection, submission.topic)
        return [self._row(partitions, message) for message in submission.messages]

    def _row(
        self, partitions: tuple[StoredPartition, ...], message: Message
    ) -> tuple[StoredPartition, str, int, bytes, bytes]:
        value, packed = message.value, 0
        if len(value) > PACK_ABOVE_BYTES:
            smaller = self._packer.compress(value)
            if len(smaller) < len(value):
                value, packed = smaller, 1
        partition = partitions[partition_of(message.key, len(partitions))]
        return partition, message.key, packed, self._encode(message.envelope), value

    def _commit(
        self, prepared: Iterable[list[tuple[StoredPartition, str, int, bytes, bytes]]]
    ) -> dict[int, int]:
        connection = self._connection
        now = time.time_ns() // 1000
        ends: dict[int, int] = {}
        sizes: dict[int, int] = {}
        rows: list[Row] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for entry in prepared:
                for partition, key, packed, envelope, value in entry:
                    if partition.id not in ends:
                        ends[partition.id] = _next_offset(connection, partition)
                    id_ = partition.base + ends[partition.id]
                    rows.append((id_, key, int(partition.compacted), now, packed, envelope, value))
                    ends[partition.id] += 1
                    sizes[partition.id] = sizes.get(partition.id, 0) + len(value)
            connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            connection.executemany(
                "UPDATE partition SET next_offset = ?, stored_bytes = stored_bytes + ? WHERE id = ?",
                [(ends[id_], sizes[id_], id_) for id_ in ends],
            )
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return ends


def _next_offset(connection: sqlite3.Connection, partition: StoredPartition) -> int:
    found = connection.execute("SELECT next_offset FROM partition WHERE id = ?", (partition.id,)).fetchone()
    return int(found[0])
