"""The review: what law and rulebook say about a document, before anybody signs it and while it runs."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.errors import PolicyRefused
from dmi_exchange import model
from dmi_exchange.errors import DocumentRefused
from dmi_exchange.handlers import Exchange
from dmi_exchange.review import present
from dmi_exchange.routes.entering import NewDataset
from dmi_infra import clock
from dmi_infra.http.access import Asking, Caller


class Proposed(BaseModel):
    """An ODRL document that is to become an agreement or a consent."""

    model_config = ConfigDict(extra="forbid")
    document: dict[str, Any]
    entry: NewDataset | None = Field(
        None, description="a dataset as you are about to enter it; the document is judged as if it were"
    )


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/review``; the search for a change runs where proposals are looked at."""
    routes = APIRouter(prefix="/v1/review", tags=["review"])

    def reviewed(participant: str, body: Proposed) -> dict[str, Any]:
        document = {"uid": "urn:uuid:00000000-0000-4000-8000-000000000000", **body.document}
        try:
            entry = None if body.entry is None else body.entry.entry(participant, clock.now())
            faults = () if entry is None else exchange.review_entry(entry)
            return present.verdict(exchange.reasoner.review(document, {participant}, entry), faults)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc

    @routes.post(
        "", summary="What law and rulebook say about a document, and the smallest change that would do"
    )
    async def review(identity: Caller, asker: Asking, body: Proposed) -> dict[str, Any]:
        made = partial(reviewed, identity.participant, body)
        return await exchange.before_signing.aside.run(asker, made)

    @routes.get("/findings", summary="What the review holds against your running agreements (operator: all)")
    def findings(identity: Caller) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        objected = [one for one in exchange.store.find(AgreementState, party) if one.objections]
        items = [
            {
                "agreement": one.id,
                "assigner": model.assigner(one.document),
                "assignee": model.assignee(one.document),
                "datasets": model.targets(one.document),
                "state": one.state,
                "reasons": [present.objection(each, exchange.rulebook) for each in one.objections],
            }
            for one in objected
            if model.may_see(one, party) and one.state == "active"
        ]
        return {"items": items, "next": None}

    return routes
