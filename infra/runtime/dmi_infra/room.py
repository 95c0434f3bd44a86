"""Room for what outlasts a request: how much of it is open at once, and how much of that one participant has."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from dmi_agreements.table import LawTable
from dmi_infra.errors import Unavailable
from dmi_infra.identity import Identity


class Room:
    """Places for something, in words ``what``; where there is none, ``refusal`` is raised."""

    def __init__(self, limit: int, share: int, what: str, refusal: type[Unavailable]) -> None:
        self._limit = limit
        self._share = share
        self._what = what
        self._refusal = refusal
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> Callable[[], None]:
        """A place for a participant, until what this gives is called, once; raises ``refusal``."""
        with self._lock:
            if self._taken[who] >= self._share:
                # The first to be told: others need not wait where only this one has too many.
                raise self._refusal(
                    f"you have {self._share} {self._what} open, as many as one participant may have here; "
                    "close one or try again shortly"
                )
            if self._taken.total() >= self._limit:
                raise self._refusal(
                    f"all {self._limit} {self._what} of this service are in use; try again shortly"
                )
            self._taken[who] += 1
        return lambda: self._give(who)

    def _give(self, who: str) -> None:
        with self._lock:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]


def whose_share(law: LawTable, identity: Identity) -> str:
    """Whose share a place is of. By its mandates or its machines one participant would have those of many."""
    return behind(law, (identity.acting.actor if identity.acting is not None else "") or identity.participant)


def behind(law: LawTable, who: str) -> str:
    """The participant behind who acts: whose machine it is, else itself."""
    known = law.participants.get(who)
    return known.machine_of if known is not None and known.machine_of else who
