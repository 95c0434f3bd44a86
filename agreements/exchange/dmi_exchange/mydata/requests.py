"""Rights that people exercise: stop by purpose or all, erase, correct, object; each reaches every layer by the law."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

import msgspec

from dmi_agreements.contracts.law import AgreementState, Correction, Dataset, SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.duties import DAY
from dmi_agreements.rights import ERASURE, OBJECTION, RECTIFICATION, objected
from dmi_exchange import model
from dmi_exchange.consent.giving import Consents
from dmi_exchange.handlers import Exchange
from dmi_exchange.review.claims import Claim
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.errors import Conflict, FieldError, InputRefused, NotFound

NO_REQUEST = "no request of yours has this id"
NOTHING_TO_STOP = "names nothing that a consent of yours is about"
MOST_A_DAY = 50
"""Uses of one right by a person about one dataset: more repeat each other, which one may refuse (GDPR art. 12(5)).

Of each right by itself: who corrected much must be able to have all erased.
"""


class Rights:
    """What a person, or who represents it, asks for its data."""

    def __init__(self, exchange: Exchange, consents: Consents) -> None:
        self._exchange = exchange
        self._consents = consents

    def person(self, party: str, person: str | None) -> str:
        """About whose data it is; raises ``NotFound`` for a person whom the party does not represent."""
        whose = self._consents.whose(party, person)
        if not whose.startswith(model.PERSON):
            raise InputRefused.of("identity", "these are rights of a natural person")
        return whose

    def requests(self, person: str) -> list[SubjectRequest]:
        """What a person has asked for, oldest first."""
        found = self._exchange.store.find(SubjectRequest, person)
        return sorted(found, key=lambda one: (one.made_at, one.id))

    def stop(
        self,
        party: str,
        person: str | None,
        dataset: str | None,
        purpose: str | None,
        recipient: str | None,
        reason: str,
    ) -> list[AgreementState]:
        """Withdraw every consent about this dataset, for this purpose, to this recipient, all or none; left out: any.

        For a purpose: what was consented to for it, for one below it, or for one above it that includes it. Raises
        ``InputRefused`` where no consent was ever about that: who mistook a name would believe that something ended.
        """
        rulebooks = self._exchange.rulebooks

        def purposed(claim: Claim) -> bool:
            return any(objected(purpose or "", root, rulebooks) for root in claim.roots)

        def received(claim: Claim) -> bool:
            return claim.recipients is None or recipient in claim.recipients

        filters: list[tuple[str, str | None, Callable[[Claim], bool]]] = [
            ("dataset", dataset, lambda claim: dataset in claim.datasets),
            ("purpose", purpose, purposed),
            ("recipient", recipient, received),
        ]
        asked = [(name, given, fits) for name, given, fits in filters if given is not None]

        def meant(claim: Claim) -> bool:
            return all(fits(claim) for _, _, fits in asked)

        given = self._consents.given(party, self.person(party, person))
        found = [(one, self._consents.claims(one)) for one in given]
        every = [claim for _, claims in found for claim in claims]
        if asked and not any(map(meant, every)):
            alone = [each for each in asked if not any(map(each[2], every))]
            errors = [FieldError(name, NOTHING_TO_STOP, value[:100]) for name, value, _ in alone or asked]
            raise InputRefused(f"{errors[0].field}: {NOTHING_TO_STOP}", errors)
        # One that cannot be read any more is stopped with all, and with nothing less.
        stopped = [one for one, claims in found if any(map(meant, claims)) or not (claims or asked)]
        return self._withdraw(party, stopped, reason)

    def _withdraw(self, party: str, consents: Sequence[AgreementState], reason: str) -> list[AgreementState]:
        """End these consents, those that still hold, in one step; those that it ended."""
        before: set[str] = set()

        def ending(identifier: str) -> Callable[[AgreementState | None], AgreementState]:
            end = self._exchange.ending(party, identifier, reason)

            def decide(known: AgreementState | None) -> AgreementState:
                # One that a rule or who represents the person has ended meanwhile must not save the others.
                if known is not None and known.state == "ended":
                    before.add(identifier)
                    return known
                return end(known)

            return decide

        # In the order in which a new one closes those before it, so that neither waits for the other for ever.
        active = sorted(
            (one for one in consents if one.state == "active"),
            key=lambda one: (one.concluded_at or 0, one.id),
        )
        changes = {one.id: ending(one.id) for one in active}
        after = self._exchange.settle_all(AgreementState, changes) if changes else []
        return [one for one in after if one.id not in before]

    def erase(
        self, party: str, person: str | None, datasets: Sequence[str] | None, reason: str
    ) -> list[SubjectRequest]:
        """Have all rows up to now erased in every layer, in these datasets or all; the consents end (art. 17(1)(b))."""
        whose = self.person(party, person)
        entries = self._entries(datasets)
        self._check_room(whose, ERASURE, entries)
        erased = {entry.id for entry in entries}
        given = self._consents.given(party, whose)
        about = [
            one for one in given if any(erased & set(claim.datasets) for claim in self._consents.claims(one))
        ]
        self._withdraw(party, about, reason)
        # After the consents have ended, so that nothing comes in between.
        return [self._make(party, whose, ERASURE, entry.id, reason=reason) for entry in entries]

    def object_to(
        self, party: str, person: str | None, dataset: str, purpose: str, reason: str
    ) -> SubjectRequest:
        """Object to the use of data on another basis than consent; from now on no row of the person passes."""
        whose = self.person(party, person)
        (entry,) = self._entries([dataset])
        self._check_room(whose, OBJECTION, [entry])
        if entry.needs_consent:
            raise Conflict.of("dataset", "rests on your consent: stop that, it needs no reason", dataset)
        if purpose and purpose not in self._exchange.rulebook.requestable:
            raise InputRefused.of("purpose", "must be a purpose of the rulebook", purpose)
        for one in self.requests(whose):
            same = (one.right, one.dataset, one.purpose, one.state) == (OBJECTION, dataset, purpose, "active")
            if same:
                raise Conflict.of("dataset", "you object to this already", one.id)
        return self._make(party, whose, OBJECTION, dataset, purpose=purpose, reason=reason)

    def correct(
        self, party: str, person: str | None, dataset: str, corrections: Sequence[Correction], reason: str
    ) -> SubjectRequest:
        """Correct measurements of the person; what sums them up is made anew."""
        whose = self.person(party, person)
        self._check_room(whose, RECTIFICATION, self._entries([dataset]))
        return self._make(party, whose, RECTIFICATION, dataset, corrections=list(corrections), reason=reason)

    def end(self, party: str, identifier: str, reason: str) -> SubjectRequest:
        """End an objection: by the person, or with compelling grounds by the owner of the data (art. 21(1))."""
        known = self._exchange.store.get(SubjectRequest, identifier)
        entry = None if known is None else self._exchange.store.get(Dataset, known.dataset)
        owns = entry is not None and entry.owner == party
        theirs = known is not None and (
            party == known.person or self._exchange.represents(party, known.person)
        )
        if known is None or not (owns or theirs):
            raise NotFound(NO_REQUEST)
        if known.right != OBJECTION:
            raise Conflict.of("request", "has been carried out and cannot be taken back", identifier)
        if owns and not reason.strip():
            raise InputRefused.of("reason", "must tell the compelling grounds for going on (GDPR art. 21(1))")

        def decide(now_known: SubjectRequest | None) -> SubjectRequest:
            if now_known is None or now_known.state == "ended":
                raise Conflict.of("state", "this objection has ended already", identifier)
            return msgspec.structs.replace(
                now_known, state="ended", ended_at=clock.now(), ended_by=party, end_reason=reason
            )

        return self._exchange.settle(SubjectRequest, identifier, decide)

    def against(self, owner: str) -> list[SubjectRequest]:
        """Objections to the use of an owner's datasets."""
        store = self._exchange.store
        datasets = [one.id for one in store.find(Dataset, owner) if one.owner == owner]
        found = [one for dataset in datasets for one in store.find(SubjectRequest, dataset)]
        return [one for one in found if one.right == OBJECTION]

    def _check_room(self, person: str, right: str, entries: Sequence[Dataset]) -> None:
        """Raise ``Conflict`` for who repeats itself without end: every service holds each request."""
        since = clock.now() - DAY
        for entry in entries:
            if self._exchange.store.room.asked_since(person, right, entry.id, since) >= MOST_A_DAY:
                rule = f"you asked this of it {MOST_A_DAY} times within a day: ask again tomorrow"
                raise Conflict.of("dataset", rule, entry.id)

    def _entries(self, datasets: Sequence[str] | None) -> list[Dataset]:
        if datasets is None:
            return [one for one in self._exchange.store.find(Dataset) if one.personal]
        entries = [self._exchange.dataset(one) for one in dict.fromkeys(datasets)]
        for entry in entries:
            if not entry.personal:
                raise InputRefused.of("dataset", "holds no personal data", entry.id)
        return entries

    def _make(
        self,
        party: str,
        person: str,
        right: str,
        dataset: str,
        purpose: str = "",
        corrections: Sequence[Correction] = (),
        reason: str = "",
    ) -> SubjectRequest:
        made = SubjectRequest(
            f"urn:uuid:{uuid.uuid4()}", person, right, dataset, clock.now(), purpose=purpose,
            corrections=list(corrections), reason=reason, made_by="" if party == person else party,
        )  # fmt: skip

        def decide(_known: SubjectRequest | None) -> SubjectRequest:
            return made

        return self._exchange.settle(SubjectRequest, made.id, decide)


def taken(store: Store, dataset: str) -> Micros:
    """Up to when results of a dataset on another basis than consent were taken back since rows of a person went; or 0.

    As who makes them told it: a request of somebody of whom there never were rows takes nothing back. Under consent the
    consents themselves fall, and with them the results of this person alone.
    """
    entry = store.get(Dataset, dataset)
    if entry is None or entry.needs_consent:
        return 0
    asked = [one.id for one in store.find(SubjectRequest, dataset) if one.right in (ERASURE, OBJECTION)]
    done = store.carried_out(asked).values()
    return max((one.taken_back for told in done for one in told), default=0)
