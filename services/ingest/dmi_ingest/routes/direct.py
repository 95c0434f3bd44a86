"""The native doors: observation batches in columns, and features."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Depends, Request

from dmi_infra.http.limits import large_body
from dmi_ingest.handlers import ROWS, Ingest
from dmi_ingest.model import FEATURE_KINDS
from dmi_ingest.routes.access import Delivering, json_body

_TIME: Final = {
    "oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}],
    "description": "RFC 3339 with an offset, or microseconds since 1970 UTC",
}


def _column(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "maxItems": ROWS, "items": items}


BATCH: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["dataset", "datastream", "phenomenon_time", "result"],
    "additionalProperties": False,
    "properties": {
        "dataset": {"type": "string", "maxLength": 200},
        "datastream": _column({"type": "string"}),
        "phenomenon_time": _column(_TIME),
        "result": _column({"type": ["number", "null"]}),
        "longitude": _column({"type": ["number", "null"], "minimum": -180, "maximum": 180}),
        "latitude": _column({"type": ["number", "null"], "minimum": -90, "maximum": 90}),
        "subject": _column({"type": ["string", "null"]}),
        "source_id": _column({"type": ["string", "null"], "maxLength": 200}),
    },
}
FEATURES: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["dataset", "features"],
    "additionalProperties": False,
    "properties": {
        "dataset": {"type": "string", "maxLength": 200},
        "crs": {"type": "string", "enum": ["OGC:CRS84", "EPSG:28992", "EPSG:4326"]},
        "features": _column(
            {
                "type": "object",
                "required": ["id", "kind", "name"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "maxLength": 200},
                    "kind": {"type": "string", "enum": list(FEATURE_KINDS)},
                    "name": {"type": "string", "maxLength": 500},
                    "geometry": {"type": ["object", "null"]},
                    "properties": {"type": "object"},
                    "valid_from": _TIME,
                    "valid_to": _TIME,
                },
            }
        ),
    },
}
_BATCH_EXAMPLE: Final = {
    "dataset": "urn:dmi:dataset:gemeente:garages",
    "datastream": ["garages.centrum.occupancy"],
    "phenomenon_time": ["2026-11-21T12:00:00Z"],
    "result": [231],
}
_FEATURES_EXAMPLE: Final = {
    "dataset": "urn:dmi:dataset:gemeente:garages",
    "crs": "OGC:CRS84",
    "features": [
        {
            "id": "garages.centrum", "kind": "thing", "name": "Garage Centrum",
            "geometry": {"type": "Point", "coordinates": [5.1, 52.1]}, "properties": {"capacity": 400},
        }
    ],
}  # fmt: skip


def router(ingest: Ingest) -> APIRouter:
    """Routes ``/v1/batches`` and ``/v1/features``."""
    routes = APIRouter(prefix="/v1", tags=["native"])

    @routes.post(
        "/batches", status_code=201, summary="Hand in observations in columns", dependencies=[Depends(large_body)],
        openapi_extra=json_body(BATCH, f"columns of equal length, at most {ROWS} rows", _BATCH_EXAMPLE),
    )  # fmt: skip
    async def batches(request: Request, contributor: Delivering) -> dict[str, Any]:
        """Good rows are taken, faulty ones answered by index; 201 comes when the bus has them durably."""
        return await ingest.hand_in_batch(contributor, await request.body())

    @routes.post(
        "/features", status_code=201, summary="Hand in places and things", dependencies=[Depends(large_body)],
        openapi_extra=json_body(FEATURES, "features of one dataset; maker and owner replace them", _FEATURES_EXAMPLE),
    )  # fmt: skip
    async def features(request: Request, contributor: Delivering) -> dict[str, Any]:
        """Good features are kept and published, faulty ones answered by index."""
        return await ingest.hand_in_features(contributor, await request.body())

    return routes
