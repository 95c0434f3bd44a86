"""Scenarios and coefficients."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra.errors import FieldError, InputRefused
from dmi_infra.http.access import Caller, Opening, gated
from dmi_infra.http.shares import on_thread
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.exporting import json_text
from dmi_support_centre.merging import Merging
from dmi_support_centre.models.scenario import Choice, Edit, Redevelop, ScenarioRefused, check_geometry
from dmi_support_centre.outcomes import ScenarioViews
from dmi_support_centre.routes.running import Line
from dmi_support_centre.routes.texts import Plain
from dmi_support_centre.scenarios import Scenarios

Look = Annotated[Opening, Depends(gated("indicators", "dmi:read"))]
Use = Annotated[Opening, Depends(gated("scenario-input", "dmi:analyse"))]
Save = Annotated[Opening, Depends(gated("export", "dmi:export"))]
Id = Annotated[str, Path(max_length=100, description="id of a scenario, or its share id")]
Number = Annotated[int | None, Query(ge=1, le=1_000_000, description="left out: the current version")]


class Title(BaseModel):
    """The name of a scenario."""

    model_config = ConfigDict(extra="forbid")
    title: Plain = Field(min_length=1, max_length=200)


class Wanted(BaseModel):
    """Which version to go on from."""

    model_config = ConfigDict(extra="forbid")
    version: int = Field(ge=1, le=1_000_000)


class MergeOrder(BaseModel):
    """Which scenario to bring in, and what to do where both changed the same."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    other: str = Field(
        alias="with", min_length=1, max_length=100, description="id of a scenario, or share id"
    )
    choices: dict[Annotated[str, Field(max_length=100)], Choice] = Field(
        {}, max_length=400, description="for each clash: keep ours, keep theirs, or do both in that order"
    )


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
    if isinstance(edit, Redevelop):
        try:
            check_geometry(edit.area)
        except ScenarioRefused as exc:
            raise ModelRefused.from_model(exc) from exc
    return edit


def router(scenarios: Scenarios, merging: Merging, views: ScenarioViews) -> APIRouter:
    """Routes under ``/v1/scenarios`` and ``/v1/coefficients``."""
    routes = APIRouter(prefix="/v1", tags=["scenarios"])
    line = Line(scenarios)

    @routes.get("/coefficients", summary="Every coefficient of the scenario model with its source")
    def coefficients() -> dict[str, Any]:
        return views.coefficients()

    @routes.get("/scenarios/areas", summary="Neighbourhoods, buildings and named areas to choose from")
    def areas(opening: Use) -> dict[str, Any]:
        return views.areas(opening)

    @routes.get("/scenarios/compare", summary="Several scenarios side by side")
    async def compare(
        request: Request,
        opening: Look,
        id: Annotated[list[str], Query(min_length=1, max_length=4, description="up to four")],
    ) -> dict[str, Any]:
        def compared() -> dict[str, Any]:
            return views.compare([scenarios.get(one, opening.identity) for one in id], opening)

        return await line.look(request, opening, id, None, compared)

    on_thread(compare)

    @routes.get("/scenarios", summary="The scenarios of your participant")
    def listed(
        identity: Caller,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}~[0-9a-f-]{1,100}$")] = None,
    ) -> dict[str, Any]:
        """The newest first, each with the number of its edits; the scenario itself tells these and its versions."""
        at, _, last = (cursor or "").partition("~")
        found = scenarios.of(identity, limit, (int(at), last) if cursor else None)
        following = f"{found[-1].created_at}~{found[-1].id}" if len(found) == limit else None
        return {"items": views.scenarios(found, identity), "next": following}

    @routes.post("/scenarios", status_code=201, summary="Branch from the city as it is known now")
    def create(identity: Caller, body: Title) -> dict[str, Any]:
        return views.scenario(scenarios.create(body.title, identity), identity)

    @routes.get("/scenarios/{scenario}", summary="A scenario with its edits and versions")
    def one(identity: Caller, scenario: Id) -> dict[str, Any]:
        return views.scenario(scenarios.get(scenario, identity), identity)

    @routes.delete("/scenarios/{scenario}", status_code=204, summary="Delete a scenario of yours")
    def delete(identity: Caller, scenario: Id) -> None:
        """With all its versions and outcomes; its link opens nothing then. Branches of it stay, whoever made them."""
        scenarios.delete(scenario, identity)

    @routes.post(
        "/scenarios/{scenario}/edits", summary="Add an edit as a new version", openapi_extra=EDIT_SCHEMA
    )
    async def edit(
        request: Request, opening: Use, scenario: Id, body: Annotated[dict[str, Any], Body()]
    ) -> dict[str, Any]:
        def edited() -> dict[str, Any]:
            return views.scenario(scenarios.edit(scenario, parse_edit(body), opening), opening.identity)

        return await line.run(request, opening, edited)

    @routes.post("/scenarios/{scenario}/undo", summary="Go back to the version before")
    def undo(identity: Caller, scenario: Id) -> dict[str, Any]:
        return views.scenario(scenarios.undo(scenario, identity), identity)

    @routes.post("/scenarios/{scenario}/restore", summary="Go on from another version")
    def restore(identity: Caller, scenario: Id, body: Wanted) -> dict[str, Any]:
        return views.scenario(scenarios.restore(scenario, body.version, identity), identity)

    @routes.post("/scenarios/{scenario}/branch", status_code=201, summary="A scenario that begins here")
    def branch(identity: Caller, scenario: Id, body: Title) -> dict[str, Any]:
        return views.scenario(scenarios.branch(scenario, body.title, identity), identity)

    _merges(routes, merging, views, line)
    _runs(routes, scenarios, views, line)
    _exports(routes, scenarios, views, line)
    return routes


