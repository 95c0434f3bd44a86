"""The two routes by which the kit has this node begin something as consumer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.transfer import Transfers
from dmi_exchange.dsp_tck.profile import PEER, RULES
from dmi_exchange.settings import ExchangeSettings


class Negotiate(BaseModel):
    """Which offer of which dataset to negotiate about, with whom and where."""

    dataset: str = Field(alias="datasetId", max_length=500)
    offer: str = Field(alias="offerId", max_length=500)
    provider: str = Field(alias="providerId", max_length=500)
    address: str = Field(alias="connectorAddress", max_length=2000)


class Transfer(BaseModel):
    """Under which agreement to ask for data, in which format, from whom and where."""

    agreement: str = Field(alias="agreementId", max_length=500)
    format: str = Field(max_length=200)
    provider: str = Field(alias="providerId", max_length=500)
    address: str = Field(alias="connectorAddress", max_length=2000)


def triggers(settings: ExchangeSettings, negotiations: Negotiations, transfers: Transfers) -> APIRouter:
    """Routes under ``/tck``."""
    routes = APIRouter(prefix="/tck", include_in_schema=False)
    owner = settings.stack_participant

    # The kit's messages prove nobody, so its id counts for nothing and the door's stands in its place.

    @routes.post("/negotiations")
    def negotiate(body: Negotiate) -> dict[str, Any]:
        offer = {"@id": body.offer, **RULES}
        return negotiations.request(owner, PEER, body.address, body.dataset, offer).acknowledgement()

    @routes.post("/transfers")
    def transfer(body: Transfer) -> dict[str, Any]:
        return transfers.request(owner, PEER, body.address, body.agreement, body.format).acknowledgement()

    return routes
