"""Machines of a participant: sensor gateways and systems that act for it by mandates, each with a key of its own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import Mandate, Participant
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.machines import Machines
from dmi_exchange.mandating import Mandating
from dmi_infra.http.access import Caller, roles
from dmi_infra.http.shares import at_once
from dmi_infra.http.wording import pattern
from dmi_infra.identity import Identity

Signatory = Annotated[Identity, Depends(roles(*model.SIGNATORY_ROLES))]


class NewMachine(BaseModel):
    """A machine as its participant enters it."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(
        pattern=pattern("^[a-z0-9][a-z0-9-]{0,60}$", "must be small letters, digits and dashes"),
        description="its own among your machines; the id ends with it",
    )
    title: str = Field(min_length=1, max_length=200, description="what people call it")
    key: dict[str, str] = Field(description="its public key as JWK; the private one never leaves the machine")


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/machines``. Its keys are changed as those of a participant, by the one it belongs to."""
    routes = APIRouter(prefix="/v1/machines", tags=["machines"])
    machines, mandating = Machines(exchange), Mandating(exchange)

    def shown(machine: Participant) -> dict[str, Any]:
        held = exchange.store.find(Mandate, machine.id)
        return {
            "id": machine.id,
            "title": machine.name,
            "participant": machine.machine_of,
            "active": machine.active,
            "keys": machine.keys,
            "mandates": [each.id for each in held if each.state == "active"] if machine.active else [],
        }

    @routes.get("", summary="Your machines, stopped ones too (operator: all)")
    def listed(identity: Caller) -> dict[str, Any]:
        owner = None if identity.has(model.OPERATOR) else identity.participant
        return {"items": [shown(each) for each in machines.of(owner)], "next": None}

    @routes.post("", status_code=201, summary="Enter a machine of yours; a mandate says what it may do")
    def add(identity: Signatory, body: NewMachine) -> dict[str, Any]:
        return shown(machines.add(identity.participant, body.name, body.title, body.key))

    @routes.post("/{machine}/end", summary="Stop a machine everywhere, at once and for good")
    @at_once
    def end(identity: Signatory, machine: str) -> dict[str, Any]:
        owner = None if identity.has(model.OPERATOR) else identity.participant
        stopped = machines.stop(owner, machine)
        for held in exchange.store.find(Mandate, machine):
            if held.state == "active":
                # It could act by none of them any more; so they say so.
                mandating.end(stopped.machine_of, held.id, "its machine was stopped")
        return shown(stopped)

    return routes
