"""Shares of what all use: who asks for much at a time gets no more than that, and keeps nobody else waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dmi_infra.errors import Unavailable


class Shares:
    """So many things (``each``) at a time of one party; ``what`` names them in the refusal of more."""

    def __init__(self, each: int, what: str) -> None:
        self._each = each
        self._what = what
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, party: str) -> Iterator[None]:
        """Hold one meanwhile; raises ``Unavailable`` at once when the party holds all that it may."""
        with self._lock:
            if self._held[party] >= self._each:
                raise Unavailable(f"{self._what}: at most {self._each} at a time")
            self._held[party] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[party] -= 1
                if not self._held[party]:
                    del self._held[party]
