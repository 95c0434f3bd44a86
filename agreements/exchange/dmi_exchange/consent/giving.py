"""Giving, renewing and withdrawing consent: by a person, or by who represents it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.persons import represents
from dmi_exchange import model
from dmi_exchange.consent.renewal import again
from dmi_exchange.handlers import Exchange
from dmi_exchange.review.claims import Claim
from dmi_exchange.review.law_rules import CONSENT
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound

ACTIONS = ("dmi:contribute", "dmi:process", "dmi:read", "dmi:display", "dmi:analyse")
"""What a recipient may do with what a person measures, for the purpose that was asked."""
NO_CONSENT = "no consent of yours has this id"


class Consents:
    """What people do with their consents. One document for each recipient: none hangs on another (GDPR art. 7)."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def given(self, party: str, person: str | None = None) -> list[AgreementState]:
        """The consents of a person: the party's own, or those of one that it represents."""
        whose = self.whose(party, person)
        return [one for one in self._exchange.store.find(AgreementState, whose) if model.is_consent(one)]

    def one(self, party: str, identifier: str) -> AgreementState:
        """A consent that the party gave or gives for another; raises ``NotFound``."""
        found = self._exchange.agreement(identifier, party)
        if not model.is_consent(found):
            raise NotFound(NO_CONSENT)
        return found

    def represented(self, party: str) -> list[Participant]:
        """The persons for whom a party acts."""
        now = clock.now()
        acting = self._exchange.store.get(Participant, party)
        return [one for one in self._exchange.store.find(Participant) if represents(acting, one, now)]

    def give(
        self,
        party: str,
        dataset: str,
        purpose: str,
        recipients: Sequence[str],
        person: str | None = None,
        duties: Sequence[Mapping[str, Any]] = (),
    ) -> list[AgreementState]:
        """Consent to one purpose, with a document of its own for each recipient, signed with the key kept here.

        Each takes the place of an earlier one to the same. Raises ``Conflict`` beyond what one may give in a day,
        or may have standing.
        """
        documents = self.documents(party, dataset, purpose, recipients, person, duties)
        # All are reviewed before the first is given, so that a refusal of one leaves nothing half done.
        for document in documents:
            self._exchange.require(document, {party})
        self._exchange.standing.require_room(self.whose(party, person), documents)
        return [self._exchange.propose(party, document, None) for document in documents]

    def documents(
        self,
        party: str,
        dataset: str,
        purpose: str,
        recipients: Sequence[str],
        person: str | None = None,
        duties: Sequence[Mapping[str, Any]] = (),
    ) -> list[dict[str, Any]]:
        """The texts of such consents, for who signs them with a key of its own; nothing is kept."""
        whose = self.whose(party, person)
        if not whose.startswith(model.PERSON):
            raise InputRefused.of("identity", "consent is given by a natural person")
        return [
            self.document(whose, dataset, purpose, recipient, duties)
            for recipient in dict.fromkeys(recipients)
        ]

    def document(
        self,
        person: str,
        dataset: str,
        purpose: str,
        recipient: str,
        duties: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """The text of a consent, up to the longest term that the rulebook allows; ``duties`` in ODRL."""
        parameters = {
            "person": person, "recipients": [recipient], "datasets": [dataset], "actions": list(ACTIONS),
            "purpose": purpose, "until": self.end(),
        }  # fmt: skip
        drafted = self._exchange.draft("dmi:template:consent", parameters)
        for rule in drafted["permission"] if duties else ():
            rule["duty"] = [dict(duty) for duty in duties]
        return drafted

    def end(self) -> int:
        """The last moment (whole seconds, in microseconds UTC) up to which a consent that is given now may hold."""
        limits = self._exchange.rulebook.limits.values()
        days = [one.maximum for one in limits if one.kind == "term" and one.maximum and CONSENT in one.bases]
        return (clock.now() + min(days, default=365) * 86_400_000_000) // 1_000_000 * 1_000_000

    def renew(self, party: str, identifier: str) -> AgreementState:
        """Give a consent that has ended once more, signed with the key that this node keeps."""
        return self._exchange.propose(party, self.renewed(party, identifier), None)

    def renewed(self, party: str, identifier: str) -> dict[str, Any]:
        """The text of a consent that has ended, with all that it said, under the rulebook as it is now.

        Nothing is kept. Raises ``Conflict`` for one that still holds, or that cannot be given again as it was.
        """
        before = self.one(party, identifier)
        if before.state == "active":
            raise Conflict.of("state", "this consent still holds", identifier)
        claims = self.claims(before)
        claim = claims[0] if claims else None
        if claim is None:
            raise Conflict.of("consent", "cannot be read any more: give it anew", identifier)
        if len(claim.roots) != 1 or claim.recipients is None or len(claim.recipients) != 1:
            raise Conflict.of(
                "consent", "was for several purposes or recipients: give each apart", identifier
            )
        document = again(before, self.end(), self._exchange.rulebook.version)
        if document is None or self._said(document) != self._said(before.document):
            raise Conflict.of("consent", "cannot be given again as it was: give it anew", identifier)
        return document

    def _said(self, document: Mapping[str, Any]) -> list[Claim] | None:
        """What a consent permits and forbids, whenever; ``None`` where it cannot be read."""
        try:
            claims = self._exchange.reasoner.claims(document)
        except PolicyRefused:
            return None
        # A later version of the rulebook may have more below the same purpose.
        return [
            replace(rule, ends=0, purposes=frozenset())
            for rule in (*claims.permissions, *claims.prohibitions)
        ]

    def withdraw(self, party: str, identifier: str, reason: str) -> AgreementState:
        """Withdraw a consent, at once and for good; raises ``NotFound`` for anything else."""
        self.one(party, identifier)
        return self._exchange.end(party, identifier, reason)

    def claims(self, consent: AgreementState) -> Sequence[Claim]:
        """What a consent or agreement allows, read under its own version; nothing when the language lost it."""
        try:
            return self._exchange.reasoner.claims(consent.document).permissions
        except PolicyRefused:
            return ()  # The gate refuses it too, and says why.

    def whose(self, party: str, person: str | None) -> str:
        """Whose consents a party handles: its own, or those of a person that it represents; raises ``NotFound``."""
        if person is None or person == party:
            return party
        if not self._exchange.represents(party, person):
            raise NotFound("you represent no person with this id")
        return person


def limits(cut_ends_m: int | None, coarsen_m: int | None, minimum_group: int | None) -> list[dict[str, Any]]:
    """What a person asks to be done to its rows, as duties in ODRL."""
    asked = (
        ("dmi:cutEnds", "dmi:distance", cut_ends_m),
        ("dmi:coarsen", "dmi:gridSize", coarsen_m),
        ("dmi:suppress", "dmi:minimumGroup", minimum_group),
    )
    return [
        {"action": action, "constraint": [{"leftOperand": left, "operator": "eq", "rightOperand": value}]}
        for action, left, value in asked
        if value is not None
    ]
