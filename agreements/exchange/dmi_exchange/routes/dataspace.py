"""Offers, negotiations and transfers for the participants of this node; the protocol itself is in ``dsp``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.dsp import policies, states
from dmi_agreements.dsp.messages import large_numbers
from dmi_agreements.dsp.states import Kind
from dmi_agreements.errors import Finding
from dmi_exchange import model
from dmi_exchange.dsp.client import Unreachable
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.shelf import OwnOffer, StoreShelf
from dmi_exchange.dsp.store import Processes
from dmi_exchange.dsp.transfer import FORMATS, KAFKA, PULL, Transfers
from dmi_exchange.flow.store import Flows
from dmi_exchange.routes.members import Signature
from dmi_exchange.store import Store
from dmi_infra import passes
from dmi_infra.aside import Aside
from dmi_infra.clock import to_text
from dmi_infra.cursors import Cursors
from dmi_infra.errors import Conflict, FieldError, InputRefused, NotFound, Unavailable
from dmi_infra.http.access import Asking, Caller, roles
from dmi_infra.http.shares import at_once
from dmi_infra.http.stories import story
from dmi_infra.identity import Identity

Signatory = Annotated[Identity, Depends(roles(*model.SIGNATORY_ROLES))]
Name = Annotated[str, Field(min_length=1, max_length=500)]


ADDRESS = "the provider's address of the protocol; left out: that of the node which speaks for it"


class NewOffer(BaseModel):
    """A dataset of yours under a template of the rulebook; who accepts becomes the assignee."""

    model_config = ConfigDict(extra="forbid")
    dataset: Name
    template: str = Field(max_length=100)
    parameters: dict[str, Any] = {}


class NewNegotiation(BaseModel):
    """An offer that a provider's catalogue gave, as it stood there or with the terms that you want."""

    model_config = ConfigDict(extra="forbid")
    provider: Name
    address: str | None = Field(None, max_length=2000, description=ADDRESS)
    dataset: Name
    offer: dict[str, Any]


class Terms(BaseModel):
    """The terms that you want in place of those on the table."""

    model_config = ConfigDict(extra="forbid")
    offer: dict[str, Any]


class NewTransfer(BaseModel):
    """The data of an agreement."""

    model_config = ConfigDict(extra="forbid")
    provider: Name
    address: str | None = Field(None, max_length=2000, description=ADDRESS)
    agreement: Name
    format: str = Field(PULL, max_length=200, description=f"one of {', '.join((*FORMATS, KAFKA))}")
    own: bool = Field(
        False, description="a program of yours fetches the data; else this node takes it into its layers"
    )


class Why(BaseModel):
    """Why you end or suspend it; the other side is told."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=500)


def offer_shown(item: OwnOffer) -> dict[str, Any]:
    """An offer for its owner."""
    return {
        "id": item.id,
        "dataset": item.dataset,
        "owner": item.owner,
        "template": item.template,
        "parameters": item.parameters,
        "rules": item.rules,
    }


def shown(process: Process, pending: int, stopped_at: Micros | None) -> dict[str, Any]:
    """A process for its participant. ``reason`` says why it waits or why it ended, ``pending`` what is unsent.

    ``stopped_at``: when the agreement that a negotiation became was ended.
    """
    body: dict[str, Any] = {
        "id": process.id,
        "role": process.role,
        "state": process.state,
        "reason": story(process.reason) or None,
        "ended_by": process.ended_by,
        "pending": pending,
        "participant": process.owner,
        "other": process.peer,
        "address": process.address,
        "dataset": process.dataset or None,
        "agreement": process.agreement_id or None,
        "begun_at": to_text(process.begun_at),
        "changed_at": to_text(process.changed_at),
    }
    if process.kind == "negotiation":
        before = process.offer_before or None
        # A consumer's node takes the agreement into its law a moment after the other side has concluded it.
        kept = process.kept or (process.role, process.state) == ("provider", states.FINALIZED)
        offers = {"offer": process.offer, "offered_by": process.offered_by, "offer_before": before}
        stopped = None if stopped_at is None else to_text(stopped_at)
        return {**body, **offers, "kept": kept, "stopped_at": stopped}
    body |= {"format": process.format, "suspended_by": process.suspended_by}
    # Where a provider pushes to is the business of the node that takes it in.
    told = process.data_address if process.role == "consumer" else {}
    return {**body, "data_address": told or None}


class Part(BaseModel):
    """Which part of a list of processes is asked for."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(500, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2000, description="the next of an earlier page")
    agreement: str | None = Field(None, max_length=200, description="those of this agreement alone")
    open: bool = Field(False, description="those alone that are not over")


