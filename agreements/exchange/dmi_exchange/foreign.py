"""Members of other nodes: what their node tells of them, and what this node's operator decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import ended
from dmi_exchange.handlers import Exchange
from dmi_infra import jose
from dmi_infra.errors import Conflict, NotFound

LONGEST_REASON: Final = 500
"""Of why a key was revoked, as far as another node tells it."""


def told_key(key: Mapping[str, Any]) -> dict[str, Any]:
    """A key of a member with its end and revocation, as its node tells of them; raises ``ValueError``.

    Whatever form a revocation has, the key counts no more.
    """
    found = jose.check_public_key(key)
    ends = key.get("exp")
    if isinstance(ends, bool) or not isinstance(ends, int | None):
        raise ValueError("exp must be seconds since 1970")
    if ends is not None:
        found["exp"] = ends
    if "revoked" in key:
        told = key["revoked"] if isinstance(key["revoked"], dict) else {}
        at, reason = told.get("revoked_at"), told.get("reason")
        found["revoked"] = {
            "revoked_at": at if isinstance(at, int) else ends or 0,
            "reason": reason[:LONGEST_REASON] if isinstance(reason, str) else "",
        }
    return found


def merged(told: Participant, known: Participant) -> Participant:
    """A member as its node tells of it now, as far as nothing was decided here: no answer takes that back."""
    return msgspec.structs.replace(
        told,
        active=told.active and not known.excluded,
        keys=_keys(told, known),
        identifiers=known.identifiers,
        excluded=known.excluded,
        revoked_here=known.revoked_here,
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
