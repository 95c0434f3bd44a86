"""Keys of participants: announce a new one, end an old one."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_exchange import present
from dmi_exchange.handlers import Exchange
from dmi_exchange.keyring import Keyring, NewKey, Why, announcement, check_party
from dmi_exchange.model import OPERATOR, SIGNATORY_ROLES
from dmi_infra.errors import InputRefused, Refused
from dmi_infra.http.access import Caller, roles
from dmi_infra.http.shares import at_once
from dmi_infra.identity import Identity

DAY = 86_400
BY_CODE = "who came in by the code of a letter changes no keys: use an account or a key, or ask at the desk"


class Announced(BaseModel):
    """A new key with both signatures, or ``hosted`` where this node keeps the key and makes the new one."""

    model_config = ConfigDict(extra="forbid")
    key: dict[str, str] | None = Field(None, description="the new public key as JWK")
    jws: str | None = Field(
        None, max_length=8192, description="the announcement signed with the key that is replaced"
    )
    proof: str | None = Field(None, max_length=8192, description="the announcement signed with the new key")
    hosted: bool = False
    overlap_seconds: int = Field(3600, ge=0, le=30 * DAY, description="how long the old key still counts")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.key is None) != self.hosted:
            raise ValueError("give either key, jws and proof, or hosted: true")
        return self


class Revocation(BaseModel):
    """Why a key is revoked."""

    model_config = ConfigDict(extra="forbid")
    reason: Why = "unspecified"


class Identifiers(BaseModel):
    """By which names certificates know a participant; a name that is left out counts no more."""

    model_config = ConfigDict(extra="forbid")
    identifiers: list[Annotated[str, Field(min_length=3, max_length=100)]] = Field(
        max_length=5, description="for example an EORI number: EU.EORI.NL812972715"
    )


def router(exchange: Exchange) -> APIRouter:
    """Routes under ``/v1/participants/{participant}`` about keys and names in certificates."""
    routes = APIRouter(prefix="/v1/participants/{participant}", tags=["participants"])
    keyring = Keyring(exchange)

    def owner(participant: str) -> str:
        """Whose keys these are to change: those of a machine are its participant's; an unknown one's are nobody's."""
        # Whether there is one is told to who may ask: who takes part is nobody's to find out by trying ids.
        found = exchange.store.get(Participant, participant)
        return (found.machine_of if found is not None else "") or participant

    @routes.get("/keys/announcement", summary="What both keys sign when one follows the other")
    def statement(
        participant: str, _identity: Caller, kid: str, overlap_seconds: int = 3600
    ) -> dict[str, Any]:
        return announcement(participant, kid, overlap_seconds)

    @routes.post("/keys", status_code=201, summary="Announce a new key; the old one counts a while beside it")
    def add(participant: str, body: Announced, identity: Caller) -> dict[str, Any]:
        operator = identity.has(OPERATOR)
        _by_account_or_key(identity)
        check_party(owner(participant), identity.participant, identity.has(*SIGNATORY_ROLES), operator)
        if body.key is not None:
            new = NewKey(body.key, body.overlap_seconds, body.jws, body.proof)
            return present.participant(keyring.add(participant, new, recovery=operator))
        # First, since a key of its own lies in a file by its name, and a name may be anything.
        kept = exchange.custody.keeps(exchange.participant(participant).id)
        if not kept and not (operator and participant in exchange.own_participants):
            raise InputRefused.of("hosted", "this node keeps no key of this participant; send the new one")
        return present.participant(keyring.renew(participant, body.overlap_seconds))

    @routes.post("/keys/{kid}/revocation", summary="End a key at once, and every access token that it proved")
    @at_once
    def revoke(participant: str, kid: str, body: Revocation, identity: Caller) -> dict[str, Any]:
        signatory, operator = identity.has(*SIGNATORY_ROLES), identity.has(OPERATOR)
        _by_account_or_key(identity)
        check_party(owner(participant), identity.participant, signatory, operator)
        return present.participant(keyring.revoke(participant, kid, body.reason))

    @routes.put("/identifiers", summary="Names in its certificates (operator)")
    def bind(
        _identity: Annotated[Identity, Depends(roles(OPERATOR))], participant: str, body: Identifiers
    ) -> dict[str, Any]:
        return present.participant(keyring.bind(participant, body.identifiers))

    return routes


def _by_account_or_key(identity: Identity) -> None:
    """Raise ``Refused`` for a code of a letter: who found one must not be able to lock its person out."""
    if identity.on_paper:
        raise Refused([Reason("on_paper", BY_CODE)])
