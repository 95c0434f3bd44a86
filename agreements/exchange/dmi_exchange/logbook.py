"""Verifying the log: the chain itself, its noted end, and a head that somebody kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dmi_agreements.chain import GENESIS, Entry, Verification, verify
from dmi_exchange.store import Store

Head = tuple[int, str]
"""Number and hash of an entry."""


def check(store: Store, noted: Head | None = None) -> Verification:
    """Go through the whole log up to its head; ``noted`` is a head that an earlier look at the log showed.

    The head stands in a table of its own. Whoever changes both the log and that table is found by anyone
    who noted a head before.
    """
    head = store.head()
    if head is None:
        return Verification(False, 0, GENESIS, 1, "the note of where the log ends has been removed")
    sequence, expected = head
    met: dict[int, str] = {}
    result = verify(_until(store.whole_log(), sequence, noted, met), expected_head=expected)
    if result.ok and result.count != sequence:
        return Verification(
            False, result.count, result.head, result.count + 1, "entries are missing at the end"
        )
    if result.ok and store.entries(sequence, 1, None, None) and store.head() == head:
        return Verification(
            False, result.count, result.head, sequence + 1, "an entry stands behind the noted end of the log"
        )
    if result.ok and noted is not None and met.get(noted[0]) != noted[1]:
        reason = "the log no longer holds the head that was noted"
        return Verification(False, result.count, result.head, noted[0], reason)
    return result


def _until(entries: Iterable[Entry], last: int, noted: Head | None, met: dict[int, str]) -> Iterator[Entry]:
    """The entries up to the head: those that are written meanwhile are not part of this look."""
    for entry in entries:
        if entry.sequence > last:
            return
        if noted is not None and entry.sequence == noted[0]:
            met[entry.sequence] = entry.hash
        yield entry
