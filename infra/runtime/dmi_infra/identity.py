"""Who asks: the identity that an access token proves, checked with the keys that the law publishes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.keys import find, revoked_since
from dmi_agreements.persons import LETTER_COUNTS, letter_stands
from dmi_agreements.table import LawTable
from dmi_agreements.uses import Keys
from dmi_infra import jose
from dmi_infra.errors import Unauthenticated

EXCHANGE_PARTICIPANT = "urn:dmi:participant:exchange"
"""The participant whose published keys sign access tokens."""

AUDIENCE = "urn:dmi:stack"
"""Audience of access tokens: the services of this node."""

PAPER: Final = "paper"
"""How somebody proved who it is that came in by the code of a letter (``amr``)."""

REMEMBERED_SECONDS: Final = 1.0
"""How long a verified token is believed, so long may a key that the law no longer has still count."""
REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class ByLetter:
    """Who had a letter made and when its code was, and when a token was issued for it, seconds since 1970."""

    made_by: str
    made_at: Micros
    issued: float


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or program acting for a participant. ``participant`` is who the law knows."""

    participant: str
    name: str
    roles: frozenset[str]
    acting: jose.Acting | None = None
    """Who acts for the participant, where it is somebody else, by a mandate or as its representative."""
    signed_with: str = ""
    """The exchange's key under its token."""
    proved_with: str | None = None
    """The key that the token was given for, or the name in a certificate that is bound to the participant."""
    expires: float = math.inf
    """Until when its token counts, seconds since 1970."""
    goes_on: Keys | None = None
    """The rules whose uses it goes on with, which the exchange has counted; ``None``: it asks for uses of its own."""
    letter: ByLetter | None = None
    """The letter by whose code it came in."""

    @property
    def on_paper(self) -> bool:
        """Whether it came in by the code of a letter, which anybody may hold who found it."""
        return self.letter is not None

    def has(self, *roles: str) -> bool:
        """Whether the identity holds at least one of these roles."""
        return not self.roles.isdisjoint(roles)


class LawBehind(Unauthenticated):
    """A token of this node about something that the law, as it is known here, has not told: it may within a moment."""


class UnknownHolder(LawBehind):
    """A token of a participant of whom the law has not told yet: who joined a moment ago asks again."""

    code = "unknown-participant"


class UnknownKey(LawBehind):
    """A token for a key that is not among those which a participant has or had: one of a moment ago asks again."""

    code = "unknown-key"


@dataclass(frozen=True, slots=True)
class _Verified:
    at: float
    """Of the monotonic clock, seconds."""
    identity: Identity


class Authenticator:
    """Verifies access tokens against the law table, without a question to the exchange.

    A token is verified once a second: checking its signature costs more than taking an observation.
    Membership, rights, and whether its keys still count are asked of the law at each request all the same.
    """

    def __init__(self, issuer: str, law: LawTable) -> None:
        self._issuer = issuer
        self._law = law
        self._recent: dict[str, _Verified] = {}

    def __call__(self, token: str) -> Identity:
        """The identity of an access token; raises ``Unauthenticated`` with the rule that it breaks."""
        now = time.monotonic()
        known = self._recent.get(token)
        if known is not None and now - known.at < REMEMBERED_SECONDS and time.time() < known.identity.expires:
            # The leeway for clocks that differ is not used up from memory.
            self.check_keys(known.identity)
            return known.identity
        claims = jose.verify_access(token, self._issuer, AUDIENCE, self._key)
        acting = None
        if "act" in claims:
            acting = jose.Acting(str(claims["act"]["sub"]), str(claims.get("mandate", "")))
        identity = Identity(
            str(claims["sub"]), str(claims.get("name", "")), frozenset(claims.get("roles", [])), acting,
            str(claims["kid"]), claims.get("client_kid"), float(claims["exp"]),
            tuple((a, r, p) for a, r, p in claims["goes_on"]) if "goes_on" in claims else None,
            _letter(claims),
        )  # fmt: skip
        if len(self._recent) >= REMEMBERED:
            self._recent.clear()
        self.check_keys(identity)
        self._recent[token] = _Verified(now, identity)
        return identity

    def check_keys(self, identity: Identity) -> None:
        """Raise ``Unauthenticated`` when a key under the token of an identity has ended since."""
        if self._key(self._issuer, identity.signed_with) is None:
            raise Unauthenticated("the token's key is not one of its issuer's keys")
        # In the place of a child stands who represents it, with its own token.
        itself = identity.acting.actor if identity.acting else identity.participant
        if identity.letter is not None:
            self._check_letter(itself, identity.letter)
        if identity.proved_with is None:
            return
        holder = self._law.participants.get(itself)
        if holder is None:
            raise UnknownHolder("the law that is in force here does not know who this token was given to")
        proof = identity.proved_with
        if find(holder.keys, proof, time.time()) is not None or proof in holder.identifiers:
            return
        if all(key.get("kid") != proof for key in holder.keys):
            raise UnknownKey(
                "the law that is in force here does not know the key that this token was given for"
            )
        raise Unauthenticated("the key that this token was given for does not count any more")

    def _check_letter(self, whose: str, letter: ByLetter) -> None:
        """A code ends with its time, at the next letter, or when who had it made may act no more or revokes a key.

        With it end the tokens got for it.
        """
        maker, person = map(self._law.participants.get, (letter.made_by, whose))
        if maker is None or person is None:
            raise UnknownHolder("the law that is in force here does not know who had this letter made")
        if revoked_since(maker.keys, letter.issued):
            raise Unauthenticated("a key of who had this letter made was revoked; ask for a new letter")
        now = int(time.time() * 1_000_000)
        if not letter_stands(maker, person, now):
            raise Unauthenticated("who had this letter made does not act for its person any more")
        if person.letter_at is None or person.letter_at < letter.made_at:
            raise LawBehind(
                "the law that is in force here does not know the letter that this token was given for"
            )
        if letter.made_at < person.letter_at or letter.made_at + LETTER_COUNTS <= now:
            raise Unauthenticated(
                "the code that this token was given for holds no more, as after a new letter"
            )

    def _key(self, issuer: str, kid: str) -> Mapping[str, Any] | None:
        if issuer != self._issuer:
            return None
        exchange = self._law.participants.get(EXCHANGE_PARTICIPANT)
        keys = exchange.keys if exchange else []
        return find(keys, kid, time.time())


def _letter(claims: Mapping[str, Any]) -> ByLetter | None:
    by_code = PAPER in claims.get("amr", [])
    if not by_code:
        return None
    return ByLetter(str(claims.get("client_id", "")), claims.get("letter", 0), float(claims["iat"]))
