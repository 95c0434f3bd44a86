"""Who a person from an OpenID provider is here: claims in, participant and roles out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dmi_exchange.settings import Membership


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in, as the access token will name them."""

    participant: str
    name: str
    roles: tuple[str, ...]


def admit(claims: Mapping[str, object], memberships: Sequence[Membership], role_claim: str) -> Person | None:
    """The person whom these claims of an ID token show; ``None`` when no membership fits."""
    held = _held(claims, role_claim)
    fitting = [m for m in memberships if _same(m.claim, m.value) in held]
    if not fitting:
        return None
    participant = fitting[0].participant
    roles = dict.fromkeys(role for m in fitting if m.participant == participant for role in m.roles)
    name = claims.get("name") or claims.get("preferred_username") or claims.get("email") or claims.get("sub")
    return Person(participant, str(name)[:200], tuple(roles))


def _held(claims: Mapping[str, object], role_claim: str) -> set[tuple[str, str]]:
    """What the claims prove, as pairs of claim and value."""
    held: set[tuple[str, str]] = set()
    if isinstance(subject := claims.get("sub"), str):
        held.add(("sub", subject))
    # An address that the provider did not verify is what somebody typed in there.
    if isinstance(email := claims.get("email"), str) and claims.get("email_verified") is True:
        held.add(_same("email", email))
    groups = claims.get(role_claim)
    for group in groups if isinstance(groups, list) else [groups]:
        if isinstance(group, str):
            held.add(("role", group))
    return held


def _same(claim: str, value: str) -> tuple[str, str]:
    """Addresses are the same whatever their case; other values are compared as they are."""
    return claim, value.casefold() if claim == "email" else value
