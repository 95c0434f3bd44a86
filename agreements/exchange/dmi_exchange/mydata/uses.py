"""Who used a person's data for what and when, from the person's own part of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import EXERCISED
from dmi_exchange.logbook.entries import Entries, Entry

REQUEST = f"{EXERCISED}: "
"""How the reason of a record begins by which a layer tells that it carried out a request."""
PAGE = 1000


@dataclass(slots=True)
class Used:
    """One participant's use of a person's data in one dataset, for one purpose, in one way."""

    dataset: str
    participant: str
    purpose: str
    action: str
    times: int = 0
    first: Micros = 0
    last: Micros = 0
    grounds: set[str] = field(default_factory=set)
    """The agreements under which it was."""


def read_back(log: Entries, person: str, since: Micros) -> Iterator[Entry]:
    """The entries of a person since a moment, newest first, page by page."""
    before: int | None = None
    while True:
        page = log.read(0, PAGE, person, None, newest_first=True, before=before)
        for entry in page:
            if entry.record().at < since:
                return
            yield entry
        if len(page) < PAGE:
            return
        before = page[-1].sequence


def uses(entries: Iterable[Entry], person: str, dataset: str | None = None) -> list[Used]:
    """Uses of the person's data by others, the most recent first; what was refused used nothing."""
    found: dict[tuple[str, str, str, str], Used] = {}
    for entry in entries:
        record = entry.record()
        own = record.assignee == person or person not in record.subjects
        if own or not record.allowed or is_exercised(record.reasons) or dataset not in (None, record.dataset):
            continue
        key = (record.dataset, record.assignee, record.purpose, record.action)
        use = found.setdefault(key, Used(*key, first=record.at))
        use.times += 1
        use.first, use.last = min(use.first, record.at), max(use.last, record.at)
        use.grounds.update(record.agreements)
    return sorted(found.values(), key=lambda use: -use.last)


def is_exercised(reasons: Iterable[str]) -> bool:
    """Whether a record tells of a request that was carried out, and of no use."""
    return any(reason.startswith(REQUEST) for reason in reasons)
