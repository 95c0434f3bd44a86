"""One notice: what a person asked, who is told of it because it received the data, and what it answered."""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import Correction
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.rights import OBJECTION
from dmi_infra.clock import to_text

WITHDRAWAL: Final = "withdrawal"
"""A consent was withdrawn; the other rights are those of ``dmi_agreements.rights``."""
OUTCOMES: Final = ("done", "kept")
"""What a recipient answers: it did what was asked, or keeps the data and tells on which ground."""


class Layer(msgspec.Struct, frozen=True):
    """What one layer of another node did."""

    service: str
    rows: int
    at: Micros


class Given(msgspec.Struct, frozen=True):
    """When rows of the person were given to a recipient, for one purpose in one way: by that it finds them."""

    action: str
    purpose: str
    times: int
    first: Micros
    last: Micros


class Notice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``process`` is the negotiation by which another node is told; empty for a participant of this node."""

    id: str
    cause: str
    """The request of the person, or the consent that ended."""
    person: str
    right: str
    dataset: str
    recipient: str
    made_at: Micros
    until: Micros
    """Rows measured up to this moment are meant."""
    state: str = "active"
    agreements: list[str] = []
    purpose: str = ""
    corrections: list[Correction] = []
    process: str = ""
    told_at: Micros | None = None
    reason: str = ""
    """Why it is not told, or not done, yet."""
    attempts: int = 0
    outcome: str = ""
    answer: str = ""
    answered_at: Micros | None = None
    carried_out: list[Layer] = []
    called: str = ""
    """By which name a recipient of this node, whose rows named nobody, is told of the person; empty: by its own."""
    given: list[Given] = []


def notice_id(cause: str, state: str, dataset: str, recipient: str) -> str:
    """The same for the same, so that nobody is told twice."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join((cause, state, dataset, recipient)))}"


def shown(one: Notice) -> dict[str, Any]:
    """A notice as its recipient reads it."""
    return {
        "id": one.id,
        "right": one.right,
        "state": one.state,
        "dataset": one.dataset,
        "person": one.called or one.person,
        "named": not one.called,
        "given": [_given(each) for each in one.given],
        "until": None if one.right == OBJECTION else to_text(one.until),
        "purpose": one.purpose or None,
        "agreements": one.agreements,
        "corrections": [
            {"datastream": each.datastream, "time": to_text(each.phenomenon_time), "result": each.result}
            for each in one.corrections
        ],
        "made_at": to_text(one.made_at),
        **answered(one),
    }


def _given(one: Given) -> dict[str, Any]:
    return {
        "action": one.action,
        "purpose": one.purpose,
        "times": one.times,
        "first": to_text(one.first),
        "last": to_text(one.last),
    }


def answered(one: Notice) -> dict[str, Any]:
    """Whether it was told, and what came of it."""
    return {
        "told_at": None if one.told_at is None else to_text(one.told_at),
        "reason": one.reason or None,
        "outcome": one.outcome or None,
        "answer": one.answer or None,
        "answered_at": None if one.answered_at is None else to_text(one.answered_at),
        "carried_out": [
            {"service": each.service, "rows": each.rows, "at": to_text(each.at)} for each in one.carried_out
        ],
    }
