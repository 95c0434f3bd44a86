"""Agreements: propose, sign, stop."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange import model, present
from dmi_exchange.handlers import Exchange, check_open
from dmi_exchange.performances import confirm, duties
from dmi_exchange.refining import check_room, refine, rounds
from dmi_exchange.routes.members import Signature
from dmi_exchange.sight import sight
from dmi_infra.http.access import Asking, Caller, rightholder, roles
from dmi_infra.http.shares import at_once
from dmi_infra.http.wording import pattern
from dmi_infra.identity import Identity

Signatory = Annotated[Identity, Depends(roles(*model.SIGNATORY_ROLES))]
Concerned = Annotated[Identity, Depends(roles(*model.SIGNATORY_ROLES, door=rightholder))]
"""Who asks something about its own data, or about that of a person whom it represents."""


class Done(BaseModel):
    """A duty of an agreement, by its place in the document."""

    model_config = ConfigDict(extra="forbid")
    duty: str = Field(max_length=300, examples=["/permission/0/duty/0"])


class Proposal(Signature):
    """An ODRL document, signed by one of its parties."""

    document: dict[str, Any]


class Draft(BaseModel):
    """A template of the rulebook with its places filled in."""

    model_config = ConfigDict(extra="forbid")
    template: str = Field(max_length=100)
    parameters: dict[str, Any]


class Ending(BaseModel):
    """Why a party stops."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=500)


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/agreements``. What needs the solver runs in its place, once the signature was checked."""
    routes = APIRouter(prefix="/v1", tags=["agreements"])
    before = exchange.before_signing

    def visible(identity: Identity) -> list[AgreementState]:
        return exchange.store.find(AgreementState, sight(exchange, identity).party)

    @routes.get(
        "/agreements", summary="Your agreements (operator, and who supervises: all), newest change last"
    )
    def listed(
        identity: Caller,
        state: Annotated[
            str | None,
            Query(pattern=pattern("^(proposed|active|ended)$", "must be proposed, active or ended")),
        ] = None,
        dataset: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        items = [
            present.agreement(a)
            for a in visible(identity)
            if not model.is_consent(a)
            and state in (None, a.state)
            and (dataset is None or dataset in model.targets(a.document))
        ]
        return {"items": items, "next": None}

    def check(party: str, body: Proposal) -> None:
        """What costs little, before anything that costs much."""
        check_room(exchange, party)
        body.document.setdefault("uid", f"urn:uuid:{uuid.uuid4()}")
        before.understood(body.document)
        check_jws(party, body.document, body.jws)

    def check_jws(party: str, document: dict[str, Any], jws: str | None) -> None:
        if jws is not None:
            exchange.check_signature(party, document, jws)

    @routes.post("/agreements", status_code=201, summary="Propose an agreement, signed by your side")
    async def propose(identity: Signatory, asker: Asking, body: Proposal) -> dict[str, Any]:
        party = identity.participant

        def proposed() -> dict[str, Any]:
            check(party, body)
            warnings = before.told(party, body.document)
            state = exchange.propose(party, body.document, body.jws)
            return {**present.agreement(state), "warnings": warnings}

        return await before.aside.run(asker, proposed)

    @routes.post(
        "/agreements/draft", summary="The legal text of a template that is filled in; nothing is kept"
    )
    def draft(_identity: Signatory, body: Draft) -> dict[str, Any]:
        return exchange.draft(body.template, body.parameters)

    @routes.get("/agreements/{agreement}", summary="One agreement")
    def one(identity: Caller, agreement: str) -> dict[str, Any]:
        return present.agreement(exchange.agreement(agreement, sight(exchange, identity).party))

    @routes.post("/agreements/{agreement}/signature", summary="Sign a proposal of the other side")
    async def sign(identity: Signatory, asker: Asking, agreement: str, body: Signature) -> dict[str, Any]:
        party = identity.participant

        def signed() -> dict[str, Any]:
            proposal = exchange.agreement(agreement, party)
            check_open(proposal)
            check_jws(party, proposal.document, body.jws)
            # What came to be forbidden since the proposal is told to who signs it.
            warnings = before.told(party, proposal.document)
            state = exchange.sign(party, agreement, body.jws)
            return {**present.agreement(state), "warnings": warnings}

        return await before.aside.run(asker, signed)

    @routes.post(
        "/agreements/{agreement}/refinement",
        status_code=201,
        summary="Answer a proposal with other terms, which take its place",
    )
    async def refined(identity: Signatory, asker: Asking, agreement: str, body: Proposal) -> dict[str, Any]:
        party = identity.participant

        def answered() -> dict[str, Any]:
            check(party, body)
            warnings = before.told(party, body.document)
            state = refine(exchange, party, agreement, body.document, body.jws)
            return {**present.agreement(state), "warnings": warnings}

        return await before.aside.run(asker, answered)

    @routes.get(
        "/agreements/{agreement}/rounds",
        summary="The proposals that it came of and the agreement itself, oldest first",
    )
    def told(identity: Caller, agreement: str) -> dict[str, Any]:
        party = sight(exchange, identity).party
        return {"items": [present.agreement(a) for a in rounds(exchange, party, agreement)], "next": None}

    @routes.get(
        "/duties", summary="The duties of running agreements of yours, and whether they were fulfilled"
    )
    def owed(
        identity: Caller, agreement: Annotated[str | None, Query(max_length=200)] = None
    ) -> dict[str, Any]:
        running = [
            one
            for one in exchange.store.find(AgreementState, identity.participant)
            if one.state == "active" and not model.is_consent(one) and agreement in (None, one.id)
        ]
        items = [present.duty(one, duty) for one in running for duty in duties(exchange, one)]
        return {"items": items, "next": None}

    @routes.post("/agreements/{agreement}/end", summary="Stop an agreement, at once and for good")
    @at_once
    def end(identity: Signatory, agreement: str, body: Ending) -> dict[str, Any]:
        return present.agreement(exchange.end(identity.participant, agreement, body.reason))

    @routes.post("/agreements/{agreement}/performed", summary="Confirm that a duty owed to you was fulfilled")
    def performed(identity: Signatory, agreement: str, body: Done) -> dict[str, Any]:
        return present.agreement(confirm(exchange, identity.participant, agreement, body.duty))

    return routes
