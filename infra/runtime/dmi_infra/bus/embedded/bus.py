"""The open bus of one process: its writer, its subscriptions, and the watch on other processes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from dmi_infra.bus.embedded import groups
from dmi_infra.bus.embedded.file import connect, prepare
from dmi_infra.bus.embedded.retention import Retention
from dmi_infra.bus.embedded.subscription import EmbeddedSubscription
from dmi_infra.bus.embedded.topics import StoredPartition, TopicTable
from dmi_infra.bus.embedded.writer import Writer
from dmi_infra.bus.errors import BusAddressError, BusUnavailable
from dmi_infra.bus.opened import OpenedBus
from dmi_infra.bus.options import whole_numbers
from dmi_infra.bus.outage import Outage
from dmi_infra.bus.port import OnAssign
from dmi_infra.bus.submission import Submission
from dmi_infra.bus.topics import all_topics

WATCH_EVERY_S: Final = 0.05
"""The delay until a message of another process is seen."""
DEAD_EVERY_S: Final = 1.0
WATCH: Final = ("watch",)
"""The watch as a part of reading, beside the groups."""
DEFAULTS: Final = {"partitions": 1, "retain_days": 7, "retain_mb": 2048}


def open_embedded(path: str, options: Mapping[str, str]) -> EmbeddedBus:
    """The embedded log in the file ``path``; see ``dmi_infra.bus.open_bus`` for the options."""
    if not path.startswith("/"):
        raise BusAddressError(
            f"bus address: embedded://{path} needs an absolute path (embedded:///path/to/bus.db)"
        )
    values = whole_numbers(options, DEFAULTS)
    return EmbeddedBus(
        Path(path),
        partitions=values["partitions"],
        retention=Retention(values["retain_days"], values["retain_mb"]),
    )


class EmbeddedBus(OpenedBus[EmbeddedSubscription]):
    """See ``port.Bus``. Several processes may open the same file."""

    def __init__(self, path: Path, *, partitions: int = 1, retention: Retention) -> None:
        super().__init__()
        prepare(path)
        self._path = path
        self.instance = groups.Instance(path.with_name(f"{path.name}.live"))
        self.turn = threading.Lock()
        self.reading = Outage("reading the bus file")
        self._writing = Outage("writing the bus file")
        self._topics = TopicTable(partitions)
        self._retention = retention
        self._ends: dict[int, int] = {}
        self._generations: dict[str, int] = {}
        self._stop = threading.Event()
        self._watching = connect(path)
        self.refresh(self._watching)
        self._writer = Writer(path, self._topics, retention, self.turn, self._on_written, self._writing)
        self._watcher = threading.Thread(target=self._watch, name="bus-watcher", daemon=True)
        self._watcher.start()

    def _submit(self) -> Callable[[Submission], None]:
        return self._writer.submit

    def _subscription(
        self,
        service: str,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assign: OnAssign | None,
    ) -> EmbeddedSubscription:
        return EmbeddedSubscription(self, connect(self._path), topics, group, from_start, on_assign)

    def ready(self) -> bool:
        """See ``port.Bus.ready``."""
        if self._stop.is_set() or not self._path.exists() or self._writing.lasts:
            return False
        try:
            connection = connect(self._path)
            try:
                connection.execute("SELECT count(*) FROM partition").fetchone()
            finally:
                connection.close()
        except (sqlite3.Error, BusUnavailable):
            return False
        return True

    def create_topics(self) -> None:
        """See ``port.Bus.create_topics``."""
        connection = connect(self._path)
        try:
            with self.turn, groups.transaction(connection):
                for topic in all_topics():
                    self._topics.of(connection, topic)
        except sqlite3.OperationalError as error:
            raise BusUnavailable(f"the bus file could not make the topics: {error}") from error
        finally:
            connection.close()

    def compact(self) -> None:
        """Do now, completely, what otherwise happens bit by bit: compaction and retention."""
        connection = connect(self._path)
        try:
            more = True
            while more:
                with self.turn:
                    more = self._retention.step(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """See ``port.Bus.close``."""
        if not self._begin_closing():
            return
        self._stop.set()
        for publisher in self._publishers:
            publisher.close()
        self._writer.close()
        for subscription in list(self._subscriptions):
            subscription.close()
        self._watcher.join()
        self._watching.close()
        self.instance.close()

    # What subscriptions ask (subscription.Log).

    def partitions(self, connection: sqlite3.Connection, topic: str) -> tuple[StoredPartition, ...]:
        """The partitions of ``topic``."""
        return self._topics.of(connection, topic)

    def end(self, partition: StoredPartition) -> int:
        """The offset behind the last durable message."""
        return self._ends.get(partition.id, 0)

    def generation(self, group: str) -> int:
        """Grows when the members or leases of ``group`` change."""
        return self._generations.get(group, 0)

    def forget(self, subscription: EmbeddedSubscription) -> None:
        """A subscription was closed."""
        with self._state:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Take over what stands in the file, and wake those whom a change concerns."""
        ends = dict(connection.execute("SELECT id, next_offset FROM partition").fetchall())
        generations = groups.generations(connection)
        changed = {name for name, number in generations.items() if self._generations.get(name) != number}
        self._generations = generations
        self._advance(ends, changed)

    def _on_written(self, ends: Mapping[int, int]) -> None:
        self._advance(ends, set())

    def _advance(self, ends: Mapping[int, int], changed_groups: set[str]) -> None:
        with self._state:
            # The writer and the watcher both report ends, in any order: an end never goes back.
            moved = {id_ for id_, end in ends.items() if end > self._ends.get(id_, -1)}
            for id_ in moved:
                self._ends[id_] = ends[id_]
            concerned = [s for s in self._subscriptions if s.concerned(moved, changed_groups)]
        for subscription in concerned:
            subscription.wake()

    def _watch(self) -> None:
        """SQLite counts others' commits in ``data_version``; looking at it costs microseconds."""
        seen = -1
        dead_at = time.monotonic()
        while not self._stop.wait(WATCH_EVERY_S):
            try:
                version = int(self._watching.execute("PRAGMA data_version").fetchone()[0])
                if version != seen:
                    self.refresh(self._watching)
                    seen = version
                if time.monotonic() >= dead_at:
                    dead_at = time.monotonic() + DEAD_EVERY_S
                    with self.turn:
                        found_dead = groups.remove_dead(self._watching, self.instance)
                    if found_dead:
                        # data_version does not count what this connection itself wrote.
                        self.refresh(self._watching)
            except sqlite3.OperationalError as error:
                self.reading.away(str(error), WATCH)
            else:
                self.reading.back(WATCH)
