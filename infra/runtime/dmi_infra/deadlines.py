"""Time-outs for whole requests: who sends a byte now and then would else be waited for without end."""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore
import httpx

SLICE: Final = 16 * 1024
"""Bytes that are written at a time: a time-out holds for each part that the other side takes, not for all of it."""


class Deadlines:
    """Until when the requests of each thread may take; their sockets ask it at each read and write."""

    def __init__(self) -> None:
        self._own = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What this thread asks meanwhile is over in so many seconds, whatever trickles in."""
        before = self._until
        self._own.until = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._own.until = before

    @property
    def _until(self) -> float:
        until: float = getattr(self._own, "until", math.inf)
        return until

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """``timeout``, or what is left when that is less; raises ``late`` when nothing is."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise late("the whole request takes too long")
        if timeout is None:
            return None if left == math.inf else left
        return min(timeout, left)


class TimedTransport(httpx.HTTPTransport):
    """As httpx's own, under ``deadlines``."""

    def __init__(self, deadlines: Deadlines, verify: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=verify, trust_env=False, limits=limits)
        # The only way to sockets of one's own: httpx offers its pool no other.
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(deadlines),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadlines.left(timeout, httpcore.ConnectTimeout)
        return _Stream(
            self._plain.connect_tcp(host, port, left, local_address, socket_options), self._deadlines
        )


class _Stream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream, deadlines: Deadlines) -> None:
        self._plain = plain
        self._deadlines = deadlines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, self._deadlines.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), SLICE):
            left = self._deadlines.left(timeout, httpcore.WriteTimeout)
            self._plain.write(buffer[start : start + SLICE], left)

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadlines.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._plain.start_tls(ssl_context, server_hostname, left), self._deadlines)

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)
