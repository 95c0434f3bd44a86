"""Issuing access tokens, however somebody proved who it is."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Response
from pydantic import BaseModel, Field

from dmi_infra import clock, jose
from dmi_infra.identity import AUDIENCE


class Token(BaseModel):
    """An access token (RFC 6749 §5.1)."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(default=jose.TOKEN_SECONDS, description="seconds")


class Issuer:
    """Signs access tokens of this node with the exchange's own key."""

    def __init__(self, key: jose.SigningKey, address: str) -> None:
        self.key = key
        self.address = address

    def issue(self, response: Response, participant: str, name: str, roles: Iterable[str]) -> Token:
        """A token for somebody who acts for ``participant``; ``response`` is marked not to be stored."""
        response.headers["Cache-Control"] = "no-store"
        return Token(access_token=self.sign(participant, name, roles))

    def sign(self, participant: str, name: str, roles: Iterable[str]) -> str:
        """The text of such a token."""
        now = clock.now() // 1_000_000
        claims = jose.access_claims(self.address, AUDIENCE, participant, name, list(roles), now)
        return self.key.sign_token(claims)