Wanted = Annotated[Part, Query()]


class Desk:
    """Finds processes for whoever asks."""

    def __init__(self, processes: Processes, flows: Flows, store: Store, cursors: Cursors) -> None:
        self._processes = processes
        self.flows = flows
        self._store = store
        self._cursors = cursors

    def find(self, kind: Kind, identity: Identity, part: Part) -> dict[str, Any]:
        owner = None if identity.has(model.OPERATOR) else identity.participant
        about = (kind, owner or "")
        behind = self._cursors.open(part.cursor, tuple[Micros, str], *about)
        found = self._processes.find(kind, owner, part.limit, behind, part.agreement, part.open)
        last = found[-1] if len(found) == part.limit else None
        following = None if last is None else self._cursors.seal((last.changed_at, last.id), *about)
        return {"items": self._shown(found), "next": following}

    def get(self, kind: Kind, identifier: str, identity: Identity, read: bool = False) -> Process:
        found = self._processes.get(identifier)
        mine = found.owner == identity.participant or (read and identity.has(model.OPERATOR))
        if found.kind != kind or not mine:
            raise NotFound(f"no {kind} of yours has this id")
        return found

    def show(self, process: Process) -> dict[str, Any]:
        return self._shown([process])[0]

    def _shown(self, processes: Sequence[Process]) -> list[dict[str, Any]]:
        """However many processes, the store is asked for each thing once."""
        pending = self._processes.pending(*(one.id for one in processes))
        data = self._data([one for one in processes if one.kind == "transfer"])
        concluded = [one for one in processes if (one.kind, one.state) == ("negotiation", states.FINALIZED)]
        ends = self._store.ends({one.agreement_id for one in concluded})
        stopped = {one.id: ends.get(one.agreement_id) for one in concluded}
        return [
            shown(one, pending[one.id], stopped.get(one.id))
            | ({"data": data[one.id]} if one.id in data else {})
            for one in processes
        ]

    def _data(self, transfers: Sequence[Process]) -> dict[str, dict[str, Any]]:
        """How much has flowed under each, and between which entries of the log its decisions stand."""
        if not transfers:
            return {}
        came = self.flows.all_of([one.id for one in transfers if one.role == "consumer"])
        given = self.flows.sums([one.id for one in transfers if one.role == "provider"])
        received = {name: {"received": flow.rows, "not_taken": flow.refused} for name, flow in came.items()}
        sent = {
            name: {
                "sent": total.rows,
                "pieces": total.pieces,
                "sent_again": total.repeated,
                "rows_again": total.rows_again,
                "log": None if total.first is None else {"first": total.first, "last": total.last},
            }
            for name, total in given.items()
        }
        return received | sent


Where = Callable[[str], str]
"""The address of the protocol at which a participant is reached; raises ``NotFound``."""
Fetch = Callable[[Process], str]
"""A token for the data of a transfer, of its provider; raises ``Unreachable`` or ``NotFound``."""


def router(
    negotiations: Negotiations,
    transfers: Transfers,
    shelf: StoreShelf,
    desk: Desk,
    where: Where,
    fetch: Fetch,
    aside: Aside,
) -> list[APIRouter]:
    """Routes under ``/v1/offers``, ``/v1/negotiations`` and ``/v1/transfers``."""
    return [
        _offers(shelf),
        _negotiations(negotiations, desk, where, aside),
        _transfers(transfers, desk, where, fetch, aside),
    ]


