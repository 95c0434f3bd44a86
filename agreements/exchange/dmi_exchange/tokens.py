"""Issuing access tokens, however somebody proved who it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.keys import living
from dmi_agreements.uses import Keys
from dmi_exchange.handlers import Exchange
from dmi_infra import clock, jose
from dmi_infra.identity import AUDIENCE, EXCHANGE_PARTICIPANT


class Token(BaseModel):
    """An access token (RFC 6749 §5.1)."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(default=jose.TOKEN_SECONDS, description="seconds")


class Issuer:
    """Signs access tokens of this node with the exchange's own key."""

    def __init__(self, exchange: Exchange, address: str) -> None:
        self._exchange = exchange
        self.address = address

    @property
    def key(self) -> jose.SigningKey:
        """The key that signs now; another one after a rotation."""
        return self._exchange.custody.own(EXCHANGE_PARTICIPANT)

    def published(self) -> list[Mapping[str, Any]]:
        """Public keys by which tokens of this node are verified now."""
        return living(self._exchange.participant(EXCHANGE_PARTICIPANT).keys, clock.seconds())

    def issue(
        self,
        response: Response,
        participant: str,
        name: str,
        roles: Iterable[str],
        client_kid: str | None = None,
        acting: jose.Acting | None = None,
        method: str = "",
        client: str = "",
        letter: Micros | None = None,
    ) -> Token:
        """A token in the name of ``participant``; ``response`` is marked not to be stored.

        See ``jose.access_claims`` for ``client_kid``, ``acting``, ``method``, ``client`` and ``letter``.
        """
        response.headers["Cache-Control"] = "no-store"
        signed = self.sign(
            participant, name, roles, client_kid, acting, method=method, client=client, letter=letter
        )
        return Token(access_token=signed)

    def sign(
        self,
        participant: str,
        name: str,
        roles: Iterable[str],
        client_kid: str | None = None,
        acting: jose.Acting | None = None,
        goes_on: Keys | None = None,
        method: str = "",
        client: str = "",
        letter: Micros | None = None,
    ) -> str:
        """The text of such a token."""
        now = clock.now() // 1_000_000
        claims = jose.access_claims(
            self.address,
            AUDIENCE,
            participant,
            name,
            list(roles),
            now,
            client_kid,
            acting,
            goes_on,
            method,
            client,
            letter,
        )
        return self.key.sign_token(claims)
