"""Measures, the public feed, and webhooks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra import clock
from dmi_infra.http.access import Caller, Opening, gated, law_known
from dmi_infra.together import Together
from dmi_support_centre.handlers import Views
from dmi_support_centre.measuring import Measures
from dmi_support_centre.routes.rules import Decider, Id, moment
from dmi_support_centre.routes.texts import Plain
from dmi_support_centre.store.measures import Backlog, MeasureStore, Subscription
from dmi_support_centre.webhooks import Webhooks

Look = Annotated[Opening, Depends(gated("measures", "dmi:read"))]
State = Literal["proposed", "published", "rejected", "expired", "withdrawn"]


class Approval(BaseModel):
    """Until when a measure holds; left out: as proposed."""

    model_config = ConfigDict(extra="forbid")
    until: str | None = Field(None, max_length=40, description="RFC 3339, at most 24 hours ahead")


class Rejection(BaseModel):
    """Why a proposal is turned down."""

    model_config = ConfigDict(extra="forbid")
    reason: Plain = Field("", max_length=500)


class Address(BaseModel):
    """Where measures are to be sent."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=1, max_length=2000)


def _subscription(one: Subscription, backlog: Backlog | None = None) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "created_at": clock.to_text(one.created_at),
        "waiting": backlog.events if backlog else 0,
        "attempts": backlog.attempts if backlog else 0,
        "next_at": clock.to_text(backlog.next_at) if backlog else None,
    }


def router(measures: Measures, views: Views, store: MeasureStore, webhooks: Webhooks) -> APIRouter:
    """Routes under ``/v1/measures`` and ``/v1/subscriptions``."""
    routes = APIRouter(prefix="/v1", tags=["measures"])
    # Anybody may ask for it, and it has up to 500 measures.
    told = Together(lambda: msgspec.json.encode(views.feed()))

    @routes.get(
        "/measures/feed",
        summary="What is advised in the city now; for everyone",
        dependencies=[Depends(law_known)],
        response_model=dict[str, Any],
    )
    async def feed() -> Response:
        return Response(await told.get(), media_type="application/json")

    @routes.get("/measures", summary="Measures in every state, newest first")
    def listed(opening: Look, state: Annotated[State | None, Query()] = None) -> dict[str, Any]:
        return views.measures(opening, state)

    @routes.get("/measures/{measure}", summary="One measure")
    def one(opening: Look, measure: Id) -> dict[str, Any]:
        return views.measure(measures.get(measure), opening)

    @routes.post("/measures/{measure}/approve", summary="Publish a proposal")
    def approve(person: Decider, opening: Look, measure: Id, body: Approval | None = None) -> dict[str, Any]:
        until = moment("until", body.until) if body and body.until else None
        return views.measure(measures.approve(measure, person, until), opening)

    @routes.post("/measures/{measure}/reject", summary="Turn a proposal down")
    def reject(person: Decider, opening: Look, measure: Id, body: Rejection | None = None) -> dict[str, Any]:
        return views.measure(measures.reject(measure, person, body.reason if body else ""), opening)

    @routes.get("/subscriptions", summary="Your addresses that are told of measures")
    def subscriptions(identity: Caller) -> dict[str, Any]:
        backlogs = store.backlogs()
        found = store.subscriptions(identity.participant)
        items = [_subscription(one, backlogs.get(one.id)) for one in found]
        return {"items": items, "next": None}

    @routes.post("/subscriptions", status_code=201, summary="Have measures sent to an address")
    def subscribe(identity: Caller, body: Address) -> dict[str, Any]:
        return _subscription(webhooks.subscribe(body.url, identity.participant))

    @routes.delete("/subscriptions/{subscription}", status_code=204, summary="End a subscription")
    def unsubscribe(identity: Caller, subscription: Id) -> None:
        webhooks.unsubscribe(subscription, identity.participant)

    return routes
