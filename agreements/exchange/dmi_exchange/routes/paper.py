"""The paper way: a letter with a code, and the code in place of an account."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_agreements.keys import revoked_since
from dmi_agreements.persons import RESIDENT, letter_stands
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.mydata.codes import Codes, Kept, new
from dmi_exchange.mydata.copy import DAY, Copies
from dmi_exchange.mydata.letter import Content, written
from dmi_exchange.mydata.requests import Rights
from dmi_exchange.routes.agreements import Concerned
from dmi_exchange.routes.members import Identifier
from dmi_exchange.tokens import Issuer, Token
from dmi_infra import clock
from dmi_infra.clock import day_of
from dmi_infra.errors import InputRefused, NotFound, Refused, Unauthenticated
from dmi_infra.http.access import ServiceRuntime
from dmi_infra.identity import PAPER

DAYS = 90
BY_CODE = "who came in by the code of a letter makes no new one: use an account or a key, or ask at the desk"


class Letter(BaseModel):
    """Whose letter, and in which language."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    person: Identifier | None = Field(
        None, alias="for", description="a person whom you represent (operator: any); left out: yourself"
    )
    language: Literal["nl", "en"] = "nl"


class Code(BaseModel):
    """A code as it stands in a letter."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(min_length=1, max_length=60)]


def router(
    exchange: Exchange,
    issuer: Issuer,
    rights: Rights,
    copies: Copies,
    codes: Codes,
) -> APIRouter:
    """Routes under ``/v1/my-data/letter`` and ``/v1/paper``."""
    routes = APIRouter(prefix="/v1", tags=["my data"])

    @routes.post(
        "/my-data/letter", summary="A letter (PDF): where data of you may be, and a code that needs no account",
        response_class=Response, responses={200: {"content": {"application/pdf": {}}}},
    )  # fmt: skip
    def letter(identity: Concerned, runtime: ServiceRuntime, body: Letter) -> Response:
        if identity.on_paper:
            # A code would go on for ever, and the printed one that its owner holds would die of it.
            raise Refused([Reason("on_paper", BY_CODE)])
        if identity.has(model.OPERATOR):
            # The desk prints for whoever stands before it; the person reads in the log that it did.
            person = body.person
            if person is None or not person.startswith(model.PERSON):
                raise InputRefused.of("for", "must be the person whom the letter is for")
        else:
            person = rights.person(identity.participant, body.person)
        known = exchange.store.get(Participant, person)
        if known is None:
            raise NotFound("nobody here has this id")
        code = new()
        used: dict[str, Any] = copies.used(person, DAYS, None)
        content = Content(
            copies.name(runtime.settings.stack_participant), day_of(clock.now()), known.name, code.written,
            day_of(code.until - DAY), copies.datasets(person), used["items"], runtime.settings.public_url.rstrip("/"),
        )  # fmt: skip
        printed = written(content, body.language)
        # Only now: a letter that could not be set would have ended the code that the person holds.
        codes.keep(code, person, identity.participant)
        headers = {"Content-Disposition": 'attachment; filename="letter.pdf"', "Cache-Control": "no-store"}
        return Response(printed, media_type="application/pdf", headers=headers)

    @routes.post("/paper/token", summary="An access token for a code from a letter")
    def token(response: Response, body: Code) -> Token:
        found = codes.find(body.code)
        known = None if found is None else exchange.store.get(Participant, found.person)
        if found is None or known is None or not _stands(exchange, found, known):
            raise Unauthenticated("this code is unknown, or holds no more; ask for a new letter")
        if known.letter_at is None:
            codes.tell(found)
        return issuer.issue(
            response,
            known.id,
            known.name,
            (RESIDENT,),
            method=PAPER,
            client=found.made_by,
            letter=found.made_at,
        )

    return routes


def _stands(exchange: Exchange, code: Kept, person: Participant) -> bool:
    """Whether who had a code made may still act for the person, and no thief of a key had it made."""
    maker = exchange.store.get(Participant, code.made_by)
    stolen = maker is not None and revoked_since(maker.keys, code.made_at / 1_000_000)
    return letter_stands(maker, person, clock.now()) and not stolen
