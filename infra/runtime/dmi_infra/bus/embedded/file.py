"""The file of the embedded log: its tables, its version, and connections to it.

A record's id is its partition's id shifted left by ``OFFSET_BITS`` plus its offset: reading a
partition is a range scan of the primary key, and appending touches one page at the end of the range.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from dmi_infra.bus.errors import BusStoreForeign, BusStoreTooNew, BusUnavailable

APPLICATION_ID: Final = 0x646D6962
"""Marks the file as ours ("dmib"), so that another SQLite file is never written to by mistake."""

VERSION: Final = 1
OFFSET_BITS: Final = 40
BUSY_TIMEOUT_S: Final = 5.0
"""How long to wait for another process's transaction; those take milliseconds."""

_TABLES: Final = """
CREATE TABLE partition (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, compacted INTEGER NOT NULL,
  next_offset INTEGER NOT NULL DEFAULT 0, stored_bytes INTEGER NOT NULL DEFAULT 0,
  UNIQUE (topic, number)
);
CREATE TABLE record (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, compacted INTEGER NOT NULL, stored_at INTEGER NOT NULL,
  packed INTEGER NOT NULL, envelope BLOB NOT NULL, value BLOB NOT NULL
);
CREATE INDEX record_by_key ON record (key, id) WHERE compacted = 1;
CREATE TABLE consumer_group (name TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE member (
  id TEXT PRIMARY KEY, group_name TEXT NOT NULL, instance TEXT NOT NULL, topics TEXT NOT NULL
);
CREATE TABLE lease (
  group_name TEXT NOT NULL, partition_id INTEGER NOT NULL, member TEXT NOT NULL,
  PRIMARY KEY (group_name, partition_id)
);
CREATE TABLE position (
  group_name TEXT NOT NULL, partition_id INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  committed_at INTEGER NOT NULL, PRIMARY KEY (group_name, partition_id)
);
"""


def connect(path: Path, *, cache_kib: int = 512, durable: bool = True) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are begun by name. One thread at a time may use it.

    A commit is on the disk when it returns, also when the power fails; unless ``durable`` is not asked for: then
    it is on the disk with the next durable one.
    """
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
    except sqlite3.OperationalError as error:
        raise BusUnavailable(f"the bus file {path} cannot be opened: {error}") from error
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute(f"PRAGMA cache_size = -{cache_kib:d}")
    # Fewer, larger checkpoints (32 MiB): each costs two waits for the disk.
    connection.execute("PRAGMA wal_autocheckpoint = 4096")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    return connection


def prepare(path: Path) -> None:
    """Make the file, or check that it is ours and not newer. Idempotent, also between processes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BusUnavailable(f"the folder of the bus file {path} cannot be made: {error}") from error
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _prepare(connection, path)
    except sqlite3.OperationalError as error:
        raise BusUnavailable(f"the bus file {path} cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        raise BusStoreForeign(f"{path} is not a bus file: {error}") from error
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "PRAGMA schema_version") == 0:
        # Only effective before the first table is made.
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    else:
        _check(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _number(connection, "PRAGMA schema_version") == 0:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
            connection.execute(f"PRAGMA user_version = {VERSION:d}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    _check(connection, path)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise BusStoreForeign(f"{path} is a SQLite file of another program; choose another path for the bus")
    version = _number(connection, "PRAGMA user_version")
    if version > VERSION:
        raise BusStoreTooNew(
            f"{path} was written by a newer version of this software (file version {version}, "
            f"this software reads up to {VERSION}); start that version or choose another folder"
        )


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
