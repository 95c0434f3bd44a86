"""Access tokens: for programs by client assertion, for people by demonstration identity."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field

from dmi_agreements.contracts.law import Participant
from dmi_exchange.demo import BY_ID, DEMO_IDENTITIES, DemoIdentity, participant_of
from dmi_exchange.handlers import Exchange
from dmi_exchange.tokens import Issuer, Token
from dmi_infra import jose
from dmi_infra.errors import InputRefused, NotFound, Unauthenticated
from dmi_infra.http.access import ServiceRuntime
from dmi_infra.runtime import Runtime


class DemoChoice(BaseModel):
    """Which demonstration identity to be."""

    identity: str = Field(max_length=40)


def router(exchange: Exchange, issuer: Issuer, municipality: str) -> APIRouter:
    """Routes under ``/token``, ``/.well-known`` and ``/v1/demo``."""
    routes = APIRouter(tags=["tokens"])

    def acting(runtime: Runtime, identity: DemoIdentity) -> str:
        return participant_of(identity, municipality, runtime.settings.stack_participant)

    @routes.post("/token", summary="An access token for a client assertion (private_key_jwt)")
    def token(
        runtime: ServiceRuntime,
        response: Response,
        grant_type: Annotated[str, Form(max_length=100)],
        client_assertion_type: Annotated[str, Form(max_length=200)],
        client_assertion: Annotated[str, Form(max_length=8192)],
    ) -> Token:
        if grant_type != "client_credentials":
            raise InputRefused.of("grant_type", "must be client_credentials", grant_type)
        if client_assertion_type != jose.ASSERTION_TYPE:
            raise InputRefused.of("client_assertion_type", f"must be {jose.ASSERTION_TYPE}")

        def key_of(issuer: str, kid: str) -> dict[str, Any] | None:
            found = exchange.store.get(Participant, issuer)
            # A member of another node gets its tokens there; here its own node speaks for it.
            keys = found.keys if found and found.active and not found.home else []
            return next((k for k in keys if k.get("kid") == kid), None)

        claims = jose.verify_assertion(client_assertion, f"{runtime.settings.issuer}/token", key_of)
        if not exchange.store.use_once(f"{claims['iss']} {claims['jti']}", int(claims["exp"]) * 1_000_000):
            raise Unauthenticated("this client assertion has been used before")
        member = exchange.participant(str(claims["sub"]))
        return issuer.issue(response, member.id, member.name, member.roles)

    @routes.get("/.well-known/jwks.json", summary="The keys that access tokens are signed with")
    def jwks() -> dict[str, list[dict[str, Any]]]:
        return {"keys": [issuer.key.public]}

    @routes.get("/v1/demo/identities", summary="The demonstration identities; empty in production")
    def identities(runtime: ServiceRuntime) -> list[dict[str, Any]]:
        if runtime.settings.env == "production":
            return []
        return [
            {
                "id": i.id,
                "name": i.name,
                "role": i.role,
                "participant": acting(runtime, i),
                "description": {"nl": i.nl, "en": i.en},
            }
            for i in DEMO_IDENTITIES
        ]

    @routes.post(
        "/v1/demo/token", summary="An access token of a demonstration identity; refused in production"
    )
    def demo_token(runtime: ServiceRuntime, response: Response, choice: DemoChoice) -> Token:
        if runtime.settings.env == "production":
            raise NotFound("there are no demonstration identities in production")
        identity = BY_ID.get(choice.identity)
        if identity is None:
            raise InputRefused.of("identity", f"must be one of {', '.join(BY_ID)}", choice.identity)
        return issuer.issue(response, acting(runtime, identity), identity.name, identity.roles)

    return routes
