"""Participants and their signature under the rulebook."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Reason
from dmi_exchange import present
from dmi_exchange.foreign import readmit
from dmi_exchange.handlers import Exchange
from dmi_exchange.model import OPERATOR, PERSON, SIGNATORY_ROLES
from dmi_infra.errors import NotFound, Refused
from dmi_infra.http.access import Caller, placed, roles
from dmi_infra.http.shares import at_once
from dmi_infra.http.wording import pattern
from dmi_infra.identity import Identity

Identifier = Annotated[
    str,
    Field(
        pattern=pattern(
            r"^urn:dmi:(participant|person):[a-z0-9][a-z0-9-]{0,60}$",
            "must be urn:dmi:participant: or urn:dmi:person: and a name: small letters, digits, dashes",
        )
    ),
]


class Representation(BaseModel):
    """Who acts for a person; who is left out does so no more."""

    model_config = ConfigDict(extra="forbid")
    representatives: list[Identifier] = Field(
        max_length=4, description="persons that act for this person, such as the parents of a child"
    )
    of_age_on: date | None = Field(
        None,
        description="of a child: the day from which it decides for itself (its 16th birthday); where who acts for it "
        "changes and this is left out, the day stays, and null takes it away",
    )

    @property
    def of_age_at(self) -> Micros | None:
        """The moment at which that day begins."""
        day = self.of_age_on
        if day is None:
            return None
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


class NewParticipant(Representation):
    """A participant as the operator admits it."""

    id: Identifier
    name: str = Field(min_length=1, max_length=200)
    roles: list[str] = Field(max_length=10)
    country: str = Field(
        "NL",
        pattern=pattern("^[A-Z]{2}$", "must be two capitals, as ISO 3166-1 has them"),
        description="where it is established",
    )
    representatives: list[Identifier] = Field(
        [], max_length=4, description="persons that act for this person, such as the parents of a child"
    )
    keys: list[dict[str, str]] = Field(min_length=1, max_length=10, description="public keys as JWK")


class Signature(BaseModel):
    """A detached JWS, or ``hosted`` to let this node sign with the key it keeps."""

    model_config = ConfigDict(extra="forbid")
    jws: str | None = Field(None, min_length=1, max_length=8192)
    hosted: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.jws is None) != self.hosted:
            raise ValueError("give either jws or hosted: true")
        return self


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/me`` and ``/v1/participants``."""
    routes = APIRouter(prefix="/v1", tags=["participants"])

    @routes.get("/me", summary="Who the access token says you are")
    def me(identity: Annotated[Identity, Depends(placed)]) -> dict[str, Any]:
        found = exchange.store.get(Participant, identity.participant)
        return {
            "subject": identity.participant,
            "participant": identity.participant,
            "name": identity.name,
            "roles": sorted(identity.roles),
            "signed": found.rulebook if found else None,
            "acting": None if identity.acting is None else identity.acting.actor,
            "mandate": None if identity.acting is None else identity.acting.mandate,
            "on_paper": identity.on_paper,
        }

    @routes.get("/participants", summary="All participants, in the order of their ids")
    def listed(
        _identity: Caller,
        cursor: Annotated[str, Query(max_length=200, description="the next of an earlier page")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    ) -> dict[str, Any]:
        # Residents are nobody's directory: only organisations are listed.
        found = exchange.store.organisations(limit, cursor)
        return {
            "items": [present.participant(p) for p in found],
            "next": found[-1].id if len(found) == limit else None,
        }

    @routes.post("/participants", status_code=201, summary="Admit a participant (operator)")
    def admit(
        _identity: Annotated[Identity, Depends(roles(OPERATOR))], body: NewParticipant
    ) -> dict[str, Any]:
        return present.participant(
            exchange.register(
                body.id, body.name, body.roles, body.keys, body.country, body.representatives, body.of_age_at
            )
        )

    @routes.get("/participants/{participant}", summary="One participant")
    def one(identity: Caller, participant: str) -> dict[str, Any]:
        # A resident is nobody's to look up, as in the list.
        if participant.startswith(PERSON) and participant != identity.participant:
            raise NotFound("no participant has this id")
        return present.participant(exchange.participant(participant))

    @routes.post("/participants/{participant}/end", summary="Let a participant leave, at once (operator)")
    @at_once
    def end(identity: Annotated[Identity, Depends(roles(OPERATOR))], participant: str) -> dict[str, Any]:
        return present.participant(exchange.leave(identity.participant, participant))

    @routes.post(
        "/participants/{participant}/readmission",
        summary="Take back that a member of another node was excluded here (operator)",
    )
    def readmitted(
        _identity: Annotated[Identity, Depends(roles(OPERATOR))], participant: str
    ) -> dict[str, Any]:
        return present.participant(readmit(exchange, participant))

    @routes.get("/participants/{participant}/statement", summary="What a participant signs to join")
    def statement(participant: str, _identity: Annotated[Identity, Depends(placed)]) -> dict[str, Any]:
        return exchange.statement(participant)

    @routes.post("/participants/{participant}/signature", summary="Sign the rulebook")
    def sign(
        participant: str, body: Signature, identity: Annotated[Identity, Depends(placed)]
    ) -> dict[str, Any]:
        if identity.participant != participant or not identity.has(*SIGNATORY_ROLES, *exchange.bodies()):
            raise Refused([Reason("not_a_party", "you can sign for your own participant only")])
        return present.participant(exchange.sign_rulebook(participant, body.jws))

    return routes
