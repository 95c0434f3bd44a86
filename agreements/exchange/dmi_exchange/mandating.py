"""Giving, passing on and ending mandates."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import Dataset, Mandate, Participant
from dmi_agreements.decision import Reason
from dmi_agreements.keys import find as find_key
from dmi_agreements.mandates import (
    DAY,
    Link,
    MandateTerms,
    MandateUnreadable,
    chain_of,
    link_of,
    longest_chain,
    longest_term,
    read_mandate,
)
from dmi_agreements.policy.operands import UUID
from dmi_exchange import ishare, model
from dmi_exchange.handlers import Exchange
from dmi_infra import clock, jose, outside
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused, Unauthenticated
from dmi_infra.identity import EXCHANGE_PARTICIPANT

MOST: Final = 1000
"""Mandates of one participant: in force, and of the last day. Every service holds each of them."""
NO_MANDATE: Final = "no mandate of yours has this id"


class Mandating:
    """What participants can do with mandates; each is an object of the law, known everywhere within a second."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def draft(self, mandator: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The document of a mandate, to sign; raises ``InputRefused`` for what could not be given."""
        document = {
            "uid": f"urn:uuid:{uuid.uuid4()}",
            "type": "dmi:Mandate",
            "mandator": mandator,
            **given,
            "dmi:rulebook": self._exchange.participant(mandator).rulebook,
        }
        self._check(self._read(document))
        return document

    def give(self, mandator: str, document: dict[str, Any], jws: str | None) -> Mandate:
        """Put a signed mandate in force."""
        terms = self._new(document)
        if terms.mandator != mandator:
            raise InputRefused.of("document/mandator", "you can give mandates in your own name only")
        self._check(terms)
        self._check_room(mandator)
        signature = jws or self._exchange.custody.sign(mandator, document)
        self._exchange.check_signature(mandator, document, signature)
        return self._keep(terms.uid, document, signature)

    def take_in(self, evidence: str) -> Mandate:
        """Put in force what delegation evidence says that its policy issuer signed (iSHARE)."""

        def key_of(issuer: str, kid: str) -> Mapping[str, Any] | None:
            found = self._exchange.store.get(Participant, issuer)
            # A member of another node gives its mandates there; here its own node speaks for it.
            here = found is not None and found.active and not found.home
            return find_key(found.keys, kid, clock.seconds()) if found is not None and here else None

        try:
            claims = outside.verify_evidence(evidence, EXCHANGE_PARTICIPANT, key_of)
        except Unauthenticated as exc:
            raise InputRefused.of("evidence", str(exc)) from exc
        version = self._exchange.participant(str(claims["iss"])).rulebook
        document = ishare.document_of(claims, version or "")
        terms = self._new(document)
        self._check(terms)
        self._check_room(terms.mandator)
        if not self._exchange.store.use_once(
            f"evidence {claims['iss']} {claims['jti']}", int(claims["exp"]) * 1_000_000
        ):
            raise Conflict.of("evidence", "has been handed in before")
        return self._keep(terms.uid, document, evidence)

    def evidence(self, identifier: str, asking: str, issuer: str, key: jose.SigningKey) -> str:
        """The mandate as signed delegation evidence, for a party outside of this node to read."""
        found = self.find(identifier, asking)
        terms = self._read(found.document)
        if found.state != "active":
            raise Conflict.of("state", "this mandate has been ended", identifier)
        now = int(clock.seconds())
        return key.sign_token(ishare.claims_of(terms, issuer, asking, now), "JWT")

    def end(self, party: str, identifier: str, reason: str) -> Mandate:
        """End a mandate at once: who gave it, had it given, or holds it may."""
        found = self.find(identifier, party)
        if party not in self._concerned(found):
            raise Refused([Reason("not_a_party", "only its parties can end a mandate")])

        def decide(known: Mandate | None) -> Mandate:
            if known is None:
                raise NotFound(NO_MANDATE)
            if known.state == "ended":
                raise Conflict.of("state", "this mandate has ended already", identifier)
            return msgspec.structs.replace(
                known, state="ended", ended_at=clock.now(), ended_by=party, end_reason=reason
            )

        return self._exchange.settle(Mandate, identifier, decide)

    def find(self, identifier: str, party: str | None) -> Mandate:
        """A mandate that concerns ``party`` (``None``: any); raises ``NotFound``."""
        found = self._exchange.store.get(Mandate, identifier)
        if found is None or (party is not None and party not in self._concerned(found)):
            raise NotFound(NO_MANDATE)
        return found

    def principal(self, identifier: str, actor: str) -> str:
        """In whose name ``actor`` acts by a mandate; raises ``Refused`` when it may not.

        What the mandate covers, the gate asks at each request.
        """
        chain = chain_of(identifier, self._link, longest_chain(self._exchange.rulebook))
        if isinstance(chain, Reason):
            raise Refused([chain])
        ended = next((link.state for link in chain if link.state.state != "active"), None)
        if ended is not None:
            detail = f"the mandate {ended.id} has been ended"
            raise Refused([Reason("ended", detail, ended.id, moment=ended.ended_at)])
        first, last = chain[-1].terms, chain[0].terms
        if first is None or last is None or last.mandatary != actor:
            raise Refused([Reason("no_mandate", "this mandate is not yours", identifier)])
        return first.mandator

    def _concerned(self, mandate: Mandate) -> set[str]:
        """The parties of a mandate, and of those that it rests on."""
        chain = chain_of(mandate.id, self._link, 100)
        links = [link_of(mandate)] if isinstance(chain, Reason) else chain
        return {
            party for link in links if link.terms for party in (link.terms.mandator, link.terms.mandatary)
        }

    def _link(self, identifier: str) -> Link | None:
        found = self._exchange.store.get(Mandate, identifier)
        return None if found is None else link_of(found)

    def _keep(self, identifier: str, document: dict[str, Any], signature: str) -> Mandate:
        def decide(known: Mandate | None) -> Mandate:
            if known is not None:
                raise Conflict.of("document/uid", "a mandate with this uid exists already", identifier)
            return Mandate(identifier, document, signature, "active", clock.now())

        return self._exchange.settle(Mandate, identifier, decide)

    def _check_room(self, mandator: str) -> None:
        """Raise ``Conflict`` for one who has given too many already; what has run out does not count."""
        now, count = clock.now(), 0
        for one in self._exchange.store.find(Mandate, mandator):
            terms = link_of(one).terms
            if terms is not None and terms.mandator == mandator:
                in_force = one.state == "active" and terms.period[1] >= now
                count += in_force or one.made_at >= now - DAY
        if count >= MOST:
            rule = f"you have given {MOST} mandates that are in force or of the last day: end some, or wait"
            raise Conflict.of("document", rule)

    @staticmethod
    def _read(document: Mapping[str, Any]) -> MandateTerms:
        try:
            return read_mandate(document)
        except MandateUnreadable as exc:
            field = f"document/{exc.field}" if exc.field else "document"
            raise InputRefused.of(field, exc.rule, str(document.get(exc.field, ""))) from exc

    def _new(self, document: Mapping[str, Any]) -> MandateTerms:
        """The terms of a mandate that is to be kept: by its id it stands in the place of nothing else."""
        terms = self._read(document)
        if not UUID.fullmatch(terms.uid):
            raise InputRefused.of("document/uid", "must be urn:uuid: and a lower-case UUID", terms.uid)
        return terms

    def _check(self, terms: MandateTerms) -> None:
        """Raise unless rulebook, catalogue and parent allow these terms."""
        book = self._exchange.rulebook
        mandator, mandatary = (
            self._exchange.store.get(Participant, party) for party in (terms.mandator, terms.mandatary)
        )
        for side in ("mandator", "mandatary"):
            if getattr(terms, side).startswith(model.PERSON):
                rule = "must be an organisation: a person's rights are its own, and a representative's"
                raise InputRefused.of(f"document/{side}", rule, getattr(terms, side))
        if mandatary is None or not mandatary.active:
            rule = "must be a participant that takes part here"
            raise InputRefused.of("document/mandatary", rule, terms.mandatary)
        if terms.mandatary == terms.mandator:
            rule = "must be another participant than who gives the mandate"
            raise InputRefused.of("document/mandatary", rule, terms.mandatary)
        if mandatary.machine_of and (mandatary.machine_of != terms.mandator or terms.onward):
            rule = "is a machine: its own participant alone gives it mandates, which it does not pass on"
            raise InputRefused.of("document/mandatary", rule, terms.mandatary)
        if mandator is None or terms.rulebook != mandator.rulebook:
            raise InputRefused.of("document/dmi:rulebook", "must be the version that the mandator signed")
        for index, (action) in enumerate(terms.actions):
            if action not in book.actions:
                raise InputRefused.of(
                    f"document/actions/{index}", "must be an action of the rulebook", action
                )
        for index, purpose in enumerate(terms.purposes):
            if purpose not in book.purposes:
                raise InputRefused.of(
                    f"document/purposes/{index}", "must be a purpose of the rulebook", purpose
                )
        for index, dataset in enumerate(terms.datasets):
            if self._exchange.store.get(Dataset, dataset) is None:
                raise InputRefused.of(
                    f"document/datasets/{index}", "must be a dataset of the catalogue", dataset
                )
        begin, until = terms.period
        longest = longest_term(book)
        if until <= clock.now():
            raise InputRefused.of("document/until", "must lie ahead", terms.until)
        if longest is not None and until - begin > longest:
            rule = f"must lie at most {longest // 86_400_000_000} days after from"
            raise InputRefused.of("document/until", rule, terms.until)
        if not 0 <= terms.onward < longest_chain(book):
            raise InputRefused.of(
                "document/onward", f"must be 0 to {longest_chain(book) - 1}", str(terms.onward)
            )
        if terms.parent is not None:
            self._check_parent(terms, terms.parent)

    def _check_parent(self, terms: MandateTerms, parent: str) -> None:
        """Raise unless the mandator holds ``parent``, may pass it on, and passes on no more than it has."""
        book = self._exchange.rulebook
        chain = chain_of(parent, self._link, longest_chain(book) - 1)
        if isinstance(chain, Reason):
            raise InputRefused.of("document/parent", chain.detail, parent)
        held = chain[0].terms
        if held is None or chain[0].state.state != "active" or held.mandatary != terms.mandator:
            raise InputRefused.of("document/parent", "must be a mandate in force that you hold", parent)
        if terms.onward >= held.onward:
            raise InputRefused.of("document/onward", f"must be below that of the parent, {held.onward}")
        for name in ("actions", "datasets"):
            if not set(getattr(terms, name)) <= set(getattr(held, name)):
                raise InputRefused.of(f"document/{name}", "must be among those of the parent")
        if not all(any(book.is_a(one, wide) for wide in held.purposes) for one in terms.purposes):
            raise InputRefused.of("document/purposes", "must be among those of the parent")
        if terms.period[0] < held.period[0] or terms.period[1] > held.period[1]:
            raise InputRefused.of("document/until", "must lie within the time of the parent", terms.until)
