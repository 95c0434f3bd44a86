"""Looking for decisions in the log by what stands in them, a bounded stretch of the log at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord
from dmi_exchange.logbook.entries import Entries, Entry
from dmi_exchange.sight import Sight

PAGE: Final = 1000
MOST_PAGES: Final = 10
"""How far one search looks for decisions that fit; ``next`` goes on from there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; ``party`` is a participant that a decision concerns, moments are microseconds UTC."""

    dataset: str | None = None
    party: str | None = None
    outcome: Literal["allowed", "refused"] | None = None
    agreement: str | None = None
    begin: Micros | None = None
    end: Micros | None = None

    @property
    def sifts(self) -> bool:
        """Whether entries have to be read to know that they fit."""
        return any(each is not None for each in (self.outcome, self.agreement, self.begin, self.end))

    def fits(self, record: DecisionRecord) -> bool:
        """Whether a decision is one of them."""
        return (
            (self.outcome is None or record.allowed == (self.outcome == "allowed"))
            and (self.agreement is None or self.agreement in record.agreements)
            and (self.begin is None or record.at >= self.begin)
            and (self.end is None or record.at < self.end)
        )


def search(
    entries: Entries, seen: Sight, wanted: Wanted, limit: int, newest: bool, cursor: int | None
) -> tuple[list[Entry], int | None]:
    """Entries that fit from ``cursor`` on (a sequence number, left out), as they may be shown, and where to go on."""
    found: list[Entry] = []
    size = PAGE if wanted.sifts else limit
    for _ in range(MOST_PAGES if wanted.sifts else 1):
        after, before = (0, cursor) if newest else (cursor or 0, None)
        page = entries.read(
            after, size, seen.party, wanted.dataset, newest_first=newest, before=before, also=wanted.party
        )
        cursor = page[-1].sequence if len(page) == size else None
        for entry in page:
            if wanted.fits(entry.record()):
                found.append(seen.of(entry))
            if len(found) == limit:
                return found, entry.sequence if cursor or entry != page[-1] else None
        if cursor is None:
            break
    return found, cursor
