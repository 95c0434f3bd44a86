"""Sends a message to another node over HTTP, once."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from dmi_exchange.errors import StepRefused

TIMEOUT_SECONDS = 4.0
LARGEST_ANSWER = 256 * 1024
LONGEST_ADDRESS = 2000


class Unreachable(Exception):
    """The other side gave no answer that can be read; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side answered; ``body`` is empty when it is no JSON object."""

    status: int
    body: dict[str, Any]

    @property
    def well(self) -> bool:
        """Whether the message was acknowledged."""
        return 200 <= self.status < 300

    @property
    def why(self) -> str:
        """The other side's reason in a line."""
        given = self.body.get("reason") or self.body.get("detail") or ""
        items = given if isinstance(given, list) else [given]
        texts = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]
        code = self.body.get("code", "")
        return ": ".join(part for part in (f"{self.status}", str(code), "; ".join(texts)) if part)[:500]


class Client:
    """Posts messages. ``token`` gives the access token for an address, ``None`` for none.

    ``public_only`` refuses addresses inside; the address that was judged is the one that is connected to.
    """

    def __init__(
        self,
        token: Callable[[str, str], str | None],
        public_only: bool,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._token = token
        self._public_only = public_only
        self._http = httpx.Client(
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=20),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def check(self, address: str) -> None:
        """Raise ``StepRefused`` for an address that no message could go to."""
        parts = _parts(address)
        if self._public_only and parts.scheme != "https":
            raise StepRefused("/callbackAddress: must begin with https://")
        if self._public_only:
            self._resolve(parts)

    def post(self, address: str, path: str, body: bytes, sender: str) -> Answer:
        """Post once, for the participant ``sender``; raises ``Unreachable``."""
        url = f"{address.rstrip('/')}/{path}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        token = self._token(address, sender)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        extensions: dict[str, Any] = {}
        try:
            if self._public_only:
                parts = _parts(url)
                headers["Host"] = parts.netloc
                extensions["sni_hostname"] = parts.hostname
                host = self._resolve(parts)
                netloc = f"[{host}]" if ":" in host else host
                url = parts._replace(netloc=f"{netloc}:{parts.port or 443}").geturl()
            with self._http.stream("POST", url, content=body, headers=headers, extensions=extensions) as got:
                read = b""
                for piece in got.iter_bytes():
                    read += piece
                    if len(read) > LARGEST_ANSWER:
                        raise Unreachable("the answer is too large")
                return Answer(got.status_code, _object(read))
        except StepRefused as exc:
            raise Unreachable(str(exc)) from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise Unreachable(f"{urlsplit(address).netloc} did not answer ({type(exc).__name__})") from exc

    @staticmethod
    def _resolve(parts: SplitResult) -> str:
        host = parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise StepRefused("/callbackAddress: its host name is not known") from exc
        addresses = [str(entry[4][0]) for entry in found]
        if not all(_is_public(address) for address in addresses):
            raise StepRefused("/callbackAddress: must not lead to a private address")
        return addresses[0]


def _is_public(text: str) -> bool:
    found = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if inner is not None:
        return _is_public(str(inner))
    return found.is_global and not found.is_multicast


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


def _object(read: bytes) -> dict[str, Any]:
    try:
        found = json.loads(read) if read else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
