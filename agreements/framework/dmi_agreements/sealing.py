"""Values of the log that name a person stand in it as commitments, so that they can be erased.

A sealed value is ``sealed:`` and the SHA-256 of a salt and the value. The salt and the value, its opening, are
kept apart; whoever is shown the opening can check it against the log. Without it the value cannot be found,
not even by guessing, since the salt holds 128 random bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from dmi_agreements.contracts.record import DecisionRecord

SEALED: Final = "sealed:"
SALT_BYTES: Final = 16
_DOMAIN: Final = b"dmi-log-value-v1\n"
_NAMES_A_PERSON: Final = re.compile(r"urn:dmi:person:|^sealed:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a sealed value is: the value and its salt."""

    salt: bytes
    value: str

    @property
    def sealed(self) -> str:
        """The text that stands for it in the log."""
        return commitment(self.salt, self.value)


def commitment(salt: bytes, value: str) -> str:
    """The sealed form of ``value``; raises ``ValueError`` for a salt that is not 16 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt is 16 bytes")
    # The salt has a fixed length, so no two pairs of salt and value give the same bytes.
    content = _DOMAIN + salt + value.encode()
    return SEALED + hashlib.sha256(content).hexdigest()


def needs_sealing(payload: bytes) -> bool:
    """Whether an encoded record holds anything that ``seal`` would seal; quicker than to look."""
    folded = payload.lower()
    return b'"subjects":' in folded or b"urn:dmi:person:" in folded or b'"sealed:' in folded


def seal(
    record: DecisionRecord, random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[DecisionRecord, list[Opening]]:
    """The record as the log keeps it, and the openings of what is sealed in it.

    Sealed are all data subjects, and every other text that names a person (or looks like something sealed).
    """
    openings: list[Opening] = []
    # One call for all salts: each gives up the interpreter's lock.
    texts = 7 + len(record.reasons) + len(record.agreements) + len(record.subjects) + 3 * len(record.counted)
    salts = random(SALT_BYTES * texts)

    def closed(value: str, always: bool = False) -> str:
        if not always and not _NAMES_A_PERSON.search(value):
            return value
        start = SALT_BYTES * len(openings)
        opening = Opening(salts[start : start + SALT_BYTES], value)
        openings.append(opening)
        return opening.sealed

    kept = msgspec.structs.replace(
        record,
        assignee=closed(record.assignee),
        actor=closed(record.actor),
        mandate=closed(record.mandate),
        asked_by=closed(record.asked_by),
        action=closed(record.action),
        dataset=closed(record.dataset),
        purpose=closed(record.purpose),
        reasons=[closed(each) for each in record.reasons],
        agreements=[closed(each) for each in record.agreements],
        subjects=[closed(each, always=True) for each in record.subjects],
        counted=[
            (closed(agreement), closed(rule), closed(party)) for agreement, rule, party in record.counted
        ],
    )
    return kept, openings


def unseal(record: DecisionRecord, openings: Iterable[Opening]) -> DecisionRecord:
    """The record with what can be opened; what was erased stays sealed."""
    known = {opening.sealed: opening.value for opening in openings}
    if not known:
        return record

    def opened(value: str) -> str:
        return known.get(value, value)

    return msgspec.structs.replace(
        record,
        assignee=opened(record.assignee),
        actor=opened(record.actor),
        mandate=opened(record.mandate),
        asked_by=opened(record.asked_by),
        action=opened(record.action),
        dataset=opened(record.dataset),
        purpose=opened(record.purpose),
        reasons=[opened(each) for each in record.reasons],
        agreements=[opened(each) for each in record.agreements],
        subjects=[opened(each) for each in record.subjects],
        counted=[
            (opened(agreement), opened(rule), opened(party)) for agreement, rule, party in record.counted
        ],
    )


def is_sealed(value: str) -> bool:
    """Whether this is a commitment that could not be opened."""
    return value.startswith(SEALED)
