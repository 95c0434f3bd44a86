"""The law on the bus: published whole, again when the bus has lost it, and a heartbeat while it is whole."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

import structlog

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import Heartbeat
from dmi_agreements.crossings import BY_NAME
from dmi_exchange.store import Store, law_message
from dmi_infra import clock
from dmi_infra.bus.port import Publisher, Received
from dmi_infra.errors import Unavailable

log = structlog.get_logger("exchange")

BEHIND_SECONDS = 3.0
"""A revocation that has waited this long for the bus stops the heartbeat, and so everything, two seconds later."""
SETTLE_SECONDS = 0.5
"""How long something may be missing on the topic before it counts as lost: it may be on its way."""
AGAIN_SECONDS = 5.0
"""How long what was published again may take to be seen, before it is published once more."""
LOOK_SECONDS = 0.05


class Publication:
    """Compares what the law topic holds with the store, and publishes again what the topic has lost.

    The store is the law and the topic its copy: a bus that was emptied or replaced gets the whole law at
    the next start, or as soon as the topic is seen to have begun anew. Until then ``whole`` is false.
    """

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake
        self._lock = threading.Lock()
        self._seen: dict[str, bytes] = {}
        self._whole = False
        self._missing_since: float | None = None
        self._again_at = 0.0
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="publication", daemon=True)

    def whole(self) -> bool:
        """Whether the topic was seen to hold the whole law since it was last read from its start."""
        return self._whole

    # -- lawfeed.Witness --------------------------------------------------------

    def anew(self) -> None:
        """See ``lawfeed.Witness``."""
        with self._lock:
            self._seen = {}
            self._whole = False
            self._missing_since = None

    def saw(self, received: Received) -> None:
        """See ``lawfeed.Witness``."""
        with self._lock:
            self._seen[received.message.key] = _digest(received.message.value)

    def reached_end(self) -> None:
        """See ``lawfeed.Witness``."""
        if not self._whole:
            self._wanted.set()

    # -- a part of the runtime --------------------------------------------------

    def start(self) -> None:
        """Begin to compare."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait()
            self._wanted.clear()
            try:
                if not self._stopping:
                    self.examine()
            except Unavailable as exc:
                log.warning("the law on the bus cannot be compared", reason=str(exc))
            except (
                Exception
            ) as exc:  # the thread must live: without it the heartbeat, and so everything, stays away
                log.error("the law on the bus cannot be compared", exc_info=exc)

    def examine(self) -> None:
        """Publish again what the topic lacks, unless it may still be on its way; note when it is whole."""
        with self._lock:
            seen = self._seen
            known = dict(seen)
        if self._store.unpublished():
            return
        law = self._store.whole_law()
        missing = [event.id for event in law if known.get(event.id) != _digest(encode(event))]
        now = time.monotonic()
        if not missing:
            with self._lock:
                # Unless the topic began anew while this was compared.
                self._whole = self._seen is seen
            return
        if self._missing_since is None:
            self._missing_since = now
        if now - self._missing_since < SETTLE_SECONDS or now < self._again_at:
            return
        log.warning("the bus has lost the law; it is published again", objects=len(missing))
        self._again_at = now + AGAIN_SECONDS
        self._store.publish_again(missing)
        self._wake()


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


class Pulse:
    """Publishes the heartbeat by which every gate knows that it still hears the law.

    It beats only while the law itself reaches the bus: ``behind`` says for how long something has waited,
    ``whole`` whether the bus holds all of it. A bus that lost its topics gets them through ``make_topics``.
    """

    def __init__(
        self,
        publisher: Publisher,
        seconds: float,
        behind: Callable[[], float],
        whole: Callable[[], bool],
        make_topics: Callable[[], None],
    ) -> None:
        self._publisher = publisher
        self._seconds = seconds
        self._behind = behind
        self._whole = whole
        self._make_topics = make_topics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End; gates refuse once the last beat is too old."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._whole():
                self._stopping.wait(LOOK_SECONDS)
                continue
            try:
                self._beat()
            except Unavailable as exc:
                log.warning("no heartbeat", reason=str(exc))
                self._mend()
            self._stopping.wait(self._seconds)

    def _beat(self) -> None:
        if self._behind() > BEHIND_SECONDS:
            raise Unavailable("the law waits in the outbox")
        topic = BY_NAME["law"].topic or ""
        self._publisher.publish(topic, [law_message(Heartbeat("urn:dmi:heartbeat", clock.now()))])

    def _mend(self) -> None:
        try:
            self._make_topics()
        except Unavailable as exc:
            log.info("topics cannot be made", reason=str(exc))
