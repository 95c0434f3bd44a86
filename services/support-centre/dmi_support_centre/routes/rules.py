"""The rules that propose measures: add, change, let publish by themselves."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra import clock
from dmi_infra.errors import FieldError, InputRefused, NotFound, Unavailable
from dmi_infra.http.access import Caller, roles
from dmi_infra.identity import Identity
from dmi_support_centre.deciding import DECIDERS, allow
from dmi_support_centre.errors import ModelRefused, MovedOn
from dmi_support_centre.measuring import Measures
from dmi_support_centre.model import DAY
from dmi_support_centre.models.measures import Automatic, Rule, RuleRefused, check_rule
from dmi_support_centre.routes import versions
from dmi_support_centre.routes.texts import NO_NUL
from dmi_support_centre.routes.versions import IfMatch
from dmi_support_centre.store.measures import MeasureStore, RuleRow

Decider = Annotated[Identity, Depends(roles(*DECIDERS))]
Id = Annotated[str, Path(max_length=100)]
LONGEST_AUTOMATIC = 366 * DAY
LONGEST_TITLE = 200
TRIES = 5
"""How often a stop is tried again when others change the rule in between."""
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


def _ahead(field: str, text: str) -> int:
    until = moment(field, text)
    if not clock.now() < until <= clock.now() + LONGEST_AUTOMATIC:
        raise InputRefused.of(field, "must lie ahead, at most a year", text)
    return until


def parse_rule(body: dict[str, Any], person: Identity) -> RuleRow:
    """A checked rule; marked automatic it holds who decided that, which is whoever sends it."""
    values = dict(body)
    title = values.pop("title", None)
    automatic = values.get("automatic")
    if isinstance(automatic, dict):
        until = _ahead("automatic.until", str(automatic.get("until", "")))
        values["automatic"] = msgspec.to_builtins(allow(person, until))
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
    named = {"nl": rule.id, "en": rule.id}
    if title is not None:
        if not isinstance(title, dict) or not all(isinstance(title.get(k), str) for k in named):
            raise InputRefused.of("title", "must hold a text for nl and for en")
        named = {language: str(title[language]) for language in named}
        for language, text in named.items():
            if len(text) > LONGEST_TITLE:
                raise InputRefused.of(f"title.{language}", f"must be at most {LONGEST_TITLE} characters")
    return RuleRow(rule, named, person.participant, clock.now())


def router(store: MeasureStore, measures: Measures, hurry: Callable[[], None]) -> APIRouter:
    """Routes under ``/v1/rules``; ``hurry`` lets a changed rule look at the city at once."""
    routes = APIRouter(prefix="/v1", tags=["measures"])

    def known(rule: str) -> RuleRow:
        found = store.rule(rule)
        if found is None:
            raise NotFound("no rule has this id")
        return found

    def shown(row: RuleRow, response: Response) -> dict[str, Any]:
        response.headers["ETag"] = versions.tag_of(row.version)
        return measures.rule_shown(row)

    def kept(
        person: Identity, row: RuleRow, present: RuleRow | None, given: str | None, response: Response
    ) -> dict[str, Any]:
        """Write a rule in place of the ``present`` one, when that is of the version that the caller names.

        Both must be the caller's to decide on: else a rule could be taken by moving it to another place.
        """
        if present is not None:
            measures.check_standing(person, present)
        # To stop it adds nothing to what it may do, so that must not fail for a place that is known no more.
        if present is None or row.rule != msgspec.structs.replace(present.rule, automatic=None):
            measures.check_steering(person, row.rule)
        version = present.version if present else 0
        # Last of all: of a change that cannot be anyway that is what is said (RFC 9110, 13.2.1).
        versions.check(given, version)
        after = store.put_rule(msgspec.structs.replace(row, version=version))
        if after is None:
            raise MovedOn.of(versions.HEADER, "somebody else has changed the rule just now; read it again")
        hurry()
        return shown(after, response)

    @routes.get("/rules", summary="The rules that propose measures")
    def rules(_identity: Caller) -> dict[str, Any]:
        return {"items": [measures.rule_shown(row) for row in store.rules()], "next": None}

    @routes.get("/rules/{rule}", summary="One rule, with its version as ETag")
    def one(_identity: Caller, response: Response, rule: Id) -> dict[str, Any]:
        return shown(known(rule), response)

    @routes.post(
        "/rules",
        status_code=201,
        summary="Add a rule, or replace the one of this id",
        responses=versions.RESPONSES,
    )
    def put_rule(
        person: Decider, response: Response, body: Annotated[dict[str, Any], Body()], if_match: IfMatch = None
    ) -> dict[str, Any]:
        row = parse_rule(body, person)
        present = store.rule(row.rule.id)
        if present is not None and type(present.rule) is not type(row.rule):
            raise InputRefused.of("type", "must be that of the rule that has this id; choose another id")
        return kept(person, row, present, if_match, response)

    @routes.patch("/rules/{rule}", summary="Change settings of a rule", responses=versions.RESPONSES)
    def change(
        person: Decider, response: Response, rule: Id, body: Annotated[dict[str, Any], Body()],
        if_match: IfMatch = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The settings that are named change. A rule that published by itself no longer does: that was allowed
        for other settings."""
        row = known(rule)
        for name in FIXED:
            if name in body:
                raise InputRefused.of(name, "is no setting of a rule that can be changed")
        before = {**msgspec.to_builtins(row.rule), "title": row.title, "automatic": None}
        after = parse_rule({**before, **body}, person)
        return kept(person, after, row, if_match, response)

    @routes.post(
        "/rules/{rule}/automatic", summary="Let a rule publish by itself until a moment, or not any more",
        responses=versions.RESPONSES,
    )  # fmt: skip
    def automatic(
        person: Decider, response: Response, rule: Id, body: Standing, if_match: IfMatch = None
    ) -> dict[str, Any]:
        """What is allowed is allowed for the settings of one version, so that is named. Stopping needs none: it
        must not fail because somebody else was quicker."""
        if body.until is not None:
            return switched(
                person, known(rule), allow(person, _ahead("until", body.until)), if_match, response
            )
        for _ in range(TRIES):
            row = known(rule)
            stated = versions.tag_of(row.version) if if_match is None else if_match
            with suppress(*([MovedOn] if if_match is None else [])):
                return switched(person, row, None, stated, response)
        raise Unavailable("the rule is being changed all the time; try again")

    def switched(
        person: Identity, row: RuleRow, granted: Automatic | None, stated: str | None, response: Response
    ) -> dict[str, Any]:
        changed = msgspec.structs.replace(row.rule, automatic=granted)
        after = RuleRow(changed, row.title, person.participant, clock.now())
        return kept(person, after, row, stated, response)

    return routes
