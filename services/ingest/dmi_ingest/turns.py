"""Work of many parties on few threads: they take turns, so that who brings much waits behind its own work alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

Work = Callable[[], None]


class Turns:
    """A line for each party; each thread takes the first of the party that waits longest for its turn."""

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._lines: dict[str, deque[tuple[Future[None], Work]]] = {}
        """Of those that wait; the party whose turn is next stands first."""

    def submit(self, party: str, work: Work) -> Future[None]:
        """Do this in the party's turn; the future is done when it is over. Raises ``RuntimeError`` once stopped."""
        future: Future[None] = Future()
        with self._lock:
            self._pool.submit(self._next)
            self._lines.setdefault(party, deque()).append((future, work))
        return future

    def stop(self) -> None:
        """End after the work at hand; what waits is cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            left = [future for line in self._lines.values() for future, _ in line]
            self._lines.clear()
        for future in left:
            future.cancel()

    def _next(self) -> None:
        with self._lock:
            party = next(iter(self._lines))
            line = self._lines.pop(party)
            future, work = line.popleft()
            if line:
                self._lines[party] = line
        if not future.set_running_or_notify_cancel():
            return
        try:
            work()
        except BaseException as exc:  # whoever waits for it is told, as by any pool
            future.set_exception(exc)
        else:
            future.set_result(None)
