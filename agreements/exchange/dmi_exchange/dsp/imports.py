"""As consumer: the dataset and the agreement of another node come into this node's law."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.dsp.agreed import beside_the_terms
from dmi_agreements.dsp.terms import DATASET, DOCUMENT, SIGNATURE
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.document import read_agreement
from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.dsp.process import Process
from dmi_exchange.errors import DocumentRefused, ReviewRefused
from dmi_exchange.handlers import Exchange
from dmi_infra.errors import Conflict, InputRefused, Unavailable

LARGEST_DATASET = 1024 * 1024


class Imports:
    """Takes over what this node's gates must know to judge the data of another node."""

    def __init__(self, exchange: Exchange, client: Client) -> None:
        self._exchange = exchange
        self._client = client

    def check(self, process: Process, document: dict[str, Any]) -> None:
        """Raise unless it is what was negotiated and this node could let it hold: before it is signed.

        The dataset of one that is right comes into the law, which the agreement is to hold under.
        """
        self._agreed(process, document)
        self.same(process, document)
        jws = process.agreement.get(SIGNATURE)
        if not isinstance(jws, str):
            raise InputRefused.of(
                f"agreement/{SIGNATURE}", "a detached JWS of the provider over its document"
            )
        self._exchange.check_signature(process.peer, document, jws)
        entry = self._entry(process)
        if entry is not None:
            faults = self._exchange.review_entry(entry)
            if faults:
                raise ReviewRefused.of_faults(faults, self._exchange.rulebook, root=DATASET)
        # As if the entry were in the law already: that of an agreement which is refused stays out of it.
        self._exchange.reasoner.require(document, entry=entry)
        if entry is not None and self._exchange.store.get(Dataset, entry.id) != entry:
            self._exchange.publish_dataset(process.peer, entry)

    def keep(self, process: Process) -> None:
        """Let the agreement hold here. What a killed process had begun is gone on with."""
        document, jws = process.agreement.get(DOCUMENT), process.agreement.get(SIGNATURE)
        own = process.signatures.get(process.owner)
        if not isinstance(document, dict) or not isinstance(jws, str) or own is None:
            return  # a foreign connector's agreement: no document that both have signed, so no data flows in
        known = self.same(process, document)
        if known is None:
            self._exchange.propose(process.peer, document, jws, {process.owner: own})
        elif known.state == "proposed":
            self._exchange.sign(process.owner, known.id, own)

    def _agreed(self, process: Process, document: dict[str, Any]) -> None:
        """Raise unless the document says what is on the table, under the rulebook that its signer accepted."""
        root = f"agreement/{DOCUMENT}"
        book, layers = self._exchange.rulebooks.in_force(document), self._exchange.layers
        try:
            terms = read_agreement(document, book, layers)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, root) from exc
        signed = self._exchange.participant(process.owner).rulebook
        if terms.rulebook != signed:
            raise InputRefused.of(f"{root}/dmi:rulebook", f"must be the version that you signed: {signed}")
        try:
            beside = beside_the_terms(terms, process.offer, process.dataset, book, layers)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "offer") from exc
        if beside:
            raise DocumentRefused.from_findings(PolicyRefused(tuple(beside)), root)

    def same(self, process: Process, document: dict[str, Any] | None) -> AgreementState | None:
        """The agreement of this id in the law, if there is one; raises unless it is this very document.

        Without a document there may be none: whose agreement it is would be told when it ends.
        """
        known = self._exchange.store.get(AgreementState, process.agreement_id)
        if known is not None and known.document != document:
            raise Conflict.of("agreement/@id", "is the id of another agreement here", process.agreement_id)
        return known

    def _entry(self, process: Process) -> Dataset | None:
        """The catalogue's entry of the dataset, as its own node tells of it now; ``None``: that is this one."""
        owner = self._exchange.store.get(Participant, process.peer)
        if owner is None or not owner.home:
            return None
        address = f"{owner.home}/dsp"
        url = f"{address}/catalog/datasets/{quote(process.dataset, safe=':')}"
        try:
            answer = self._client.ask("GET", address, url, b"", process.owner, LARGEST_DATASET)
        except Unreachable as exc:
            raise Unavailable(f"the entry of the dataset cannot be had: {exc}") from exc
        if answer.status >= 500:
            raise Unavailable(f"the entry of the dataset cannot be had: {answer.why}")
        try:
            entry = msgspec.convert(answer.body.get(DATASET), Dataset)
        except msgspec.ValidationError as exc:
            raise InputRefused.of(
                DATASET, f"the provider's entry of the dataset cannot be read: {exc}"
            ) from exc
        if (entry.id, entry.owner) != (process.dataset, process.peer):
            raise InputRefused.of(DATASET, "the provider's entry is of another dataset")
        return entry
