"""Use cases of the exchange: membership, datasets, agreements, consents. Dependencies are passed in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.decision import EVERYONE, Reason
from dmi_agreements.errors import PolicyRefused, TemplateRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.templates import from_template
from dmi_agreements.rulebook import Rulebook
from dmi_exchange import model
from dmi_exchange.custody import Custody
from dmi_exchange.errors import DocumentRefused
from dmi_exchange.store import Store
from dmi_infra import clock, jose
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused
from dmi_infra.outbox import Relay


class Exchange:
    """What participants can do; every change goes to the store and, through the outbox, to the law topic."""

    def __init__(self, store: Store, custody: Custody, rulebook: Rulebook, relay: Relay) -> None:
        self.store = store
        self.custody = custody
        self.rulebook = rulebook
        self._relay = relay

    # -- membership ---------------------------------------------------------

    def register(
        self, identifier: str, name: str, roles: Sequence[str], keys: Sequence[Mapping[str, Any]]
    ) -> Participant:
        """A new participant with its public keys; it can do nothing before it signs the rulebook."""
        unknown = sorted(set(roles) - set(self.rulebook.roles))
        if unknown:
            raise InputRefused.of("roles", "must be roles of the rulebook", unknown[0])
        if self.store.get(Participant, identifier) is not None:
            raise Conflict.of("id", "a participant with this id exists already", identifier)
        checked = []
        for index, key in enumerate(keys):
            try:
                checked.append(jose.check_public_key(key))
            except ValueError as exc:
                raise InputRefused.of(f"keys.{index}", str(exc)) from exc
        participant = Participant(identifier, name, list(roles), checked)
        self._put(participant)
        return participant

    def statement(self, participant: str) -> dict[str, Any]:
        """What a participant signs: that it accepts this version of the rulebook."""
        return {"participant": participant, "rulebook": self.rulebook.version, "statement": "accepts"}

    def sign_rulebook(self, identifier: str, jws: str | None) -> Participant:
        """Record the signature over the rulebook; raises when it does not hold."""
        participant = self.participant(identifier)
        statement = self.statement(identifier)
        self._verify(participant, statement, jws or self.custody.sign(identifier, statement))
        signed = msgspec.structs.replace(participant, rulebook=self.rulebook.version)
        self._put(signed)
        return signed

    def participant(self, identifier: str) -> Participant:
        """A registered participant; raises ``NotFound``."""
        found = self.store.get(Participant, identifier)
        if found is None:
            raise NotFound("no participant has this id")
        return found

    # -- datasets -----------------------------------------------------------

    def publish_dataset(self, owner: str, dataset: Dataset) -> Dataset:
        """Enter or change a dataset in the catalogue; only its owner may."""
        if dataset.owner != owner:
            raise InputRefused.of("owner", "must be the participant that publishes", dataset.owner)
        if dataset.purpose not in self.rulebook.requestable:
            raise InputRefused.of("purpose", "must be a purpose of the rulebook", dataset.purpose)
        known = self.store.get(Dataset, dataset.id)
        if known is not None and known.owner != owner:
            raise Conflict.of("id", "this dataset belongs to another participant", dataset.id)
        if known is not None and known.personal and not dataset.personal:
            raise Conflict.of("personal", "personal data cannot become non-personal by a change of its entry")
        self._put(dataset)
        return dataset

    def dataset(self, identifier: str) -> Dataset:
        """A dataset of the catalogue; raises ``NotFound``."""
        found = self.store.get(Dataset, identifier)
        if found is None:
            raise NotFound("no dataset has this id")
        return found

    # -- agreements ---------------------------------------------------------

    def draft(self, template: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A document from a template of the rulebook, with a new uid."""
        try:
            return from_template(self.rulebook, template, **{"uid": f"urn:uuid:{uuid.uuid4()}", **parameters})
        except TemplateRefused as exc:
            raise DocumentRefused.from_findings(exc, "parameters") from exc
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc

    def propose(self, signer: str, document: dict[str, Any], jws: str | None) -> AgreementState:
        """A proposal signed by one side; in force as soon as everyone that must has signed."""
        document.setdefault("uid", f"urn:uuid:{uuid.uuid4()}")
        try:
            terms = read_agreement(document, self.rulebook)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc
        if (model.assigner(document), model.assignee(document)) != (terms.assigner, terms.assignee):
            raise InputRefused.of("document/assigner", "write assigner and assignee plainly, without prefix")
        if signer not in (model.assigner(document), model.assignee(document)):
            raise InputRefused.of("document/assigner", "you must be one of the two parties")
        self._check_targets(document)
        identifier = str(document["uid"])
        if self.store.get(AgreementState, identifier) is not None:
            raise Conflict.of("document/uid", "an agreement with this uid exists already", identifier)
        return self._signed(AgreementState(identifier, document, "proposed"), signer, jws)

    def sign(self, signer: str, identifier: str, jws: str | None) -> AgreementState:
        """The other side's signature under a proposal."""
        agreement = self.agreement(identifier, signer)
        if agreement.state != "proposed":
            raise Conflict.of("state", f"this agreement is {agreement.state}; only a proposal can be signed")
        return self._signed(agreement, signer, jws)

    def end(self, party: str, identifier: str, reason: str) -> AgreementState:
        """Stop an agreement or withdraw a consent, at once and for good."""
        agreement = self.agreement(identifier, party)
        if party not in model.parties(agreement):
            raise Refused([Reason("not_a_party", "only a party of the agreement can end it")])
        if agreement.state == "ended":
            raise Conflict.of("state", "this agreement has ended already", identifier)
        ended = msgspec.structs.replace(
            agreement, state="ended", ended_at=clock.now(), ended_by=party, end_reason=reason
        )
        self._put(ended)
        return ended

    def agreement(self, identifier: str, party: str | None = None) -> AgreementState:
        """An agreement that ``party`` may see (``None``: any); raises ``NotFound``."""
        found = self.store.get(AgreementState, identifier)
        visible = found is not None and (
            party is None or party in model.parties(found) or model.assignee(found.document) == EVERYONE
        )
        if found is None or not visible:
            raise NotFound("no agreement of yours has this id")
        return found

    # -- parts --------------------------------------------------------------

    def _signed(self, agreement: AgreementState, signer: str, jws: str | None) -> AgreementState:
        wanted = model.wanted_signatures(agreement.document)
        if signer not in wanted:
            raise InputRefused.of("document/assigner", "this document is not yours to sign")
        participant = self.participant(signer)
        if participant.rulebook != agreement.document.get("dmi:rulebook"):
            raise InputRefused.of(
                "document/dmi:rulebook", "must be the version of the rulebook that you signed"
            )
        signature = jws or self.custody.sign(signer, agreement.document)
        self._verify(participant, agreement.document, signature)
        signatures = {**agreement.signatures, signer: signature}
        complete = wanted <= signatures.keys()
        after = msgspec.structs.replace(
            agreement,
            signatures=signatures,
            state="active" if complete else "proposed",
            concluded_at=clock.now() if complete else None,
        )
        self._put(after)
        return after

    def _check_targets(self, document: Mapping[str, Any]) -> None:
        giver, taker = model.assigner(document), model.assignee(document)
        for target in model.targets(document):
            dataset = self.store.get(Dataset, target)
            if dataset is None:
                raise InputRefused.of(
                    "document/permission/target", "must be a dataset of the catalogue", target
                )
            if giver.startswith(model.PERSON):
                if not dataset.personal:
                    raise InputRefused.of(
                        "document/permission/target", "consent is for personal data only", target
                    )
            elif dataset.owner != giver:
                raise InputRefused.of(
                    "document/assigner", "must own every dataset that the rules name", target
                )
        if taker != EVERYONE and self.store.get(Participant, taker) is None:
            raise InputRefused.of("document/assignee", "must be a participant", taker)

    @staticmethod
    def _verify(participant: Participant, document: Mapping[str, Any], jws: str) -> None:
        try:
            jose.verify_document(document, jws, participant.keys)
        except jose.SignatureInvalid as exc:
            raise InputRefused.of("jws", str(exc)) from exc

    def _put(self, item: Participant | Dataset | AgreementState) -> None:
        self.store.put([item])
        self._relay.wake()
