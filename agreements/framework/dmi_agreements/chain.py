"""The hash chain of the log: each entry's hash covers its number, its content and the hash before it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

GENESIS: Final = "0" * 64
"""The previous hash of the first entry."""

_DOMAIN: Final = b"dmi-log-entry-v1\n"
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SEQUENCES: Final = 2**63


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log; ``payload`` are the bytes as stored, ``hash`` is ``link(previous, …)``."""

    sequence: int
    previous: str
    hash: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a chain is whole: how many entries held, the last good hash, and where and why it breaks."""

    ok: bool
    count: int
    head: str
    broken_at: int | None = None
    reason: str | None = None


def link(previous_hash: str, sequence: int, payload: bytes) -> str:
    """The hash of an entry: SHA-256 in hexadecimal.

    Framing: a domain line, 32 bytes of the previous hash, 8 bytes sequence, 8 bytes length (both big-endian),
    the payload. Every part has a fixed or stated length, so no two different entries give the same bytes.
    Raises ``ValueError`` when ``previous_hash`` is no hash or ``sequence`` is not in 0 … 2⁶³-1.
    """
    if not _HASH.fullmatch(previous_hash):
        raise ValueError("the previous hash is 64 lower-case hexadecimal digits")
    if not 0 <= sequence < _SEQUENCES:
        raise ValueError("a sequence number is between 0 and 2**63 - 1")
    digest = hashlib.sha256(_DOMAIN)
    digest.update(bytes.fromhex(previous_hash))
    digest.update(sequence.to_bytes(8, "big"))
    digest.update(len(payload).to_bytes(8, "big"))
    digest.update(payload)
    return digest.hexdigest()


def verify(
    entries: Iterable[Entry],
    *,
    previous: str = GENESIS,
    first: int = 1,
    expected_head: str | None = None,
) -> Verification:
    """Go through a chain in order, from number ``first`` that follows the hash ``previous``.

    A changed, removed, inserted or reordered entry breaks the chain where it stands. Entries cut off at the
    end leave a whole but shorter chain: only ``expected_head``, a head noted elsewhere, shows that.
    """
    head, count = previous, 0
    if not _HASH.fullmatch(previous) or first < 0:
        return Verification(False, 0, head, first, "the hash or number to begin from has a wrong form")
    for entry in entries:
        number = first + count
        reason = _broken(entry, number, head)
        if reason is not None:
            return Verification(False, count, head, number, reason)
        head, count = entry.hash, count + 1
    if expected_head is not None and head != expected_head:
        return Verification(
            False, count, head, first + count, "the chain ends before or beside the expected head"
        )
    return Verification(True, count, head)


def _broken(entry: Entry, number: int, head: str) -> str | None:
    if entry.sequence != number:
        return f"entry {entry.sequence} stands where {number} is due: removed, inserted or reordered"
    if entry.previous != head:
        return f"entry {number} does not follow the entry before it"
    if link(head, number, entry.payload) != entry.hash:
        return f"the content of entry {number} does not have its hash"
    return None