def _offers(shelf: StoreShelf) -> APIRouter:
    routes = APIRouter(prefix="/v1/offers", tags=["dataspace"])

    @routes.get("", summary="Your offers that stand (operator: all), or those of one dataset, whoever asks")
    def offers(
        identity: Caller, dataset: Annotated[str | None, Query(max_length=200)] = None
    ) -> dict[str, Any]:
        owner = None if dataset is not None or identity.has(model.OPERATOR) else identity.participant
        return {"items": [offer_shown(item) for item in shelf.own(owner, dataset)], "next": None}

    @routes.post("", status_code=201, summary="Offer a dataset of yours to whoever accepts the conditions")
    async def put(identity: Signatory, asker: Asking, body: NewOffer) -> dict[str, Any]:
        _refuse(list(large_numbers(body.parameters, "/parameters")))
        owner = identity.participant
        offered = partial(shelf.put, owner, body.dataset, body.template, body.parameters)
        made, warnings = await shelf.aside.run(asker, offered)
        return {**offer_shown(made), "warnings": warnings}

    @routes.post("/{offer}/end", status_code=204, summary="Take an offer back; agreements from it stay")
    @at_once
    def end(identity: Signatory, offer: str) -> None:
        shelf.end(identity.participant, offer)

    return routes


def _negotiations(use: Negotiations, desk: Desk, where: Where, aside: Aside) -> APIRouter:
    routes = APIRouter(prefix="/v1/negotiations", tags=["dataspace"])

    @routes.get("", summary="Your negotiations with other nodes (operator: all), newest change first")
    def listed(identity: Caller, part: Wanted) -> dict[str, Any]:
        return desk.find("negotiation", identity, part)

    @routes.post("", status_code=201, summary="Ask a provider for an agreement")
    async def begin(identity: Signatory, asker: Asking, body: NewNegotiation) -> dict[str, Any]:
        return await aside.run(asker, partial(begun, identity.participant, body))

    def begun(me: str, body: NewNegotiation) -> dict[str, Any]:
        _check(body.offer, body.dataset)
        known = where(body.provider)
        address = body.address or known
        return desk.show(use.request(me, body.provider, address, body.dataset, body.offer))

    @routes.get("/{negotiation}", summary="One negotiation")
    def one(identity: Caller, negotiation: str) -> dict[str, Any]:
        return desk.show(desk.get("negotiation", negotiation, identity, read=True))

    @routes.post("/{negotiation}/accept", summary="Accept the provider's offer")
    def accept(identity: Signatory, negotiation: str) -> dict[str, Any]:
        return desk.show(use.accept(desk.get("negotiation", negotiation, identity).id))

    @routes.post("/{negotiation}/offer", summary="Answer with other terms")
    def counter(identity: Signatory, negotiation: str, body: Terms) -> dict[str, Any]:
        found = desk.get("negotiation", negotiation, identity)
        _check(body.offer, found.dataset)
        return desk.show(use.counter(found.id, body.offer))

    @routes.get("/{negotiation}/document", summary="The agreement that waits for your signature")
    def document(identity: Signatory, negotiation: str) -> dict[str, Any]:
        return use.to_sign(desk.get("negotiation", negotiation, identity).id)

    @routes.post("/{negotiation}/signature", summary="Sign the agreement with a key of your own")
    def sign(identity: Signatory, negotiation: str, body: Signature) -> dict[str, Any]:
        return desk.show(use.sign(desk.get("negotiation", negotiation, identity).id, body.jws))

    @routes.post("/{negotiation}/end", summary="End a negotiation; the other side is told why")
    @at_once
    def end(identity: Signatory, negotiation: str, body: Why) -> dict[str, Any]:
        found = desk.get("negotiation", negotiation, identity)
        return desk.show(use.steps.terminate(found.id, body.reason))

    return routes


