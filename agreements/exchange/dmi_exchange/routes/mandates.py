"""Mandates: who may act in whose name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import Mandate
from dmi_exchange import model, present
from dmi_exchange.handlers import Exchange
from dmi_exchange.mandating import Mandating
from dmi_exchange.routes.members import Signature
from dmi_exchange.tokens import Issuer
from dmi_infra.http.access import Caller, roles
from dmi_infra.http.shares import at_once
from dmi_infra.identity import Identity

Signatory = Annotated[Identity, Depends(roles(*model.SIGNATORY_ROLES))]
Names = Annotated[list[str], Field(min_length=1, max_length=200)]


class Wanted(BaseModel):
    """What a mandate is to say."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    mandatary: str = Field(max_length=200, description="who may act in your name")
    actions: Names
    datasets: Names
    purposes: Names
    begin: str = Field(alias="from", max_length=40, description="RFC 3339 with an offset")
    until: str = Field(max_length=40, description="RFC 3339 with an offset; this moment is excluded")
    onward: int = Field(0, ge=0, le=9, description="how many further links may follow")
    parent: str | None = Field(None, max_length=200, description="the mandate that you pass on, if you do")


class Given(Signature):
    """The document with the mandator's signature."""

    document: dict[str, Any]


class Evidence(BaseModel):
    """Delegation evidence as iSHARE has it."""

    model_config = ConfigDict(extra="forbid")
    evidence: str = Field(max_length=16_384, description="JWT that the policy issuer signed for the exchange")


class Ending(BaseModel):
    """Why a mandate ends."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=500)


def router(exchange: Exchange, issuer: Issuer) -> APIRouter:
    """Routes under ``/v1/mandates``."""
    routes = APIRouter(prefix="/v1/mandates", tags=["mandates"])
    mandating = Mandating(exchange)

    @routes.get("", summary="Mandates that you gave or hold (operator: all)")
    def listed(identity: Caller) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        found = exchange.store.find(Mandate, party)
        return {"items": [present.mandate(each) for each in found], "next": None}

    @routes.post("/draft", summary="The document of a mandate, to sign")
    def draft(identity: Signatory, body: Wanted) -> dict[str, Any]:
        return mandating.draft(identity.participant, body.model_dump(by_alias=True, exclude_none=True))

    @routes.post("", status_code=201, summary="Give a mandate")
    def give(identity: Signatory, body: Given) -> dict[str, Any]:
        return present.mandate(mandating.give(identity.participant, body.document, body.jws))

    @routes.post("/evidence", status_code=201, summary="Give a mandate by iSHARE delegation evidence")
    def take_in(_identity: Caller, body: Evidence) -> dict[str, Any]:
        return present.mandate(mandating.take_in(body.evidence))

    @routes.get("/{mandate}", summary="One mandate")
    def one(identity: Caller, mandate: str) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        return present.mandate(mandating.find(mandate, party))

    @routes.get(
        "/{mandate}/evidence", summary="The mandate as iSHARE delegation evidence, signed by the node"
    )
    def evidence(identity: Caller, mandate: str) -> dict[str, str]:
        signed = mandating.evidence(mandate, identity.participant, issuer.address, issuer.key)
        return {"delegation_token": signed}

    @routes.post("/{mandate}/end", summary="End a mandate everywhere, at once and for good")
    @at_once
    def end(identity: Signatory, mandate: str, body: Ending) -> dict[str, Any]:
        return present.mandate(mandating.end(identity.participant, mandate, body.reason))

    return routes
