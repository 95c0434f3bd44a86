"""Which partitions a topic has, and which of them a key belongs to."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass

from dmi_infra.bus.embedded.file import OFFSET_BITS
from dmi_infra.bus.port import Partition
from dmi_infra.bus.topics import is_compacted, is_spread


@dataclass(frozen=True, slots=True)
class StoredPartition:
    """A partition and the id under which its records stand."""

    id: int
    topic: str
    number: int
    compacted: bool

    @property
    def name(self) -> Partition:
        """Topic and number."""
        return self.topic, self.number

    @property
    def base(self) -> int:
        """Id of the record at offset 0."""
        return self.id << OFFSET_BITS


def partition_of(key: str, count: int) -> int:
    """The partition of ``key`` among ``count``: the same in every process and for ever."""
    return zlib.crc32(key.encode()) % count


class TopicTable:
    """The partitions in the file; made on demand, since a message may come before ``create_topics``."""

    def __init__(self, partitions: int) -> None:
        self._wanted = partitions
        self._known: dict[str, tuple[StoredPartition, ...]] = {}

    def of(self, connection: sqlite3.Connection, topic: str) -> tuple[StoredPartition, ...]:
        """The partitions of ``topic``, in order; makes them when the file has none."""
        known = self._known.get(topic)
        if known is None:
            known = _read(connection, topic) or self._make(connection, topic)
            # Inside a transaction the rows may still be rolled back, so they are not remembered yet.
            if not connection.in_transaction:
                self._known[topic] = known
        return known

    def _make(self, connection: sqlite3.Connection, topic: str) -> tuple[StoredPartition, ...]:
        count = self._wanted if is_spread(topic) else 1
        compacted = is_compacted(topic)
        # One statement, so that two processes that start together make each partition once.
        connection.execute(
            "INSERT OR IGNORE INTO partition (topic, number, compacted) "
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) "
            "SELECT ?, i, ? FROM n",
            (count, topic, compacted),
        )
        return _read(connection, topic)


def _read(connection: sqlite3.Connection, topic: str) -> tuple[StoredPartition, ...]:
    rows = connection.execute(
        "SELECT id, topic, number, compacted FROM partition WHERE topic = ? ORDER BY number", (topic,)
    )
    return tuple(StoredPartition(id_, name, number, bool(compacted)) for id_, name, number, compacted in rows)
