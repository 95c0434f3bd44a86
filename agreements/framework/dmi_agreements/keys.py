"""A participant's public keys over time: announced, ended by a date, revoked.

Each is a JWK. One that no longer counts stays in the list, so that what it signed in its time can still be
checked: ``exp`` is when it ends (seconds since 1970), ``revoked`` says that and why it ended before that. Both
members are those of the historical keys of OpenID Federation 1.0 (§8.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Jwk = Mapping[str, Any]

HEARD_SECONDS: Final = 6
"""After this every gate has heard of a change of keys, or refuses everything: its law is too old (five seconds)."""


def counts(key: Jwk, now: float) -> bool:
    """Whether a key proves anything at ``now`` (seconds since 1970)."""
    ends = key.get("exp")
    return "revoked" not in key and (ends is None or now < ends)


def counted(key: Jwk, at: float) -> bool:
    """Whether a key proved something at a moment that has passed: one that was revoked did until then."""
    ends = key.get("exp")
    return at < ends if ends is not None else "revoked" not in key


def living(keys: Iterable[Jwk], now: float) -> list[Jwk]:
    """The keys that count at ``now``."""
    return [key for key in keys if counts(key, now)]


def find(keys: Iterable[Jwk], kid: str, now: float) -> Jwk | None:
    """The key of this name, when it counts at ``now``."""
    return next((key for key in keys if key.get("kid") == kid and counts(key, now)), None)


def ended(key: Jwk, at: int) -> dict[str, Any]:
    """``key`` with an end at ``at``, unless it ends before that."""
    return {**key, "exp": min(at, key.get("exp", at))}


def revoked(key: Jwk, at: int, reason: str) -> dict[str, Any]:
    """``key`` as it counts no more from ``at`` on."""
    return {**ended(key, at), "revoked": {"revoked_at": at, "reason": reason}}


def revoked_since(keys: Iterable[Jwk], moment: float) -> bool:
    """Whether a key was revoked after ``moment`` (seconds since 1970), or so shortly before that it still let in."""
    return any(moment <= key["revoked"]["revoked_at"] + HEARD_SECONDS for key in keys if "revoked" in key)
