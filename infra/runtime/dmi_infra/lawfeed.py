"""The law in memory: every process reads the whole law topic and follows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
import structlog

from dmi_agreements.changes import Change
from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.law import Heartbeat, LawEvent
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.table import LawTable
from dmi_infra.bus.port import Bus, Partition, Received
from dmi_infra.errors import Unavailable

log = structlog.get_logger("law")

POLL_SECONDS = 0.25
LAW_TOPIC = BY_NAME["law"].topic or ""

Listener = Callable[[Change], None]


class Witness(Protocol):
    """Watches what the law topic itself holds, message by message; called on the feed's thread, returns at once."""

    def anew(self) -> None:
        """The topic is read from its first message: what was seen of it before counts no more."""
        ...

    def saw(self, received: Received) -> None:
        """The topic holds this message."""
        ...

    def reached_end(self) -> None:
        """Everything that the topic holds now has been seen."""
        ...


class LawFeed:
    """Applies the events of the law topic to a table and tells listeners what changed."""

    def __init__(self, bus: Bus, service: str, table: LawTable) -> None:
        self.table = table
        self._bus = bus
        self._service = service
        self._listeners: list[Listener] = []
        self._witness: Witness | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"law-{service}", daemon=True)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` after each change, on the feed's thread; it must return at once."""
        self._listeners.append(listener)

    def watch(self, witness: Witness) -> None:
        """Let ``witness`` follow the topic; before ``start``."""
        self._witness = witness

    def start(self) -> None:
        """Begin to read the law from its first event."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; the table ages and its gate refuses."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except Unavailable as exc:
                log.warning("law cannot be read", service=self._service, reason=str(exc))
                self._stopping.wait(1.0)
            except Exception as exc:  # the thread must live: meanwhile the table ages and the gate refuses
                log.error("law cannot be read", service=self._service, exc_info=exc)
                self._stopping.wait(1.0)

    def _follow(self) -> None:
        subscription = self._bus.replay(self._service, [LAW_TOPIC])
        reached: dict[Partition, int] = {}
        held: Heartbeat | None = None
        whole = False
        if self._witness is not None:
            self._witness.anew()
        try:
            while not self._stopping.is_set():
                for received in subscription.poll(POLL_SECONDS):
                    event = self._event(received.message.value)
                    if isinstance(event, Heartbeat) and not whole:
                        # It makes the law fresh, and gates judge by that: not before all that stands there was read.
                        held = event
                    elif event is not None:
                        self._apply(event)
                    self._show(received, reached)
                if (self._witness is not None or not whole) and _all_read(subscription.lag()):
                    whole = True
                    if held is not None:
                        self._apply(held)
                        held = None
                    if self._witness is not None:
                        self._witness.reached_end()
        finally:
            subscription.close()

    def _show(self, received: Received, reached: dict[Partition, int]) -> None:
        at = (received.topic, received.partition)
        if self._witness is not None:
            if received.offset < reached.get(at, 0):
                # Offsets only grow, unless the topic was lost and made again.
                log.warning("the law topic has begun anew", service=self._service, offset=received.offset)
                self._witness.anew()
            self._witness.saw(received)
        reached[at] = received.offset + 1

    def _event(self, value: bytes) -> LawEvent | None:
        try:
            event: LawEvent = decode(value, LawEvent)  # type: ignore[arg-type]
        except msgspec.DecodeError as exc:
            # The exchange alone writes here. An event that cannot be read may be a stop: refuse from here on.
            log.error("law event cannot be read", service=self._service, rule=str(exc))
            self.table.poison(str(exc))
            return None
        return event

    def _apply(self, event: LawEvent) -> None:
        change = self.table.apply(event)
        for listener in self._listeners:
            try:
                listener(change)
            except Exception as exc:  # one listener's fault must not keep the next revocation from the others
                log.error("a listener to the law failed", service=self._service, exc_info=exc)


def _all_read(lag: Mapping[Partition, int]) -> bool:
    return bool(lag) and not any(lag.values())
