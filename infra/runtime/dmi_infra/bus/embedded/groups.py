"""Who reads which partition: the members of a group, and one lease per partition.

A member lives as long as the process that made it. Each open bus holds a lock on a small file of
its own; the operating system drops it when the process ends, however it ends. So nobody writes
heartbeats, and the partitions of a killed process are free at once.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dmi_infra.bus.embedded.topics import StoredPartition


class Instance:
    """One open bus: its id and the lock that shows that it lives."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.id = uuid.uuid4().hex
        self._handle = os.open(folder / self.id, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Give the lock up and remove its file."""
        (self.folder / self.id).unlink(missing_ok=True)
        os.close(self._handle)

    def lives(self, other: str) -> bool:
        """Whether the instance ``other`` still holds its lock."""
        if other == self.id:
            return True
        try:
            handle = os.open(self.folder / other, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two that look at the same moment do not take each other for the owner.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        (self.folder / other).unlink(missing_ok=True)
        return False


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A writing transaction, rolled back when the body raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def join(connection: sqlite3.Connection, group: str, instance: str, topics: Sequence[str]) -> str:
    """Enter ``group``; returns the member's id. Members are ordered by id, so it starts with the time."""
    member = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
    with transaction(connection):
        connection.execute(
            "INSERT INTO member VALUES (?, ?, ?, ?)", (member, group, instance, " ".join(sorted(topics)))
        )
        _changed(connection, [group])
    return member


def leave(connection: sqlite3.Connection, member: str) -> None:
    """Leave the group; the leases are free at once."""
    with transaction(connection):
        _remove(connection, [member])


def remove_dead(connection: sqlite3.Connection, instance: Instance) -> bool:
    """Remove members whose process ended without leaving; True when there were any."""
    others = connection.execute(
        "SELECT DISTINCT instance FROM member WHERE instance <> ?", (instance.id,)
    ).fetchall()
    dead = [row[0] for row in others if not instance.lives(row[0])]
    for other in dead:
        with transaction(connection):
            members = connection.execute("SELECT id FROM member WHERE instance = ?", (other,)).fetchall()
            _remove(connection, [row[0] for row in members])
    return bool(dead)


def generations(connection: sqlite3.Connection) -> dict[str, int]:
    """Per group a number that grows when members come or go or give a lease back."""
    return dict(connection.execute("SELECT name, generation FROM consumer_group"))


def settle(
    connection: sqlite3.Connection,
    group: str,
    member: str,
    partitions: Mapping[str, Sequence[StoredPartition]],
) -> tuple[set[StoredPartition], bool]:
    """Give back what is another's share and take what is ours and free.

    Returns the partitions that ``member`` now holds, and whether it still waits for some that
    another member has not given back yet.
    """
    with transaction(connection):
        rows = connection.execute(
            "SELECT id, topics FROM member WHERE group_name = ? ORDER BY id", (group,)
        ).fetchall()
        share = _share(member, [(id_, topics.split(" ")) for id_, topics in rows], partitions)
        held = dict(
            connection.execute(
                "SELECT partition_id, member FROM lease WHERE group_name = ?", (group,)
            ).fetchall()
        )
        wanted = {partition.id for partition in share}
        given_back = [(group, id_) for id_, holder in held.items() if holder == member and id_ not in wanted]
        if given_back:
            connection.executemany("DELETE FROM lease WHERE group_name = ? AND partition_id = ?", given_back)
            _changed(connection, [group])
        free = [(group, id_, member) for id_ in wanted if id_ not in held]
        connection.executemany("INSERT INTO lease VALUES (?, ?, ?)", free)
    mine = {partition for partition in share if held.get(partition.id, member) == member}
    return mine, len(mine) < len(share)


def commit(connection: sqlite3.Connection, group: str, member: str, offsets: Mapping[int, int]) -> None:
    """Keep the positions of the partitions that ``member`` still holds."""
    now = time.time_ns() // 1000
    with transaction(connection):
        connection.executemany(
            "INSERT INTO position SELECT ?1, ?2, ?3, ?4 WHERE EXISTS "
            "(SELECT 1 FROM lease WHERE group_name = ?1 AND partition_id = ?2 AND member = ?5) "
            "ON CONFLICT DO UPDATE "
            "SET next_offset = excluded.next_offset, committed_at = excluded.committed_at",
            [(group, id_, offset, now, member) for id_, offset in offsets.items()],
        )


def committed(connection: sqlite3.Connection, group: str) -> dict[int, int]:
    """The committed position (next offset to read) per partition id."""
    return dict(
        connection.execute("SELECT partition_id, next_offset FROM position WHERE group_name = ?", (group,))
    )


def _share(
    member: str, members: Sequence[tuple[str, list[str]]], partitions: Mapping[str, Sequence[StoredPartition]]
) -> list[StoredPartition]:
    """Every member computes the same division: the partitions of a topic go round its readers."""
    share: list[StoredPartition] = []
    for topic, of_topic in partitions.items():
        readers = [id_ for id_, topics in members if topic in topics]
        share += [
            partition
            for partition in of_topic
            if readers and readers[partition.number % len(readers)] == member
        ]
    return share


def _remove(connection: sqlite3.Connection, members: Iterable[str]) -> None:
    for member in members:
        found = connection.execute("SELECT group_name FROM member WHERE id = ?", (member,)).fetchall()
        connection.execute("DELETE FROM lease WHERE member = ?", (member,))
        connection.execute("DELETE FROM member WHERE id = ?", (member,))
        _changed(connection, [row[0] for row in found])


def _changed(connection: sqlite3.Connection, groups: Iterable[str]) -> None:
    connection.executemany(
        "INSERT INTO consumer_group VALUES (?, 1) ON CONFLICT DO UPDATE SET generation = generation + 1",
        [(group,) for group in groups],
    )
