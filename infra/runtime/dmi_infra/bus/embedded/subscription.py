"""Reading the embedded log, alone (replay) or as a member of a group."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec
import zstandard

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus.embedded import groups
from dmi_infra.bus.embedded.topics import StoredPartition
from dmi_infra.bus.errors import BusClosed, BusUnavailable
from dmi_infra.bus.lost import warn_of_loss
from dmi_infra.bus.outage import Outage
from dmi_infra.bus.port import Message, OnAssign, Partition, Received

POLL_BYTES: Final = 32 * 1024 * 1024
"""One poll returns about this much at most, however many messages were asked for."""
AGAIN_S: Final = 0.05
"""How often to look whether another member gave a partition back, and whether the file can be read again."""

_LOG = logging.getLogger(__name__)


class Log(Protocol):
    """What a subscription needs of the open bus."""

    instance: groups.Instance
    turn: threading.Lock
    """Held while writing: within one process waiting for a lock is quicker than waiting for the file."""
    reading: Outage

    def partitions(self, connection: sqlite3.Connection, topic: str) -> tuple[StoredPartition, ...]: ...
    def end(self, partition: StoredPartition) -> int: ...
    def generation(self, group: str) -> int: ...
    def refresh(self, connection: sqlite3.Connection) -> None: ...
    def forget(self, subscription: EmbeddedSubscription) -> None: ...


class EmbeddedSubscription:
    """See ``port.Subscription``; ``group=None`` reads all partitions without a group."""

    def __init__(
        self,
        log: Log,
        connection: sqlite3.Connection,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assign: OnAssign | None,
    ) -> None:
        self._log = log
        self._connection = connection
        self._topics = tuple(topics)
        self._group = group
        self._from_start = from_start
        self._on_assign = on_assign
        self._member: str | None = None
        self._settled_at = -1
        self._waits_for_lease = False
        self._spare = False
        self._positions: dict[StoredPartition, int] = {}
        self._committed: dict[int, int] = {}
        self._sought: dict[Partition, int] = {}
        self._turns = 0
        self._unpacker = zstandard.ZstdDecompressor()
        self._decoder = msgspec.json.Decoder(Envelope)
        self._woken = threading.Event()
        self._using = threading.Lock()
        self._closed = False

    def poll(self, timeout: float, max_messages: int = 500) -> list[Received]:
        """See ``port.Subscription.poll``."""
        if self._closed:
            raise BusClosed("the subscription is closed")
        deadline = time.monotonic() + timeout
        while True:
            # Cleared before looking, so that what arrives while looking is not missed.
            self._woken.clear()
            batch, again = self._look(max_messages)
            remaining = deadline - time.monotonic()
            if batch or remaining <= 0 or self._closed:
                return batch
            self._woken.wait(min(remaining, AGAIN_S) if again else remaining)

    def _look(self, max_messages: int) -> tuple[list[Received], bool]:
        """What can be read now, and whether to look again soon without being woken."""
        with self._using:
            if self._closed:
                return [], False
            try:
                self._settle()
                found = self._read(max_messages)
            except sqlite3.OperationalError as error:
                self._log.reading.away(str(error), self._group)
                return [], True
        self._log.reading.back(self._group)
        return found, self._waits_for_lease

    def _settle(self) -> None:
        if self._group is None:
            if self._settled_at < 0:
                self._settled_at = 0
                self._assign({partition for topic in self._topics for partition in self._of(topic)})
            return
        generation = self._log.generation(self._group)
        if generation == self._settled_at and not self._waits_for_lease:
            return
        shares = {topic: self._of(topic) for topic in self._topics}
        with self._log.turn:
            if self._member is None:
                groups.remove_dead(self._connection, self._log.instance)
                self._member = groups.join(self._connection, self._group, self._log.instance.id, self._topics)
            mine, self._waits_for_lease = groups.settle(self._connection, self._group, self._member, shares)
        self._spare = not mine and not self._waits_for_lease and any(shares.values())
        self._settled_at = generation
        self._assign(mine)

    def _of(self, topic: str) -> tuple[StoredPartition, ...]:
        return self._log.partitions(self._connection, topic)

    def _assign(self, mine: set[StoredPartition]) -> None:
        kept = {partition: at for partition, at in self._positions.items() if partition in mine}
        new = sorted(mine - kept.keys(), key=lambda partition: partition.name)
        self._committed = {id_: at for id_, at in self._committed.items() if id_ in {p.id for p in kept}}
        if new:
            self._log.refresh(self._connection)
            positions = self._within(self._starts(new))
            self._committed |= {partition.id: positions[partition] for partition in new}
            kept |= positions
        # Replaced as a whole, since lag and assigned read it from other threads.
        self._positions = kept

    def _starts(self, new: Sequence[StoredPartition]) -> dict[StoredPartition, int]:
        committed = groups.committed(self._connection, self._group) if self._group is not None else {}
        names = frozenset(partition.name for partition in new)
        asked = (self._on_assign(names) if self._on_assign else None) or {}
        starts: dict[StoredPartition, int] = {}
        for partition in new:
            otherwise = 0 if self._from_start else self._log.end(partition)
            start = asked.get(partition.name, committed.get(partition.id, otherwise))
            starts[partition] = self._sought.pop(partition.name, start)
        return starts

    def _within(self, positions: dict[StoredPartition, int]) -> dict[StoredPartition, int]:
        """The positions; of partitions that end before theirs, which are of a lost log, the start."""
        if all(at <= self._log.end(partition) for partition, at in positions.items()):
            return positions
        # Another process may have written since the ends were last heard of.
        self._log.refresh(self._connection)
        lost = {partition: at for partition, at in positions.items() if at > self._log.end(partition)}
        if lost:
            warn_of_loss(_LOG, {partition.name: at for partition, at in lost.items()})
        return positions | dict.fromkeys(lost, 0)

    def _read(self, max_messages: int) -> list[Received]:
        batch: list[Received] = []
        # A caller may have sought a position of a lost log.
        self._positions = self._within(self._positions)
        partitions = list(self._positions)
        room = POLL_BYTES
        for turn in range(len(partitions)):
            # Each look starts at the next partition, so that a busy one does not starve the others.
            partition = partitions[(self._turns + turn) % len(partitions)]
            if len(batch) >= max_messages or room <= 0:
                break
            room -= self._read_partition(partition, batch, max_messages - len(batch), room)
        self._turns += 1
        return batch

    def _read_partition(
        self, partition: StoredPartition, batch: list[Received], limit: int, room: int
    ) -> int:
        """Append to ``batch`` what stands behind the position; returns the bytes of it."""
        position, end = self._positions[partition], self._log.end(partition)
        if position >= end:
            return 0
        cursor = self._connection.execute(
            "SELECT id, key, packed, envelope, value FROM record "
            "WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (partition.base + position, partition.base + end, limit),
        )
        size = count = 0
        for id_, key, packed, envelope, stored in cursor:
            value = self._unpacker.decompress(stored) if packed else stored
            message = Message(key, value, self._decoder.decode(envelope))
            batch.append(Received(partition.topic, partition.number, id_ - partition.base, message))
            size += len(value)
            count += 1
            if size >= room:
                break
        # An open cursor would keep the log of the file from being emptied.
        cursor.close()
        cut = count == limit or size >= room
        # Behind the last record there may only be offsets whose records have left the log.
        self._positions[partition] = batch[-1].offset + 1 if cut else end
        return size

    def commit(self) -> None:
        """See ``port.Subscription.commit``."""
        with self._using:
            if self._closed:
                raise BusClosed("the subscription is closed")
            moved = {p.id: at for p, at in self._positions.items() if self._committed.get(p.id) != at}
            if self._group is None or self._member is None or not moved:
                return
            try:
                with self._log.turn:
                    groups.commit(self._connection, self._group, self._member, moved)
            except sqlite3.OperationalError as error:
                raise BusUnavailable(f"the bus file could not store the positions: {error}") from error
            self._committed |= moved

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """See ``port.Subscription.seek``."""
        with self._using:
            held = {partition.name: partition for partition in self._positions}
            for name, offset in positions.items():
                if name in held:
                    self._positions[held[name]] = offset
                else:
                    self._sought[name] = offset
        self.wake()

    def assigned(self) -> frozenset[Partition]:
        """See ``port.Subscription.assigned``."""
        return frozenset(partition.name for partition in self._positions)

    def spare(self) -> bool:
        """See ``port.Subscription.spare``."""
        return self._spare

    def lag(self) -> dict[Partition, int]:
        """See ``port.Subscription.lag``."""
        return {p.name: max(0, self._log.end(p) - at) for p, at in self._positions.items()}

    def close(self) -> None:
        """See ``port.Subscription.close``."""
        with self._using:
            if self._closed:
                return
            self._closed = True
            if self._member is not None:
                try:
                    with self._log.turn:
                        groups.leave(self._connection, self._member)
                except sqlite3.OperationalError as error:
                    # The lease is also free once this process ends, so closing need not fail.
                    _LOG.warning("the subscription could not leave its group: %s", error)
            self._connection.close()
        self._log.forget(self)
        self.wake()

    def wake(self) -> None:
        """Look again now: something was written, or the group changed."""
        self._woken.set()

    def concerned(self, partitions: set[int], changed_groups: set[str]) -> bool:
        """Whether a change of these partitions (ids) or groups is of interest here."""
        return self._group in changed_groups or any(
            partition.id in partitions for partition in self._positions
        )
