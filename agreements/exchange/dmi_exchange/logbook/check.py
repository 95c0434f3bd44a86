"""Verifying the log as it is stored: every entry, the tree over them, the signed heads, and noted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dmi_agreements.merkle import Frontier, leaf_hash
from dmi_exchange.logbook.entries import Entries, Entry
from dmi_exchange.logbook.tree import Tree

ORIGIN: Final = "log-origin"
"""The id of the entry by which a log goes on from the hash chain of an earlier version."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A head of the log as it was at some moment: how many entries, and the root over them (hexadecimal)."""

    tree_size: int
    root_hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the log is whole: how many entries held, the root over them, and where and why it breaks."""

    ok: bool
    count: int
    root_hash: str
    broken_at: int | None = None
    reason: str | None = None


def check(entries: Entries, tree: Tree, noted: Noted | None = None) -> Verification:
    """Go through the whole log; ``noted`` is a head that an earlier look at the log showed.

    Heads that this node signed stand in a table beside the log. Whoever changes the log, its tree and that
    table is found by anyone who noted a head before.
    """
    # First the head: one that was signed between the two would cover entries behind this end.
    signed = tree.head()
    end = entries.end()
    heads = {} if signed is None else {signed.tree_size: signed.root_hash}
    frontier = Frontier()
    if end is None:
        return _broken(frontier, "the note of where the log ends has been removed")
    for entry in entries.all():
        if entry.sequence > end:
            # Written meanwhile, or put behind the noted end.
            if entries.end() == end:
                return _broken(frontier, "an entry stands behind the noted end of the log")
            break
        reason = _wrong(entry, frontier.size + 1)
        if reason is not None:
            return _broken(frontier, reason)
        frontier.add(bytes.fromhex(entry.hash))
        found = frontier.root().hex() if frontier.size in heads or _is(noted, frontier.size) else None
        if found is not None and heads.get(frontier.size, found) != found:
            return _broken(frontier, "the log up to here is not the one that was signed", 0)
        if noted is not None and _is(noted, frontier.size) and found != noted.root_hash:
            return _broken(frontier, "the log no longer holds the head that was noted", 0)
    for size in (*heads, end, noted.tree_size if noted else 0):
        if size > frontier.size:
            return _broken(frontier, "entries are missing at the end")
    if signed is not None and tree.wrong_nodes(signed.tree_size):
        return _broken(frontier, "stored nodes of the tree are not those of its entries", 0)
    return Verification(True, frontier.size, frontier.root().hex())


def _is(noted: Noted | None, size: int) -> bool:
    return noted is not None and noted.tree_size == size


def _wrong(entry: Entry, number: int) -> str | None:
    if entry.sequence != number:
        return f"entry {entry.sequence} stands where {number} is due: removed, inserted or reordered"
    if leaf_hash(entry.payload).hex() != entry.hash:
        return f"the content of entry {number} does not have its hash"
    record = entry.record()
    if record.id == ORIGIN and not record.allowed:
        return f"the log was broken before it became a tree: {'; '.join(record.reasons)}"
    return None


def _broken(frontier: Frontier, reason: str, ahead: int = 1) -> Verification:
    return Verification(False, frontier.size, frontier.root().hex(), frontier.size + ahead, reason)
