"""Checks of the whole log for whoever asks: one at a time, and of a long log not again and again."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from dmi_exchange.logbook.check import Noted, Verification, check
from dmi_exchange.logbook.entries import Entries
from dmi_exchange.logbook.tree import Tree, TreeBroken
from dmi_infra.aside import Aside
from dmi_infra.errors import Unavailable
from dmi_infra.lanes import Asker

BRIEF_SECONDS: Final = 0.5
"""A check that took no longer is made anew each time."""
SHARE: Final = 10
"""A longer one is answered from memory for so many times as long as it took: checks take a tenth of a processor."""
WAIT_SECONDS: Final = 2.0
"""How long who asks stands in line for the checks of others, which holds no thread."""
WAITING: Final = 2
"""Requests of one participant that may stand there."""


class Verifier:
    """Checks one log. Its answers say up to which entry the log was looked at."""

    def __init__(self, entries: Entries, tree: Tree) -> None:
        self._entries = entries
        self._tree = tree
        self._one = Aside(threads=1, each=1, waiting=WAITING, patience=WAIT_SECONDS)
        self._last: Verification | None = None
        self._good_until = 0.0

    async def verify(self, asker: Asker, noted: Noted | None = None) -> Verification:
        """What ``check`` says to who asks, now or a moment ago; raises ``Unavailable`` while others are first."""
        return await self._one.run(asker, partial(self._told, noted))

    def _told(self, noted: Noted | None) -> Verification:
        if self._last is None or time.monotonic() >= self._good_until:
            return self._fresh(noted)
        if noted is None or not self._last.ok:
            return self._last
        return self._noted(self._last, noted)

    def _fresh(self, noted: Noted | None) -> Verification:
        begun = time.monotonic()
        found = check(self._entries, self._tree, noted)
        # What one asker noted wrongly is nothing to tell others.
        self._last = found if noted is None or found.ok else check(self._entries, self._tree)
        took = time.monotonic() - begun
        self._good_until = time.monotonic() + (SHARE * took if took > BRIEF_SECONDS else 0)
        return found

    def _noted(self, whole: Verification, noted: Noted) -> Verification:
        """Whether a log that was whole a moment ago holds a head; by the tree, whose nodes were checked then."""
        size = noted.tree_size
        if size > (self._entries.end() or 0):
            return Verification(
                False, whole.count, whole.root_hash, whole.count + 1, "entries are missing at the end"
            )
        try:
            root = self._tree.root(size).hex()
        except TreeBroken as exc:
            raise Unavailable("the log has been checked a moment ago: ask again in a few minutes") from exc
        if root == noted.root_hash:
            return whole
        return Verification(False, size, root, size, "the log no longer holds the head that was noted")
