"""The rulebook and its versions: read, propose a change, show the difference, adopt or reject it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from dmi_agreements.contracts.law import RulebookVersion
from dmi_agreements.difference import Change, weight
from dmi_exchange.revisions import Revisions
from dmi_exchange.routes.members import Signature
from dmi_infra.clock import to_text
from dmi_infra.http.access import Caller
from dmi_infra.http.wording import pattern

Number = Annotated[
    str,
    Field(pattern=pattern(r"^\d{1,4}\.\d{1,4}\.\d{1,4}$", "must be three numbers: 1.2.0"), max_length=14),
]


class Proposal(Signature):
    """A whole new version: the files of the rulebook by name, and why it is to change."""

    files: dict[str, Any] = Field(max_length=40)
    reason: str = Field(min_length=1, max_length=2000)


class Decision(Signature):
    """What a body decides about a proposal, and why."""

    reason: str = Field("", max_length=2000)


def shown(item: RulebookVersion) -> dict[str, Any]:
    """A version without its content."""
    return {
        "version": item.version,
        "base": item.base,
        "state": item.state,
        "reason": item.reason,
        "proposed_by": item.proposed_by,
        "proposed_at": None if item.proposed_at is None else to_text(item.proposed_at),
        "decided_by": item.decided_by,
        "decided_at": None if item.decided_at is None else to_text(item.decided_at),
        "decision": item.decision or None,
        "signatures": item.signatures,
    }


def told(changes: list[Change]) -> dict[str, Any]:
    """A difference, and how much it changes in all."""
    items = [
        {"path": c.path, "weight": c.weight, "before": c.before, "after": c.after, "text": dict(c.text)}
        for c in changes
    ]
    return {"weight": weight(changes), "items": items, "next": None}


def router(revisions: Revisions) -> APIRouter:
    """Routes under ``/v1/rulebook``."""
    routes = APIRouter(prefix="/v1/rulebook", tags=["rulebook"])

    @routes.get(
        "",
        summary="The rulebook: roles, purposes, legal bases, data, actions, duties, limits, rules, templates",
    )
    def rulebook() -> dict[str, Any]:
        return revisions.current.as_document()

    @routes.get("/versions", summary="Versions that were proposed, and what became of them")
    def versions(_identity: Caller) -> dict[str, Any]:
        return {"items": [shown(item) for item in revisions.versions()], "next": None}

    @routes.get("/versions/{version}", summary="One version with its content")
    def one(_identity: Caller, version: Number) -> dict[str, Any]:
        content = revisions.content(version)
        return {**content.as_document(), "files": dict(content.files)}

    @routes.get("/versions/{version}/difference", summary="What a version changes, in words")
    def changes(
        _identity: Caller,
        version: Number,
        since: Annotated[Number | None, Query(description="left out: what it was proposed to change")] = None,
    ) -> dict[str, Any]:
        return told(revisions.difference(version, since))

    @routes.post(
        "/difference",
        summary="What files would change in the current version, as a body that may propose it; nothing is kept",
    )
    def preview(identity: Caller, files: dict[str, Any]) -> dict[str, Any]:
        return told(revisions.preview(identity.roles, files))

    @routes.post("/versions", status_code=201, summary="Propose a new version, as a body of the framework")
    def propose(identity: Caller, body: Proposal) -> dict[str, Any]:
        made = revisions.propose(identity.participant, identity.roles, body.files, body.reason, body.jws)
        return {**shown(made), "difference": told(revisions.difference(made.version))}

    @routes.post("/versions/{version}/adopt", summary="Adopt a proposed version, as the body that may")
    def adopt(identity: Caller, version: Number, body: Decision) -> dict[str, Any]:
        return shown(revisions.adopt(identity.participant, identity.roles, version, body.reason, body.jws))

    @routes.post(
        "/versions/{version}/reject", summary="Reject a proposed version, as the body that may adopt it"
    )
    def reject(identity: Caller, version: Number, body: Decision) -> dict[str, Any]:
        return shown(revisions.reject(identity.participant, identity.roles, version, body.reason, body.jws))

    return routes
