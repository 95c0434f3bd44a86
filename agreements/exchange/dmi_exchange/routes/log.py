"""The log of decisions and the lineage of results."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from dmi_agreements.chain import verify
from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.contracts.results import Lineage
from dmi_exchange import model, present
from dmi_exchange.handlers import Exchange
from dmi_infra.errors import NotFound
from dmi_infra.http.access import Caller


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/log`` and ``/v1/lineage``."""
    routes = APIRouter(prefix="/v1", tags=["log"])

    def shown(item: Lineage) -> dict[str, Any]:
        return present.lineage(
            item,
            lambda identifier: exchange.store.get(Dataset, identifier),
            lambda identifier: exchange.store.get(AgreementState, identifier),
        )

    @routes.get("/log", summary="Decisions that concern you (operator: all)")
    def entries(
        identity: Caller,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        dataset: Annotated[str | None, Query(max_length=200)] = None,
        newest: Annotated[bool, Query(description="start at the newest instead of after=")] = False,
    ) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        found = exchange.store.entries(after, limit, party, dataset or None, newest_first=newest)
        following = str(found[-1].sequence) if len(found) == limit and not newest else None
        return {"items": [present.log_entry(entry) for entry in found], "next": following}

    @routes.get("/log/head", summary="Length and newest hash of the log")
    def head(_identity: Caller) -> dict[str, Any]:
        last = exchange.store.last_sequence()
        newest = exchange.store.entries(last - 1, 1, None, None) if last else []
        return {"sequence": last, "hash": newest[0].hash if newest else None}

    @routes.get("/log/verify", summary="Check the whole chain")
    def verified(_identity: Caller) -> dict[str, Any]:
        result = verify(exchange.store.whole_log())
        return {
            "ok": result.ok,
            "count": result.count,
            "head": result.head,
            "broken_at": result.broken_at,
            "reason": result.reason,
        }

    @routes.get("/lineage/{result:path}/dependents", summary="All that rests on a ground or result")
    def dependents(
        _identity: Caller, result: str, limit: Annotated[int, Query(ge=1, le=1000)] = 200
    ) -> dict[str, Any]:
        items = [shown(item) for item in exchange.store.dependents(result, limit)]
        return {
            "items": [
                {k: item[k] for k in ("result", "kind", "title", "made_at", "withdrawn")} for item in items
            ],
            "next": None,
        }

    @routes.get("/lineage/{result:path}", summary="The ground that a result rests on")
    def ground(_identity: Caller, result: str) -> dict[str, Any]:
        found = exchange.store.result(result)
        if found is None:
            raise NotFound("nothing is recorded under this id")
        return shown(found)

    return routes
