"""Whole datasets as files: the crossing ``export``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from dmi_infra.clock import to_text
from dmi_infra.http.access import Opening, gated
from dmi_platform import export, model
from dmi_platform.handlers import Platform
from dmi_platform.routes.parameters import DatasetId, From, To, span

PAGE = 10_000
"""Rows read at a time; the gate is asked again in between."""


def router(platform: Platform) -> APIRouter:
    """The route ``/v1/export``."""
    routes = APIRouter(prefix="/v1", tags=["export"])

    @routes.get(
        "/export",
        summary="A dataset as a zip: data, licence.txt, lineage.json",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    def exported(
        opening: Annotated[Opening, Depends(gated("export", "dmi:export", mandates=True))],
        dataset: DatasetId,
        begin: From = None,
        to: To = None,
        kind: Annotated[export.Format, Query(alias="format")] = "csv",
    ) -> StreamingResponse:
        first, last = span(begin, to)
        permit = opening.permit(model.checked_identifier("dataset", dataset))
        known = platform.gate.law.datasets.get(dataset)
        pages = platform.export(opening, permit, first, last, PAGE)
        body = export.stream(permit, known, pages, kind, (to_text(first), to_text(last)))
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in dataset.rsplit(":", 1)[-1])
        headers = {"Content-Disposition": f'attachment; filename="{name or "dataset"}.zip"'}
        return StreamingResponse(body, media_type="application/zip", headers=headers)

    return routes
