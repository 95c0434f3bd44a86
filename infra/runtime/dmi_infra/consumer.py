"""The loop of a consumer: poll, hand over, and try again from the stored position when the store is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from dmi_infra.bus.port import Bus, Received
from dmi_infra.errors import Unavailable
from dmi_infra.health import Well
from dmi_infra.telemetry import Metrics, continue_trace

log = structlog.get_logger("consumer")

POLL_SECONDS = 0.5
ROUND_SECONDS = 0.05
"""Rounds begin at least so far apart: what arrives in between, in many small messages, is carried out at once."""
IDLE_SECONDS = 10.0
"""A consumer that has lacked a partition for this long does not do its work, and its service is not ready."""
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


def after(messages: Sequence[Received]) -> dict[tuple[str, int], int]:
    """The position behind these messages, which stand in order within each partition."""
    return {(received.topic, received.partition): received.offset + 1 for received in messages}


class Unprocessable(ValueError):
    """A message that its reader will never be able to process; it goes to the rejected topic."""


class Handler(Protocol):
    """What a service does with the messages it receives."""

    def positions(self) -> Mapping[tuple[str, int], int]:
        """The next offset to read, from the service's own store."""
        ...

    def handle(self, messages: Sequence[Received]) -> None:
        """Carry out all messages and store their positions in one transaction."""
        ...

    def reject(self, message: Received, reason: str) -> None:
        """Keep a message that cannot be processed, with its reason, and its position."""
        ...


class ConsumerLoop:
    """A thread that feeds one handler from the topics of one group."""

    def __init__(
        self, bus: Bus, service: str, topics: Sequence[str], handler: Handler, metrics: Metrics
    ) -> None:
        self._bus = bus
        self._service = service
        self._topics = topics
        self._handler = handler
        self._metrics = metrics
        self._failures = 0
        self._idle_since: float | None = None
        self._in_hand: float | None = None
        self._spare = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"consumer-{service}", daemon=True)

    def start(self) -> None:
        """Begin to consume where the store's positions stand."""
        self._idle_since = time.monotonic()
        self._thread.start()

    def check(self) -> str | None:
        """A readiness check: well while it consumes, has nothing to do, or has not lacked a partition for long."""
        if not self._thread.is_alive():
            return f"the consumer of {self._named()} does not run; start the service again"
        if self._spare:
            return Well(
                f"other members of the group read all of {self._named()}; this one takes over from them"
            )
        since = self._idle_since
        if since is not None and time.monotonic() - since > IDLE_SECONDS:
            return (
                f"the consumer of {self._named()} has had no partition for {time.monotonic() - since:.0f} s"
            )
        return None

    def in_hand(self) -> float | None:
        """Since when, by the monotonic clock, it carries out the messages at hand; ``None`` while it has none."""
        return self._in_hand

    def _named(self) -> str:
        return ", ".join(self._topics)

    def stop(self) -> None:
        """Stop after the messages at hand."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._consume()
            except Unavailable as exc:
                self._back_off(str(exc))
            except Exception as exc:  # the thread must live: the messages come again from the stored position
                log.error("consumer failed", service=self._service, exc_info=exc)
                self._back_off(type(exc).__name__)

    def _back_off(self, reason: str) -> None:
        wait = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        log.warning("consumer waits", service=self._service, reason=reason, seconds=wait)
        self._failures += 1
        self._stopping.wait(wait)

    def _consume(self) -> None:
        subscription = self._bus.subscribe(
            self._service,
            self._topics,
            group=self._service,
            on_assign=lambda partitions: {
                at: offset for at, offset in self._handler.positions().items() if at in partitions
            },
        )
        try:
            while not self._stopping.is_set():
                messages = subscription.poll(POLL_SECONDS)
                self._note(bool(subscription.assigned()), subscription.spare())
                begun = time.monotonic()
                if messages:
                    self._in_hand = begun
                    self._hand_over(messages)
                    self._in_hand = None
                    subscription.commit()
                    self._failures = 0
                waiting: dict[str, int] = {}
                for (topic, _), lag in subscription.lag().items():
                    waiting[topic] = waiting.get(topic, 0) + lag
                for topic, lag in waiting.items():
                    self._metrics.lag.labels(topic).set(lag)
                if messages:
                    self._stopping.wait(max(0.0, begun + ROUND_SECONDS - time.monotonic()))
        finally:
            self._in_hand = None
            subscription.close()

    def _note(self, assigned: bool, spare: bool) -> None:
        self._spare = spare and not assigned
        if assigned or spare:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()

    def _hand_over(self, messages: Sequence[Received]) -> None:
        continue_trace(messages[0].message.envelope.traceparent)
        try:
            self._handler.handle(messages)
            return
        except Unavailable:
            raise
        except Exception as exc:  # one bad message must not hold up the others: find it below
            if len(messages) == 1:
                self._reject(messages[0], exc)
                return
            log.warning("messages are tried one by one", service=self._service, error=type(exc).__name__)
        for message in messages:
            self._hand_over([message])

    def _reject(self, message: Received, exc: Exception) -> None:
        reason = str(exc) if isinstance(exc, Unprocessable) else f"internal: {type(exc).__name__}"
        log.error(
            "message rejected",
            service=self._service,
            topic=message.topic,
            offset=message.offset,
            exc_info=None if isinstance(exc, Unprocessable) else exc,
        )
        self._handler.reject(message, reason)
