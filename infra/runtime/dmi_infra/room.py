"""Quotas of what all use, and room for what outlasts a request: who asks for much keeps nobody else waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dmi_agreements.table import LawTable
from dmi_infra.errors import Unavailable
from dmi_infra.identity import Identity


class Quota:
    """So many things (``share``) at a time of one party; ``what`` names them in the refusal of more, at once.

    Who may wait for its turn stands in a line instead (``dmi_infra.lanes``).
    """

    def __init__(self, share: int, what: str) -> None:
        self._share = share
        self._what = what
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def of(self, who: str) -> Iterator[None]:
        """Hold one meanwhile; raises ``Unavailable`` at once when the party holds all that it may."""
        give = self.take(who)
        try:
            yield
        finally:
            give()

    def take(self, who: str, count: int = 1) -> Callable[[], None]:
        """``count`` of them for a party, until what this gives is called, once; raises ``Unavailable``."""
        with self._lock:
            self._require(who, count)
            self._taken[who] += count
        return lambda: self._give(who, count)

    def _require(self, who: str, count: int) -> None:
        if self._taken[who] + count > self._share:
            raise Unavailable(f"{self._what}: at most {self._share} at a time")

    def _give(self, who: str, count: int) -> None:
        with self._lock:
            self._taken[who] -= count
            if not self._taken[who]:
                del self._taken[who]


class Room(Quota):
    """Quotas of at most ``limit`` places, in words ``what``; where there is none, ``refusal`` is raised."""

    def __init__(self, limit: int, share: int, what: str, refusal: type[Unavailable]) -> None:
        super().__init__(share, what)
        self._limit = limit
        self._refusal = refusal

    def _require(self, who: str, count: int) -> None:
        if self._taken[who] + count > self._share:
            # The first to be told: others need not wait where only this one has too many.
            raise self._refusal(
                f"you have {self._share} {self._what} open, as many as one participant may have here; "
                "close one or try again shortly"
            )
        if self._taken.total() + count > self._limit:
            raise self._refusal(
                f"all {self._limit} {self._what} of this service are in use; try again shortly"
            )


def whose_share(law: LawTable, identity: Identity) -> str:
    """Whose share a place is of. By its mandates or its machines one participant would have those of many."""
    return behind(law, (identity.acting.actor if identity.acting is not None else "") or identity.participant)


def behind(law: LawTable, who: str) -> str:
    """Who stands behind who acts: the node of a member of another, else whose machine it is, else itself.

    Another node names its members itself: were each to have a share, it would have as many as it likes.
    """
    known = law.participants.get(who)
    return (known.home or known.machine_of) if known is not None and (known.home or known.machine_of) else who
