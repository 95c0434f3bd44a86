"""The rules that propose measures: add, change, let publish by themselves."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra import clock
from dmi_infra.errors import FieldError, InputRefused, NotFound
from dmi_infra.http.access import Caller, roles
from dmi_infra.identity import Identity
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.measuring import Measures, rule_shown
from dmi_support_centre.model import DAY
from dmi_support_centre.models.measures import Automatic, Rule, RuleRefused, check_rule
from dmi_support_centre.routes.texts import NO_NUL
from dmi_support_centre.store.measures import MeasureStore, RuleRow

DECIDERS = ("dmi:role:municipality", "dmi:role:operator", "dmi:role:analyst")
Decider = Annotated[Identity, Depends(roles(*DECIDERS))]
Id = Annotated[str, Path(max_length=100)]
LONGEST_AUTOMATIC = 366 * DAY
FIXED = ("id", "type", "automatic")
"""What makes a rule the rule that it is, and who answers for it: not among the settings that can be changed."""


class Standing(BaseModel):
    """Until when a rule publishes by itself; null: a person decides each time."""

    model_config = ConfigDict(extra="forbid")
    until: str | None = Field(max_length=40, description="RFC 3339, at most a year ahead")


def moment(field: str, text: str) -> int:
    """A time in microseconds; raises ``InputRefused`` that names ``field``."""
    try:
        return clock.from_text(text)
    except ValueError as exc:
        raise InputRefused.of(field, str(exc), text) from exc


def _ahead(text: str) -> int:
    until = moment("until", text)
    if not clock.now() < until <= clock.now() + LONGEST_AUTOMATIC:
        raise InputRefused.of("until", "must lie ahead, at most a year", text)
    return until


def parse_rule(body: dict[str, Any], person: Identity) -> RuleRow:
    """A checked rule; marked automatic it holds who decided that, which is whoever sends it."""
    values = dict(body)
    title = values.pop("title", None)
    automatic = values.get("automatic")
    if isinstance(automatic, dict):
        until = moment("automatic.until", str(automatic.get("until", "")))
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


def router(store: MeasureStore, measures: Measures, hurry: Callable[[], None]) -> APIRouter:
    """Routes under ``/v1/rules``; ``hurry`` lets a changed rule look at the city at once."""
    routes = APIRouter(prefix="/v1", tags=["measures"])

    def known(rule: str) -> RuleRow:
        found = next((row for row in store.rules() if row.rule.id == rule), None)
        if found is None:
            raise NotFound("no rule has this id")
        return found

    def kept(person: Identity, row: RuleRow) -> dict[str, Any]:
        measures.check_steering(person, row.rule)
        store.put_rule(row)
        hurry()
        return rule_shown(row)

    @routes.get("/rules", summary="The rules that propose measures")
    def rules(_identity: Caller) -> dict[str, Any]:
        return {"items": [rule_shown(row) for row in store.rules()], "next": None}

    @routes.post("/rules", status_code=201, summary="Add a rule, or replace the one of this id")
    def put_rule(person: Decider, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return kept(person, parse_rule(body, person))

    @routes.patch("/rules/{rule}", summary="Change settings of a rule")
    def change(person: Decider, rule: Id, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        """The settings that are named change. A rule that published by itself no longer does: that was allowed
        for other settings."""
        row = known(rule)
        for name in FIXED:
            if name in body:
                raise InputRefused.of(name, "is no setting of a rule that can be changed")
        before = {**msgspec.to_builtins(row.rule), "title": row.title, "automatic": None}
        return kept(person, parse_rule({**before, **body}, person))

    @routes.post(
        "/rules/{rule}/automatic", summary="Let a rule publish by itself until a moment, or not any more"
    )
    def automatic(person: Decider, rule: Id, body: Standing) -> dict[str, Any]:
        row = known(rule)
        granted = None if body.until is None else Automatic(person.participant, _ahead(body.until))
        changed = msgspec.structs.replace(row.rule, automatic=granted)
        return kept(person, RuleRow(changed, row.title, person.participant, clock.now()))

    return routes
