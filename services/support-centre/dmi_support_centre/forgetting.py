"""Counts how often rows of a dataset have gone, so that nothing is kept that was begun with them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Forgotten:
    """How often each dataset was forgotten; who keeps what was made of one and who forgets it take turns.

    What marks results has their dataset forgotten first: what was begun before that is kept before the marks, which
    find it then, or not at all. A turn lasts while a result is saved, so nobody may forget within a transaction.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: Counter[str] = Counter()

    def times(self, dataset: str) -> int:
        """How often so far; to be asked before rows are read."""
        with self._lock:
            return self._times[dataset]

    @contextmanager
    def forgetting(self, dataset: str) -> Iterator[None]:
        """Rows have gone: what is being made of them is not kept, and the caller drops what it still has."""
        with self._lock:
            self._times[dataset] += 1
            yield

    @contextmanager
    def keeping(self, dataset: str, begun: int) -> Iterator[bool]:
        """Whether what was begun after so many times may be kept; nothing is forgotten until the caller is done."""
        with self._lock:
            yield self._times[dataset] == begun