def _merges(routes: APIRouter, merging: Merging, views: ScenarioViews, line: Line) -> None:
    @routes.get("/scenarios/{scenario}/merge", summary="What bringing in another branch would do")
    async def prepare(
        request: Request,
        opening: Use,
        scenario: Id,
        other: Annotated[str, Query(alias="with", min_length=1, max_length=100)],
    ) -> dict[str, Any]:
        def prepared() -> dict[str, Any]:
            return views.merge(merging.prepare(scenario, other, opening), opening.identity)

        return await line.run(request, opening, prepared)

    @routes.post("/scenarios/{scenario}/merge", summary="Bring in another branch as a new version")
    async def merge(request: Request, opening: Use, scenario: Id, body: MergeOrder) -> dict[str, Any]:
        def merged() -> dict[str, Any]:
            row = merging.carry_out(scenario, body.other, body.choices, opening)
            return views.scenario(row, opening.identity)

        return await line.run(request, opening, merged)


def _runs(routes: APIRouter, scenarios: Scenarios, views: ScenarioViews, line: Line) -> None:
    @routes.post("/scenarios/{scenario}/recompute", summary="Run again with what is allowed now")
    async def recompute(request: Request, opening: Use, looking: Look, scenario: Id) -> dict[str, Any]:
        return await line.run(request, opening, lambda: views.recompute(scenario, opening, looking))

    @routes.post("/scenarios/{scenario}/renew", summary="Run the same edits on the city as it is known now")
    async def renew(request: Request, opening: Use, scenario: Id) -> dict[str, Any]:
        def renewed() -> dict[str, Any]:
            return views.scenario(scenarios.renew(scenario, opening), opening.identity)

        return await line.run(request, opening, renewed)

    @routes.get("/scenarios/{scenario}/result", summary="Effects per neighbourhood, beside the baseline")
    async def result(request: Request, opening: Look, scenario: Id, version: Number = None) -> dict[str, Any]:
        def shown() -> dict[str, Any]:
            return views.result(scenarios.get(scenario, opening.identity), version, opening)

        return await line.look(request, opening, [scenario], version, shown)

    on_thread(result)

    @routes.get("/scenarios/{scenario}/areas", summary="The neighbourhoods of its baseline, as GeoJSON")
    def outlines(opening: Look, scenario: Id, version: Number = None) -> dict[str, Any]:
        return views.outlines(scenarios.get(scenario, opening.identity), version, opening)


def _exports(routes: APIRouter, scenarios: Scenarios, views: ScenarioViews, line: Line) -> None:
    def exported(opening: Opening, scenario: str, form: str, version: int | None) -> Response:
        row = scenarios.get(scenario, opening.identity)
        if form == "csv":
            text, kind = views.csv(row, version, opening), "text/csv; charset=utf-8"
        else:
            text, kind = json_text(views.geojson(row, version, opening)), "application/geo+json"
        name = f"scenario-{version or row.current}.{form}"
        return Response(
            text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    @routes.get(
        "/scenarios/{scenario}/export",
        summary="The effects as a file, with source, licence and run",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}, "application/geo+json": {}}}},
    )
    async def export(
        request: Request,
        opening: Save,
        scenario: Id,
        form: Annotated[Literal["csv", "geojson"], Query(alias="format")],
        version: Number = None,
    ) -> Response:
        work = partial(exported, opening, scenario, form, version)
        return await line.look(request, opening, [scenario], version, work)

    on_thread(export)
