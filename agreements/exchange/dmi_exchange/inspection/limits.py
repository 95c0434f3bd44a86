"""How far a participant goes towards the limits of the rulebook: the most that any of its rights takes of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dmi_agreements.contracts.law import AgreementState, Mandate
from dmi_agreements.decision import Reason
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.mandates import Link, MandateUnreadable, chain_of, link_of, read_mandate
from dmi_agreements.policy.compiled import FOREVER
from dmi_agreements.rulebook_terms import Limit
from dmi_exchange.handlers import Exchange
from dmi_exchange.inspection.standing import Standing
from dmi_exchange.review.case import Case
from dmi_exchange.review.framework_rules import DAY, applies


@dataclass(frozen=True, slots=True)
class Reach:
    """A limit and what is used of it, in the limit's unit; ``used`` is ``None`` where nothing is about it.

    ``under`` is the agreement or mandate that goes furthest, or the participant that was taken from.
    """

    limit: Limit
    used: int | None = None
    under: str = ""

    @property
    def over(self) -> bool:
        """Whether it goes beyond the limit."""
        if self.used is None:
            return False
        low, high = self.limit.minimum, self.limit.maximum
        return (low is not None and self.used < low) or (high is not None and self.used > high)

    def further(self, used: int, under: str) -> Reach:
        """The one of both that goes further: up to a maximum, else down to a minimum."""
        up = self.limit.maximum is not None
        if self.used is None or (used > self.used if up else used < self.used):
            return Reach(self.limit, used, under)
        return self


def reaches(exchange: Exchange, standing: Standing) -> list[Reach]:
    """Every limit of the current rulebook in its order, with what this participant uses of it."""
    cases = list(_cases(exchange, standing.running))
    mandates = exchange.store.find(Mandate, standing.participant.id)
    return [_reach(exchange, limit, standing, cases, mandates) for limit in exchange.rulebook.limits.values()]


def _reach(
    exchange: Exchange,
    limit: Limit,
    standing: Standing,
    cases: Sequence[tuple[str, Case]],
    mandates: Sequence[Mandate],
) -> Reach:
    found = Reach(limit)
    if limit.kind == "commons":
        found = Reach(limit, 0) if standing.share else found
        for giver, cents in (standing.share.taken if standing.share else {}).items():
            found = found.further(cents, giver)
    elif limit.kind in ("duty", "term"):
        for identifier, case in cases:
            for used in _used(limit, case):
                found = found.further(used, identifier)
    else:
        for mandate in mandates:
            amount = _of_mandate(exchange, limit, mandate, standing.participant.id)
            found = found if amount is None else found.further(amount, mandate.id)
    return found


def _cases(exchange: Exchange, running: Iterable[AgreementState]) -> Iterable[tuple[str, Case]]:
    for state in running:
        try:
            yield state.id, exchange.reasoner.case(state)
        except PolicyRefused:
            continue  # The gate refuses it and says why: nothing is used under it.


def _used(limit: Limit, case: Case) -> Iterable[int]:
    """What the permissions of an agreement use of a limit of duties (its unit) or of time (days from now)."""
    for claim in case.claims.permissions:
        if not applies(case, claim, limit):
            continue
        amount = claim.amount(limit.duty or "") if limit.kind == "duty" else None
        if amount is not None:
            yield amount
        elif limit.kind == "term" and case.now <= claim.ends < FOREVER:
            yield -(-(claim.ends - case.now) // DAY)


def _of_mandate(exchange: Exchange, limit: Limit, mandate: Mandate, party: str) -> int | None:
    """What a mandate that ``party`` gave uses of a limit; ``None`` for another's, or one that has ended."""

    def link(identifier: str) -> Link | None:
        found = exchange.store.get(Mandate, identifier)
        return None if found is None else link_of(found)

    if mandate.state != "active":
        return None
    try:
        terms = read_mandate(mandate.document)
    except MandateUnreadable:
        return None  # No gate lets anybody act by it.
    if terms.mandator != party:
        return None
    if limit.kind == "mandate-term":
        return -(-(terms.period[1] - terms.period[0]) // DAY)
    chain = chain_of(mandate.id, link, 100)
    return None if isinstance(chain, Reason) else len(chain)
