"""Who used what, summed up from the log: the figures behind "who uses my data" and "how does my connection do"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import LAW, DecisionRecord

MOST_ENTRIES = 5_000
"""The newest entries that one summary looks at: it is asked for by first screens, again and again."""


@dataclass(slots=True)
class Use:
    """What one participant did with one dataset in one way."""

    dataset: str
    assignee: str
    crossing: str
    action: str
    allowed: int = 0
    refused: int = 0
    rows: int = 0
    """Rows that were let through."""
    purposes: set[str] = field(default_factory=set)
    agreements: set[str] = field(default_factory=set)
    last_allowed: Micros | None = None
    last_refused: Micros | None = None
    last_reasons: list[str] = field(default_factory=list)
    """Why the newest refusal was one."""


def summed(records: Iterable[DecisionRecord]) -> list[Use]:
    """Decisions by dataset, participant, crossing and action; the most recently used first."""
    found: dict[tuple[str, str, str, str], Use] = {}
    for record in _uses(records):
        key = (record.dataset, record.assignee, record.crossing, record.action)
        use = found.setdefault(key, Use(*key))
        use.purposes.add(record.purpose)
        if record.allowed:
            use.allowed += record.begins
            use.rows += record.left
            use.agreements.update(record.agreements)
            use.last_allowed = max(record.at, use.last_allowed or 0)
        else:
            use.refused += 1
            if use.last_refused is None or record.at >= use.last_refused:
                use.last_refused, use.last_reasons = record.at, record.reasons
    return sorted(found.values(), key=lambda use: -max(use.last_allowed or 0, use.last_refused or 0))


def _uses(records: Iterable[DecisionRecord]) -> Iterable[DecisionRecord]:
    """Without the entries that tell what became of agreements: nobody used anything there."""
    return (record for record in records if record.crossing != LAW)


@dataclass(slots=True)
class UnderAgreement:
    """What was done lately under one agreement."""

    agreement: str
    times: int = 0
    rows: int = 0
    last: Micros = 0


def by_agreement(records: Iterable[DecisionRecord]) -> list[UnderAgreement]:
    """Uses that were allowed, by the agreement that allowed them; the most recently used first."""
    found: dict[str, UnderAgreement] = {}
    for record in _uses(records):
        for identifier in record.agreements if record.allowed else ():
            use = found.setdefault(identifier, UnderAgreement(identifier))
            use.times += record.begins
            use.rows += record.left
            use.last = max(use.last, record.at)
    return sorted(found.values(), key=lambda use: -use.last)
