"""Contract negotiation: what this node takes from other nodes and what its participants do, on both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dmi_agreements.dsp import states
from dmi_agreements.dsp.messages import EVENT, Message
from dmi_agreements.dsp.terms import SIGNATURE
from dmi_exchange.dsp.offers import Shelf, same_terms
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.room import check_size
from dmi_exchange.dsp.steps import Steps, moved, new_id, outgoing
from dmi_exchange.dsp.store import Change
from dmi_exchange.errors import StepRefused
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused


class Negotiations:
    """Negotiations of this node. ``address`` is where other nodes reach it; ``check`` judges theirs."""

    def __init__(self, steps: Steps, shelf: Shelf, address: str, check: Callable[[str, str], None]) -> None:
        self.steps = steps
        self.shelf = shelf
        self._address = address
        self._check = check

    # -- what comes in ------------------------------------------------------

    def requested(self, came: Message, peer: str) -> Process:
        """A consumer asks for an agreement about an offer of the catalogue."""
        body = came.body
        if "providerPid" in body:
            raise StepRefused("/providerPid: a first request names none; send this one to the negotiation")
        offer = self.shelf.offer(body["offer"]["@id"])
        if offer is None:
            raise StepRefused("/offer/@id: must be an offer of the catalogue")
        if body["offer"]["target"] != offer.dataset:
            raise StepRefused("/offer/target: must be the dataset of the offer")
        useless = self.shelf.useless(offer.dataset, peer)
        if useless is not None:
            raise StepRefused(f"/offer/target: {useless}")
        check_size(body["offer"], "/offer")
        self._check(body["callbackAddress"], peer)
        now = clock.now()
        begun = Process(
            id=new_id(), kind="negotiation", role="provider", owner=offer.owner, peer=peer,
            address=body["callbackAddress"], begun_at=now, changed_at=now, peer_pid=body["consumerPid"],
            dataset=offer.dataset, offer=dict(body["offer"]), offered_by="consumer",
        )  # fmt: skip
        return self._begin(moved(begun, states.REQUESTED), came)

    def offered(self, came: Message, peer: str, owner: str) -> Process:
        """A provider offers something unasked; ``owner`` is the participant here that it turns to."""
        body = came.body
        if "consumerPid" in body:
            raise StepRefused("/consumerPid: a first offer names none; send this one to the negotiation")
        check_size(body["offer"], "/offer")
        self._check(body["callbackAddress"], peer)
        now = clock.now()
        begun = Process(
            id=new_id(), kind="negotiation", role="consumer", owner=owner, peer=peer,
            address=body["callbackAddress"], begun_at=now, changed_at=now, peer_pid=body["providerPid"],
            dataset=body["offer"]["target"], offer=dict(body["offer"]), offered_by="provider",
            unasked=True,
        )  # fmt: skip
        return self._begin(moved(begun, states.OFFERED), came)

    def received(self, identifier: str, came: Message, peer: str) -> Process:
        """Any further message of the other side."""

        def accept(known: Process) -> Process:
            body: Mapping[str, Any] = came.body
            if came.type in (states.REQUEST, states.OFFER):
                check_size(body["offer"], "/offer", known)
                if known.dataset and body["offer"]["target"] != known.dataset:
                    raise StepRefused(
                        "/offer/target: must stay the dataset of the negotiation", process=known
                    )
                by = "consumer" if came.type == states.REQUEST else "provider"
                return msgspec.structs.replace(
                    known, offer=dict(body["offer"]), offered_by=by, offer_before=known.offer, draft={}
                )
            if came.type == states.AGREEMENT:
                return self._agreed(known, body["agreement"])
            if came.type == states.VERIFICATION:
                return self.shelf.verified(known, body)
            return known

        return self.steps.receive("negotiation", identifier, came, peer, accept)

    @staticmethod
    def _agreed(known: Process, agreement: Mapping[str, Any]) -> Process:
        check_size(agreement, "/agreement", known)
        if agreement["target"] != known.dataset:
            raise StepRefused("/agreement/target: must be the dataset of the negotiation", process=known)
        return msgspec.structs.replace(known, agreement=dict(agreement), agreement_id=agreement["@id"])

    def _begin(self, begun: Process, came: Message) -> Process:
        process, first = self.steps.processes.begin(begun, came.digest)
        if not first:
            raise StepRefused(
                "this id belongs to a negotiation that began with another message", process=process
            )
        return process

    # -- what this node does ------------------------------------------------

    def request(self, owner: str, peer: str, address: str, dataset: str, offer: Mapping[str, Any]) -> Process:
        """Ask a provider for an agreement; ``offer`` as its catalogue gives it, or as this side wants it."""
        self._check(address, peer)
        now = clock.now()
        wanted = {**offer, "target": dataset, "@type": "Offer"}
        begun = Process(
            id=new_id(), kind="negotiation", role="consumer", owner=owner, peer=peer, address=address,
            begun_at=now, changed_at=now, dataset=dataset, offer=wanted, offered_by="consumer",
        )  # fmt: skip
        begun = moved(begun, states.REQUESTED, reason="waits for the answer of the provider")
        first = outgoing(begun, states.REQUEST, offer=wanted, callbackAddress=self._address)
        self.steps.processes.begin(begun, None, first)
        self.steps.wake()
        return begun

    def counter(self, identifier: str, offer: Mapping[str, Any]) -> Process:
        """Answer an offer with the terms that this side wants."""
        known = self.steps.processes.get(identifier)
        wanted = {**offer, "target": known.dataset, "@type": "Offer"}
        name = states.REQUEST if known.role == "consumer" else states.OFFER
        return self.steps.take(
            identifier,
            name,
            lambda _process: {"offer": wanted},
            offer=wanted,
            offered_by=known.role,
            offer_before=known.offer,
            draft={},
        )

    def accept(self, identifier: str) -> Process:
        """Accept the provider's offer."""
        known = self.steps.processes.get(identifier)
        if known.offered_by != "provider":
            raise Conflict.of("state", "the offer on the table is your own", known.state)
        return self.steps.take(identifier, states.EVENT_ACCEPTED)

    def to_sign(self, identifier: str) -> dict[str, Any]:
        """The document that this side is to sign now; raises ``Conflict`` when there is none.

        As provider it is made when it is first asked for, and stays.
        """
        known = self.steps.processes.get(identifier)
        if (known.role, known.state) == ("consumer", states.AGREED):
            document = self.shelf.document(known)
            if document is not None:
                return document
        if known.role != "provider" or known.state not in (states.REQUESTED, states.ACCEPTED):
            raise Conflict.of("state", "there is nothing to sign now", known.state)
        made = known.draft or self.shelf.draft(known)

        def decide(present: Process, _received: Callable[[str], bool]) -> Change | None:
            same = (present.state, present.offer) == (known.state, known.offer)
            return Change(msgspec.structs.replace(present, draft=present.draft or made)) if same else None

        return self.steps.processes.change(identifier, decide).draft or made

    def sign(self, identifier: str, jws: str | None) -> Process:
        """Agree or verify, with a signature made elsewhere, or (``None``) with the key that is kept here."""
        if self.steps.processes.get(identifier).role == "provider":
            return self.agree(identifier, jws)
        return self.verify(identifier, jws)

    def agree(self, identifier: str, jws: str | None = None) -> Process:
        """As provider: turn the offer on the table into an agreement."""
        known = self.steps.processes.get(identifier)
        if known.role != "provider" or known.state not in (states.REQUESTED, states.ACCEPTED):
            raise Conflict.of("state", "there is nothing to agree to now", known.state)
        agreement, signatures = self.shelf.agreement(known, jws)
        return self.steps.take(
            identifier,
            states.AGREEMENT,
            lambda _process: {"agreement": agreement},
            agreement=agreement,
            agreement_id=agreement["@id"],
            signatures=signatures,
        )

    def verify(self, identifier: str, jws: str | None = None) -> Process:
        """As consumer: confirm that the agreement is what was negotiated."""
        known = self.steps.processes.get(identifier)
        if (known.role, known.state) != ("consumer", states.AGREED):
            raise Conflict.of("state", "there is nothing to verify now", known.state)
        self.check(known)
        extra = self.shelf.verification(known, jws)
        signatures = {known.owner: str(extra[SIGNATURE])} if SIGNATURE in extra else {}
        return self.steps.take(identifier, states.VERIFICATION, lambda _process: extra, signatures=signatures)

    @staticmethod
    def check(known: Process) -> None:
        """Raise when the agreement that came is not about what was offered last."""
        if not same_terms(known.agreement, known.offer):
            raise InputRefused.of("agreement", "its terms differ from the last offer")

    def keep(self, identifier: str) -> Process:
        """As consumer: let the agreement that came of it hold in this node."""
        known = self.steps.processes.get(identifier)
        self.shelf.keep(known)
        return self.steps.processes.change(
            identifier, lambda present, _received: Change(msgspec.structs.replace(present, kept=True))
        )

    def finalize(self, identifier: str) -> Process:
        """As provider: the agreement holds from now on."""
        known = self.steps.processes.get(identifier)
        extra = self.shelf.conclude(known)
        try:
            return self.steps.take(identifier, states.EVENT_FINALIZED, lambda _process: extra)
        except Conflict:
            # Ended by either side while it was concluded here.
            self.undo(identifier)
            raise

    def undo(self, identifier: str) -> None:
        """As provider: what was concluded of a negotiation that was ended before it was final ends with it."""
        known = self.steps.processes.get(identifier)
        if known.state == states.TERMINATED:
            self.shelf.undo(known)


FURTHER: Mapping[str, tuple[str, ...]] = {
    "request": (states.REQUEST,),
    "offers": (states.OFFER,),
    "agreement": (states.AGREEMENT,),
    "agreement/verification": (states.VERIFICATION,),
    "events": (EVENT,),
    "termination": (states.NEGOTIATION_TERMINATION,),
}
"""The messages that go to a negotiation, by the end of their address."""
