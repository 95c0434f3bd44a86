"""Room for live streams: how many are open at once, and how many of those one participant has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from dmi_visualisation.errors import TooManyStreams


class Room:
    """Places for streams. For one thread, that of the loop."""

    def __init__(self, limit: int, share: int) -> None:
        self._limit = limit
        self._share = share
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> Callable[[], None]:
        """A place for a stream of a participant, until what this gives is called; raises ``TooManyStreams``."""
        if self._taken[who] >= self._share:
            # The first to be told: others need not wait where only this one has too many.
            raise TooManyStreams(
                f"you have {self._share} live streams open, as many as one participant may have here; "
                "close one or try again shortly"
            )
        if self._taken.total() >= self._limit:
            raise TooManyStreams(
                f"all {self._limit} live streams of this service are in use; try again shortly"
            )
        self._taken[who] += 1
        return lambda: self._give(who)

    def _give(self, who: str) -> None:
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]
