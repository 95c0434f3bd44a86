"""Supervision: how each participant stands, and what the review found. For the body that may inspect, alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange import model, present
from dmi_exchange.handlers import Exchange
from dmi_exchange.inspection.findings import Finding
from dmi_exchange.inspection.limits import Reach, reaches
from dmi_exchange.inspection.standing import Inspection, Standing
from dmi_exchange.review import present as verdicts
from dmi_exchange.sight import check_inspects
from dmi_exchange.transactions.commons import Share
from dmi_infra.clock import to_text
from dmi_infra.http.access import Caller


def router(exchange: Exchange, shares: Callable[[], Iterable[Share]]) -> APIRouter:
    """Routes under ``/v1/inspection``."""
    inspection = Inspection(exchange, shares)

    # In a thread, since it asks the store: whoever lost the role or left is refused at once.
    def supervising(identity: Caller) -> None:
        check_inspects(exchange, identity)

    routes = APIRouter(prefix="/v1/inspection", tags=["inspection"], dependencies=[Depends(supervising)])

    @routes.get("/participants", summary="How each participant stands (supervising body)")
    def participants() -> dict[str, Any]:
        return {"items": [_standing(one) for one in inspection.all()], "next": None}

    @routes.get(
        "/participants/{participant}",
        summary="One participant, with limits, data and agreements (supervising body)",
    )
    def participant(participant: str) -> dict[str, Any]:
        found = inspection.one(participant)
        return {
            **_standing(found),
            "taken": [
                {"from": giver, "cents": cents}
                for giver, cents in sorted((found.share.taken if found.share else {}).items())
            ],
            "limits": [_reach(one) for one in reaches(exchange, found)],
            "data": [
                {
                    "id": one.id,
                    "title": one.title,
                    "quality": present.quality(found.quality[one.id]) if one.id in found.quality else None,
                }
                for one in found.datasets
            ],
            "agreements": [_agreement(one) for one in found.running],
            "found": [_finding(exchange, one) for one in found.findings],
        }

    @routes.get(
        "/findings", summary="What the review found, why, and the smallest change of each (supervising body)"
    )
    def findings(
        participant: Annotated[str | None, Query(max_length=200, description="of this one alone")] = None,
    ) -> dict[str, Any]:
        items = [_finding(exchange, one) for one in inspection.findings(participant)]
        return {"items": items, "next": None}

    return routes


def _standing(found: Standing) -> dict[str, Any]:
    member, share, measured = found.participant, found.share, found.measured
    given = sum(model.assigner(one.document) == member.id for one in found.running)
    return {
        "id": member.id,
        "name": member.name,
        "roles": member.roles,
        "active": member.active,
        "rulebook": member.rulebook,
        "contribution": None
        if share is None
        else {
            "offered": share.offered,
            "asked": share.asked,
            "short": share.short,
            "early": share.early,
            "rides_free": share.rides_free,
            "taken": sum(share.taken.values()),
        },
        "datasets": len(found.datasets),
        "quality": None if measured is None else present.quality(measured),
        "running": {"given": given, "got": len(found.running) - given},
        "findings": sum(not one.stopped for one in found.findings),
        "stopped": sum(one.stopped for one in found.findings),
    }


def _reach(reach: Reach) -> dict[str, Any]:
    limit = reach.limit
    return {
        "limit": limit.id,
        "label": limit.label,
        "description": limit.description,
        "unit": limit.unit,
        "minimum": limit.minimum,
        "maximum": limit.maximum,
        "used": reach.used,
        "under": reach.under or None,
        "over": reach.over,
    }


def _agreement(state: AgreementState) -> dict[str, Any]:
    shown = present.agreement(state)
    kept = ("id", "assigner", "assignee", "datasets", "state", "concluded_at", "objections")
    return {name: shown[name] for name in kept}


def _finding(exchange: Exchange, found: Finding) -> dict[str, Any]:
    state, book = found.agreement, exchange.rulebook
    since = found.since or {}
    change = found.change
    return {
        **_agreement(state),
        "stopped": None
        if not found.stopped
        else {
            "at": None if state.ended_at is None else to_text(state.ended_at),
            "reason": state.end_reason,
        },
        "reasons": [
            {
                **verdicts.fault(one, book),
                "since": to_text(since[one.rule, one.path]) if (one.rule, one.path) in since else None,
            }
            for one in found.faults
        ],
        "change": None if change is None else {"steps": [dict(step.text) for step in change.steps]},
    }
