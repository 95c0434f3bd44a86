"""Scenarios and coefficients."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra.errors import FieldError, InputRefused
from dmi_infra.http.access import Caller, Opening, gated
from dmi_support_centre.handlers import Views
from dmi_support_centre.models.scenario import Edit
from dmi_support_centre.routes.texts import Plain
from dmi_support_centre.scenarios import Scenarios

Look = Annotated[Opening, Depends(gated("indicators", "dmi:read"))]
Use = Annotated[Opening, Depends(gated("scenario-input", "dmi:analyse"))]
Id = Annotated[str, Path(max_length=100, description="id of a scenario, or its share id")]
Number = Annotated[int | None, Query(ge=1, le=1_000_000, description="left out: the current version")]


class Title(BaseModel):
    """The name of a scenario."""

    model_config = ConfigDict(extra="forbid")
    title: Plain = Field(min_length=1, max_length=200)


EDIT_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"enum": ["redevelop", "coefficient"]}},
                },
                "examples": {
                    "redevelop": {
                        "value": {
                            "type": "redevelop",
                            "area": {"neighbourhood": "BU99990200"},
                            "from": "office",
                            "mix": {"housing": 0.6, "green": 0.4},
                        }
                    },
                    "coefficient": {
                        "value": {"type": "coefficient", "name": "inhabitants_per_dwelling", "value": 2.0}
                    },
                },
            }
        },
    }
}


def parse_edit(body: dict[str, Any]) -> Edit:
    """A typed edit; raises ``InputRefused`` with the path of the field."""
    try:
        edit: Edit = msgspec.convert(body, type=Edit)
    except msgspec.ValidationError as exc:
        rule, _, path = str(exc).partition(" - at `")
        field = path.rstrip("`").removeprefix("$").lstrip(".") or "body"
        raise InputRefused(f"{field}: {rule}", [FieldError(field, rule)]) from exc
    return edit


def router(scenarios: Scenarios, views: Views) -> APIRouter:
    """Routes under ``/v1/scenarios`` and ``/v1/coefficients``."""
    routes = APIRouter(prefix="/v1", tags=["scenarios"])

    @routes.get("/coefficients", summary="Every coefficient of the scenario model with its source")
    def coefficients() -> dict[str, Any]:
        return views.coefficients()

    @routes.get("/scenarios/areas", summary="Neighbourhoods, buildings and named areas to choose from")
    def areas(opening: Use) -> dict[str, Any]:
        return views.areas(opening)

    @routes.get("/scenarios/compare", summary="Several scenarios side by side")
    def compare(
        opening: Look, id: Annotated[list[str], Query(min_length=1, max_length=4, description="up to four")]
    ) -> dict[str, Any]:
        return views.compare([scenarios.get(one, opening.identity) for one in id], opening)

    @routes.get("/scenarios", summary="The scenarios of your participant")
    def listed(identity: Caller) -> dict[str, Any]:
        items = [views.scenario(row, identity) for row in scenarios.of(identity)]
        return {"items": items, "next": None}

    @routes.post("/scenarios", status_code=201, summary="Branch from the city as it is known now")
    def create(identity: Caller, body: Title) -> dict[str, Any]:
        return views.scenario(scenarios.create(body.title, identity), identity)

    @routes.get("/scenarios/{scenario}", summary="A scenario with its edits and versions")
    def one(identity: Caller, scenario: Id) -> dict[str, Any]:
        return views.scenario(scenarios.get(scenario, identity), identity)

    @routes.post(
        "/scenarios/{scenario}/edits", summary="Add an edit as a new version", openapi_extra=EDIT_SCHEMA
    )
    def edit(opening: Use, scenario: Id, body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return views.scenario(scenarios.edit(scenario, parse_edit(body), opening), opening.identity)

    @routes.post("/scenarios/{scenario}/undo", summary="Go back to the version before")
    def undo(identity: Caller, scenario: Id) -> dict[str, Any]:
        return views.scenario(scenarios.undo(scenario, identity), identity)

    @routes.post("/scenarios/{scenario}/branch", status_code=201, summary="A scenario that begins here")
    def branch(identity: Caller, scenario: Id, body: Title) -> dict[str, Any]:
        return views.scenario(scenarios.branch(scenario, body.title, identity), identity)

    @routes.post("/scenarios/{scenario}/recompute", summary="Run again with what is allowed now")
    def recompute(opening: Use, looking: Look, scenario: Id) -> dict[str, Any]:
        row = scenarios.get(scenario, opening.identity)
        return views.outcome(row, scenarios.recompute(scenario, opening), looking)

    @routes.get("/scenarios/{scenario}/result", summary="Effects per neighbourhood, beside the baseline")
    def result(opening: Look, scenario: Id, version: Number = None) -> dict[str, Any]:
        return views.scenario_result(scenarios.get(scenario, opening.identity), version, opening)

    @routes.get("/scenarios/{scenario}/result.geojson", summary="The effects as GeoJSON")
    def geojson(opening: Look, scenario: Id, version: Number = None) -> dict[str, Any]:
        return views.result_geojson(scenarios.get(scenario, opening.identity), version, opening)

    return routes
