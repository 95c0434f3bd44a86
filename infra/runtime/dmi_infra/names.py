"""Looks host names up within a time: the system's own look-up has none, and whoever owns a name decides how long."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

LookUp = Callable[[str, int], Sequence[str]]
"""The addresses of a host for a port; raises ``OSError`` or ``UnicodeError``."""


def _asked_of_the_system(host: str, port: int) -> list[str]:
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Names:
    """Addresses by name. A look-up that takes too long goes on, and who asks for the same name again waits for it."""

    def __init__(self, seconds: float, look_up: LookUp = _asked_of_the_system) -> None:
        self._seconds = seconds
        self._look_up = look_up
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], Future[Sequence[str]]] = {}

    def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host; raises ``TimeoutError`` where that takes too long, else as the look-up does."""
        key = (host, port)
        with self._lock:
            found = self._running.get(key)
            if found is None:
                found = self._running[key] = Future()
                threading.Thread(target=self._run, args=(key, found), name="names", daemon=True).start()
        return found.result(self._seconds)

    def _run(self, key: tuple[str, int], found: Future[Sequence[str]]) -> None:
        try:
            addresses = self._look_up(*key)
        except Exception as exc:  # whatever it is, whoever waits must hear it
            self._over(key)
            found.set_exception(exc)
        else:
            self._over(key)
            found.set_result(addresses)

    def _over(self, key: tuple[str, int]) -> None:
        with self._lock:
            del self._running[key]
