"""Observations in the SensorThings way; reading them is the platform's, so GET leads there."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused, NotFound
from dmi_infra.http.access import Caller
from dmi_infra.http.limits import large_body, values_of
from dmi_ingest.reading import read_json
from dmi_ingest.routes.access import Delivering, DirectRoute, json_body
from dmi_ingest.sensorthings.observations import FREE, ROW_VALUES, Observations, Taken
from dmi_ingest.sensorthings.service import unquoted

_MICROS = re.compile(r"-?[0-9]{1,16}", re.ASCII)
PREFIX: Final = "/v1.1"
TAGS: Final[list[str | Enum]] = ["SensorThings: Observations"]
HEADER_FAULTS: Final = 20
"""Faults of a dataArray that the answer's header names."""
_REFERENCE: Final = {
    "type": "object",
    "required": ["@iot.id"],
    "properties": {"@iot.id": {"type": ["string", "integer"]}},
}
OBSERVATION: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "phenomenonTime": {"type": "string", "description": "RFC 3339 instant, or interval start/end"},
        "resultTime": {"type": ["string", "null"]},
        "result": {"type": "number"},
        "validTime": {"type": ["string", "null"]},
        "parameters": {"type": ["object", "null"]},
        "Datastream": _REFERENCE,
        "FeatureOfInterest": {"type": "object"},
    },
}
ARRAY: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["Datastream", "components", "dataArray"],
        "properties": {
            "Datastream": _REFERENCE,
            "components": {"type": "array", "items": {"type": "string"}},
            "dataArray@iot.count": {"type": "integer"},
            "dataArray": {"type": "array", "items": {"type": "array"}},
        },
    },
}
_EXAMPLE: Final = {
    "phenomenonTime": "2026-11-21T12:00:00Z", "result": 231,
    "Datastream": {"@iot.id": "garages.centrum.occupancy"},
}  # fmt: skip
_ARRAY_EXAMPLE: Final = [
    {
        "Datastream": {"@iot.id": "garages.centrum.occupancy"},
        "components": ["phenomenonTime", "result"],
        "dataArray": [["2026-11-21T12:00:00Z", 231], ["2026-11-21T12:05:00Z", 234]],
    }
]


ONE_VALUES: Final = 1_000
"""Of an observation by itself, its parameters among them: it is read on the event loop, as many others are."""


def routers(taker: Observations) -> list[APIRouter]:
    """Routes ``Observations``, ``Datastreams(id)/Observations`` and ``CreateObservations``."""
    return [_taking(taker), _leading(taker)]


def _taking(taker: Observations) -> APIRouter:
    routes = APIRouter(prefix=PREFIX, tags=TAGS, route_class=DirectRoute)

    body = json_body(OBSERVATION, "one observation; its datastream by reference", _EXAMPLE)
    inner = json_body(OBSERVATION, "one observation", {"result": 231})
    about = (
        f"groups of rows, each of one datastream; {' and '.join(FREE)} of a row hold {ROW_VALUES} values each"
    )
    arrays = json_body(ARRAY, about, _ARRAY_EXAMPLE)

    @routes.post(
        "/Observations", status_code=201, response_class=Response, openapi_extra=body,
        summary="Create an Observation",
    )  # fmt: skip
    async def one(request: Request, contributor: Delivering) -> Response:
        """201 comes when the bus has the observation durably.

        A FeatureOfInterest within it is kept then; where rows may be about a person its point goes with the row alone.
        """
        link, shown = await taker.take_one(_one_read(await request.body()), contributor)
        return _created(msgspec.json.encode(shown), link)

    @routes.post(
        "/Datastreams({id})/Observations", status_code=201, response_class=Response, openapi_extra=inner,
        summary="Create an Observation of a Datastream",
    )  # fmt: skip
    async def within(request: Request, contributor: Delivering, id: str) -> Response:
        """As ``POST Observations``, for the datastream that the address names."""
        document = _one_read(await request.body())
        link, shown = await taker.take_one(document, contributor, unquoted(id))
        return _created(msgspec.json.encode(shown), link)

    @routes.post(
        "/CreateObservations", status_code=201, response_class=Response, openapi_extra=arrays,
        summary="Create Observations as dataArray", dependencies=[Depends(large_body)],
    )  # fmt: skip
    async def array(request: Request, contributor: Delivering) -> Response:
        """An address or ``error`` for each row in order; the header DMI-Rejected names the first faults."""
        taken = await taker.take_array(await request.body(), contributor)
        return _created(msgspec.json.encode(taken.links), None, _faults(taken))

    return routes


def _one_read(body: bytes) -> Any:
    """The JSON of one observation."""
    if values_of(body) > ONE_VALUES:
        raise InputRefused.of("body", f"an observation may hold at most {ONE_VALUES} values")
    return read_json(body)


def _leading(taker: Observations) -> APIRouter:
    routes = APIRouter(prefix=PREFIX, tags=TAGS)

    @routes.get(
        "/Observations({id})",
        status_code=307,
        response_class=Response,
        summary="Where an Observation is read",
    )
    def read_one(_identity: Caller, id: str) -> Response:
        """Leads to the platform, which keeps the observations."""
        stream, _, rest = unquoted(id).rpartition("@")
        time = rest.partition("~")[0]
        if not stream or not _MICROS.fullmatch(time):
            raise NotFound("no Observation has this id")
        # The platform leaves out the end of the time that it is asked for.
        begin, end = (quote(to_text(int(time) + more)) for more in (0, 1))
        return RedirectResponse(f"{taker.addresses.observations(stream)}?from={begin}&to={end}&limit=1", 307)

    @routes.get(
        "/Datastreams({id})/Observations", status_code=307, response_class=Response,
        summary="Where the Observations of a Datastream are read",
    )  # fmt: skip
    def read_within(_identity: Caller, id: str) -> Response:
        """Leads to the platform, which keeps the observations."""
        return RedirectResponse(taker.addresses.observations(unquoted(id)), 307)

    return routes


def _created(body: bytes, link: str | None, headers: dict[str, str] | None = None) -> Response:
    location = {} if link is None else {"Location": link}
    return Response(body, 201, {**location, **(headers or {})}, "application/json")


def _faults(taken: Taken) -> dict[str, str]:
    """The standard leaves no room for reasons in the body, so that the first ones stand in a header."""
    if not taken.faults:
        return {}
    shown = [fault.as_document() for fault in taken.faults[:HEADER_FAULTS]]
    text = "".join(c if " " <= c <= "~" else "?" for c in msgspec.json.encode(shown).decode())
    return {"DMI-Rejected": text, "DMI-Rejected-Count": str(len(taken.faults))}
