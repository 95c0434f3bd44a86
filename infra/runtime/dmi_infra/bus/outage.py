"""Saying once that a server is away, and once that it is back, instead of at every try."""

from __future__ import annotations

import logging

_LOG = logging.getLogger(__name__)


class Outage:
    """What is known of one server, as seen by ``what`` (a part of this process)."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._away = False

    def away(self, reason: str) -> None:
        """The server did not answer."""
        if not self._away:
            _LOG.warning("%s: the bus is away, trying again: %s", self._what, reason)
        self._away = True

    def back(self) -> None:
        """The server answered."""
        if self._away:
            _LOG.info("%s: the bus is back", self._what)
        self._away = False
