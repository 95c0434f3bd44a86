"""The SensorThings collections: the service root, and for each collection the routes of 18-088 §9 and §10."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from dmi_infra.aside import Aside
from dmi_infra.http.access import Caller, let_in
from dmi_ingest.reading import read_json
from dmi_ingest.routes.access import Delivering, json_body
from dmi_ingest.sensorthings.kinds import KINDS, Kind
from dmi_ingest.sensorthings.planner import ENTITIES
from dmi_ingest.sensorthings.service import SensorThings, unquoted

CONFORMANCE: Final = (
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/top",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/skip",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/count",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/select",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/pagination",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete/create-entity",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete/link-to-existing-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete/deep-insert",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete/update-entity",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete/delete-entity",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete/historical-location-auto-creation",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array",
)
"""What holds here. Observations can be created here and are read at the platform, so that they are not announced."""

WRITERS: Final = 4
"""Threads that change entities at a time. Changes follow one another, so more would only wait, and others need them."""
WRITERS_OF_ONE: Final = 1
"""Of one participant, those that it has by its mandates and machines too; its others stand in line behind that one."""
T = TypeVar("T")
Identifier = Annotated[str, Path(max_length=300, description="the @iot.id, text between single quotes")]


def router(things: SensorThings) -> APIRouter:
    """The service root and the routes of all collections that are kept here."""
    routes = APIRouter(prefix="/v1.1")

    @routes.get("", tags=["SensorThings"], summary="The service root: collections and conformance")
    def root(_identity: Caller) -> dict[str, Any]:
        base = things.addresses.base
        return {
            "value": [{"name": name, "url": f"{base}/{name}"} for name in KINDS],
            "serverSettings": {
                "conformance": list(CONFORMANCE),
                CONFORMANCE[-1]: {"endpoints": [f"{base}/CreateObservations"]},
            },
        }

    writers = Aside(WRITERS, WRITERS_OF_ONE)
    for kind in KINDS.values():
        _collection(routes, things, kind, writers)
        _entity(routes, things, kind, writers)
    return routes


async def _written(writers: Aside, request: Request, change: Callable[[], T]) -> T:
    return await writers.run(let_in(request), change)


def _collection(routes: APIRouter, things: SensorThings, kind: Kind, writers: Aside) -> None:
    tags: list[Any] = [f"SensorThings: {kind.name}"]
    body = json_body(
        _schema(kind),
        f"a {kind.single}; what belongs to it may be nested, {ENTITIES} entities at most",
        _example(kind),
    )

    @routes.get(
        f"/{kind.name}", tags=tags, summary=f"The {kind.name} that you may see", name=f"list {kind.name}"
    )
    def listed(contributor: Delivering, request: Request) -> dict[str, Any]:
        """Options: $top, $skip, $count, $select, $expand (one level)."""
        return things.collection(kind, contributor, request.query_params)

    @routes.post(
        f"/{kind.name}", tags=tags, status_code=201, summary=f"Create a {kind.single}", openapi_extra=body,
        name=f"create {kind.name}",
    )  # fmt: skip
    async def create(request: Request, contributor: Delivering) -> Response:
        document = read_json(await request.body())
        return _created(await _written(writers, request, partial(things.create, kind, document, contributor)))


def _entity(routes: APIRouter, things: SensorThings, kind: Kind, writers: Aside) -> None:
    tags: list[Any] = [f"SensorThings: {kind.name}"]
    path = f"/{kind.name}({{id}})"
    patch = json_body({"type": "object"}, "the properties that change", {"description": "moved"})
    inner = json_body({"type": "object"}, "the entity to create", {"name": "…", "description": "…"})

    @routes.get(path, tags=tags, summary=f"One {kind.single}", name=f"read {kind.name}")
    def one(contributor: Delivering, request: Request, id: Identifier) -> dict[str, Any]:
        return things.one(kind, unquoted(id), contributor, request.query_params)

    @routes.patch(
        path, tags=tags, summary=f"Change a {kind.single}", openapi_extra=patch, name=f"change {kind.name}"
    )
    async def change(request: Request, contributor: Delivering, id: Identifier) -> dict[str, Any]:
        document = read_json(await request.body())
        return await _written(
            writers, request, partial(things.change, kind, unquoted(id), document, contributor)
        )

    @routes.delete(path, tags=tags, summary=f"Delete a {kind.single}", name=f"delete {kind.name}")
    async def delete(request: Request, contributor: Delivering, id: Identifier) -> dict[str, Any]:
        await _written(writers, request, partial(things.delete, kind, unquoted(id), contributor))
        return {}

    @routes.get(
        f"{path}/{{rest:path}}", tags=tags, summary=f"A property or relation of a {kind.single}",
        name=f"follow {kind.name}", response_model=None,
    )  # fmt: skip
    def follow(contributor: Delivering, request: Request, id: Identifier, rest: str) -> Response:
        found = things.follow(kind, unquoted(id), rest, contributor, request.query_params)
        return PlainTextResponse(found) if isinstance(found, str) else JSONResponse(found)

    if any(navigation.many for navigation in kind.navigations.values()):

        @routes.post(
            f"{path}/{{navigation}}", tags=tags, status_code=201, openapi_extra=inner,
            summary=f"Create an entity that belongs to a {kind.single}", name=f"create within {kind.name}",
        )  # fmt: skip
        async def create_within(
            request: Request, contributor: Delivering, id: Identifier, navigation: str
        ) -> Response:
            document = read_json(await request.body())
            change = partial(things.create_within, kind, unquoted(id), navigation, document, contributor)
            return _created(await _written(writers, request, change))


def _created(shown: dict[str, Any]) -> Response:
    return JSONResponse(shown, 201, {"Location": shown["@iot.selfLink"]})


def _schema(kind: Kind) -> dict[str, Any]:
    required = [name for name, property_ in kind.properties.items() if property_.required]
    relations = {
        name: {"type": "array", "items": {"type": "object"}} if navigation.many else {"type": "object"}
        for name, navigation in kind.navigations.items()
    }
    needed = [name for name, navigation in kind.navigations.items() if navigation.required]
    properties: dict[str, Any] = {name: _TYPES.get(name, {"type": "string"}) for name in kind.properties}
    return {
        "type": "object",
        "required": [*required, *needed],
        "properties": {"@iot.id": {"type": ["string", "integer"]}, **properties, **relations},
    }


_TYPES: Final[dict[str, dict[str, Any]]] = {
    "properties": {"type": "object"},
    "location": {"type": "object", "description": "GeoJSON in WGS84, longitude first"},
    "feature": {"type": "object", "description": "GeoJSON in WGS84, longitude first"},
    "observedArea": {"type": "object"},
    "unitOfMeasurement": {"type": "object", "required": ["name", "symbol", "definition"]},
    "metadata": {},
}


def _example(kind: Kind) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [5.1, 52.1]}
    name = {"name": "Garage Centrum", "description": "Parking garage"}
    examples: dict[str, dict[str, Any]] = {
        "Things": {**name, "properties": {"dataset": "urn:dmi:dataset:gemeente:garages"}},
        "Locations": {**name, "encodingType": "application/geo+json", "location": place},
        "FeaturesOfInterest": {**name, "encodingType": "application/geo+json", "feature": place},
        "HistoricalLocations": {
            "time": "2026-11-21T12:00:00Z", "Thing": {"@iot.id": "garages.centrum"},
            "Locations": [{"@iot.id": "garage-centrum"}],
        },
        "Sensors": {**name, "encodingType": "text/html", "metadata": "https://example.org/loop"},
        "ObservedProperties": {**name, "definition": "https://example.org/def/occupancy"},
        "Datastreams": {
            **name,
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "vehicle", "symbol": "{vehicle}", "definition": "ucum:{vehicle}"},
            "Thing": {"@iot.id": "garages.centrum"}, "Sensor": {"@iot.id": "loop"},
            "ObservedProperty": {"@iot.id": "occupancy"},
        },
    }  # fmt: skip
    return examples[kind.name]
