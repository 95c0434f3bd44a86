"""What this node does by itself in a negotiation or transfer, and the reason it shows where it waits for somebody."""

from __future__ import annotations

from dmi_agreements.dsp import states
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.offers import same_terms
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.transfer import Transfers
from dmi_exchange.errors import ReviewRefused
from dmi_infra.errors import InputRefused, NotFound

_WAITS = {
    ("provider", states.OFFERED): "waits for the consumer to answer the offer",
    ("provider", states.AGREED): "waits for the consumer to verify the agreement",
    ("consumer", states.REQUESTED): "waits for the provider to answer the request",
    ("consumer", states.OFFERED): "waits for you: the provider offers its terms; accept, answer or end it",
    ("consumer", states.ACCEPTED): "waits for the provider to send the agreement",
    ("consumer", states.VERIFIED): "waits for the provider to finalize the agreement",
}
_OTHER_TERMS = "waits for you: the terms asked for are not those of an offer of yours; sign, answer or end it"
_TAKEN_BACK = "waits for you: you took back the offer that was asked for; answer with another, or end it"
_SIGN = "waits for you: sign the agreement with your key"


class Automatic:
    """As provider it agrees to its own offers; as consumer it verifies what was negotiated. The rest is for people."""

    def __init__(self, negotiations: Negotiations, transfers: Transfers) -> None:
        self._negotiations = negotiations
        self._transfers = transfers

    def __call__(self, process: Process) -> None:
        """See ``courier.Behaviour``."""
        if process.over:
            if (process.state, process.role, process.kept) == (states.FINALIZED, "consumer", False):
                self._negotiations.keep(process.id)
            elif (process.kind, process.role) == ("negotiation", "provider"):
                self._negotiations.undo(process.id)
            return
        if process.kind == "transfer":
            if (process.role, process.state) == ("provider", states.REQUESTED):
                self._provide_data(process)
            elif (process.role, process.state) == ("consumer", states.REQUESTED):
                self._transfers.steps.wait(process, _WAITS["consumer", states.REQUESTED])
            return
        match process.role, process.state:
            case "provider", (states.REQUESTED | states.ACCEPTED):
                self._provide(process)
            case "provider", states.VERIFIED:
                self._negotiations.finalize(process.id)
            case "consumer", states.AGREED:
                self._verify(process)
            case where:
                self._negotiations.steps.wait(process, _WAITS[where])

    def _provide_data(self, process: Process) -> None:
        why = self._transfers.plane.foreseen(process)
        if why is None:
            self._transfers.start(process.id)
        else:
            self._transfers.terminate(process.id, why)

    def _provide(self, process: Process) -> None:
        offer = self._negotiations.shelf.offer(str(process.offer.get("@id")))
        if offer is not None and same_terms(process.offer, offer.rules):
            try:
                self._agree(process)
            except ReviewRefused as exc:
                self._negotiations.steps.terminate(process.id, str(exc), "review")
            return
        self._negotiations.steps.wait(process, _TAKEN_BACK if offer is None else _OTHER_TERMS)

    def _agree(self, process: Process) -> None:
        if self._negotiations.shelf.signs(process.owner):
            self._negotiations.agree(process.id)
        else:
            self._negotiations.to_sign(process.id)
            self._negotiations.steps.wait(process, f"{_SIGN}, or answer or end it")

    def _verify(self, process: Process) -> None:
        try:
            self._negotiations.check(process)
            hosted = self._negotiations.shelf.signs(process.owner)
            if hosted or self._negotiations.shelf.document(process) is None:
                self._negotiations.verify(process.id)
            else:
                self._negotiations.steps.wait(process, f"{_SIGN}, or end it")
        except (InputRefused, NotFound) as exc:
            steps = self._negotiations.steps
            # Another worker may have verified it meanwhile: then this one found nothing wrong with the agreement.
            if steps.processes.get(process.id).steps == process.steps:
                steps.terminate(process.id, str(exc), "agreement")
