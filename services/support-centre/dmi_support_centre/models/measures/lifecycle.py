"""The states of a measure and who may bring it from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dmi_agreements.contracts.results import Measure

PROPOSED, PUBLISHED, REJECTED = "proposed", "published", "rejected"
EXPIRED, WITHDRAWN = "expired", "withdrawn"

TRANSITIONS: Mapping[str, frozenset[str]] = {
    PROPOSED: frozenset({PUBLISHED, REJECTED, EXPIRED, WITHDRAWN}),
    PUBLISHED: frozenset({EXPIRED, WITHDRAWN}),
    REJECTED: frozenset(),
    EXPIRED: frozenset(),
    WITHDRAWN: frozenset(),
}


class IllegalTransition(Exception):
    """A change of state that a measure does not know from where it is."""

    def __init__(self, measure: Measure, state: str, why: str = "") -> None:
        detail = why or f"a measure that is {measure.state} cannot become {state}"
        super().__init__(f"{measure.id}: {detail}")
        self.measure = measure.id
        self.wanted = state


def approve(measure: Measure, person: str, now: int) -> Measure:
    """Published by a person's decision; one that is past its time cannot be any more."""
    if measure.state == PROPOSED and measure.valid_to <= now:
        raise IllegalTransition(measure, PUBLISHED, "its time is over")
    return _to(measure, PUBLISHED, now, person)


def reject(measure: Measure, person: str, now: int, reason: str = "") -> Measure:
    """Rejected by a person's decision, with the reason that was given."""
    return _to(measure, REJECTED, now, person, reason)


def withdraw(measure: Measure, now: int, reason: str) -> Measure:
    """Taken back, since a ground fell away; ``reason`` names it."""
    return _to(measure, WITHDRAWN, now, None, reason)


def expire(measure: Measure, now: int) -> Measure:
    """Over, since its time has come; before that it is ``IllegalTransition``."""
    if measure.valid_to > now:
        raise IllegalTransition(measure, EXPIRED, "its time is not over")
    return _to(measure, EXPIRED, now, None, "time")


def cut_short(measure: Measure, now: int, reason: str) -> Measure:
    """Expired before its time, since what it was for is over."""
    ended = _to(measure, EXPIRED, now, None, reason)
    return msgspec.structs.replace(ended, valid_to=max(measure.valid_from, min(measure.valid_to, now)))


def _to(measure: Measure, state: str, now: int, person: str | None, reason: str = "") -> Measure:
    if state not in TRANSITIONS.get(measure.state, frozenset()):
        raise IllegalTransition(measure, state)
    changes: dict[str, Any] = {"state": state}
    if person is not None:
        changes |= {"decided_by": person, "decided_at": now}
    if state == PUBLISHED:
        changes["valid_from"] = max(measure.valid_from, now)
    if reason:
        changes["properties"] = {**measure.properties, "reason": reason, "ended_at": now}
    return msgspec.structs.replace(measure, **changes)
