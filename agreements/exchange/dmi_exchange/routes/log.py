"""The log of decisions, in its own form and those of standards, and the lineage of results."""

from __future__ import annotations

import uuid
from functools import cache, partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.decision import Reason
from dmi_exchange import model, present
from dmi_exchange.handlers import Exchange
from dmi_exchange.insight import Insight
from dmi_exchange.logbook import forms
from dmi_exchange.logbook.check import Noted
from dmi_exchange.logbook.search import Wanted, search
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.logbook.verifier import Verifier
from dmi_exchange.mydata.requests import taken
from dmi_exchange.mydata.uses import REQUEST
from dmi_exchange.notices.store import Notices
from dmi_exchange.sight import sight
from dmi_exchange.usage import MOST_ENTRIES, by_agreement, summed
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused, NotFound, Refused
from dmi_infra.gate import Record
from dmi_infra.http.access import Asking, Caller, RightHolder, ServiceRuntime
from dmi_infra.http.shares import at_once
from dmi_infra.http.wording import pattern
from dmi_infra.identity import EXCHANGE_PARTICIPANT

HOUR = 3_600_000_000
"""Microseconds."""


After = Annotated[int, Query(ge=0, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Hours = Annotated[int, Query(ge=1, le=168, description="how far to look back")]
Moment = Annotated[str, Field(max_length=40)]
# Persons are looked up by nobody: who may see a decision about data would learn who measured it.
Organisation = Annotated[
    str,
    Field(
        pattern=pattern(
            "^urn:dmi:participant:[a-z0-9][a-z0-9-]{0,60}$", "must be urn:dmi:participant: and a name"
        )
    ),
]


class Erasure(BaseModel):
    """Whom to erase from the log."""

    model_config = ConfigDict(extra="forbid")
    person: str = Field(
        max_length=200,
        pattern=pattern("^urn:dmi:person:[a-z0-9-]{1,60}$", "must be urn:dmi:person: and a name"),
    )


def router(exchange: Exchange, tree: Tree, notices: Notices, record: Record) -> APIRouter:
    """Routes under ``/v1/log`` and ``/v1/lineage``."""
    routes = APIRouter(prefix="/v1", tags=["log"])
    log = exchange.store.log
    verifier = Verifier(log, tree)

    def law() -> present.Law:
        # Cached for one answer: the results of a list rest on the same few grounds.
        return present.Law(
            cache(partial(exchange.store.get, Dataset)),
            cache(partial(exchange.store.get, AgreementState)),
            cache(exchange.store.result),
            cache(partial(taken, exchange.store)),
        )

    def lately(
        party: str | None, hours: int, dataset: str | None
    ) -> tuple[list[DecisionRecord], Micros, bool]:
        """Decisions of the last hours that concern a party, from when on, and whether these are all of them."""
        since = clock.now() - hours * HOUR
        found = log.read(0, MOST_ENTRIES, party, dataset or None, newest_first=True)
        records = [entry.record() for entry in found]
        recent = [record for record in records if record.at >= since]
        # Fewer than the log holds for this time: then the figures are a lower bound, and this says from when on.
        whole = len(found) < MOST_ENTRIES or len(recent) < len(records)
        return recent, since if whole else min(record.at for record in recent), whole

    @routes.get("/log", summary="Decisions that concern you (operator, and who supervises: all)")
    def entries(
        identity: Caller,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        dataset: Annotated[str | None, Query(max_length=200)] = None,
        newest: Annotated[bool, Query(description="start at the newest and go back")] = False,
        before: Annotated[
            int | None, Query(ge=1, le=2**62, description="with newest: go on from here")
        ] = None,
        outcome: Annotated[
            Literal["allowed", "refused"] | None, Query(description="only these decisions")
        ] = None,
        participant: Annotated[
            Organisation | None, Query(description="only decisions that concern this one too")
        ] = None,
        agreement: Annotated[
            str | None, Query(max_length=200, description="only what this agreement allowed")
        ] = None,
        begin: Annotated[Moment | None, Query(alias="from", description="RFC 3339")] = None,
        end: Annotated[Moment | None, Query(alias="to", description="RFC 3339; left out itself")] = None,
    ) -> dict[str, Any]:
        wanted = Wanted(
            dataset or None, participant, outcome, agreement, _moment("from", begin), _moment("to", end)
        )
        seen = sight(exchange, identity)
        found, cursor = search(log, seen, wanted, limit, newest, before if newest else after)
        return {
            "items": [present.log_entry(entry) for entry in found],
            "next": None if cursor is None else str(cursor),
        }

    @routes.get(
        "/log/usage", summary="Who used what lately, summed up from the part of the log that concerns you"
    )
    def usage(
        identity: Caller, hours: Hours = 24, dataset: Annotated[str | None, Query(max_length=200)] = None
    ) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        recent, start, whole = lately(party, hours, dataset)
        return {
            "since": to_text(start),
            "complete": whole,
            "items": [present.use(use) for use in summed(recent)],
            "next": None,
        }

    @routes.get("/log/usage/agreements", summary="How often your agreements were used lately")
    def under(identity: Caller, hours: Hours = 24) -> dict[str, Any]:
        seen = sight(exchange, identity)
        recent, start, whole = lately(seen.party, hours, None)
        mine = {one.id for one in exchange.store.find(AgreementState, identity.participant)}
        every = seen.party is None
        items = [
            {"agreement": use.agreement, "times": use.times, "rows": use.rows, "last": to_text(use.last)}
            for use in by_agreement(recent)
            if every or use.agreement in mine
        ]
        return {"since": to_text(start), "complete": whole, "items": items, "next": None}

    @routes.get(
        "/log/authorization-decisions",
        summary="Decisions that concern you in the form of the Authorization Decision Log (NL GOV)",
    )
    def decisions(
        identity: Caller, runtime: ServiceRuntime, after: After = 0, limit: Limit = 100
    ) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        page = log.read(after, limit, party, None)
        node = runtime.settings.public_url.rstrip("/")
        items = [forms.authorization_decision(entry, node) for entry in page if entry.record().decides]
        return {"items": items, "next": str(page[-1].sequence) if len(page) == limit else None}

    @routes.get(
        "/log/processing-records",
        summary="Processing of personal data that concerns you in the form of the Logboek Dataverwerkingen",
    )
    def processed(
        identity: Caller, runtime: ServiceRuntime, after: After = 0, limit: Limit = 100
    ) -> dict[str, Any]:
        party = None if identity.has(model.OPERATOR) else identity.participant
        page = log.read(after, limit, party, None)
        node = runtime.settings.public_url.rstrip("/")
        items = [line for entry in page for line in forms.processing(entry, node, identity.participant)]
        return {"items": items, "next": str(page[-1].sequence) if len(page) == limit else None}

    @routes.post("/log/erasure", summary="Erase a person from the log, for good; every proof goes on to hold")
    @at_once
    def erase(identity: RightHolder, body: Erasure) -> dict[str, Any]:
        person, by = body.person, identity.participant
        if not identity.has(model.OPERATOR) and by != person and not exchange.represents(by, person):
            rule = "only the person, who represents it, and the operator may erase a person"
            raise Refused([Reason("wrong_role", rule)])
        notices.forget(person)
        erased = log.erase(person)
        # The person reads who else did it; of its own act an entry without any name stays.
        itself = by == person
        record(
            DecisionRecord(
                str(uuid.uuid4()), clock.now(), "exchange", "store", EXCHANGE_PARTICIPANT if itself else by,
                "dmi:log-erasure", "", "", True, [f"{REQUEST}log: {erased} entries name this person no more"],
                subjects=[] if itself else [person], rows=erased,
            )
        )  # fmt: skip
        return {"person": person, "entries": erased}

    @routes.get(
        "/log/verify",
        summary="Check the whole log, and that it still holds a head that you noted earlier; "
        "of a long log the answer may be some minutes old",
    )
    async def verified(
        _identity: Caller,
        asker: Asking,
        tree_size: Annotated[int | None, Query(ge=1, le=2**62, description="of the head you noted")] = None,
        root_hash: Annotated[
            str | None,
            Query(
                pattern=pattern("^[0-9a-f]{64}$", "must be 64 digits 0 to 9 and a to f"),
                description="of that head",
            ),
        ] = None,
    ) -> dict[str, Any]:
        if (tree_size is None) != (root_hash is None):
            raise InputRefused.of("root_hash", "give tree_size and root_hash together")
        noted = None if tree_size is None or root_hash is None else Noted(tree_size, root_hash)
        result = await verifier.verify(asker, noted)
        return {
            "ok": result.ok,
            "count": result.count,
            "root_hash": result.root_hash,
            "broken_at": result.broken_at,
            "reason": result.reason,
        }

    @routes.get("/lineage/{result:path}/dependents", summary="All that rests on a ground or result")
    def dependents(
        identity: Caller, result: str, limit: Annotated[int, Query(ge=1, le=1000)] = 200
    ) -> dict[str, Any]:
        grounds = law()
        found = exchange.store.dependents(result, limit, Insight(exchange.store, identity).may)
        return {"items": [present.dependent(item, grounds) for item in found], "next": None}

    @routes.get("/lineage/{result:path}", summary="The ground that a result rests on")
    def ground(identity: Caller, result: str) -> dict[str, Any]:
        found = exchange.store.result(result)
        if found is None or not (insight := Insight(exchange.store, identity)).may(found):
            raise NotFound("nothing is recorded under this id")
        return present.lineage(found, law(), insight.consents(found))

    return routes


def _moment(field: str, text: str | None) -> Micros | None:
    try:
        return None if text is None else clock.from_text(text)
    except ValueError as exc:
        raise InputRefused.of(
            field, "must be RFC 3339 with its offset, between 1900 and 2100", text or ""
        ) from exc
