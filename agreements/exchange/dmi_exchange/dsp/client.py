"""Sends messages and questions to another node over HTTP, once."""

from __future__ import annotations

import codecs
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec

from dmi_agreements.policy.jsonld import form
from dmi_exchange.errors import StepRefused
from dmi_infra.answers import PLAIN, is_plain
from dmi_infra.authorities import trusted
from dmi_infra.deadlines import Deadlines, TimedTransport
from dmi_infra.errors import Unavailable
from dmi_infra.internet import Lookups, is_public
from dmi_infra.room import Quota

TIMEOUT_SECONDS = 4.0
NAME_SECONDS = 2.0
"""For the look-up of a host name."""
LATE = "the host name of an address could not be looked up in time; try again shortly"
SILENCE_SECONDS = 10.0
"""A stream that says nothing for so long, not even that it lives, has broken."""
WHOLE_SECONDS = 6.0
"""For a request with its whole answer: who sends a byte now and then must not hold a worker, nor who waits for it."""
PAGE_SECONDS = 30.0
"""For a page of a catalogue with its answer."""
DATA_SECONDS = 300.0
"""For data, which a thread of its own carries."""
CONNECTIONS = 64
DATA_CONNECTIONS = 512
"""For data, which stays as long as it likes: what nodes tell each other meanwhile goes over others."""
DATA_OF_ONE = 200
"""Of these, for transfers of one participant: as many as it may have open (``room``)."""
DATA_KEPT = 128
"""Of all, for who has few: three participants would else have them all."""
DATA_OF_FEW = 16
LOOK_SECONDS = 0.5
"""How long after it ends at most a stream that never says a whole line is read on."""
LARGEST_ANSWER = 256 * 1024
LONGEST_ADDRESS = 2000
LARGEST_EVENT = 64 * 1024 * 1024
"""Characters of an event of a stream, and of a line of it."""


class Unreachable(Exception):
    """The other side gave no answer that can be read; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side answered; ``body`` is empty when it is no JSON object."""

    status: int
    body: dict[str, Any]
    links: dict[str, Any]
    """Links of the header, by relation (RFC 8288)."""

    @property
    def well(self) -> bool:
        """Whether the message was acknowledged."""
        return 200 <= self.status < 300

    @property
    def why(self) -> str:
        """The other side's reason in a line."""
        given = self.body.get("reason") or self.body.get("detail") or ""
        items = given if isinstance(given, list) else [given]
        code = _said(self.body.get("code") or "")
        return ": ".join(part for part in (f"{self.status}", code, "; ".join(map(_said, items))) if part)[
            :500
        ]


class DataQuota(Quota):
    """The connections for data: who has few gets one also where those who have many get no more."""

    def _require(self, who: str, count: int) -> None:
        super()._require(who, count)
        few = self._taken[who] < DATA_OF_FEW
        if self._taken.total() >= DATA_CONNECTIONS - (0 if few else DATA_KEPT):
            raise Unavailable("too many transfers of this node run at a time; try again shortly")


Token = Callable[[str, str, tuple[str, str, bytes]], str | None]
"""From the sender, the protocol address of the receiver, and the request (method, address, body) to a token."""


