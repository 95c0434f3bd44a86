"""Datastreams, last values, history and features: the crossing ``query``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from dmi_infra.cursors import Cursors
from dmi_infra.http.access import Opening, gated
from dmi_platform import model, present
from dmi_platform.handlers import Platform
from dmi_platform.routes.pages import Pages
from dmi_platform.routes.parameters import AnyDataset, DatasetId, From, Page, To, span

Read = Annotated[Opening, Depends(gated("query", "dmi:read", mandates=True))]
Sample = Annotated[Opening, Depends(gated("sample", "dmi:sample", mandates=True))]
JSON = "application/json"
GEOJSON = "application/geo+json"
WHOLE_WINDOWS = (
    "rows of a page; where your agreement gives means, a few more: its last whole window, with all its areas"
)


class _Stretch(msgspec.Struct, frozen=True, array_like=True):
    """The rest of a history: where it goes on, and from when to when it was asked for (microseconds)."""

    at: model.Cursor
    first: int
    last: int


def _listed(items: list[dict[str, Any]], cursor: str | None) -> Response:
    return Response(present.body(items, cursor), media_type=JSON)


def router(platform: Platform, cursors: Cursors) -> APIRouter:
    """Routes under ``/v1/datastreams``, ``/v1/latest`` and ``/v1/features``."""
    routes = APIRouter(prefix="/v1", tags=["data"])

    @routes.get("/datastreams", summary="Datastreams that you may read")
    def datastreams(
        opening: Read,
        dataset: AnyDataset = None,
        observed_property: Annotated[str | None, Query(alias="property", max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        cursor: Page = None,
    ) -> Response:
        pages = Pages.turned(
            cursors, cursor, str, opening, "datastreams", dataset or "", observed_property or ""
        )
        for name, value in (("dataset", dataset), ("property", observed_property)):
            model.checked_identifier(name, value or "")
        found = platform.datastreams(pages.opening, dataset, observed_property, pages.place or "", limit)
        following = pages.next(found[-1].stream.id if len(found) == limit else None)
        return _listed([present.datastream(each) for each in found], following)

    @routes.get("/latest", summary="The last value of datastreams, or of all of a dataset")
    def latest(
        opening: Read,
        dataset: AnyDataset = None,
        datastream: Annotated[
            list[str] | None, Query(max_length=500, description="as many as an address of 8 KiB holds")
        ] = None,
    ) -> Response:
        names = [model.checked_identifier("datastream", name) for name in datastream or ()]
        model.checked_identifier("dataset", dataset or "")
        batches = platform.latest(opening, dataset, names)
        return _listed([item for batch in batches for item in present.observations(batch, False)], None)

    @routes.get(
        "/datasets/{dataset}/sample", summary="A few of the newest values, under the conditions of a sample"
    )
    def sample(opening: Sample, dataset: Annotated[str, Path(max_length=200)]) -> Response:
        model.checked_identifier("dataset", dataset)
        return _listed(present.observations(platform.sample(opening, dataset), False), None)

    @routes.get("/datastreams/{datastream}/observations", summary="The history of a datastream, oldest first")
    def observations(
        opening: Read,
        datastream: Annotated[str, Path(max_length=200)],
        begin: From = None,
        to: To = None,
        limit: Annotated[int, Query(ge=1, le=10_000, description=WHOLE_WINDOWS)] = 1000,
        cursor: Page = None,
    ) -> Response:
        first, last = span(begin, to)
        pages = Pages.turned(cursors, cursor, _Stretch, opening, "observations", datastream)
        here, after = pages.place, None
        if here is not None:
            after, first, last = here.at, here.first, here.last
        page = platform.observations(pages.opening, datastream, first, last, after, limit)
        # What is measured later is another use: the pages end where the first one was asked for.
        rest = None if page.next is None else _Stretch(page.next, first, min(last, pages.begun))
        return _listed(present.observations(page.batch, True), pages.next(rest))

    @routes.get("/features", summary="Places and things of a dataset, as GeoJSON")
    def features(
        opening: Read,
        kind: Annotated[str, Query(max_length=40)],
        dataset: DatasetId,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        cursor: Page = None,
    ) -> Response:
        pages = Pages.turned(cursors, cursor, str, opening, "features", kind, dataset)
        model.checked_identifier("dataset", dataset)
        found, placed = platform.features(pages.opening, kind, dataset, pages.place or "", limit)
        document = {
            "type": "FeatureCollection",
            "features": [present.feature(each, placed) for each in found],
            "next": pages.next(found[-1].id if len(found) == limit else None),
        }
        return Response(msgspec.json.encode(document), media_type=GEOJSON)

    return routes
