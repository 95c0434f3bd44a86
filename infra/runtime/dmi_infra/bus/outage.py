"""Saying once that a server is away, again every minute, and once that it is back, instead of at every try."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Hashable
from typing import Final

AGAIN_S: Final = 60.0
SETTLED_S: Final = 5.0
"""An outage that returns within this time of its end is the same one: one that flutters fills no log."""

_LOG = logging.getLogger(__name__)


class Outage:
    """What is known of one server, as seen by ``what`` (something that this process does), in several ``part``s.

    Safe to share between threads. While one part sees the server away, it is.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._away: set[Hashable] = set()
        self._failed_at = self._said_at = self._back_at = -AGAIN_S
        self._said = False

    def away(self, reason: str, part: Hashable = None) -> None:
        """The server did not answer, or could not do what was asked."""
        with self._lock:
            now = self._failed_at = time.monotonic()
            new = not self._away and now - self._back_at >= SETTLED_S
            self._away.add(part)
            if not new and now - self._said_at < AGAIN_S:
                return
            self._said, self._said_at = True, now
        _LOG.warning("%s: the bus is away, trying again: %s", self._what, reason)

    def back(self, part: Hashable = None) -> None:
        """The server answered."""
        # Looked at without the lock: this is said at every success, and almost always there is nothing to do.
        if part not in self._away:
            return
        with self._lock:
            self._away.discard(part)
            if self._away:
                return
            self._back_at = time.monotonic()
            if not self._said:
                return
            self._said = False
        _LOG.info("%s: the bus is back", self._what)

    @property
    def lasts(self) -> bool:
        """Whether the last try failed; one of more than a minute ago tells nothing about now."""
        return bool(self._away) and time.monotonic() - self._failed_at < AGAIN_S