class Client:
    """Sends requests, each with the token that ``token`` gives for it.

    ``public_only`` refuses addresses inside; the address that was judged is the one that is connected to. ``known``
    are the hosts of the nodes that are known: addresses that others chose do not keep these from being found.
    """

    def __init__(
        self,
        token: Token,
        public_only: bool,
        transport: httpx.BaseTransport | None = None,
        known: Iterable[str] = (),
    ) -> None:
        self._token = token
        self._public_only = public_only
        self._lookups = Lookups(known)
        self._deadlines = Deadlines()
        self._http = self._made(CONNECTIONS, transport)
        self._data = self._made(DATA_CONNECTIONS, transport)
        self._quota = DataQuota(DATA_OF_ONE, "transfers of one participant")

    def _made(self, connections: int, transport: httpx.BaseTransport | None) -> httpx.Client:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=32, keepalive_expiry=20)
        return httpx.Client(
            headers=PLAIN,
            timeout=TIMEOUT_SECONDS,
            transport=transport or TimedTransport(self._deadlines, trusted(environment=False), limits),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._data.close()

    def check(self, address: str) -> None:
        """Raise ``StepRefused`` for an address that no message could go to, ``Unavailable`` when that takes long."""
        parts = _parts(address)
        if self._public_only and parts.scheme != "https":
            raise StepRefused("/callbackAddress: must begin with https://")
        if self._public_only:
            self._resolve(parts)

    def post(self, address: str, path: str, body: bytes, sender: str) -> Answer:
        """Post a message for the participant ``sender`` to the node at ``address``; raises ``Unreachable``."""
        address = address.rstrip("/")
        return self.ask("POST", address, f"{address}/{path}", body, sender)

    def ask(
        self,
        method: str,
        address: str,
        url: str,
        body: bytes,
        sender: str,
        largest: int = LARGEST_ANSWER,
        seconds: float = WHOLE_SECONDS,
    ) -> Answer:
        """One request for the participant ``sender`` to the node whose protocol is at ``address``."""
        headers = self._introduced(method, address, url, body, sender)
        return self._send(method, url, body, headers, largest, seconds)

    def _introduced(self, method: str, address: str, url: str, body: bytes, sender: str) -> dict[str, str]:
        token = self._token(sender, address, (method, url.partition("?")[0], body))
        return {"Authorization": f"Bearer {token}"} if token is not None else {}

    def push(self, address: str, url: str, body: bytes, sender: str, party: str) -> Answer:
        """Data of ``sender`` to where ``party`` wants it; raises ``Unreachable``, ``Unavailable`` beyond its share."""
        headers = self._introduced("POST", address, url, body, sender)
        with self._quota.of(party):
            return self._send("POST", url, body, headers, LARGEST_ANSWER, DATA_SECONDS, self._data)

    def get(self, url: str) -> Answer:
        """A question that needs no right, such as for a node's keys; raises ``Unreachable``."""
        return self._send("GET", url, b"", {}, LARGEST_ANSWER)

    def fetch(self, url: str, token: str, largest: int, party: str) -> Answer:
        """Data for ``party``, with a token of its own; raises ``Unreachable``, ``Unavailable`` beyond its share."""
        headers = {"Authorization": f"Bearer {token}"}
        with self._quota.of(party):
            return self._send("GET", url, b"", headers, largest, DATA_SECONDS, self._data)

    def raw(self, url: str, accept: str, largest: int) -> tuple[int, bytes]:
        """Status and text of what is public and may be no JSON, such as a signed list; raises ``Unreachable``."""
        headers = {"Accept": accept}
        status, read, _ = self._read("GET", url, b"", headers, largest)
        return status, read

    def query(self, url: str, token: str, body: bytes, largest: int) -> Answer:
        """A question with a token that was made for it; raises ``Unreachable``."""
        headers = {"Authorization": f"Bearer {token}"}
        status, read, links = self._read("POST", url, body, headers, largest)
        return Answer(status, _object(read), links)

    @contextmanager
    def stream(
        self, url: str, token: str, after: str, party: str, goes_on: Callable[[], bool]
    ) -> Iterator[Iterator[str]]:
        """The lines of a stream of server-sent events for ``party`` behind a position, as long as it ``goes_on``.

        Raises ``Unreachable``, and ``Unavailable`` beyond its share.
        """
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if after:
            headers["Last-Event-ID"] = after
        netloc = urlsplit(url).netloc
        try:
            placed, more, extensions = self.placed(url)
            timeout = httpx.Timeout(TIMEOUT_SECONDS, read=SILENCE_SECONDS)
            with ExitStack() as opened:
                opened.enter_context(self._quota.of(party))
                with self._deadlines.within(WHOLE_SECONDS):
                    got = opened.enter_context(
                        self._data.stream(
                            "GET", placed, headers=headers | more, extensions=extensions, timeout=timeout
                        )
                    )
                    _require_plain(got)
                    if got.status_code != 200:
                        why = Answer(got.status_code, _object(_whole(got, LARGEST_ANSWER)), {}).why
                        raise Unreachable(f"{netloc} answered {why}")
                yield lines_of(_while(goes_on, got.iter_text()))
        except StepRefused as exc:
            raise Unreachable(str(exc)) from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as exc:
            raise Unreachable(f"{netloc} broke off ({type(exc).__name__})") from exc

    def _send(
        self, method: str, url: str, body: bytes, more: dict[str, str], largest: int,
        seconds: float = WHOLE_SECONDS, by: httpx.Client | None = None,
    ) -> Answer:  # fmt: skip
        status, read, links = self._read(method, url, body, more, largest, seconds, by)
        return Answer(status, _object(read), links)

    def _read(
        self,
        method: str,
        url: str,
        body: bytes,
        more: dict[str, str],
        largest: int,
        seconds: float = WHOLE_SECONDS,
        by: httpx.Client | None = None,
    ) -> tuple[int, bytes, dict[str, Any]]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", **more}
        netloc = urlsplit(url).netloc
        try:
            url, placed, extensions = self.placed(url)
            headers |= placed
            with (
                self._deadlines.within(seconds),
                (by or self._http).stream(
                    method, url, content=body, headers=headers, extensions=extensions
                ) as got,
            ):
                read = _whole(got, largest)
                return got.status_code, read, {str(name): link for name, link in got.links.items()}
        except StepRefused as exc:
            raise Unreachable(str(exc)) from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as exc:
            raise Unreachable(f"{netloc} did not answer ({type(exc).__name__})") from exc

    def placed(self, url: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """The address to connect to with headers and extensions: with the host that was judged, where one is."""
        if not self._public_only:
            return url, {}, {}
        parts = urlsplit(url)
        try:
            host = self._resolve(_parts(parts._replace(query="").geturl()))
        except Unavailable as exc:
            raise Unreachable(exc.public) from exc
        netloc = f"[{host}]" if ":" in host else host
        placed = parts._replace(netloc=f"{netloc}:{parts.port or 443}").geturl()
        return placed, {"Host": parts.netloc}, {"sni_hostname": parts.hostname}

    def _resolve(self, parts: SplitResult) -> str:
        try:
            addresses = self._lookups.addresses(parts.hostname or "", parts.port or 443, NAME_SECONDS)
        except TimeoutError as exc:
            raise Unavailable(LATE) from exc
        except OSError as exc:
            raise StepRefused("/callbackAddress: its host name is not known") from exc
        if not all(map(is_public, addresses)):
            raise StepRefused("/callbackAddress: must not lead to a private address")
        return addresses[0]


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as exc:
        raise StepRefused("/callbackAddress: is no address") from exc
    plain = address.isascii() and not any(ord(c) <= 32 or c == "\x7f" for c in address)
    if not well or not plain or len(address) > LONGEST_ADDRESS or parts.username is not None:
        raise StepRefused("/callbackAddress: must be a plain http or https address")
    if parts.query or parts.fragment:
        raise StepRefused("/callbackAddress: must have no query and no fragment")
    return parts


def _while(goes_on: Callable[[], bool], pieces: Iterable[str]) -> Iterator[str]:
    """Pieces as they come; asked piece by piece, since whoever sends them need never end a line."""
    asked = -LOOK_SECONDS
    for piece in pieces:
        now = time.monotonic()
        if now - asked >= LOOK_SECONDS:
            if not goes_on():
                return
            asked = now
        yield piece


def lines_of(pieces: Iterable[str], largest: int = LARGEST_EVENT) -> Iterator[str]:
    """The lines of a text that comes in pieces; raises ``Unreachable`` for one that does not end in time."""
    begun: list[str] = []
    size = 0
    for piece in pieces:
        *ends, rest = piece.split("\n")
        for end in ends:
            yield ("".join(begun) + end).removesuffix("\r")
            begun, size = [], 0
        begun.append(rest)
        size += len(rest)
        if size > largest:
            raise Unreachable("a line of the stream is too long")


def _require_plain(got: httpx.Response) -> None:
    """Raise ``Unreachable`` for a packed answer, before anything of it is read."""
    if not is_plain(got):
        raise Unreachable("the answer is compressed, which was not asked for")


def _whole(got: httpx.Response, largest: int) -> bytes:
    """The body of an answer; raises ``Unreachable`` for one that is larger, or packed."""
    _require_plain(got)
    read = bytearray()
    for piece in got.iter_bytes():
        read += piece
        if len(read) > largest:
            raise Unreachable("the answer is too large")
    return bytes(read)


def _said(part: object) -> str:
    """A part of the other side's reason as text."""
    if isinstance(part, str):
        return part
    try:
        return json.dumps(part, ensure_ascii=False)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested too deep
        return form(part)


def _object(read: bytes) -> dict[str, Any]:
    try:
        # Strictly: halves of surrogate pairs and NaN could be neither kept nor shown.
        text = read.removeprefix(codecs.BOM_UTF8)
        found = msgspec.json.decode(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
