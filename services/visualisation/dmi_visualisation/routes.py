"""HTTP routes of visualisation. A route parses, calls a handler, presents."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dmi_infra import clock
from dmi_infra.errors import InputRefused
from dmi_infra.http.access import Opening, gated
from dmi_infra.http.problems import problem_of
from dmi_infra.http.shares import on_thread
from dmi_visualisation.following import event
from dmi_visualisation.handlers import Maps
from dmi_visualisation.moments import REACH
from dmi_visualisation.streams import Opened
from dmi_visualisation.tiles import MEDIA_TYPE, check

View = Annotated[Opening, Depends(gated("tile", "dmi:display", mandates=True))]
Follow = Annotated[Opening, Depends(gated("stream", "dmi:display", mandates=True))]
Last = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        max_length=1000,
        description="the id of the last event that came: the stream goes on behind it, as the same use. One that was "
        "not told by this service to this reader for these layers: it begins with what is newest",
    ),
]
Layer = Annotated[str, Path(description="id of a dataset", max_length=200)]

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}},
    503: {"description": "All live streams are in use, or those of this participant; or as elsewhere"},
}

DAY = 86_400_000_000
MINUTE = 60_000_000


def _moment(field: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        return clock.from_text(text)
    except ValueError as exc:
        raise InputRefused.of(field, str(exc), text) from exc


def within_reach(text: str) -> int:
    """A moment of the last 24 hours (µs UTC); ``InputRefused`` names the field ``at``."""
    at = _moment("at", text, 0)
    now = clock.now()
    # A minute of leeway either way, for clocks that differ and for the time that a request travels.
    if not now - REACH - MINUTE <= at <= now + MINUTE:
        raise InputRefused.of("at", "must lie within the last 24 hours", text)
    return at


async def _while_trusted(opening: Opening, events: Opened) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        async for piece in events:
            # A token may expire, or its key be revoked, in the middle of a stream; the gate knows of agreements alone.
            distrusted = opening.distrusted()
            if distrusted is None:
                # What was taken from what waits is told, also with an expired token: its id is that of the next stream.
                yield piece
            lapsed = distrusted or opening.expired()
            if lapsed is not None:
                break
        else:
            return
    # Told when all is put away, so that whoever comes back at once finds it.
    problem = problem_of(lapsed)
    yield event("expired", problem.body() if problem else {})


class EventStream(StreamingResponse):
    """Server-sent events. What they hold is given back also when the reader is gone before the first of them."""

    def __init__(self, opening: Opening, events: Opened) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        self._events = events
        self._pieces = _while_trusted(opening, events)
        super().__init__(self._pieces, media_type="text/event-stream", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and close."""
        async with aclosing(self._events), aclosing(self._pieces):
            await super().__call__(scope, receive, send)


def router(maps: Maps, background_url: str) -> APIRouter:
    """Routes under ``/v1``."""
    routes = APIRouter(prefix="/v1", tags=["maps"])

    @routes.get("/layers", summary="What can be shown, and why not where it is refused")
    def layers(opening: View) -> dict[str, Any]:
        return {"items": maps.layers(opening), "next": None, "background": background_url or None}

    @routes.get(
        "/layers/{layer}/features", summary="Newest values, or those of a moment, or places, as GeoJSON"
    )
    def features(
        opening: View,
        layer: Layer,
        observed_property: Annotated[str | None, Query(alias="property")] = None,
        at: Annotated[str | None, Query(description="RFC 3339, within the last 24 hours; now")] = None,
    ) -> dict[str, Any]:
        moment = None if at is None else within_reach(at)
        return maps.features(opening.permit(layer), observed_property, moment)

    @routes.get(
        "/layers/{layer}/tiles/{z}/{x}/{y}",
        summary="A Mapbox vector tile",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {}}}},
    )
    async def tile(opening: View, layer: Layer, z: int, x: int, y: int) -> Response:
        # Before it counts as a use: there is nothing to give at an address that does not exist.
        check(z, x, y)
        permit = opening.permit(layer)
        data = maps.kept_tile(permit, z, x, y)
        if data is None:
            # A tile that has to be made, or persons to be told of it, take long enough to need a thread.
            data = await run_in_threadpool(maps.tile, permit, z, x, y)
        # No cache outside: an agreement that ends must end the tile as well.
        return Response(data, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    on_thread(tile)

    @routes.get(
        "/layers/{layer}/events",
        summary="New values as server-sent events",
        response_class=StreamingResponse,
        responses=STREAMED,
    )
    async def events(opening: Follow, layer: Layer, last: Last = "") -> StreamingResponse:
        """``observation`` holds features, ``gone`` the ids of datastreams that may be shown no more (a consent ended,
        rows were erased), ``ended`` the problem why there are no more, ``expired`` that of the token: connect again
        with a fresh one, and with the id of the last event in ``Last-Event-ID`` nothing is missed."""
        return EventStream(opening, maps.events(opening, layer, last))

    @routes.get(
        "/events",
        summary="New values of several layers in one stream of server-sent events",
        response_class=StreamingResponse,
        responses=STREAMED,
    )
    async def all_events(
        opening: Follow,
        layer: Annotated[list[str], Query(description="ids of datasets", min_length=1, max_length=50)],
        last: Last = "",
    ) -> StreamingResponse:
        """``observation`` holds ``layer`` and ``features``, ``gone`` ``layer`` and ``datastreams``; ``ended`` holds
        ``layer`` and the problem: the others go on. After ``expired`` connect again, as for one layer."""
        return EventStream(opening, maps.events_of(opening, layer, last))

    @routes.get("/datastreams/{datastream}/history", summary="Minimum, mean and maximum over time")
    def history(
        opening: View,
        datastream: Annotated[str, Path(max_length=300)],
        start: Annotated[str | None, Query(alias="from", description="RFC 3339; a day before to=")] = None,
        end: Annotated[str | None, Query(alias="to", description="RFC 3339; now")] = None,
        points: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> dict[str, Any]:
        until = _moment("to", end, clock.now())
        since = _moment("from", start, until - DAY)
        if since >= until:
            raise InputRefused.of("from", "must lie before to", start or "")
        permit = opening.permit(maps.dataset_of(opening, datastream))
        return maps.history(permit, datastream, since, until, points)

    @routes.get("/background", summary="Outlines, lines and stops as GeoJSON, for a map without internet")
    def background(opening: View) -> dict[str, Any]:
        return maps.background(opening)

    @routes.get("/search", summary="Neighbourhoods, streets, addresses, stops and sensors by name")
    def search(
        opening: View,
        text: Annotated[
            str,
            Query(
                alias="q", min_length=2, max_length=100, description="the beginning of each word of the name"
            ),
        ],
        limit: Annotated[int, Query(ge=1, le=50)] = 10,
    ) -> dict[str, Any]:
        return {"items": maps.search(opening, text, limit), "next": None}

    return routes
