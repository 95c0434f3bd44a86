"""What became of what was handed in: outcomes and rejects."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from dmi_infra.cursors import Cursors
from dmi_infra.http.access import Caller, roles
from dmi_infra.identity import Identity
from dmi_platform import model, present
from dmi_platform.handlers import Platform
from dmi_platform.routes.parameters import AnyDataset, Page

KEEPERS = ("dmi:role:operator", "dmi:role:municipality", "dmi:role:vendor", "dmi:role:provider")
"""Roles that look after data; each sees the rejects of its own datasets, the operator all."""

Keeper = Annotated[Identity, Depends(roles(*KEEPERS))]
Number = Annotated[int, Path(ge=1, lt=2**63)]


def router(platform: Platform, cursors: Cursors) -> APIRouter:
    """Routes under ``/v1/outcomes`` and ``/v1/rejects``."""
    routes = APIRouter(prefix="/v1", tags=["operations"])

    @routes.get("/outcomes/{identifier:path}", summary="What became of a batch or an import of yours")
    def outcome(identity: Caller, identifier: Annotated[str, Path(max_length=200)]) -> dict[str, Any]:
        """For who handed it in, for the owner of the dataset, and for the operator; others get 404."""
        return present.outcome(platform.outcome(identity, model.checked_identifier("identifier", identifier)))

    @routes.get("/rejects", summary="What was not taken from your datasets, newest first")
    def rejects(
        identity: Keeper,
        dataset: AnyDataset = None,
        reason: Annotated[str | None, Query(max_length=100)] = None,
        pending: Annotated[bool, Query(description="only those not replayed yet")] = False,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Page = None,
    ) -> dict[str, Any]:
        about = ("rejects", identity.participant)
        before = cursors.open(cursor, int, *about)
        for name, value in (("dataset", dataset), ("reason", reason)):
            model.checked_identifier(name, value or "")
        found = platform.rejects(identity, dataset, reason, pending, before, limit)
        following = cursors.seal(found[-1].id, *about) if len(found) == limit else None
        return {"items": [present.reject(each) for each in found], "next": following}

    @routes.get("/rejects/{number}", summary="One reject with its rows; those of persons are not shown")
    def reject(identity: Keeper, number: Number) -> dict[str, Any]:
        found = platform.reject(identity, number)
        return {**present.reject(found), "payload": present.payload(found, platform.personal(found.dataset))}

    @routes.post("/rejects/{number}/replay", summary="Process a reject again")
    def replay(identity: Keeper, number: Number) -> dict[str, Any]:
        return present.outcome(platform.replay(identity, number))

    return routes
