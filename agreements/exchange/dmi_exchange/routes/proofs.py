"""Why: the proof of a decision of the log, and of a request that might be made."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import LAW, DecisionRecord
from dmi_agreements.decision import EVERYONE, Request
from dmi_agreements.sealing import is_sealed
from dmi_agreements.table import LawTable
from dmi_exchange import model, present
from dmi_exchange.handlers import Exchange
from dmi_exchange.proving import Question, StoredUses, proofs, prove
from dmi_exchange.sight import acquainted, sight
from dmi_infra import clock
from dmi_infra.aside import Aside
from dmi_infra.errors import InputRefused, NotFound
from dmi_infra.http.access import Asking, Caller, ServiceRuntime
from dmi_infra.identity import Identity

FACTS = {
    "nl": "Met de rollen en bevestigde plichten van nu, en wat vóór dit besluit in het logboek was geteld.",
    "en": "With the roles and confirmed duties of now, and what the log had counted before this decision.",
}


class Trial(BaseModel):
    """A request that might be made; who and when are the assignee and now when left out."""

    model_config = ConfigDict(extra="forbid")
    action: str = Field(max_length=200, examples=["dmi:read"])
    dataset: str = Field(max_length=200)
    purpose: str = Field(max_length=200, examples=["dmi:purpose:mobility"])
    assignee: str | None = Field(None, max_length=200)
    at: str | None = Field(None, max_length=40, description="RFC 3339 with its offset; left out: now")


def router(exchange: Exchange, aside: Aside) -> APIRouter:
    """Routes under ``/v1/log`` and ``/v1/agreements`` that explain; entries before a decision are read ``aside``."""
    routes = APIRouter(prefix="/v1", tags=["log"])

    def explained(identity: Identity, law: LawTable, sequence: int) -> dict[str, Any]:
        seen = sight(exchange, identity)
        found = exchange.store.log.one(sequence, seen.party)
        if found is None:
            raise NotFound("no decision that concerns you has this number")
        entry = seen.of(found)
        record = entry.record()
        if record.crossing == LAW:
            raise NotFound("this entry tells what became of an agreement, which no gate decided")
        # A proof about a person that stays sealed would tell who it is.
        sealed = is_sealed(record.assignee)
        known = _known(record, seen.party, law)
        told = [] if sealed else proofs(exchange, entry, seen.party, known)
        return {"decision": present.log_entry(entry), "items": told, "next": None, "facts": FACTS}

    @routes.get(
        "/log/{sequence}/explanation",
        summary="Why a decision of the log came out so: each rule and condition, in Dutch and English and as report",
    )
    async def explanation(
        identity: Caller,
        asker: Asking,
        runtime: ServiceRuntime,
        sequence: Annotated[int, Path(ge=1, le=2**62)],
    ) -> dict[str, Any]:
        return await aside.run(asker, partial(explained, identity, runtime.law.table, sequence))

    @routes.post(
        "/agreements/{agreement}/trial",
        summary="What if: how this agreement judges a request; nothing is kept",
    )
    def trial(identity: Caller, runtime: ServiceRuntime, agreement: str, body: Trial) -> dict[str, Any]:
        """Of a person with whom the caller has no agreement, and who did not consent, roles and uses are not known."""
        party = None if identity.has(model.OPERATOR) else identity.participant
        state = exchange.agreement(agreement, party)
        for name, value, known in (
            ("action", body.action, exchange.rulebook.actions),
            ("purpose", body.purpose, exchange.rulebook.requestable),
        ):
            if value not in known:
                raise InputRefused.of(name, "must be a term of the rulebook that can be asked for", value)
        granted = model.assignee(state.document)
        assignee = body.assignee or (identity.participant if granted == EVERYONE else granted)
        mine = identity.participant in (assignee, model.assigner(state.document))
        if not mine and not identity.has(model.OPERATOR):
            raise InputRefused.of(
                "assignee", "must be yourself, unless the right is yours to grant", assignee
            )
        at = clock.now() if body.at is None else _moment(body.at)
        asking = Request(identity.participant, body.action, body.dataset, body.purpose)
        question = Question(assignee, body.action, body.dataset, body.purpose, at)
        near = party is None or acquainted(asking, assignee, [state.id], runtime.law.table)
        uses = partial(StoredUses, exchange, state.id, assignee)
        return prove(exchange, state, question, near, uses, identity.participant)

    return routes


def _known(record: DecisionRecord, party: str | None, law: LawTable) -> bool:
    """Whether ``party`` may learn what is so for the one whom a decision is about.

    Not so of a person about whom somebody asked who was told nothing: the proof would tell it after all.
    """
    if party is None or record.allowed or not record.asked_by:
        return True
    asking = Request(party, record.action, record.dataset, record.purpose)
    return acquainted(asking, record.assignee, record.agreements, law)


def _moment(text: str) -> Micros:
    try:
        return clock.from_text(text)
    except ValueError as exc:
        raise InputRefused.of("at", "must be RFC 3339 with its offset, between 1900 and 2100", text) from exc
