"""How often rules were used: what the law tells of all gates, and what this process has allowed since.

The law tells the uses of each service as its gate recorded them, some tenths of a second late. What this process itself
allowed counts at once; of its own service the larger of the two figures holds, so that no use counts twice and none
of an earlier start is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from dmi_agreements.contracts.law import Usage
from dmi_agreements.policy.situation import NEVER, Use

Key = tuple[str, str, str]
"""Agreement, rule (path), party."""
Keys = tuple[Key, ...]


class Uses:
    """Counts by rule and party. Readers and the writer of the law may stand on different threads."""

    def __init__(self) -> None:
        self._told: dict[Key, Usage] = {}
        self._own: dict[Key, dict[str, int]] = {}
        self._first: dict[Key, int] = {}
        self._last: dict[Key, int] = {}
        self.lock = Lock()
        """Held by whoever decides and counts in one step: of two uses at once only one may be the last."""

    def tell(self, usage: Usage) -> bool:
        """Take in what the law tells; whether that is news. Counts only grow: an earlier state is none."""
        key = (usage.agreement, usage.rule, usage.assignee)
        known = self._told.get(key)
        if known is not None and sum(known.counts.values()) >= sum(usage.counts.values()):
            return False
        self._told[key] = usage
        return True

    def count(self, key: Key, service: str, at: int) -> None:
        """A gate of this process has allowed one more use."""
        told = self._told.get(key)
        own = self._own.setdefault(key, {})
        own[service] = max(own.get(service, 0), told.counts.get(service, 0) if told else 0) + 1
        self._first.setdefault(key, at)
        self._last[key] = at

    def of(self, key: Key) -> Use:
        """How often a party has used a rule, when first and when last."""
        told, own = self._told.get(key), self._own.get(key)
        if told is None and own is None:
            return NEVER
        counts: Mapping[str, int] = told.counts if told else {}
        mine = own or {}
        total = sum(max(counts.get(name, 0), mine.get(name, 0)) for name in {*counts, *mine})
        firsts = [
            moment for moment in (told.first if told else None, self._first.get(key)) if moment is not None
        ]
        lasts = [
            moment for moment in (told.last if told else None, self._last.get(key)) if moment is not None
        ]
        return Use(total, min(firsts, default=None), max(lasts, default=None))


class UsesOf:
    """The uses of one party under one agreement, by path of the rule; looked up only when a rule asks.

    ``again`` are the keys of the uses, counted already, that what is asked goes on with: such a use does not count
    twice, and waits for no interval again.
    """

    __slots__ = ("_again", "_agreement", "_party", "_uses")

    def __init__(self, uses: Uses, agreement: str, party: str, again: Keys) -> None:
        self._uses, self._agreement, self._party, self._again = uses, agreement, party, again

    def get(self, path: str, _default: Use = NEVER, /) -> Use:
        """The uses of a rule."""
        key = (self._agreement, path, self._party)
        use = self._uses.of(key)
        return Use(use.count - 1, use.first) if key in self._again and use.count else use
