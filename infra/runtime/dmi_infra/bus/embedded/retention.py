"""What leaves the embedded log: superseded records of compacted topics, and old records of the others.

A record of another topic leaves when it is older than the term, or its topic is over its size, but
never before every group that committed within the term has read past it.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import Final

from dmi_infra.bus.embedded.file import OFFSET_BITS

STEP_ROWS: Final = 2_000
"""Rows that one step removes: a step holds the file some milliseconds, so publishers hardly notice."""
STEP_PAGES: Final = 500

_SUPERSEDED: Final = """
SELECT id FROM record AS old
WHERE compacted = 1 AND id >= :low AND id < :high AND EXISTS (
  SELECT 1 FROM record AS new WHERE new.compacted = 1 AND new.key = old.key AND new.id > old.id
    AND new.id < :high)
ORDER BY id LIMIT :limit
"""


@dataclass(slots=True)
class Retention:
    """The term (days) and the size (MiB stored, per topic partition) of topics that are not compacted."""

    days: int
    mebibytes: int

    def step(self, connection: sqlite3.Connection) -> bool:
        """Remove up to ``STEP_ROWS`` rows and give their pages back; True when there may be more."""
        more = False
        partitions = connection.execute(
            "SELECT id, compacted, next_offset, stored_bytes FROM partition"
        ).fetchall()
        for id_, compacted, next_offset, stored in partitions:
            if compacted:
                rows = _superseded(connection, id_, next_offset)
            else:
                rows = self._expired(connection, id_, next_offset, stored)
            if rows:
                _remove(connection, id_, rows)
            more = more or len(rows) == STEP_ROWS
        connection.execute(f"PRAGMA incremental_vacuum({STEP_PAGES:d})").fetchall()
        return more

    def _expired(self, connection: sqlite3.Connection, id_: int, next_offset: int, stored: int) -> list[int]:
        before = time.time_ns() // 1000 - self.days * 86_400_000_000
        over = stored - self.mebibytes * 1024 * 1024
        base = id_ << OFFSET_BITS
        floor = connection.execute(
            "SELECT min(next_offset) FROM position WHERE partition_id = ? AND committed_at >= ?",
            (id_, before),
        ).fetchone()[0]
        high = base + (next_offset if floor is None else min(floor, next_offset))
        found = connection.execute(
            "SELECT id, stored_at, length(value) FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (base, high, STEP_ROWS),
        )
        rows: list[int] = []
        for record, stored_at, size in found:
            if stored_at >= before and over <= 0:
                break
            over -= size
            rows.append(record)
        return rows


def _superseded(connection: sqlite3.Connection, id_: int, next_offset: int) -> list[int]:
    base = id_ << OFFSET_BITS
    bounds = {"low": base, "high": base + next_offset, "limit": STEP_ROWS}
    return [row[0] for row in connection.execute(_SUPERSEDED, bounds)]


def _remove(connection: sqlite3.Connection, id_: int, rows: list[int]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        marks = [(row,) for row in rows]
        size = 0
        for mark in marks:
            # The row is read again: another process may have removed it since.
            found = connection.execute("SELECT length(value) FROM record WHERE id = ?", mark).fetchone()
            size += found[0] if found else 0
        connection.executemany("DELETE FROM record WHERE id = ?", marks)
        connection.execute("UPDATE partition SET stored_bytes = stored_bytes - ? WHERE id = ?", (size, id_))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
