"""Knows how often rows of a dataset have gone, and whose, so that nothing is kept that was begun with them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager


class Forgotten:
    """How often each dataset was forgotten; who keeps what was made of one and who forgets it take turns.

    What marks results has their dataset forgotten first: what was begun before that is kept before the marks, which
    find it then, or not at all. A turn lasts while a result is saved, so nobody may forget within a transaction. It is
    of a dataset: where the forecasts of one are scored, for seconds, scenarios and results of others do not wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._whose: defaultdict[str, list[str | None]] = defaultdict(list)

    def times(self, dataset: str) -> int:
        """How often so far; to be asked before rows are read."""
        return self.times_of([dataset])[dataset]

    def times_of(self, datasets: Iterable[str]) -> dict[str, int]:
        """As ``times``, of several datasets at one moment."""
        with self._lock:
            return {dataset: len(self._whose[dataset]) for dataset in datasets}

    @contextmanager
    def forgetting(self, dataset: str, person: str | None = None) -> Iterator[None]:
        """Rows have gone: what is being made of them is not kept, and the caller drops what it still has.

        They were of this ``person``; ``None``: of anybody, as far as is known.
        """
        with self._turn(dataset):
            with self._lock:
                self._whose[dataset].append(person)
            yield

    @contextmanager
    def keeping(self, dataset: str, begun: int, used: Collection[str] | None = None) -> Iterator[bool]:
        """Whether what was begun after so many times may be kept; nothing is forgotten until the caller is done.

        ``used``: all persons whose rows it was made of; ``None``: it may have been anybody.
        """
        with self.keeping_all({dataset: begun}, used) as whole:
            yield whole

    @contextmanager
    def keeping_all(self, begun: Mapping[str, int], used: Collection[str] | None = None) -> Iterator[bool]:
        """As ``keeping``, for what was made of several datasets, each forgotten so many times before it was begun."""
        with ExitStack() as turns:
            # In one order, so that no two wait for each other.
            for dataset in sorted(begun):
                turns.enter_context(self._turn(dataset))
            with self._lock:
                gone = [person for dataset, times in begun.items() for person in self._whose[dataset][times:]]
            yield not any(used is None or person is None or person in used for person in gone)

    def _turn(self, dataset: str) -> threading.Lock:
        with self._lock:
            return self._turns[dataset]
