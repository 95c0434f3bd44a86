"""One standing consent of a person to the same: a new one takes the place of those before, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.duties import DAY
from dmi_agreements.errors import PolicyRefused
from dmi_exchange import model
from dmi_exchange.review.claims import Claim, Claims
from dmi_exchange.review.reasoner import Reasoner
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.errors import Conflict

MOST_A_DAY: Final = 100
"""Consents of one person within a day, by itself or by who represents it: every service holds each of them."""

MOST_STANDING: Final = 200
"""Consents of one person that stand at the same time: every service holds them, and reads them at each start."""
MOST_READ: Final = 5_000
"""Consents of which is kept what they are about; beyond it this starts again, so that it cannot grow without bound."""

Decide = Callable[[AgreementState | None], AgreementState]
Settle = Callable[[type[AgreementState], Mapping[str, Decide]], list[AgreementState]]
Use = tuple[str, str, frozenset[str], str]
"""What a consent is about: dataset, purpose, recipients, action."""


class Standing:
    """Stores agreements and consents that are signed; ``settle_all`` as in ``Store``."""

    def __init__(self, store: Store, reasoner: Reasoner, settle_all: Settle) -> None:
        self._store = store
        self._room = store.room
        self._reasoner = reasoner
        self._settle_all = settle_all
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        """By person, each for as long as somebody holds it or waits for it."""
        self._locking = threading.Lock()
        self._read: dict[str, Claims] = {}
        """What consents say, by id: what is signed never changes."""

    def settle(
        self, signer: str, document: Mapping[str, Any], identifier: str, decide: Decide
    ) -> AgreementState:
        """Store what ``decide`` makes of it; a consent ends those of the same person that it leaves nothing of.

        Raises ``Conflict`` for the consent of a person that gave too many of late, or of whom too many stand.
        """
        person = model.assigner(document)
        if not person.startswith(model.PERSON) or signer == model.assignee(document):
            return self._settle_all(AgreementState, {identifier: decide})[0]
        # What has no place any more is refused at once: it costs no walk, and nobody waits for it.
        decide(self._store.get(AgreementState, identifier))
        # Of two at once the later must find the earlier; one exchange runs on a store.
        with self._lock(person):
            self._require_today(person, 1)
            found = self._room.consents(person)
            earlier = self._earlier(found, document)
            _require_standing(len(found) - len(earlier) + 1, len(found))

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
            changes = {identifier: give, **{one.id: close for one in earlier}}
            return self._settle_all(AgreementState, changes)[0]

    def require_room(self, person: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Raise ``Conflict`` where a person may not give all these consents more, today or beside those that stand."""
        self._require_today(person, len(documents))
        found = self._room.consents(person)
        replaced = {one.id for document in documents for one in self._earlier(found, document)}
        _require_standing(len(found) - len(replaced) + len(documents), len(found))

    def _require_today(self, person: str, more: int) -> None:
        if self._room.consented_since(person, clock.now() - DAY) + more > MOST_A_DAY:
            rule = f"{MOST_A_DAY} consents of this person within a day are enough: give more tomorrow"
            raise Conflict.of("consent", rule)

    def _lock(self, person: str) -> threading.Lock:
        with self._locking:
            found = self._locks.get(person)
            if found is None:
                found = self._locks[person] = threading.Lock()
            return found

    def _earlier(
        self, found: Sequence[AgreementState], document: Mapping[str, Any]
    ) -> Sequence[AgreementState]:
        """Of standing consents those to nothing but what a new one is about, oldest first."""
        try:
            claims = self._reasoner.claims(document)
        except PolicyRefused:
            return ()
        new = frozenset(_uses(claims, claims.permissions))
        # One that cannot be read any more may forbid something: it goes on, until the person ends it.
        older = [one for one in found if one.id != document.get("uid") and self._within(one, new)]
        return sorted(older, key=lambda one: (one.concluded_at or 0, one.id))

    def _within(self, given: AgreementState, new: Collection[Use]) -> bool:
        """Whether a consent permits and forbids something, and nothing else than this."""
        claims = self._claims(given)
        if claims is None:
            return False
        uses = _uses(claims, (*claims.permissions, *claims.prohibitions))
        return next(uses, None) in new and all(use in new for use in uses)

    def _claims(self, given: AgreementState) -> Claims | None:
        """What a consent says; ``None`` where it cannot be read (any more)."""
        known = self._read.get(given.id)
        if known is None:
            try:
                known = self._reasoner.claims(given.document)
            except PolicyRefused:
                return None
            if len(self._read) >= MOST_READ:
                self._read.clear()
            self._read[given.id] = known
        return known


def _require_standing(count: int, before: int) -> None:
    # Whoever has more from before the limit changes each of them still.
    if count > max(MOST_STANDING, before):
        rule = f"{MOST_STANDING} consents of this person may stand: withdraw one that is needed no more"
        raise Conflict.of("consent", rule)


def _uses(claims: Claims, rules: Iterable[Claim]) -> Iterator[Use]:
    return (
        (dataset, root, claims.recipients(rule), action)
        for rule in rules
        for dataset in rule.datasets
        for root in rule.roots
        for action in rule.actions
    )
