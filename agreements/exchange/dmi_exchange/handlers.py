"""Use cases of the exchange: membership, datasets, agreements, consents. Dependencies are passed in."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from dmi_agreements.contracts.law import (
    AgreementState,
    Dataset,
    Mandate,
    Participant,
    RulebookVersion,
    SubjectRequest,
)
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.decision import Reason
from dmi_agreements.errors import PolicyRefused, TemplateRefused
from dmi_agreements.keys import living
from dmi_agreements.persons import represents
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.templates import from_template
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.versions import Rulebooks
from dmi_exchange import model
from dmi_exchange.consent.standing import Standing
from dmi_exchange.custody import Custody
from dmi_exchange.entering import KEEPS_LICENCE
from dmi_exchange.errors import DocumentRefused, ReviewRefused
from dmi_exchange.owned_keys import check_unrevoked, checked_key, pin
from dmi_exchange.review.before_signing import BeforeSigning
from dmi_exchange.review.case import Fault
from dmi_exchange.review.facts import facts_of
from dmi_exchange.review.reasoner import Reasoner
from dmi_exchange.store import Store
from dmi_exchange.targets import check_licences, check_targets
from dmi_infra import clock, jose
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.outbox import Relay

T = TypeVar("T", Participant, Dataset, AgreementState, RulebookVersion, Mandate, SubjectRequest)

NO_AGREEMENT = "no agreement of yours has this id"


class Exchange:
    """What participants can do; every change goes to the store and, through the outbox, to the law topic."""

    def __init__(
        self, store: Store, custody: Custody, rulebooks: Rulebooks, relay: Relay, layers: Collection[str]
    ) -> None:
        self.store = store
        self.layers = frozenset(layers)
        self.own_participants = self.layers | {EXCHANGE_PARTICIPANT}
        """Participants that this node itself is."""
        self.custody = custody
        self.rulebooks = rulebooks
        self.reasoner = Reasoner(rulebooks, facts_of(store), self.layers)
        self.before_signing = BeforeSigning(store, rulebooks, self.layers)
        self.standing = Standing(store, self.reasoner, self.settle_all)
        self._relay = relay
        self.keys_settle = threading.Lock()
        """Held while it is decided whose a key is; one exchange runs on a store."""

    @property
    def rulebook(self) -> Rulebook:
        """The current version of the rulebook."""
        return self.rulebooks.current

    # -- membership ---------------------------------------------------------

    def register(
        self,
        identifier: str,
        name: str,
        roles: Sequence[str],
        keys: Sequence[Mapping[str, Any]],
        country: str = "NL",
        representatives: Sequence[str] = (),
        of_age_at: int | None = None,
    ) -> Participant:
        """A new participant with its public keys; it can do nothing before it signs the rulebook."""
        unknown = sorted(set(roles) - set(self.rulebook.roles))
        if unknown:
            rule = f"must be one of: {', '.join(sorted(self.rulebook.roles))}"
            raise InputRefused.of(f"roles.{list(roles).index(unknown[0])}", rule, unknown[0])
        model.check_representation(identifier, representatives, of_age_at)
        checked = [checked_key(key, f"keys.{index}") for index, key in enumerate(keys)]

        def decide(known: Participant | None) -> Participant:
            if known is not None:
                raise Conflict.of("id", "a participant with this id exists already", identifier)
            return Participant(
                identifier, name, list(roles), checked, country=country,
                representatives=list(representatives), of_age_at=of_age_at,
            )  # fmt: skip

        with self.keys_settle:
            for index, key in enumerate(checked):
                pin(self.store, key, identifier, f"keys.{index}")
            return self.settle(Participant, identifier, decide)

    def statement(self, participant: str) -> dict[str, Any]:
        """What a participant signs: that it accepts this version of the rulebook."""
        current = self.rulebook
        return {
            "participant": participant,
            "rulebook": current.version,
            "digest": current.digest,
            "statement": "accepts",
        }

    def sign_rulebook(self, identifier: str, jws: str | None) -> Participant:
        """Record the signature over the rulebook; raises when it does not hold."""
        self.participant(identifier)
        statement = self.statement(identifier)
        signature = jws or self.custody.sign(identifier, statement)

        def decide(known: Participant | None) -> Participant:
            participant = _found(known, "no participant has this id")
            self._verify(participant, statement, signature)
            since = clock.now() if participant.rulebook is None else participant.member_since
            return msgspec.structs.replace(
                participant, rulebook=str(statement["rulebook"]), member_since=since
            )

        return self.settle(Participant, identifier, decide)

    def leave(self, party: str, identifier: str) -> Participant:
        """Let a participant take part no more: it is refused everywhere at once, and its agreements end.

        A member of another node stays out until ``foreign.readmit``, also while its node tells that it takes part.
        """
        if identifier == party:
            raise Conflict.of("participant", "is your own: another operator has to do this", identifier)
        if identifier in self.own_participants:
            raise Conflict.of("participant", "is part of this node itself", identifier)

        def decide(known: Participant | None) -> Participant:
            participant = _found(known, "no participant has this id")
            return msgspec.structs.replace(participant, active=False, excluded=bool(participant.home))

        return self.settle(Participant, identifier, decide)

    def participant(self, identifier: str) -> Participant:
        """A registered participant; raises ``NotFound``."""
        return _found(self.store.get(Participant, identifier), "no participant has this id")

    def bodies(self) -> frozenset[str]:
        """The roles of the framework's bodies."""
        return frozenset(role.id for role in self.rulebook.roles.values() if role.kind == "body")

    # -- datasets -----------------------------------------------------------

    def publish_dataset(self, owner: str, dataset: Dataset) -> Dataset:
        """Enter or change a dataset in the catalogue; only its owner may."""
        if dataset.owner != owner:
            raise InputRefused.of("owner", "must be the participant that publishes", dataset.owner)
        faults = self.review_entry(dataset)
        if faults:
            raise ReviewRefused.of_faults(faults, self.rulebook, root="dataset")
        if not dataset.licence and self.store.opened(dataset):
            raise Conflict.of("licence", KEEPS_LICENCE)

        def decide(known: Dataset | None) -> Dataset:
            if known is not None and known.owner != owner:
                raise Conflict.of("id", "this dataset belongs to another participant", dataset.id)
            if not model.may_own(owner, dataset.id):
                raise InputRefused.of("id", "must be urn:dmi:dataset:, your own name, and a name", dataset.id)
            if known is not None and known.personal and not dataset.personal:
                raise Conflict.of(
                    "personal", "personal data cannot become non-personal by a change of its entry"
                )
            if known is not None and known.needs_consent and not dataset.needs_consent:
                # GDPR art. 7(3): what was gathered under consent would be kept against its withdrawal.
                raise Conflict.of(
                    "basis", "data gathered under consent keeps that basis: enter new data apart"
                )
            withdrawn = known is not None and known.withdrawn
            return msgspec.structs.replace(dataset, withdrawn=withdrawn or dataset.withdrawn)

        return self.settle(Dataset, dataset.id, decide)

    def review_entry(self, dataset: Dataset) -> tuple[Fault, ...]:
        """What the review says of an entry; raises unless its terms are the rulebook's and fit each other."""
        if dataset.purpose not in self.rulebook.requestable:
            raise InputRefused.of("purpose", "must be a purpose of the rulebook", dataset.purpose)
        if dataset.basis and dataset.basis not in self.rulebook.legal_bases:
            raise InputRefused.of("basis", "must be a legal basis of the rulebook", dataset.basis)
        category = self.rulebook.categories.get(dataset.data_category)
        if category is None:
            raise InputRefused.of("data", "must be a category of the rulebook", dataset.data)
        if category.personal != dataset.personal:
            raise InputRefused.of("data", "must fit what personal says", dataset.data)
        return self.reasoner.dataset(dataset)

    def dataset(self, identifier: str) -> Dataset:
        """A dataset of the catalogue; raises ``NotFound``."""
        return _found(self.store.get(Dataset, identifier), "no dataset has this id")

    # -- agreements ---------------------------------------------------------

    def draft(self, template: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A document from a template of the rulebook, with a new uid."""
        given = {"uid": f"urn:uuid:{uuid.uuid4()}", **parameters}
        for taken in ("name", "rulebook"):
            if taken in given:
                raise InputRefused.of(f"parameters.{taken}", "is filled in by the exchange")
        try:
            return from_template(self.rulebook, template, self.layers, **given)
        except TemplateRefused as exc:
            # Without a path it is about the template itself.
            whole = not any(finding.path for finding in exc.findings)
            raise DocumentRefused.from_findings(exc, "template" if whole else "parameters") from exc
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc

    def propose(
        self, signer: str, document: dict[str, Any], jws: str | None, also: Mapping[str, str] | None = None
    ) -> AgreementState:
        """A proposal signed by one side, and by those in ``also``; in force once everyone that must has signed."""
        uid, decide = self.proposing(signer, document, jws, also=also)
        return self.standing.settle(signer, document, uid, decide)

    def proposing(
        self,
        signer: str,
        document: dict[str, Any],
        jws: str | None,
        replaces: str | None = None,
        also: Mapping[str, str] | None = None,
    ) -> tuple[str, Callable[[AgreementState | None], AgreementState]]:
        """A proposal (see ``propose``), checked: its id, and what is to be stored of it (see ``settle``)."""
        document.setdefault("uid", f"urn:uuid:{uuid.uuid4()}")
        try:
            terms = read_agreement(document, self.rulebooks.in_force(document), self.layers)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc
        if (model.assigner(document), model.assignee(document)) != (terms.assigner, terms.assignee):
            raise InputRefused.of("document/assigner", "write assigner and assignee plainly, without prefix")
        if document.get("uid") != terms.uid:
            raise InputRefused.of("document/uid", "write the uid plainly, without prefix")
        if sorted(model.targets(document)) != sorted(terms.datasets):
            raise InputRefused.of("document/permission/target", "write rules and targets without prefix")
        if signer not in (terms.assigner, terms.assignee) and not self.represents(signer, terms.assigner):
            raise InputRefused.of("document/assigner", "you must be one of the two parties")
        check_targets(self.store, terms)
        others = also or {}
        self.require(document, {signer, *others})
        check_licences(self.store, terms)
        signed = [self._signature(signer, document, jws)]
        signed += [self._signature(other, document, given) for other, given in others.items()]
        wanted = self._wanted(signer, document)

        def decide(known: AgreementState | None) -> AgreementState:
            if known is not None:
                raise Conflict.of("document/uid", "an agreement with this uid exists already", terms.uid)
            state = AgreementState(terms.uid, document, "proposed", replaces=replaces)
            for participant, signature in signed:
                state = self._signed(state, participant, signature, wanted)
            return state

        return terms.uid, decide

    def sign(self, signer: str, identifier: str, jws: str | None) -> AgreementState:
        """The other side's signature under a proposal."""
        proposal = self.agreement(identifier, signer)
        check_open(proposal)
        check_unrevoked(self.store, proposal, signer)
        self.require(proposal.document, {signer, *proposal.signatures})
        participant, signature = self._signature(signer, proposal.document, jws)
        wanted = self._wanted(signer, proposal.document)

        def decide(known: AgreementState | None) -> AgreementState:
            agreement = _found(known, NO_AGREEMENT)
            check_open(agreement)
            return self._signed(agreement, participant, signature, wanted)

        return self.standing.settle(signer, proposal.document, identifier, decide)

    def end(self, party: str, identifier: str, reason: str) -> AgreementState:
        """Stop an agreement or withdraw a consent, at once and for good."""
        return self.settle(AgreementState, identifier, self.ending(party, identifier, reason))

    def ending(
        self, party: str, identifier: str, reason: str
    ) -> Callable[[AgreementState | None], AgreementState]:
        """An end (see ``end``), checked: what is to be stored of it (see ``settle``)."""
        self.agreement(identifier, party)

        def decide(known: AgreementState | None) -> AgreementState:
            agreement = _found(known, NO_AGREEMENT)
            if party not in model.parties(agreement) and not self.represents(
                party, model.assigner(agreement.document)
            ):
                raise Refused([Reason("not_a_party", "only a party of the agreement can end it")])
            if agreement.state == "ended":
                raise Conflict.of("state", "this agreement has ended already", identifier)
            return msgspec.structs.replace(
                agreement, state="ended", ended_at=clock.now(), ended_by=party, end_reason=reason
            )

        return decide

    def agreement(self, identifier: str, party: str | None = None) -> AgreementState:
        """An agreement that ``party`` may see (``None``: any but consents); raises ``NotFound``."""
        found = self.store.get(AgreementState, identifier)
        if found is None:
            raise NotFound(NO_AGREEMENT)
        mine = party is not None and self.represents(party, model.assigner(found.document))
        if not mine and not model.may_see(found, party):
            raise NotFound(NO_AGREEMENT)
        return found

    def represents(self, party: str, person: str) -> bool:
        """Whether a party acts for this person, such as a parent for a child; who has left acts for nobody."""
        if not person.startswith(model.PERSON):
            return False
        acting, known = (self.store.get(Participant, one) for one in (party, person))
        return represents(acting, known, clock.now())

    def require(self, document: Mapping[str, Any], signers: Collection[str] = ()) -> None:
        """Raise ``ReviewRefused`` unless law and rulebook allow this document to become an agreement."""
        self.reasoner.require(document, signers)

    def check_signature(self, signer: str, document: Mapping[str, Any], jws: str) -> None:
        """Raise ``InputRefused`` unless ``jws`` is the signature of ``signer`` under ``document``."""
        self._verify(self.participant(signer), document, jws)

    # -- parts --------------------------------------------------------------

    def _signature(
        self, signer: str, document: Mapping[str, Any], jws: str | None
    ) -> tuple[Participant, str]:
        """The signer and its signature under ``document``, checked."""
        wanted = model.wanted_signatures(document)
        if signer not in wanted and not self.represents(signer, model.assigner(document)):
            raise InputRefused.of("document/assigner", "this document is not yours to sign")
        participant = self.participant(signer)
        if participant.rulebook != document.get("dmi:rulebook"):
            raise InputRefused.of(
                "document/dmi:rulebook", "must be the version of the rulebook that you signed"
            )
        signature = jws or self.custody.sign(signer, document)
        self._verify(participant, document, signature)
        return participant, signature

    def _wanted(self, signer: str, document: Mapping[str, Any]) -> frozenset[str]:
        """Whose signatures complete a document; a representative's stands in place of the person's."""
        wanted, person = model.wanted_signatures(document), model.assigner(document)
        return wanted - {person} | {signer} if self.represents(signer, person) else wanted

    @staticmethod
    def _signed(
        agreement: AgreementState, participant: Participant, signature: str, wanted: frozenset[str]
    ) -> AgreementState:
        signatures = {**agreement.signatures, participant.id: signature}
        complete = wanted <= signatures.keys()
        return msgspec.structs.replace(
            agreement,
            signatures=signatures,
            state="active" if complete else "proposed",
            concluded_at=clock.now() if complete else None,
        )

    @staticmethod
    def _verify(participant: Participant, document: Mapping[str, Any], jws: str) -> None:
        try:
            jose.verify_document(document, jws, living(participant.keys, clock.seconds()))
        except jose.SignatureInvalid as exc:
            raise InputRefused.of("jws", str(exc)) from exc

    def settle(self, kind: type[T], identifier: str, decide: Callable[[T | None], T]) -> T:
        """Store a change of the law (see ``Store.settle``) and send it on its way."""
        return self.settle_all(kind, {identifier: decide})[0]

    def settle_all(
        self, kind: type[T], changes: Mapping[str, Callable[[T | None], T]], *records: DecisionRecord
    ) -> list[T]:
        """Store changes of the law that belong together (see ``Store.settle_all``) and send them on their way."""
        after = self.store.settle_all(kind, changes, records)
        self._relay.wake()
        return after


def _found(item: T | None, otherwise: str) -> T:
    if item is None:
        raise NotFound(otherwise)
    return item


def check_open(agreement: AgreementState) -> None:
    """Raise ``Conflict`` unless it still is a proposal."""
    if agreement.state != "proposed":
        raise Conflict.of("state", f"this agreement is {agreement.state}; only a proposal can be signed")
