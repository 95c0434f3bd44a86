"""Who acts for a person, such as the parents of a child: seen and changed by the operator, at the desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends

from dmi_agreements.contracts.record import DecisionRecord
from dmi_exchange import present
from dmi_exchange.handlers import Exchange
from dmi_exchange.model import OPERATOR
from dmi_exchange.mydata.uses import REQUEST
from dmi_exchange.representing import represent, represented
from dmi_exchange.routes.members import Representation
from dmi_infra import clock
from dmi_infra.http.access import roles
from dmi_infra.identity import Identity

Desk = Annotated[Identity, Depends(roles(OPERATOR))]


def router(exchange: Exchange, record: Callable[[DecisionRecord], None]) -> APIRouter:
    """Routes under ``/v1/participants/{participant}/representatives``."""
    routes = APIRouter(prefix="/v1/participants/{participant}/representatives", tags=["participants"])

    @routes.get("", summary="Who acts for a person (operator)")
    def seen(_identity: Desk, participant: str) -> dict[str, Any]:
        return present.represented(*represented(exchange, participant))

    @routes.put("", summary="Who acts for a person from now on (operator)")
    def changed(identity: Desk, participant: str, body: Representation) -> dict[str, Any]:
        of_age_at = body.of_age_at if "of_age_on" in body.model_fields_set else msgspec.UNSET
        person = represent(exchange, participant, body.representatives, of_age_at)
        # The person, and who acts for it now, read in the log that the operator changed it.
        record(
            DecisionRecord(
                str(uuid.uuid4()), clock.now(), "exchange", "store", identity.participant, "dmi:represent", "", "",
                True, [f"{REQUEST}representation: who acts for this person was changed"], subjects=[participant],
            )
        )  # fmt: skip
        return present.participant(person)

    return routes
