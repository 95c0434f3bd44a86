"""Who acts for a person, such as the parents of a child: seen and changed by the operator, at the desk."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends

from dmi_exchange import present
from dmi_exchange.handlers import Exchange
from dmi_exchange.model import OPERATOR
from dmi_exchange.representing import represent, represented
from dmi_exchange.routes.members import Representation
from dmi_infra.http.access import roles
from dmi_infra.identity import Identity

Desk = Annotated[Identity, Depends(roles(OPERATOR))]


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/participants/{participant}/representatives``."""
    routes = APIRouter(prefix="/v1/participants/{participant}/representatives", tags=["participants"])

    @routes.get("", summary="Who acts for a person (operator)")
    def seen(_identity: Desk, participant: str) -> dict[str, Any]:
        return present.represented(*represented(exchange, participant))

    @routes.put("", summary="Who acts for a person from now on (operator)")
    def changed(identity: Desk, participant: str, body: Representation) -> dict[str, Any]:
        of_age_at = body.of_age_at if "of_age_on" in body.model_fields_set else msgspec.UNSET
        person = represent(exchange, participant, body.representatives, of_age_at, identity.participant)
        return present.participant(person)

    return routes