def _transfers(use: Transfers, desk: Desk, where: Where, fetch: Fetch, aside: Aside) -> APIRouter:
    routes = APIRouter(prefix="/v1/transfers", tags=["dataspace"])

    @routes.get("", summary="Your transfers with other nodes (operator: all), newest change first")
    def listed(identity: Caller, part: Wanted) -> dict[str, Any]:
        return desk.find("transfer", identity, part)

    @routes.post("", status_code=201, summary="Ask a provider for the data of an agreement")
    async def begin(identity: Signatory, asker: Asking, body: NewTransfer) -> dict[str, Any]:
        return await aside.run(asker, partial(begun, identity.participant, body))

    def begun(me: str, body: NewTransfer) -> dict[str, Any]:
        known = where(body.provider)
        address = body.address or known
        return desk.show(use.request(me, body.provider, address, body.agreement, body.format, body.own))

    @routes.get("/{transfer}", summary="One transfer")
    def one(identity: Caller, transfer: str) -> dict[str, Any]:
        return desk.show(desk.get("transfer", transfer, identity, read=True))

    @routes.get("/{transfer}/deliveries", summary="What was given, piece by piece, with its entry in the log")
    def deliveries(
        identity: Caller,
        transfer: str,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:
        found = desk.get("transfer", transfer, identity, read=True)
        items = desk.flows.deliveries(found.id, cursor, limit)
        return {
            "items": [
                {
                    "rows": each.rows, "at": to_text(each.at), "record": each.record, "log": each.sequence,
                    "times": each.times,
                }
                for each in items
            ],
            "next": cursor + limit if len(items) == limit else None,
        }  # fmt: skip

    @routes.post("/{transfer}/token", summary="A token for data that a program of yours fetches")
    async def token(identity: Signatory, asker: Asking, transfer: str, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        return await aside.run(asker, partial(fetched, identity, transfer))

    def fetched(identity: Identity, transfer: str) -> dict[str, Any]:
        found = desk.get("transfer", transfer, identity)
        if found.role != "consumer" or not found.own or not found.data_address:
            raise Conflict.of("own", "the data of this transfer is not for a program of yours")
        if found.state != states.STARTED:
            raise Conflict.of("state", "the transfer does not run", found.state)
        try:
            given = fetch(found)
        except Unreachable as exc:
            raise Unavailable(str(exc)) from exc
        return {"access_token": given, "token_type": "Bearer", "expires_in": passes.DATA_SECONDS}

    @routes.post("/{transfer}/start", summary="Start a transfer that you suspended")
    def start(identity: Signatory, transfer: str) -> dict[str, Any]:
        return desk.show(use.start(desk.get("transfer", transfer, identity).id))

    @routes.post("/{transfer}/suspend", summary="Let no more data flow for a while")
    @at_once
    def suspend(identity: Signatory, transfer: str, body: Why) -> dict[str, Any]:
        return desk.show(use.suspend(desk.get("transfer", transfer, identity).id, body.reason))

    @routes.post("/{transfer}/complete", summary="All data has been sent, or fetched")
    def complete(identity: Signatory, transfer: str) -> dict[str, Any]:
        return desk.show(use.complete(desk.get("transfer", transfer, identity).id))

    @routes.post("/{transfer}/end", summary="End a transfer; the other side is told why")
    @at_once
    def end(identity: Signatory, transfer: str, body: Why) -> dict[str, Any]:
        return desk.show(use.terminate(desk.get("transfer", transfer, identity).id, body.reason))

    return routes


def _check(offer: dict[str, Any], dataset: str) -> None:
    """Refuse an offer that the other side would refuse for its form."""
    wanted = {**offer, "@type": "Offer", "target": dataset}
    _refuse(policies.offer_in_message(wanted) or list(large_numbers(wanted, "/offer")))


def _refuse(found: list[Finding]) -> None:
    if found:
        errors = [FieldError(f.path, f.rule, f.value[:100]) for f in found]
        raise InputRefused(f"{errors[0].field}: {errors[0].rule}", errors)
