"""What is looked up to tell of consents: for one answer each agreement is found and read once, however many ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import Micros
from dmi_exchange import model
from dmi_exchange.review.claims import Claim
from dmi_exchange.store import Store

Same = tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]
"""What makes two consents the same to the person: datasets, purposes and recipients."""


def same(consent: AgreementState, claim: Claim) -> Same:
    """What a permission of a consent is about."""
    to = frozenset({model.assignee(consent.document)}) if claim.recipients is None else claim.recipients
    return claim.datasets, claim.roots, to


class Once:
    """Made for one answer and forgotten with it; ``claims`` reads what an agreement permits."""

    def __init__(self, store: Store, claims: Callable[[AgreementState], Sequence[Claim]]) -> None:
        self._store = store
        self._claims = claims
        self._read: dict[str, Sequence[Claim]] = {}
        self.first_given = cache(self._first_given)
        self.permitted = cache(self._permitted)

    def claims(self, state: AgreementState) -> Sequence[Claim]:
        """What an agreement or consent permits; nothing when it cannot be read."""
        if state.id not in self._read:
            self._read[state.id] = self._claims(state)
        return self._read[state.id]

    def _first_given(self, person: str) -> Mapping[Same, Micros]:
        """When a person first consented to each thing."""
        found: dict[Same, Micros] = {}
        for state in self._store.find(AgreementState, person):
            if model.is_consent(state):
                at = state.concluded_at or 0
                for claim in self.claims(state):
                    about = same(state, claim)
                    found[about] = min(at, found.get(about, at))
        return found

    def _permitted(self, owner: str) -> Mapping[str, Sequence[Claim]]:
        """What agreements in force with an owner permit, by the other party."""
        found: dict[str, list[Claim]] = {}
        for state in self._store.find(AgreementState, owner):
            if state.state == "active":
                found.setdefault(model.assignee(state.document), []).extend(self.claims(state))
        return found
