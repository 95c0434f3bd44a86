"""Members of other nodes: what their node tells of them, and what this node's operator decided about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import ended
from dmi_exchange.handlers import Exchange
from dmi_infra import jose
from dmi_infra.errors import Conflict, NotFound

LONGEST_REASON: Final = 500
"""Of why a key was revoked, as far as another node tells it."""
LATEST_SECOND: Final = 2**53
"""Since 1970, that a key may name; a reader of JSON knows no larger number exactly."""


def told_keys(told: Iterable[object]) -> tuple[list[dict[str, Any]], str]:
    """The keys of a member that can be read, as its node tells of them, and why another one cannot (empty: all can).

    Each comes once, for what is revoked here must not count by being told twice: the earlier end counts.
    """
    found: dict[str, dict[str, Any]] = {}
    why = ""
    for given in told:
        try:
            key = _told_key(given)
        except ValueError as exc:
            why = why or str(exc)
            continue
        known = found.get(key["kid"], key)
        found[key["kid"]] = known | (ended(key, known["exp"]) if "exp" in known else key)
    return list(found.values()), why


def _told_key(given: object) -> dict[str, Any]:
    """A key with its end and revocation; raises ``ValueError``. Whatever form a revocation has, it counts no more."""
    if not isinstance(given, dict):
        raise ValueError("each must be a public key as JWK")
    found, ends = jose.check_public_key(given), given.get("exp")
    if ends is not None:
        if not _is_moment(ends):
            raise ValueError("exp must be seconds since 1970")
        found["exp"] = ends
    if "revoked" in given:
        told = given["revoked"] if isinstance(given["revoked"], dict) else {}
        at, reason = told.get("revoked_at"), told.get("reason")
        found["revoked"] = {
            "revoked_at": at if _is_moment(at) else ends or 0,
            "reason": reason[:LONGEST_REASON] if isinstance(reason, str) else "",
        }
    return found


def _is_moment(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and abs(given) < LATEST_SECOND


def merged(told: Participant, known: Participant) -> Participant:
    """A member as its node tells of it now, as far as nothing was decided here: no answer takes that back."""
    return msgspec.structs.replace(
        told,
        active=told.active and not known.excluded,
        keys=_keys(told, known),
        identifiers=known.identifiers,
        excluded=known.excluded,
        revoked_here=known.revoked_here,
        letter_at=known.letter_at,
    )


def _keys(told: Participant, known: Participant) -> list[dict[str, Any]]:
    """The keys that its node tells; one that was revoked here stays so, also once it is told of no more."""
    kept = {str(key["kid"]): key for key in known.keys if key["kid"] in known.revoked_here}
    keys = []
    for key in told.keys:
        here = kept.pop(str(key["kid"]), None)
        if here is None:
            keys.append(key)
        else:
            # The earlier end counts: what it proved between both may be the thief's.
            keys.append(ended(here, key["exp"]) if "exp" in key else here)
    return [*keys, *kept.values()]


def readmit(exchange: Exchange, identifier: str) -> Participant:
    """Take an exclusion back: the member takes part again as soon as its node names it as one that does.

    What had ended stays so: agreements are concluded anew, and keys that were revoked here count no more.
    """

    def decide(known: Participant | None) -> Participant:
        if known is None:
            raise NotFound("no participant has this id")
        if not known.excluded:
            raise Conflict.of(
                "participant", "is no member of another node that was excluded here", identifier
            )
        return msgspec.structs.replace(known, excluded=False)

    return exchange.settle(Participant, identifier, decide)
