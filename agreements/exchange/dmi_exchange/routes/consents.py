"""Consents of people: give, see, renew and withdraw them, for oneself or for who one represents; their receipts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_exchange import present
from dmi_exchange.consent.giving import Consents, limits
from dmi_exchange.consent.printed import printed
from dmi_exchange.consent.record import Records
from dmi_exchange.routes.agreements import Concerned, Ending, Signatory
from dmi_exchange.routes.members import Identifier
from dmi_infra.clock import day_of, now
from dmi_infra.http.access import Caller, ServiceRuntime
from dmi_infra.http.shares import at_once

For = Annotated[
    str | None,
    Query(alias="for", max_length=100, description="a person whom you represent; left out: yourself"),
]


class ConsentWish(BaseModel):
    """A consent in plain terms; one document for each recipient is made and signed from it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    dataset: str = Field(max_length=200)
    purpose: str = Field(max_length=200)
    recipients: list[str] = Field(min_length=1, max_length=20)
    person: Identifier | None = Field(
        None, alias="for", description="a person whom you represent; left out: yourself"
    )
    cut_ends_m: int | None = Field(
        None, ge=10, le=10_000, description="keep nothing so near to where trips begin and end, metres"
    )
    coarsen_m: int | None = Field(
        None, ge=1, le=100_000, description="keep positions by cells of this size, metres"
    )
    minimum_group: int | None = Field(
        None, ge=2, le=100_000, description="show rows in groups of so many persons alone"
    )


_Wish = tuple[str, str, str, list[str], str | None, list[dict[str, Any]]]


def _wish(party: str, body: ConsentWish) -> _Wish:
    duties = limits(body.cut_ends_m, body.coarsen_m, body.minimum_group)
    return party, body.dataset, body.purpose, body.recipients, body.person, duties


def router(consents: Consents, records: Records) -> APIRouter:
    """Routes under ``/v1/consents``."""
    routes = APIRouter(prefix="/v1/consents", tags=["consents"])

    @routes.get("", summary="Your consents, or those of a person whom you represent")
    def listed(identity: Caller, person: For = None) -> dict[str, Any]:
        return {
            "items": [present.agreement(one) for one in consents.given(identity.participant, person)],
            "next": None,
        }

    @routes.get("/represented", summary="The persons for whom you may consent")
    def represented(identity: Caller) -> dict[str, Any]:
        people = consents.represented(identity.participant)
        return {"items": [{"id": one.id, "name": one.name} for one in people], "next": None}

    @routes.post("", status_code=201, summary="Give consent, one document per recipient")
    def give(identity: Signatory, body: ConsentWish) -> dict[str, Any]:
        given = consents.give(*_wish(identity.participant, body))
        return {"items": [present.agreement(one) for one in given], "next": None}

    @routes.post(
        "/draft", summary="The texts of such consents, to sign with a key of your own; nothing is kept"
    )
    def draft(identity: Signatory, body: ConsentWish) -> dict[str, Any]:
        return {"items": consents.documents(*_wish(identity.participant, body)), "next": None}

    @routes.post("/{consent}/withdraw", summary="Withdraw a consent, at once")
    @at_once
    def withdraw(identity: Concerned, consent: str, body: Ending) -> dict[str, Any]:
        return present.agreement(consents.withdraw(identity.participant, consent, body.reason))

    @routes.post("/{consent}/renewal", status_code=201, summary="Give a consent that has ended once more")
    def renew(identity: Signatory, consent: str) -> dict[str, Any]:
        return present.agreement(consents.renew(identity.participant, consent))

    @routes.post(
        "/{consent}/renewal/draft",
        summary="The text of such a consent, to sign with a key of your own; nothing is kept",
    )
    def renewed(identity: Signatory, consent: str) -> dict[str, Any]:
        return consents.renewed(identity.participant, consent)

    @routes.get("/{consent}/record", summary="The consent record (ISO/IEC TS 27560 with DPV, JSON-LD)")
    def record(identity: Caller, consent: str) -> dict[str, Any]:
        return records.record(consents.one(identity.participant, consent), records.once())

    @routes.get(
        "/{consent}/receipt", summary="A receipt to keep: the record, signed, and in plain words",
        responses={200: {"content": {"application/pdf": {}}}},
    )  # fmt: skip
    def receipt(
        identity: Caller,
        runtime: ServiceRuntime,
        consent: str,
        response: Response,
        form: Annotated[
            Literal["json", "pdf"],
            Query(alias="format", description="pdf: on a page, with the same as json attached to it"),
        ] = "json",
        language: Annotated[Literal["nl", "en"], Query(description="of the page")] = "nl",
    ) -> Any:
        made = records.receipt(identity.participant, consent)
        name = consent.rsplit(":", 1)[-1]
        saved = {
            "Content-Disposition": f'attachment; filename="consent-{name}.{form}"',
            "Cache-Control": "no-store",
        }
        if form == "pdf":
            node = records.name(runtime.settings.stack_participant)
            today = day_of(now())
            return Response(printed(made, node, today, language), media_type="application/pdf", headers=saved)
        response.headers.update(saved)
        return made.whole()

    return routes
