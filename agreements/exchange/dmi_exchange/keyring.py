"""Participants' keys in the course of time: a new one announced, an old one ended, a stolen one revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_agreements.keys import HEARD_SECONDS, ended, find, living, revoked
from dmi_exchange.handlers import Exchange
from dmi_exchange.owned_keys import checked_key, pin
from dmi_infra import clock, jose
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused
from dmi_infra.jose import SigningKey

MOST_LIVING: Final = 10
MOST_KEPT: Final = 100
MOST_EVER: Final = 1_000
"""Keys of one participant, revoked ones with them: so many fit in what is kept of it, however they end."""
Why = Literal["unspecified", "compromised", "superseded"]
"""Why a key is revoked (OpenID Federation 1.0 §8.7.3)."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to announce, and for how long the one that it replaces still counts (seconds)."""

    key: Mapping[str, Any]
    overlap: int
    jws: str | None = None
    """The replaced key's signature under ``announcement``."""
    proof: str | None = None
    """The new key's signature under the same."""


def announcement(participant: str, kid: str, overlap: int) -> dict[str, Any]:
    """What both keys sign: that one comes beside the other."""
    return {"participant": participant, "key": kid, "overlap_seconds": overlap, "statement": "adds key"}


class Keyring:
    """Changes of keys; each is a change of the law, so that every service knows it within a second."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def add(self, identifier: str, new: NewKey, recovery: bool = False) -> Participant:
        """Announce a key that its owner signed for, with the key that it replaces and with itself.

        ``recovery``: the operator vouches, for a participant none of whose keys counts any more.
        """
        key = checked_key(new.key, "key")
        statement = announcement(identifier, str(key["kid"]), new.overlap)
        present = self._exchange.participant(identifier)
        alive = living(present.keys, clock.seconds())
        replaced = None
        if new.jws is not None:
            replaced = _signer(statement, new.jws, alive, "jws")
        elif not recovery or alive:
            raise InputRefused.of("jws", "must be the announcement, signed with a key that counts now")
        if new.proof is None:
            raise InputRefused.of("proof", "must be the announcement, signed with the new key")
        _signer(statement, new.proof, [key], "proof")
        return self._announce(identifier, key, replaced, new.overlap)

    def renew(self, identifier: str, overlap: int) -> Participant:
        """A new key for a participant whose key this node keeps; it signs once everyone has heard of it.

        Kept before it is announced, since the law must not name one that nobody holds; refused, it never takes over.
        """
        custody, now = self._exchange.custody, int(clock.seconds())
        replaced = custody.own(identifier).kid
        takes_over = now + HEARD_SECONDS if overlap > HEARD_SECONDS else now
        key = custody.renew(identifier, takes_over)
        return self._announce(identifier, key.public, replaced, overlap)

    def revoke(self, identifier: str, kid: str, reason: str) -> Participant:
        """End a key at once; what it proved, such as access tokens, ends with it.

        So do codes of letters that were made by then: nobody knows which of them whoever stole it holds. A key of
        another node's member counts no more here, whatever its node tells of it from then on.
        """
        if self._exchange.custody.path(identifier).exists():
            own = self._exchange.custody.own(identifier)
            if own.kid == kid:
                raise Conflict.of("kid", "this node signs with this key: rotate it first", kid)

        def decide(known: Participant | None) -> Participant:
            participant = _known(known)
            key = next((each for each in participant.keys if each.get("kid") == kid), None)
            if key is None:
                raise NotFound("this participant has no key of this name")
            # What another node told of its member's key, it can take back.
            if "revoked" in key and (not participant.home or kid in participant.revoked_here):
                raise Conflict.of("kid", "this key has been revoked already", kid)
            after = revoked(key, int(clock.seconds()), reason)
            return msgspec.structs.replace(
                participant,
                keys=[after if each is key else each for each in participant.keys],
                revoked_here=[*participant.revoked_here, kid] if participant.home else [],
            )

        return self._exchange.settle(Participant, identifier, decide)

    def bind(self, identifier: str, identifiers: Sequence[str]) -> Participant:
        """Note by which names certificates know a participant; each name is one participant's."""

        def decide(known: Participant | None) -> Participant:
            return msgspec.structs.replace(_known(known), identifiers=list(identifiers))

        with self._exchange.keys_settle:
            for other in self._exchange.store.find(Participant):
                taken = set(identifiers) & set(other.identifiers)
                if other.id != identifier and taken:
                    raise Conflict.of("identifiers", "belongs to somebody else", min(taken))
            return self._exchange.settle(Participant, identifier, decide)

    def restore_own(self, identifier: str) -> SigningKey:
        """The key that this node signs with for itself, which is made to count when it does not."""
        custody, now = self._exchange.custody, clock.seconds()
        key = custody.own(identifier)
        known = self._exchange.participant(identifier).keys
        if find(known, key.kid, now) is None:
            if any(each.get("kid") == key.kid for each in known):
                key = custody.renew(identifier, int(now))
            self._announce(identifier, key.public, None, 0, alone=True)
        return custody.own(identifier)

    def _announce(
        self,
        identifier: str,
        key: Mapping[str, Any],
        replaced: str | None,
        overlap: int,
        alone: bool = False,
    ) -> Participant:
        """Write the key to the law, and an end to the one that it replaces (``alone``: to all others)."""

        def decide(known: Participant | None) -> Participant:
            participant, now = _known(known), int(clock.seconds())
            if any(each.get("kid") == key["kid"] for each in participant.keys):
                if find(participant.keys, str(key["kid"]), now) is None:
                    raise Conflict.of("key", "this key has ended and cannot come back", str(key["kid"]))
                return participant
            kept = [
                ended(each, now + overlap) if alone or each.get("kid") == replaced else each
                for each in participant.keys
            ]
            if len(living(kept, now)) >= MOST_LIVING:
                raise Conflict.of("key", f"at most {MOST_LIVING} keys count at a time: revoke one first")
            remembered = _remembered(kept)
            if len(remembered) >= MOST_EVER:
                rule = (
                    f"at most {MOST_EVER} keys are kept, revoked ones with them: join anew under another id"
                )
                raise Conflict.of("key", rule)
            return msgspec.structs.replace(participant, keys=[*remembered, {**key, "iat": now}])

        with self._exchange.keys_settle:
            pin(self._exchange.store, key, identifier, "key")
            return self._exchange.settle(Participant, identifier, decide)


def check_party(participant: str, asking: str, signatory: bool, operator: bool) -> None:
    """Raise ``Refused`` unless the participant itself, by one who may bind it, or the operator asks."""
    if not operator and (asking != participant or not signatory):
        raise Refused([Reason("not_a_party", "you can change the keys of your own participant only")])


def _known(known: Participant | None) -> Participant:
    if known is None:
        raise NotFound("no participant has this id")
    return known


def _remembered(keys: list[Any]) -> list[Any]:
    """The keys that stay beside a new one: beyond a number the oldest that ended are forgotten; living ones come last.

    One that was revoked never is: it must not come back, nor what it let in before anybody knew.
    """
    kept = sorted(keys, key=lambda each: (each.get("exp") is None, each.get("exp") or 0))
    plain = [each for each in kept if "revoked" not in each]
    return [each for each in kept if "revoked" in each] + plain[-MOST_KEPT + 1 :]


def _signer(statement: Mapping[str, Any], jws: str, keys: list[Any], field: str) -> str:
    try:
        return jose.verify_document(statement, jws, keys)
    except jose.SignatureInvalid as exc:
        raise InputRefused.of(field, str(exc)) from exc
