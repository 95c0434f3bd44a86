"""Topics by which transfers reach outside readers: each stands, and may be read, only as its transfer allows it."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from dmi_agreements.changes import Change
from dmi_agreements.contracts.envelope import Envelope
from dmi_agreements.dsp import states
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.store import Processes
from dmi_exchange.flow.keyfile import KeyFile
from dmi_exchange.flow.supply import Given, encoded
from dmi_infra import clock
from dmi_infra.bus.port import Deliveries, Message
from dmi_infra.errors import NotFound, Unavailable

log = structlog.get_logger("exchange")

LOOK_SECONDS: Final = 0.5
LONGEST_LOOK: Final = 5.0
"""Seconds after which a round ends in which a topic could not be settled: the cluster may not answer at all."""
KIND: Final = "nl.dmi.delivery.piece.v1"
_URN = "urn:uuid:"


def name_of(process: Process) -> str:
    """The delivery of a transfer: its agreement, then itself, so that a position is never another transfer's."""
    agreement = process.agreement_id.removeprefix(_URN)
    if not re.fullmatch(r"[0-9a-f-]{1,64}", agreement):
        agreement = hashlib.sha256(process.agreement_id.encode()).hexdigest()[:32]
    return f"{agreement}.{process.id.removeprefix(_URN)}"


def reader_of(process: Process) -> str:
    """Whom the cluster lets read it: the other side, by a token of this very transfer."""
    return f"{process.peer}/{process.id.removeprefix(_URN)}"


@dataclass(slots=True)
class _Outlet:
    name: str
    reader: str
    served: bool = False
    """Somebody writes to it, under a permit that holds."""
    open: bool = True
    """It may be readable: what an earlier run left, and what was begun to be opened."""
    allowed: bool = False
    """The cluster has confirmed that it is."""


class Outlets:
    """Opens and closes deliveries. What nobody writes to under a permit cannot be read either.

    ``ended`` tells of an ended agreement, ``source`` is where the messages come from (CloudEvents).
    """

    def __init__(
        self,
        deliveries: Deliveries,
        processes: Processes,
        ended: Callable[[Process], bool],
        source: str,
        keys: KeyFile | None = None,
    ) -> None:
        self._deliveries = deliveries
        self._processes = processes
        self._ended = ended
        self._source = source
        self._keys = keys
        self._outlets: dict[str, _Outlet] = {}
        self._listed = False
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outlets", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier run left open."""
        if self._keys is not None:
            self._keys.keep()
        self._thread.start()

    def stop(self) -> None:
        """Close everything: a node that is away can revoke nothing."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=5)
        for outlet in self._outlets.values():
            outlet.served = False
        self._guarded()

    def listen(self, _change: Change) -> None:
        """The law has changed: look at once. Returns at once."""
        self._wanted.set()

    def topic(self, process: Process) -> str:
        """The topic of a transfer, and the beginning of the names of its reader's groups."""
        return self._deliveries.topic(name_of(process))

    def reached(self, process: Process) -> str:
        """The position behind the last message that the topic holds; empty when it holds none."""
        found = self._deliveries.last(name_of(process))
        return "" if found is None else str(msgspec.json.decode(found.value)["cursor"])

    @contextmanager
    def opened(self, process: Process) -> Iterator[None]:
        """The other side may read, as long as this lasts and the transfer runs."""
        outlet = _Outlet(name_of(process), reader_of(process), served=True)
        with self._lock:
            self._outlets[process.id] = outlet
        try:
            self._settle(process.id)
            yield
        finally:
            outlet.served = False
            self._wanted.set()

    def put(self, process: Process, given: Given) -> None:
        """Hand a piece over, durably. Its id stays the same when it is handed over again."""
        transfer = process.id.removeprefix(_URN)
        envelope = Envelope(
            id=f"{transfer}/{given.piece or f'places/{given.cursor}'}",
            source=self._source,
            type=KIND,
            time=clock.to_text(clock.now()),
            subject=process.id,
            dataset=process.dataset,
            agreement=process.agreement_id,
        )
        self._deliveries.put(name_of(process), Message(process.dataset, encoded(given), envelope))

    def _run(self) -> None:
        while not self._stopping:
            self._guarded()
            self._wanted.wait(LOOK_SECONDS)
            self._wanted.clear()

    def _guarded(self) -> None:
        try:
            self._look()
        except Unavailable as exc:
            log.warning("deliveries cannot be looked at", reason=str(exc))
        except Exception as exc:  # the thread must live: what is open must be closed when its time comes
            log.error("deliveries cannot be looked at", exc_info=exc)

    def _look(self) -> None:
        if self._keys is not None:
            self._keys.keep()
        if not self._listed:
            for name in self._deliveries.names():
                identifier = f"{_URN}{name.rpartition('.')[2]}"
                with self._lock:
                    self._outlets.setdefault(identifier, _Outlet(name, ""))
            self._listed = True
        away: Unavailable | None = None
        until = time.monotonic() + LONGEST_LOOK
        # Whatever fails at one, those behind it must be closed when their time comes.
        for identifier in list(self._outlets):
            if away is not None and time.monotonic() > until:
                break
            try:
                self._settle(identifier)
            except Unavailable as exc:
                # Said of a whole cluster, and of a single topic that cannot be deleted, which comes last from now on.
                away = exc
                with self._lock:
                    if identifier in self._outlets:
                        self._outlets[identifier] = self._outlets.pop(identifier)
            except Exception as exc:
                log.error("a delivery cannot be settled", transfer=identifier, exc_info=exc)
        if away is not None:
            raise away

    def _settle(self, identifier: str) -> None:
        """Bring the cluster to what the law and the state of a transfer ask for."""
        with self._lock:
            outlet = self._outlets.get(identifier)
            if outlet is None:
                return
            process = self._process(identifier)
            if process is None or process.over or self._ended(process):
                self._deliveries.remove(outlet.name)
                del self._outlets[identifier]
            elif outlet.served and process.state == states.STARTED:
                if not outlet.allowed:
                    outlet.open = True
                    self._deliveries.allow(outlet.name, outlet.reader)
                    outlet.allowed = True
            elif outlet.open:
                self._deliveries.forbid(outlet.name)
                outlet.open = outlet.allowed = False

    def _process(self, identifier: str) -> Process | None:
        try:
            return self._processes.get(identifier)
        except NotFound:
            return None
