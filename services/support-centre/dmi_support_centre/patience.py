"""Waiting that ends: what never comes to rest is not waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Patience:
    """Whether to go on: ``calm`` says so, or has not for so many seconds that what goes on is no exception.

    It is to be asked all the time, for it counts from when it was first told to wait. Any thread may ask.
    """

    def __init__(
        self, calm: Callable[[], bool], seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._calm = calm
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._since: float | None = None

    def __call__(self) -> bool:
        """Go on, or wait still."""
        calm = self._calm()
        with self._lock:
            if calm:
                self._since = None
                return True
            if self._since is None:
                self._since = self._now()
            return self._now() - self._since >= self._seconds
