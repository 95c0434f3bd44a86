"""What the continuous review found: agreements that run on against a rule, and those that it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.review.case import Fault
from dmi_exchange.review.reasoner import SmallestChange
from dmi_infra import clock
from dmi_infra.identity import EXCHANGE_PARTICIPANT

STOPPED_FOR: Final = 90 * 86_400_000_000
"""How long an agreement that the review stopped stays among its findings (microseconds)."""
MOST: Final = 200
"""Findings in one answer: the smallest change of each takes up to some tenths of a second to find."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An agreement and what is wrong with it; ``change`` is ``None`` when no change of its text would do.

    ``since`` tells when the review noted a rule (microseconds UTC) by rule and path. A stopped one has no faults
    any more: why, its own ``end_reason`` says.
    """

    agreement: AgreementState
    faults: tuple[Fault, ...] = ()
    since: Mapping[tuple[str, str], int] | None = None
    change: SmallestChange | None = None

    @property
    def stopped(self) -> bool:
        """Whether the review ended it."""
        return self.agreement.state == "ended"


def findings(exchange: Exchange, party: str | None = None, mend: bool = True) -> list[Finding]:
    """Those of one party, or all: first those that still run, each with its smallest change when asked.

    Consents are not among them: they are a person's.
    """
    running: list[Finding] = []
    stopped: list[Finding] = []
    for state in exchange.store.find(AgreementState, party):
        if model.is_consent(state):
            continue
        if state.state == "active" and state.objections and len(running) < MOST:
            running.append(_found(exchange, state, mend))
        elif _stopped(state):
            stopped.append(Finding(state))
    # The store gives the oldest change first; what was stopped last is of most interest.
    return [*running, *reversed(stopped)][:MOST]


def _stopped(state: AgreementState) -> bool:
    """Whether the review ended it lately."""
    by_review = state.state == "ended" and state.ended_by == EXCHANGE_PARTICIPANT
    return by_review and state.ended_at is not None and state.ended_at > clock.now() - STOPPED_FOR


def _found(exchange: Exchange, state: AgreementState, mend: bool) -> Finding:
    since = {(one.rule, one.path): one.since for one in state.objections}
    faults = exchange.reasoner.running(state)
    return Finding(state, faults, since, exchange.reasoner.mend(state) if mend else None)
