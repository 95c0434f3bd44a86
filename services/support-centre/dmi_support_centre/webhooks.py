"""Tells subscribers of measures: CloudEvents over HTTP in binary mode, tried again until they arrive."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec
import structlog

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.results import Measure
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import Conflict, NotFound, Unavailable
from dmi_infra.internet import Lookups, is_public
from dmi_support_centre.errors import AddressRefused
from dmi_support_centre.measuring import public_measure
from dmi_support_centre.store.measures import Delivery, MeasureStore, Subscription

log = structlog.get_logger("support-centre")

RETRY_SECONDS = (5, 30, 120, 600, 1800, 3600)
"""Waits between tries; after the last the event is given up."""
IDLE_SECONDS = 2.0
LONGEST_URL = 2000
MOST = 10
"""Addresses of one participant."""
TURNS = 16
"""Participants that are told at the same time, each of one address after the other."""
DUE = 1000
"""Addresses of which events are read at a time."""
LOOK_UP_SECONDS = 5.0
"""How long a host name may take to be found."""


class Sender(Protocol):
    """Sends one event; raises ``OSError`` when it did not arrive."""

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None: ...


class HttpSender:
    """Posts to an address that it looked up and judged itself, so that no name can lead inside meanwhile."""

    def __init__(self, public_only: bool, timeout: float, lookups: Lookups | None = None) -> None:
        self._public_only = public_only
        self._timeout = timeout
        self._lookups = lookups or Lookups()

    def check(self, url: str) -> SplitResult:
        """The parts of a usable address; raises ``AddressRefused``."""
        parts = address(url)
        if self._public_only:
            self._resolve(parts)
        return parts

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Post once; redirections are not followed. Raises ``OSError``, also for an answer that takes too long."""
        parts = address(url)
        raw = socket.create_connection((self._resolve(parts), _port(parts)), self._timeout)
        with _over_in(self._timeout, raw):
            connection = self._connection(parts, raw)
            path = parts.path or "/"
            try:
                connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, headers)
                answer = connection.getresponse()
                answer.read(65_536)
            except http.client.HTTPException as exc:
                raise OSError(f"no proper answer: {type(exc).__name__}") from exc
            finally:
                connection.close()
        if not 200 <= answer.status < 300:
            raise OSError(f"answered {answer.status}")

    def _connection(self, parts: SplitResult, raw: socket.socket) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", _port(parts)
        if parts.scheme == "https":
            secure = http.client.HTTPSConnection(host, port, timeout=self._timeout)
            try:
                secure.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            except OSError:
                raw.close()
                raise
            return secure
        plain = http.client.HTTPConnection(host, port, timeout=self._timeout)
        plain.sock = raw
        return plain

    def _resolve(self, parts: SplitResult) -> str:
        host = parts.hostname or ""
        try:
            addresses = self._lookups.addresses(host, _port(parts), min(self._timeout, LOOK_UP_SECONDS))
        except TimeoutError as exc:
            raise AddressRefused.of("url", "its host name cannot be found in time", host) from exc
        except (OSError, UnicodeError) as exc:
            raise AddressRefused.of("url", "its host name is not known", host) from exc
        if self._public_only and not all(map(is_public, addresses)):
            raise AddressRefused.of("url", "must not lead to a private address", host)
        return addresses[0]


@contextmanager
def _over_in(seconds: float, raw: socket.socket) -> Iterator[None]:
    """Cut a connection off after so many seconds: a time-out of a socket begins anew with each byte that comes.

    Raises ``TimeoutError`` then: an answer that was cut off can look whole.
    """
    twin = raw.dup()  # the same connection, also once TLS has taken the socket over
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if late.is_set():
            raise TimeoutError("the answer takes too long")
    finally:
        timer.cancel()
        twin.close()


