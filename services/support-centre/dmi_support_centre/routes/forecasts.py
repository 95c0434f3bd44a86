"""Forecasts, their scores, and crowding."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from dmi_infra.http.access import Opening, gated
from dmi_support_centre.handlers import Views
from dmi_support_centre.recompute import Recompute

Look = Annotated[Opening, Depends(gated("indicators", "dmi:read"))]


def router(views: Views, recompute: Recompute) -> APIRouter:
    """Routes under ``/v1/forecasts`` and ``/v1/crowd``."""
    routes = APIRouter(prefix="/v1", tags=["forecasts"])

    @routes.get("/forecasts", summary="Occupancy 15 to 120 minutes ahead, with an 80 % interval")
    def forecasts(
        opening: Look,
        place: Annotated[str | None, Query(max_length=300, description="a place or its datastream")] = None,
    ) -> dict[str, Any]:
        return views.forecasts(opening, place)

    @routes.get("/forecasts/scores", summary="How good past forecasts were, beside two simple ones")
    def scores(opening: Look) -> dict[str, Any]:
        return views.scores(opening)

    @routes.post(
        "/forecasts/recompute",
        summary="Forecast again with what is allowed now, soon: at most once in ten seconds",
    )
    def again(opening: Look, dataset: Annotated[str | None, Query(max_length=200)] = None) -> dict[str, Any]:
        return recompute(opening, dataset)

    @routes.get("/crowd", summary="Level of service of each counted place", tags=["crowd"])
    def crowd(opening: Look) -> dict[str, Any]:
        return views.crowd(opening)

    return routes
