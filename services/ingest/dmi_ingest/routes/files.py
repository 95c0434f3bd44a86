"""Imports of files: hand in, follow, resume, look at what was rejected, and replay it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused
from dmi_infra.http.access import Caller, runtime_of
from dmi_ingest import upload
from dmi_ingest.imports import Imports
from dmi_ingest.intake import Contributor
from dmi_ingest.routes.access import Delivering
from dmi_ingest.settings import IngestSettings
from dmi_ingest.sources.things import UNITS
from dmi_ingest.store.imports import Import, Reject

_FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "minItems": 1,
    "maxItems": upload.FILES,
}
_FORM = {
    "requestBody": {
        "required": True,
        "description": "the files of this kind, one part each; streamed, up to DMI_IMPORT_LIMIT bytes together",
        "content": {
            upload.MEDIA_TYPE: {
                "schema": {"type": "object", "required": [upload.FIELD], "properties": {upload.FIELD: _FILES}}
            }
        },
    }
}


class Correction(BaseModel):
    """A rejected row as it was corrected: its cells by column, or a JSON feature as text."""

    model_config = ConfigDict(extra="forbid")
    id: int = Field(ge=1, le=2**62)
    raw: dict[str, str] | Annotated[str, Field(min_length=1)]


class Replay(BaseModel):
    """Rows to take after their correction."""

    model_config = ConfigDict(extra="forbid")
    rows: list[Correction] = Field(min_length=1, max_length=1000)


def router(settings: IngestSettings, imports: Imports) -> APIRouter:
    """Routes under ``/v1/imports`` and ``/v1/kinds``."""
    routes = APIRouter(prefix="/v1", tags=["imports"])

    @routes.get("/kinds", summary="The kinds of file that can be imported")
    def kinds() -> list[dict[str, Any]]:
        return [
            {
                "kind": source.kind, "title": source.title, "description": source.description,
                "expects": list(source.expects), "unit_read": source.unit_read,
                "properties": [{"name": name, "unit": UNITS[name]} for name in source.properties],
                "most_bytes": settings.import_limit,
                "dataset": asdict(source.dataset),
            }
            for source in imports.sources.values()
        ]  # fmt: skip

    @routes.post(
        "/imports",
        summary="Import files",
        responses={
            202: {"description": "the import runs"},
            413: {"description": "more bytes than one import, or the imports of one participant, may hold"},
            429: {"description": "too many imports of the participant wait, run or can be resumed"},
        },
        openapi_extra=_FORM,
    )
    async def begin(
        request: Request,
        response: Response,
        contributor: Delivering,
        kind: Annotated[str, Query(max_length=60)],
        dataset: Annotated[str, Query(max_length=200)],
        prefer: Annotated[str, Header(description="respond-async answers before the end")] = "",
    ) -> dict[str, Any]:
        """Answers with the report when the import is over, or 202 at once with ``Prefer: respond-async``.

        The body is read only when the caller may import into the dataset.
        """
        if dataset not in runtime_of(request).law.table.datasets:
            raise InputRefused.of(
                "dataset", "must be in the catalogue: enter it at the exchange first", dataset
            )
        await run_in_threadpool(imports.check, contributor, kind, dataset)
        identifier, folder = await run_in_threadpool(imports.new_folder, contributor)
        try:
            form = request.headers.get("content-type", "")
            take = partial(imports.room.take, identifier)
            names = await upload.receive(form, request.stream(), folder, settings.import_limit, take)
        except BaseException:
            # Also when the caller goes away: nothing refers to the files then. The thread goes on whoever waits for it.
            await asyncio.shield(asyncio.to_thread(imports.discard, identifier))
            raise
        future = await run_in_threadpool(imports.begin, identifier, contributor, kind, dataset, names)
        return await _answer(imports, identifier, contributor, future, prefer, response)

    @routes.get("/imports", summary="Imports of yours, the newest first")
    def listed(
        identity: Caller,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    ) -> dict[str, Any]:
        """Also those that you began for others and that broke off: their files take room in your share."""
        found = imports.store.of(identity.participant, limit, cursor)
        following = str(found[-1].started_at) if len(found) == limit else None
        return {"items": [_shown(item) for item in found], "next": following}

    @routes.get("/imports/{import_id}", summary="The state and the report of an import")
    def one(contributor: Delivering, import_id: str) -> dict[str, Any]:
        return _report(imports, imports.one(import_id, contributor))

    @routes.delete(
        "/imports/{import_id}",
        status_code=204,
        summary="Delete the files of an import that broke off, or its rejected rows",
    )
    def withdraw(contributor: Delivering, import_id: str) -> None:
        """Its files, as long as it can be resumed; of one that is over the rejected rows. Its report stays.

        What waits or runs is not stopped (409). So may who began it for another, as itself."""
        imports.withdraw(import_id, contributor)

    @routes.post(
        "/imports/{import_id}/resume",
        summary="Run an interrupted import again",
        responses={
            413: {
                "description": "somebody else began it, and its files go beyond the share of who resumes it"
            },
            429: {
                "description": "somebody else began it, and who resumes it has its share of imports already"
            },
        },
    )
    async def resume(
        response: Response, contributor: Delivering, import_id: str, prefer: Annotated[str, Header()] = ""
    ) -> dict[str, Any]:
        future = await run_in_threadpool(imports.resume, import_id, contributor)
        return await _answer(imports, import_id, contributor, future, prefer, response)

    @routes.get("/imports/{import_id}/rejects", summary="The rows that were rejected, as they came in")
    def rejects(
        contributor: Delivering,
        import_id: str,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    ) -> dict[str, Any]:
        item = imports.one(import_id, contributor)
        found = imports.rejects(item, cursor, limit)
        following = str(found[-1].id) if len(found) == limit else None
        return {"items": [_rejected(row) for row in found], "next": following}

    @routes.post("/imports/{import_id}/replay", summary="Take rejected rows after their correction")
    def replay(contributor: Delivering, import_id: str, body: Replay) -> dict[str, Any]:
        item = imports.one(import_id, contributor)
        return imports.replay(item, contributor, [(row.id, row.raw) for row in body.rows])

    return routes


async def _answer(
    imports: Imports, identifier: str, contributor: Contributor, future: Any, prefer: str, response: Response
) -> dict[str, Any]:
    if "respond-async" in prefer:
        response.status_code = 202
        response.headers["Location"] = f"/ingest/v1/imports/{identifier}"
        response.headers["Preference-Applied"] = "respond-async"
    else:
        # The shield lets the import go on when the caller goes away.
        await asyncio.shield(asyncio.wrap_future(future))
    return await run_in_threadpool(lambda: _report(imports, imports.one(identifier, contributor)))


def _shown(item: Import) -> dict[str, Any]:
    return {
        "import_id": item.id, "kind": item.kind, "dataset": item.dataset, "files": item.files,
        "participant": item.participant, "actor": item.actor or None,
        "state": item.state, "resumable": item.resumable, "detail": item.detail,
        "read": item.read, "accepted": item.accepted, "duplicate": item.duplicate, "rejected": item.rejected,
        "started_at": to_text(item.started_at),
        "ended_at": None if item.ended_at is None else to_text(item.ended_at),
    }  # fmt: skip


def _report(imports: Imports, item: Import) -> dict[str, Any]:
    """``not_kept`` are rejected rows that are counted alone: those after the first 10,000, or 16 MiB, and deleted ones.

    ``accepted`` are units handed over durably; what the platform made of them it answers itself."""
    reasons = imports.reasons(item)
    outcomes = f"/platform/v1/outcomes/{item.id}"
    return {
        **_shown(item), "reasons": reasons,
        "not_kept": max(0, item.rejected - sum(reason["count"] for reason in reasons)),
        "observations": item.observations,
        "batches": [f"{item.id}/{number}" for number in range(item.batches)], "outcomes": outcomes,
    }  # fmt: skip


def _rejected(row: Reject) -> dict[str, Any]:
    unit = row.unit
    return {
        "id": row.id, "file": unit.file, "line": unit.line, "reason": unit.reason, "field": unit.field,
        "value": unit.value, "at": unit.at, "raw": unit.raw,
    }  # fmt: skip
