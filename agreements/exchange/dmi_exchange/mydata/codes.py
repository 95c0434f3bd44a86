"""Codes on paper: who holds one acts for the person in its letter, without an account; kept as digests alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.persons import LETTER_COUNTS
from dmi_exchange.logbook import own
from dmi_exchange.store import Store
from dmi_exchange.tables import paper_code
from dmi_infra import clock
from dmi_infra.errors import NotFound
from dmi_infra.sql import reading

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 of Crockford: no letter looks like a digit."""
LETTERS: Final = 20
"""100 random bits: nobody finds one by trying."""
GROUP: Final = 4
_SAME: Final = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class Kept:
    """Whose a code is, and who had it made: the person, who represented it, or the desk; of old ones nobody knows."""

    person: str
    made_by: str
    made_at: Micros


@dataclass(frozen=True, slots=True)
class New:
    """A code in groups, as it is printed, and until when it will hold; it opens nothing before it is kept."""

    written: str
    until: Micros


def new() -> New:
    """A code that nobody has yet."""
    plain = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    written = "-".join(plain[at : at + GROUP] for at in range(0, LETTERS, GROUP))
    return New(written, clock.now() + LETTER_COUNTS)


class Codes:
    """Keeps codes and knows whose they are; the law tells every service which one of a person counts.

    ``wake`` says that something waits for the bus.
    """

    def __init__(self, engine: sa.Engine, store: Store, wake: Callable[[], None]) -> None:
        self._engine = engine
        self._store = store
        self._wake = wake

    def keep(self, code: New, person: str, made_by: str) -> None:
        """Let a code that ``made_by`` asked for hold, end the person's earlier ones, and tell law and log of it.

        Raises ``NotFound`` for a person whom the law does not know.
        """
        row = {
            "digest": _digest(_plain(code.written)),
            "person": person,
            "expires_at": code.until,
            "made_by": made_by,
        }

        def decide(known: Participant | None) -> Participant:
            return msgspec.structs.replace(_found(known), letter_at=code.until - LETTER_COUNTS)

        def replace_row(connection: sa.Connection) -> None:
            old = sa.or_(paper_code.c.person == person, paper_code.c.expires_at < clock.now())
            connection.execute(sa.delete(paper_code).where(old))
            connection.execute(sa.insert(paper_code).values(row))

        told = own.done_for(person, made_by, "dmi:letter", "letter: a code was made")
        self._store.settle_all(Participant, {person: decide}, [told], replace_row)
        self._wake()

    def find(self, written: str) -> Kept | None:
        """Whose code this is, however it is written; ``None`` for one that does not hold (any more)."""
        digest = _digest(_plain(written))
        query = sa.select(paper_code.c.person, paper_code.c.made_by, paper_code.c.expires_at).where(
            paper_code.c.digest == digest, paper_code.c.expires_at > clock.now()
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Kept(row.person, row.made_by, row.expires_at - LETTER_COUNTS)

    def tell(self, code: Kept) -> None:
        """Have the law tell of a code from before it told of any; nothing changes where it has told of one since."""

        def decide(known: Participant | None) -> Participant:
            person = _found(known)
            # With a new letter the law tells of that one in the same transaction: this one holds, or that is known.
            at = code.made_at if person.letter_at is None else person.letter_at
            return msgspec.structs.replace(person, letter_at=at)

        self._store.settle(Participant, code.person, decide)
        self._wake()


def _found(known: Participant | None) -> Participant:
    if known is None:
        raise NotFound("nobody here has this id")
    return known


def _plain(written: str) -> str:
    return "".join(c for c in written.upper() if c.isalnum()).translate(_SAME)


def _digest(plain: str) -> str:
    # A plain digest is enough: with 100 random bits there is nothing to guess.
    return hashlib.sha256(plain.encode()).hexdigest()
