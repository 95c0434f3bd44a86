"""Signing in with an OpenID Connect provider; tokens never stand in an address."""

from __future__ import annotations

import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Cookie, Query, Response
from fastapi.responses import RedirectResponse

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.oidc import Provider, new_secret
from dmi_exchange.people import admit
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.tokens import Issuer, Token
from dmi_infra import clock, tickets
from dmi_infra.errors import InputRefused, NotFound, Refused, Unauthenticated

STATE_COOKIE = "dmi_sign_in"
CODE_COOKIE = "dmi_signed_in"
STATE_SECONDS = 600
"""Time to sign in at the provider."""
CODE_SECONDS = 60
"""Time for the browser application to fetch its token."""
NO_STORE = {"Cache-Control": "no-store"}


def router(
    exchange: Exchange, issuer: Issuer, settings: ExchangeSettings, provider: Provider | None
) -> APIRouter:
    """Routes under ``/v1/oidc``; without a provider they answer 404."""
    routes = APIRouter(prefix="/v1/oidc", tags=["tokens"])
    base = settings.public_url.rstrip("/")
    redirect = f"{issuer.address}/v1/oidc/callback"
    # The cookie belongs to these routes alone, as the browser sees their address.
    path = f"{urlsplit(issuer.address).path}/v1/oidc"
    secure = base.startswith("https://")

    def chosen() -> Provider:
        if provider is None:
            raise NotFound("no OpenID provider is set up here")
        return provider

    def ticket(kind: str, content: dict[str, Any], seconds: int) -> str:
        return tickets.sign_ticket(issuer.key, kind, content, clock.now() // 1_000_000, seconds)

    def redeemed(kind: str, cookie: str | None) -> dict[str, Any]:
        """The content of a ticket, which is used up by this."""
        if cookie is None:
            raise Unauthenticated("no sign-in is under way in this browser; begin again")
        claims = tickets.verify_ticket(issuer.published(), kind, cookie)
        if not exchange.store.use_once(f"{kind} {claims['jti']}", int(claims["exp"]) * 1_000_000):
            raise Unauthenticated("this sign-in has been completed before; begin again")
        content: dict[str, Any] = claims["content"]
        return content

    @routes.get("", summary="Whether people can sign in with an OpenID provider")
    def status() -> dict[str, bool]:
        return {"enabled": provider is not None}

    @routes.get("/login", status_code=303, summary="Go to the OpenID provider")
    def login() -> RedirectResponse:
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        address = chosen().authorization_address(redirect, state, nonce, verifier)
        answer = RedirectResponse(address, 303, NO_STORE)
        content = {"state": state, "nonce": nonce, "verifier": verifier}
        # Lax: the provider's redirect back is a navigation from another site.
        answer.set_cookie(
            STATE_COOKIE, ticket("dmi-sign-in", content, STATE_SECONDS), max_age=STATE_SECONDS, path=path,
            secure=secure, httponly=True, samesite="lax",
        )  # fmt: skip
        return answer

    @routes.get("/callback", status_code=303, summary="Come back from the OpenID provider")
    def callback(
        state: Annotated[str, Query(max_length=200)],
        code: Annotated[str | None, Query(max_length=4096)] = None,
        error: Annotated[str | None, Query(max_length=200)] = None,
        iss: Annotated[str | None, Query(max_length=500, description="the issuer (RFC 9207)")] = None,
        dmi_sign_in: Annotated[str | None, Cookie(max_length=4096)] = None,
    ) -> RedirectResponse:
        known = chosen()
        begun = redeemed("dmi-sign-in", dmi_sign_in)
        if not secrets.compare_digest(state.encode(), str(begun["state"]).encode()):
            raise Unauthenticated("this answer belongs to another sign-in; begin again")
        if iss is not None and iss != known.issuer:
            raise Unauthenticated("this answer comes from another OpenID provider")
        if error is not None:
            raise Unauthenticated("the OpenID provider did not sign you in; begin again")
        if code is None:
            raise InputRefused.of("code", "is missing from the OpenID provider's answer")
        claims = known.redeem(code, redirect, str(begun["nonce"]), str(begun["verifier"]))
        person = admit(claims, settings.oidc_members, settings.oidc_role_claim)
        if person is None:
            raise Refused([Reason("unknown_participant", "you signed in, but nobody has admitted you here")])
        content = {"participant": person.participant, "name": person.name, "roles": list(person.roles)}
        answer = RedirectResponse(f"{base}/#signed-in", 303, NO_STORE)
        answer.delete_cookie(STATE_COOKIE, path=path, secure=secure, httponly=True, samesite="lax")
        answer.set_cookie(
            CODE_COOKIE, ticket("dmi-signed-in", content, CODE_SECONDS), max_age=CODE_SECONDS, path=path,
            secure=secure, httponly=True, samesite="strict",
        )  # fmt: skip
        return answer

    @routes.post("/token", summary="The access token of a sign-in that has just been completed, once")
    def token(
        response: Response, dmi_signed_in: Annotated[str | None, Cookie(max_length=4096)] = None
    ) -> Token:
        chosen()
        content = redeemed("dmi-signed-in", dmi_signed_in)
        member = exchange.store.get(Participant, str(content["participant"]))
        if member is None or not model.may_enter(member):
            raise Refused([Reason("inactive_participant", "your participant is not, or no longer, a member")])
        response.delete_cookie(CODE_COOKIE, path=path, secure=secure, httponly=True, samesite="strict")
        roles = [str(role) for role in content["roles"]]
        return issuer.issue(response, member.id, str(content["name"]), roles)

    return routes
