"""Whole datasets as files: the crossing ``export``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse

from dmi_infra.clock import to_text
from dmi_infra.http.access import Opening, gated
from dmi_infra.http.downloads import Download, Makers
from dmi_infra.room import Room, whose_share
from dmi_platform import export, model
from dmi_platform.handlers import Platform
from dmi_platform.routes.parameters import DatasetId, From, To, span

PAGE = 10_000
"""Rows read at a time; the gate is asked again in between."""


def router(platform: Platform, room: Room) -> APIRouter:
    """The route ``/v1/export``; each export has a place in ``room`` for as long as it is sent."""
    routes = APIRouter(prefix="/v1", tags=["export"])
    makers = Makers()

    @routes.get(
        "/export",
        summary="A dataset as a zip: data, licence.txt, lineage.json",
        response_class=StreamingResponse,
        responses={
            200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
            503: {"description": "All exports are in use, or those of this participant; or as elsewhere"},
        },
    )
    def exported(
        opening: Annotated[Opening, Depends(gated("export", "dmi:export", mandates=True))],
        dataset: DatasetId,
        begin: From = None,
        to: To = None,
        kind: Annotated[export.Format, Query(alias="format")] = "csv",
    ) -> Response:
        first, last = span(begin, to)
        model.checked_identifier("dataset", dataset)
        # Before the gate is asked: what finds no place is no use.
        party = whose_share(platform.gate.law, opening.identity)
        over = room.take(party)
        try:
            permit = opening.permit(dataset)
            known = platform.gate.law.datasets.get(dataset)
            pages = platform.export(opening, permit, first, last, PAGE)
            hides = partial(platform.gate.hides_persons, permit)
            body = export.stream(permit, known, pages, kind, (to_text(first), to_text(last)), hides)
        except BaseException:
            over()
            raise
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in dataset.rsplit(":", 1)[-1])
        headers = {"Content-Disposition": f'attachment; filename="{name or "dataset"}.zip"'}
        return Download(body, over, "application/zip", headers, makers, party)

    return routes
