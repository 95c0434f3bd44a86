"""Rules, measures, the public feed, and webhooks."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra import clock
from dmi_infra.errors import FieldError, InputRefused, NotFound
from dmi_infra.http.access import Caller, Opening, gated, roles
from dmi_infra.identity import Identity
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.handlers import Views
from dmi_support_centre.measuring import Measures, rule_shown
from dmi_support_centre.model import DAY
from dmi_support_centre.models.measures import Automatic, Rule, RuleRefused, check_rule
from dmi_support_centre.routes.texts import NO_NUL, Plain
from dmi_support_centre.store.measures import Backlog, MeasureStore, RuleRow, Subscription
from dmi_support_centre.webhooks import Webhooks

DECIDERS = ("dmi:role:municipality", "dmi:role:operator", "dmi:role:analyst")
Decider = Annotated[Identity, Depends(roles(*DECIDERS))]
Look = Annotated[Opening, Depends(gated("measures", "dmi:read"))]
Id = Annotated[str, Path(max_length=100)]
LONGEST_AUTOMATIC = 366 * DAY
State = Literal["proposed", "published", "rejected", "expired", "withdrawn"]


class Approval(BaseModel):
    """Until when a measure holds; left out: as proposed."""

    model_config = ConfigDict(extra="forbid")
    until: str | None = Field(None, max_length=40, description="RFC 3339, at most 24 hours ahead")


class Rejection(BaseModel):
    """Why a proposal is turned down."""

    model_config = ConfigDict(extra="forbid")
    reason: Plain = Field("", max_length=500)


class Standing(BaseModel):
    """Until when a rule publishes by itself; null: a person decides each time."""

    model_config = ConfigDict(extra="forbid")
    until: str | None = Field(max_length=40, description="RFC 3339, at most a year ahead")


class Address(BaseModel):
    """Where measures are to be sent."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=1, max_length=2000)


def _moment(field: str, text: str) -> int:
    try:
        return clock.from_text(text)
    except ValueError as exc:
        raise InputRefused.of(field, str(exc), text) from exc


def _ahead(text: str) -> int:
    until = _moment("until", text)
    if not clock.now() < until <= clock.now() + LONGEST_AUTOMATIC:
        raise InputRefused.of("until", "must lie ahead, at most a year", text)
    return until


def parse_rule(body: dict[str, Any], person: Identity) -> RuleRow:
    """A checked rule; marked automatic it holds who decided that, which is whoever sends it."""
    values = dict(body)
    title = values.pop("title", None)
    automatic = values.get("automatic")
    if isinstance(automatic, dict):
        until = _moment("automatic.until", str(automatic.get("until", "")))
        if until <= clock.now():
            raise InputRefused.of("automatic.until", "must lie ahead")
        values["automatic"] = {"decided_by": person.participant, "until": until}
    values.setdefault("id", f"rule-{uuid.uuid4()}")
    try:
        rule: Rule = msgspec.convert(values, type=Rule)
        check_rule(rule)
    except msgspec.ValidationError as exc:
        text, _, path = str(exc).partition(" - at `")
        field = path.rstrip("`").removeprefix("$").lstrip(".") or "body"
        raise InputRefused(f"{field}: {text}", [FieldError(field, text)]) from exc
    except RuleRefused as exc:
        raise ModelRefused.from_model(exc) from exc
    for name, text in (("id", rule.id), ("place", rule.place), ("title", str(title or ""))):
        if "\0" in text:
            raise InputRefused.of(name, NO_NUL)
    if len(rule.id) > 100 or len(rule.place) > 300:
        raise InputRefused.of("id", "must be at most 100 characters, a place at most 300")
    named = {"nl": rule.id, "en": rule.id}
    if title is not None:
        if not isinstance(title, dict) or not all(isinstance(title.get(k), str) for k in named):
            raise InputRefused.of("title", "must hold a text for nl and for en")
        named = {language: str(title[language])[:200] for language in named}
    return RuleRow(rule, named, person.participant, clock.now())


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
    """Routes under ``/v1/rules``, ``/v1/measures`` and ``/v1/subscriptions``."""
    routes = APIRouter(prefix="/v1", tags=["measures"])

    @routes.get("/rules", summary="The rules that propose measures")
    def rules(_identity: Caller) -> dict[str, Any]:
        return {"items": [rule_shown(row) for row in store.rules()], "next": None}

    @routes.post("/rules", status_code=201, summary="Add a rule, or change the one of this id")
    def put_rule(person: Decider, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        row = parse_rule(body, person)
        store.put_rule(row)
        return rule_shown(row)

    @routes.post(
        "/rules/{rule}/automatic", summary="Let a rule publish by itself until a moment, or not any more"
    )
    def automatic(person: Decider, rule: Id, body: Standing) -> dict[str, Any]:
        known = next((row for row in store.rules() if row.rule.id == rule), None)
        if known is None:
            raise NotFound("no rule has this id")
        granted = None if body.until is None else Automatic(person.participant, _ahead(body.until))
        changed = msgspec.structs.replace(known.rule, automatic=granted)
        row = RuleRow(changed, known.title, person.participant, clock.now())
        store.put_rule(row)
        return rule_shown(row)

    @routes.get("/measures/feed", summary="What is advised in the city now; for everyone")
    def feed() -> dict[str, Any]:
        return views.feed()

    @routes.get("/measures", summary="Measures in every state, newest first")
    def listed(opening: Look, state: Annotated[State | None, Query()] = None) -> dict[str, Any]:
        return views.measures(opening, state)

    @routes.get("/measures/{measure}", summary="One measure")
    def one(opening: Look, measure: Id) -> dict[str, Any]:
        return views.measure(measures.get(measure), opening)

    @routes.post("/measures/{measure}/approve", summary="Publish a proposal")
    def approve(person: Decider, opening: Look, measure: Id, body: Approval | None = None) -> dict[str, Any]:
        until = _moment("until", body.until) if body and body.until else None
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
