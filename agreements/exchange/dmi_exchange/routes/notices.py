"""Notices to who received the data of a person: what that person asked for it, and what was answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from dmi_exchange.notices.model import OUTCOMES, Notice, shown
from dmi_exchange.notices.store import NO_NOTICE, Notices
from dmi_exchange.routes.agreements import Signatory
from dmi_infra import clock
from dmi_infra.errors import InputRefused, NotFound
from dmi_infra.http.access import Caller

KEPT = OUTCOMES[1]


class Answering(BaseModel):
    """What a recipient did about a notice."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["done", "kept"] = Field(
        description="kept: the data is still needed, and the text says why"
    )
    text: str = Field("", max_length=500, description="in words that the person reads")


def router(notices: Notices) -> APIRouter:
    """Routes under ``/v1/notices``."""
    routes = APIRouter(prefix="/v1/notices", tags=["notices"])

    @routes.get("", summary="What persons asked for data that you received (GDPR art. 19), newest first")
    def listed(
        identity: Caller,
        open_: Annotated[bool, Query(alias="open", description="only what you have not answered")] = False,
    ) -> dict[str, Any]:
        found = [one for one in notices.to(identity.participant) if not (open_ and one.outcome)]
        return {"items": [shown(one) for one in found if not one.process], "next": None}

    @routes.post("/{notice}/answer", summary="Tell the person what you did about a notice")
    def answer(identity: Signatory, notice: str, body: Answering) -> dict[str, Any]:
        if body.outcome == KEPT and not body.text.strip():
            raise InputRefused.of("text", "must tell why the data is kept, such as by GDPR art. 17(3)")

        def decide(known: Notice) -> Notice:
            if known.recipient != identity.participant or known.process:
                raise NotFound(NO_NOTICE)
            return msgspec.structs.replace(
                known, outcome=body.outcome, answer=body.text.strip(), answered_at=clock.now(), corrections=[]
            )

        return shown(notices.change(notice, decide))

    return routes