def address(url: str) -> SplitResult:
    """The parts of an http(s) address without credentials; raises ``AddressRefused``."""
    try:
        parts = urlsplit(url)
        port_known = parts.port is None or parts.port > 0
    except ValueError as exc:
        raise AddressRefused.of("url", "is no address", url) from exc
    if len(url) > LONGEST_URL or not url.isascii() or any(ord(c) <= 32 or c == "\x7f" for c in url):
        raise AddressRefused.of("url", "must be at most 2000 plain characters without spaces", url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_known:
        raise AddressRefused.of("url", "must be an http or https address", url)
    if parts.username is not None or parts.password is not None:
        raise AddressRefused.of("url", "must not hold a name or password", parts.hostname)
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


class Webhooks:
    """Subscriptions, and the thread that delivers to them."""

    def __init__(
        self,
        store: MeasureStore,
        check: Callable[[str], object],
        send: Sender,
        now: clock.Clock = clock.now,
    ) -> None:
        self._store = store
        self._check = check
        self._send = send
        self._now = now
        self._wanted = threading.Event()
        self._stopping = False
        self._subscribing = threading.Lock()
        self._judged: set[str] = set()
        """Participants of whom an address is being judged."""
        self._turning = threading.Lock()
        self._turns: dict[str, Future[int]] = {}
        """Of participants that are being told."""
        self._left = False
        """Whether some wait for a turn, since as many are being told as may be."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def subscribe(self, url: str, participant: str) -> Subscription:
        """A new subscription; the same address of the same participant is kept once.

        Whoever owns a host name decides how long it takes to judge, so a participant has one judged at a time.
        """
        with self._subscribing:
            if known := self._present(url, participant):
                return known
            if participant in self._judged:
                raise Conflict.of(
                    "url", "another address of yours is being looked up: try again shortly", url
                )
            self._judged.add(participant)
        try:
            self._check(url)
            made = Subscription(f"urn:uuid:{uuid.uuid4()}", url, participant, self._now())
            self._store.subscribe(made)
        finally:
            with self._subscribing:
                self._judged.discard(participant)
        return made

    def _present(self, url: str, participant: str) -> Subscription | None:
        """What this participant has for an address; raises ``Conflict`` when it may have no other."""
        present = self._store.subscriptions(participant)
        for known in present:
            if known.url == url:
                return known
        if len(present) >= MOST:
            raise Conflict.of("url", f"you have {MOST} addresses already: end one of them first", url)
        return None

    def unsubscribe(self, identifier: str, participant: str) -> None:
        """End a subscription; raises ``NotFound``."""
        if not self._store.unsubscribe(identifier, participant):
            raise NotFound("no subscription of yours has this id")

    def events(self, message: Message) -> list[dict[str, Any]]:
        """The rows that tell every subscriber of a measure's new state."""
        envelope = message.envelope
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "dmi-support-centre",
            "ce-specversion": "1.0",
            "ce-id": envelope.id,
            "ce-source": envelope.source,
            "ce-type": envelope.type,
            "ce-time": envelope.time,
            "ce-subject": envelope.subject,
        }
        body = json.dumps(public_measure(decode(message.value, Measure)), ensure_ascii=False).encode()
        return [
            {
                "subscription": one.id,
                "headers": msgspec.json.encode(headers).decode(),
                "body": body,
                "attempts": 0,
                "next_at": self._now(),
            }
            for one in self._store.subscriptions()
        ]

    def start(self) -> None:
        """Begin to deliver, first what an earlier run left."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wanted.set()

    def stop(self) -> None:
        """Stop after the deliveries at hand; what is left waits in the store."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=4)
        with self._turning:
            turns = list(self._turns.values())
        # Whoever still does not answer then is given up with the process, and told again by the next one.
        wait(turns, timeout=4)

    def deliver_due(self) -> int:
        """Try everything whose time has come; returns how many arrived."""
        return sum(turn.result() for turn in self._begin_due())

    def _begin_due(self) -> list[Future[int]]:
        """Begin a turn of each participant that something is due to and that has none: none waits for another one."""
        due: dict[str, list[Delivery]] = {}
        with self._turning:
            # Before the store is read: what a turn that ends meanwhile has delivered is not due.
            begun = set(self._turns)
        for delivery in self._store.due(self._now(), DUE):
            if delivery.participant not in begun:
                due.setdefault(delivery.participant, []).append(delivery)
        turns = []
        with self._turning:
            self._left = False
            for participant, mine in due.items():
                self._left = len(self._turns) >= TURNS
                if self._left or self._stopping:
                    break
                turn = self._turns[participant] = Future()
                turns.append(turn)
                # Not of a pool: the interpreter would wait for its threads, and so for an address, before it ends.
                threading.Thread(
                    target=self._turn, args=(participant, mine, turn), name="webhook", daemon=True
                ).start()
        return turns

    def _turn(self, participant: str, mine: Sequence[Delivery], turn: Future[int]) -> None:
        """Try what is due to one participant until an address does not answer; tells ``turn`` how many arrived."""
        arrived = 0
        try:
            for delivery in mine:
                if self._stopping or not self._deliver(delivery):
                    break
                arrived += 1
        except Unavailable as exc:
            log.warning("webhooks wait", reason=exc.public)
        except Exception as exc:  # the store's: the next round tries again
            log.error("webhooks faulty", exc_info=exc)
        finally:
            with self._turning:
                del self._turns[participant]
                more = arrived > 0 or self._left
            turn.set_result(arrived)
            if more:
                self._wanted.set()

    def _deliver(self, delivery: Delivery) -> bool:
        try:
            self._send(delivery.url, delivery.headers, delivery.body)
        except Exception as exc:  # whatever it is, it is of this address: others must not wait for it
            if not isinstance(exc, OSError | AddressRefused):
                log.error("webhook faulty", url=delivery.url, exc_info=exc)
            if delivery.attempts >= len(RETRY_SECONDS):
                log.error(
                    "webhook given up", url=delivery.url, attempts=delivery.attempts + 1, reason=str(exc)
                )
                self._store.delivered(delivery.id)
            else:
                wait = RETRY_SECONDS[delivery.attempts]
                log.warning("webhook waits", url=delivery.url, seconds=wait, reason=str(exc))
                self._store.postpone(delivery.id, self._now() + wait * 1_000_000)
            return False
        self._store.delivered(delivery.id)
        return True

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait(IDLE_SECONDS)
            self._wanted.clear()
            try:
                self._begin_due()
            except Unavailable as exc:
                log.warning("webhooks wait", reason=exc.public)
            except (
                Exception
            ) as exc:  # nobody else would deliver if this thread ended; the next round tries again
                log.error("webhooks faulty", exc_info=exc)
