"""Rights that people exercise: stop by purpose or all, erase, correct, object; each reaches every layer by the law."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from dmi_agreements.contracts.law import AgreementState, Correction, Dataset, SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.duties import DAY
from dmi_agreements.rights import ERASURE, OBJECTION, RECTIFICATION, objected
from dmi_exchange import model
from dmi_exchange.consent.giving import Consents
from dmi_exchange.handlers import Exchange
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound

NO_REQUEST = "no request of yours has this id"
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
        """Withdraw every consent about this dataset, for this purpose, to this recipient; left out: any.

        For a purpose: what was consented to for it, for one below it, or for one above it that includes it.
        """
        ended, rulebooks = [], self._exchange.rulebooks
        for one in self._consents.given(party, self.person(party, person)):
            claims = self._consents.claims(one)
            fits = [
                claim
                for claim in claims
                if (dataset is None or dataset in claim.datasets)
                and (purpose is None or any(objected(purpose, root, rulebooks) for root in claim.roots))
                and (recipient is None or claim.recipients is None or recipient in claim.recipients)
            ]
            # One that cannot be read any more is stopped with all, and with nothing less.
            unread = not claims and (dataset, purpose, recipient) == (None, None, None)
            if one.state == "active" and (fits or unread):
                # One that a rule or who represents the person has ended meanwhile must not save the others.
                with suppress(Conflict):
                    ended.append(self._exchange.end(party, one.id, reason))
        return ended

    def erase(
        self, party: str, person: str | None, datasets: Sequence[str] | None, reason: str
    ) -> list[SubjectRequest]:
        """Have all rows up to now erased in every layer, in these datasets or all; the consents end (art. 17(1)(b))."""
        whose = self.person(party, person)
        entries = self._entries(datasets)
        self._check_room(whose, ERASURE, entries)
        for entry in entries:
            self.stop(party, whose, entry.id, None, None, reason)
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
