"""Who asks: the identity that an access token proves, checked with the keys that the law publishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmi_agreements.table import LawTable
from dmi_infra import jose

EXCHANGE_PARTICIPANT = "urn:dmi:participant:exchange"
"""The participant whose published keys sign access tokens."""

AUDIENCE = "urn:dmi:stack"
"""Audience of access tokens: the services of this node."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or program acting for a participant. ``participant`` is who the law knows."""

    participant: str
    name: str
    roles: frozenset[str]

    def has(self, *roles: str) -> bool:
        """Whether the identity holds at least one of these roles."""
        return not self.roles.isdisjoint(roles)


class Authenticator:
    """Verifies access tokens against the law table, without a question to the exchange."""

    def __init__(self, issuer: str, law: LawTable) -> None:
        self._issuer = issuer
        self._law = law

    def __call__(self, token: str) -> Identity:
        """The identity of an access token; raises ``Unauthenticated`` with the rule that it breaks."""
        claims = jose.verify_access(token, self._issuer, AUDIENCE, self._key)
        return Identity(str(claims["sub"]), str(claims.get("name", "")), frozenset(claims.get("roles", [])))

    def _key(self, issuer: str, kid: str) -> Mapping[str, Any] | None:
        if issuer != self._issuer:
            return None
        exchange = self._law.participants.get(EXCHANGE_PARTICIPANT)
        keys = exchange.keys if exchange else []
        return next((key for key in keys if key.get("kid") == kid), None)
