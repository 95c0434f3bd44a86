"""Access tokens: for programs by client assertion, for people by demonstration identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import find
from dmi_exchange import model
from dmi_exchange.demo import BY_ID, DEMO_IDENTITIES, DemoIdentity, participant_of
from dmi_exchange.handlers import Exchange
from dmi_exchange.mandating import Mandating
from dmi_exchange.tokens import Issuer, Token
from dmi_infra import clock, jose, outside
from dmi_infra.certificates import Trust
from dmi_infra.errors import InputRefused, NotFound, Unauthenticated
from dmi_infra.http.access import ServiceRuntime
from dmi_infra.runtime import Runtime


class DemoChoice(BaseModel):
    """Which demonstration identity to be."""

    identity: str = Field(max_length=40)


def router(exchange: Exchange, issuer: Issuer, municipality: str, trust: Trust) -> APIRouter:
    """Routes under ``/token``, ``/.well-known`` and ``/v1/demo``."""
    routes = APIRouter(tags=["tokens"])
    mandating = Mandating(exchange)

    def acting_for(runtime: Runtime, identity: DemoIdentity) -> str:
        return participant_of(identity, municipality, runtime.settings.stack_participant)

    def proved(assertion: str, audience: str) -> tuple[Participant, dict[str, Any]]:
        """The participant that an assertion proves, by a key of its own or by its certificate."""

        def key_of(issuer: str, kid: str) -> Mapping[str, Any] | None:
            found = exchange.store.get(Participant, issuer)
            # A member of another node gets its tokens there; here its own node speaks for it.
            known = found is not None and model.may_enter(found) and not found.home
            return find(found.keys, kid, clock.seconds()) if found is not None and known else None

        if not outside.has_certificates(assertion):
            claims = jose.verify_assertion(assertion, audience, key_of)
            return exchange.participant(str(claims["sub"])), claims
        claims = outside.verify_certified(assertion, audience, trust.holder)
        bound = [each for each in exchange.store.find(Participant) if claims["sub"] in each.identifiers]
        if len(bound) != 1 or not model.may_enter(bound[0]) or bound[0].home:
            raise Unauthenticated("the name in this certificate is bound to no participant")
        return bound[0], claims

    @routes.post("/token", summary="An access token for a client assertion (private_key_jwt, or with x5c)")
    def token(
        runtime: ServiceRuntime,
        response: Response,
        grant_type: Annotated[str, Form(max_length=100)],
        client_assertion_type: Annotated[str, Form(max_length=200)],
        client_assertion: Annotated[str, Form(max_length=16_384)],
        mandate: Annotated[
            str | None, Form(max_length=200, description="act in the name of who gave you this mandate")
        ] = None,
    ) -> Token:
        if grant_type != "client_credentials":
            raise InputRefused.of("grant_type", "must be client_credentials", grant_type)
        if client_assertion_type != jose.ASSERTION_TYPE:
            raise InputRefused.of("client_assertion_type", f"must be {jose.ASSERTION_TYPE}")
        member, claims = proved(client_assertion, f"{runtime.settings.issuer}/token")
        if not exchange.store.use_once(f"{claims['iss']} {claims['jti']}", int(claims["exp"]) * 1_000_000):
            raise Unauthenticated("this client assertion has been used before")
        if mandate is None and member.machine_of:
            raise InputRefused.of("mandate", "must be named: a machine acts by one of its participant alone")
        if mandate is None:
            return issuer.issue(response, member.id, member.name, member.roles, claims["client_kid"])
        # Without roles: a mandate opens data, and binds nobody.
        principal = mandating.principal(mandate, member.id)
        acting = jose.Acting(member.id, mandate)
        return issuer.issue(response, principal, member.name, (), claims["client_kid"], acting)

    @routes.get("/.well-known/jwks.json", summary="The keys that access tokens are signed with")
    def jwks() -> dict[str, list[dict[str, Any]]]:
        return {"keys": [dict(key) for key in issuer.published()]}

    @routes.get("/v1/demo/identities", summary="The demonstration identities; empty in production")
    def identities(runtime: ServiceRuntime) -> list[dict[str, Any]]:
        if runtime.settings.env == "production":
            return []
        return [
            {
                "id": i.id,
                "name": i.name,
                "role": i.role,
                "participant": acting_for(runtime, i),
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
        return issuer.issue(response, acting_for(runtime, identity), identity.name, identity.roles)

    return routes
