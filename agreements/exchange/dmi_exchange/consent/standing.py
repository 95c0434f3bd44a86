"""One standing consent of a person to the same: a new one takes the place of those before, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.duties import DAY
from dmi_agreements.errors import PolicyRefused
from dmi_exchange import model
from dmi_exchange.review.claims import Claim
from dmi_exchange.review.reasoner import Reasoner
from dmi_exchange.room import Room
from dmi_infra import clock
from dmi_infra.errors import Conflict

MOST_A_DAY: Final = 100
"""Consents of one person within a day, by itself or by who represents it: every service holds each of them."""

Decide = Callable[[AgreementState | None], AgreementState]
Settle = Callable[[type[AgreementState], Mapping[str, Decide]], list[AgreementState]]
Use = tuple[str, str, frozenset[str] | None, str]
"""What a consent is about: dataset, purpose, recipients, action."""


class Standing:
    """Stores agreements and consents that are signed; ``settle_all`` as in ``Store``."""

    def __init__(self, room: Room, reasoner: Reasoner, settle_all: Settle) -> None:
        self._room = room
        self._reasoner = reasoner
        self._settle_all = settle_all
        self._lock = threading.Lock()

    def settle(
        self, signer: str, document: Mapping[str, Any], identifier: str, decide: Decide
    ) -> AgreementState:
        """Store what ``decide`` makes of it; a consent ends those of the same person that it leaves nothing of.

        Raises ``Conflict`` for the consent of a person that gave too many of late.
        """
        person = model.assigner(document)
        if not person.startswith(model.PERSON) or signer == model.assignee(document):
            return self._settle_all(AgreementState, {identifier: decide})[0]
        # Of two at once the later must find the earlier; one exchange runs on a store.
        with self._lock:
            self.require_room(person)
            earlier = self._earlier(person, document)

            def give(known: AgreementState | None) -> AgreementState:
                given = decide(known)
                return msgspec.structs.replace(given, replaces=earlier[-1].id) if earlier else given

            def close(known: AgreementState | None) -> AgreementState:
                assert known is not None
                if known.state == "ended":
                    return known
                return msgspec.structs.replace(
                    known, state="ended", ended_at=clock.now(), ended_by=signer, replaced_by=identifier
                )

            # The new one first, so that at no moment neither holds.
            changes = {identifier: give, **{one.id: close for one in earlier if one.id != identifier}}
            return self._settle_all(AgreementState, changes)[0]

    def require_room(self, person: str, more: int = 1) -> None:
        """Raise ``Conflict`` where a person may not give so many consents more today."""
        if self._room.consented_since(person, clock.now() - DAY) + more > MOST_A_DAY:
            rule = f"{MOST_A_DAY} consents of this person within a day are enough: give more tomorrow"
            raise Conflict.of("consent", rule)

    def _earlier(self, person: str, document: Mapping[str, Any]) -> Sequence[AgreementState]:
        """Standing consents to nothing but what a new one is about, oldest first."""
        new = self._uses(document, prohibitions=False)
        found = [one for one in self._room.consents(person) if one.id != document.get("uid")]
        about = [(one, self._uses(one.document, prohibitions=True)) for one in found]
        # One that cannot be read any more may forbid something: it goes on, until the person ends it.
        older = [one for one, uses in about if uses and new >= uses]
        return sorted(older, key=lambda one: (one.concluded_at or 0, one.id))

    def _uses(self, document: Mapping[str, Any], prohibitions: bool) -> frozenset[Use]:
        """What a consent is about; nothing where it cannot be read (any more)."""
        try:
            claims = self._reasoner.claims(document)
        except PolicyRefused:
            return frozenset()
        rules: Sequence[Claim] = (*claims.permissions, *(claims.prohibitions if prohibitions else ()))
        return frozenset(
            (dataset, root, rule.recipients, action)
            for rule in rules
            for dataset in rule.datasets
            for root in rule.roots
            for action in rule.actions
        )
