"""My data: who used it, stop, erase, correct, object, take along; for oneself or for who one represents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import Correction, SubjectRequest
from dmi_agreements.contracts.observations import LARGEST_RESULT
from dmi_exchange import present
from dmi_exchange.model import PERSON
from dmi_exchange.mydata.copy import Copies
from dmi_exchange.mydata.requests import Rights
from dmi_exchange.routes.agreements import Concerned, Ending
from dmi_exchange.routes.consents import For
from dmi_exchange.routes.members import Identifier
from dmi_infra.clock import from_datetime
from dmi_infra.http.access import Caller
from dmi_infra.http.shares import at_once

DatasetId = Annotated[str, Field(max_length=200)]


class _Asked(BaseModel):
    """A right that is exercised."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    person: Identifier | None = Field(
        None, alias="for", description="a person whom you represent; left out: yourself"
    )
    reason: str = Field("", max_length=500, description="you need not give one")


class Stopping(_Asked):
    """Which consents to withdraw, all of them or none; what is left out does not matter.

    What no consent of the person was ever about is refused; what has ended already is not withdrawn again.
    """

    dataset: DatasetId | None = None
    purpose: DatasetId | None = Field(None, description="with all below and above it")
    recipient: DatasetId | None = None


class Erasing(_Asked):
    """What to erase."""

    datasets: list[DatasetId] | None = Field(
        None, min_length=1, max_length=100, description="left out: everything with personal data"
    )


class Objecting(_Asked):
    """What use to object to."""

    dataset: DatasetId
    purpose: str = Field(
        "", max_length=200, description="with all below and above it; left out: every purpose"
    )


class Corrected(BaseModel):
    """What one measurement should have been."""

    model_config = ConfigDict(extra="forbid")
    datastream: DatasetId
    time: AwareDatetime = Field(description="when it was measured")
    result: float | None = Field(
        allow_inf_nan=False,
        ge=-LARGEST_RESULT,
        le=LARGEST_RESULT,
        description="in the unit of the datastream; null: no value",
    )


class Correcting(_Asked):
    """Measurements that are wrong."""

    dataset: DatasetId
    corrections: list[Corrected] = Field(min_length=1, max_length=1000)


def router(rights: Rights, copies: Copies) -> APIRouter:
    """Routes under ``/v1/my-data``."""
    routes = APIRouter(prefix="/v1/my-data", tags=["my data"])

    @routes.get("/uses", summary="Who used your data for what and when, from the log")
    def uses(
        identity: Caller,
        person: For = None,
        dataset: Annotated[str | None, Query(max_length=200)] = None,
        days: Annotated[int, Query(ge=1, le=3650, description="how far to look back")] = 90,
    ) -> dict[str, Any]:
        return copies.used(rights.person(identity.participant, person), days, dataset)

    @routes.get(
        "/datasets", summary="Where personal data is kept: what for, on which basis, whether you consent"
    )
    def datasets(identity: Caller, person: For = None) -> dict[str, Any]:
        return {"items": copies.datasets(rights.person(identity.participant, person)), "next": None}

    @routes.get("/copy", summary="All that the exchange keeps of you (GDPR art. 15 and 20)")
    def copy(identity: Caller, response: Response, person: For = None) -> dict[str, Any]:
        response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
        response.headers["Cache-Control"] = "no-store"
        return copies.copy(rights.person(identity.participant, person))

    @routes.get("/requests", summary="What you asked for, and what each layer did about it")
    def requests(identity: Caller, person: For = None) -> dict[str, Any]:
        return {"items": copies.asked(rights.person(identity.participant, person)), "next": None}

    @routes.get("/told", summary="Who received your data and was told what you asked, and what they answered")
    def told(identity: Caller, person: For = None) -> dict[str, Any]:
        return {"items": copies.told(rights.person(identity.participant, person)), "next": None}

    @routes.get(
        "/objections", summary="Objections to the use of your datasets (owner); persons are not named"
    )
    def objections(identity: Caller) -> dict[str, Any]:
        found = rights.against(identity.participant)
        return {"items": [_to_owner(one, identity.participant) for one in found], "next": None}

    @routes.post("/stop", summary="Withdraw your consents by dataset, purpose or recipient, or all, at once")
    @at_once
    def stop(identity: Concerned, body: Stopping) -> dict[str, Any]:
        ended = rights.stop(
            identity.participant, body.person, body.dataset, body.purpose, body.recipient, body.reason
        )
        return {"items": [present.agreement(one) for one in ended], "next": None}

    @routes.post("/erasure", status_code=201, summary="Have your data erased in every layer (GDPR art. 17)")
    @at_once
    def erase(identity: Concerned, body: Erasing) -> dict[str, Any]:
        made = rights.erase(identity.participant, body.person, body.datasets, body.reason)
        return {"items": [present.subject_request(one) for one in made], "next": None}

    @routes.post("/rectification", status_code=201, summary="Correct measurements of yours (GDPR art. 16)")
    @at_once
    def correct(identity: Concerned, body: Correcting) -> dict[str, Any]:
        corrections = [
            Correction(one.datastream, from_datetime(one.time), one.result) for one in body.corrections
        ]
        return present.subject_request(
            rights.correct(identity.participant, body.person, body.dataset, corrections, body.reason)
        )

    @routes.post("/objection", status_code=201, summary="Object to a use of your data (GDPR art. 21)")
    @at_once
    def object_to(identity: Concerned, body: Objecting) -> dict[str, Any]:
        return present.subject_request(
            rights.object_to(identity.participant, body.person, body.dataset, body.purpose, body.reason)
        )

    @routes.post(
        "/requests/{request}/end",
        summary="Take an objection back, or go on in spite of it for compelling grounds (owner)",
    )
    @at_once
    def end(identity: Concerned, request: str, body: Ending) -> dict[str, Any]:
        ended = rights.end(identity.participant, request, body.reason)
        if identity.participant.startswith(PERSON):
            return present.subject_request(ended)
        return _to_owner(ended, identity.participant)

    return routes


def _to_owner(item: SubjectRequest, owner: str) -> dict[str, Any]:
    """A request as the owner of the data reads it: it names nobody, neither who made it nor who took it back."""
    shown = present.subject_request(item)
    return {**shown, "made_by": None, "ended_by": owner if item.ended_by == owner else None}
