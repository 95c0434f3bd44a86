"""Deciding by one agreement: boundary instants, purposes, recipients, prohibitions, the least duties."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decide import decide
from dmi_agreements.decision import Decision, Delay, Request, RestrictArea
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook

GARAGES = "urn:dmi:dataset:gemeente:garages"
STACK = "urn:dmi:participant:stack"
MOMENT = 1_798_761_600_000_000
TEXT = "2027-01-01T00:00:00Z"
Build = Callable[..., AgreementState]


def ask(
    state: AgreementState,
    rulebook: Rulebook,
    *,
    assignee: str = STACK,
    action: str = "dmi:read",
    dataset: str = GARAGES,
    purpose: str = "dmi:purpose:mobility",
    now: int = MOMENT,
) -> Decision:
    compiled = compile_agreement(read_agreement(state.document, rulebook), rulebook)
    return decide(compiled, Request(assignee, action, dataset, purpose), now)


@pytest.mark.parametrize(
    ("operator", "last", "code"),
    [
        ("lteq", MOMENT, "expired"),
        ("lt", MOMENT - 1, "expired"),
        ("gteq", MOMENT, "not_yet"),
        ("gt", MOMENT + 1, "not_yet"),
    ],
)
def test_a_limit_in_time_holds_to_the_microsecond(
    agreement: Build, rulebook: Rulebook, operator: str, last: int, code: str
) -> None:
    state = agreement(times=[(operator, TEXT)])
    beyond = last + 1 if code == "expired" else last - 1
    assert ask(state, rulebook, now=last).allowed
    decision = ask(state, rulebook, now=beyond)
    assert not decision.allowed
    assert (decision.reasons[0].code, decision.reasons[0].moment) == (code, last)
    assert decision.reasons[0].agreement == state.id


def test_a_moment_in_another_time_zone_is_the_same_moment(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement(times=[("lteq", "2027-01-01T01:00:00+01:00")])
    assert ask(state, rulebook, now=MOMENT).allowed
    assert not ask(state, rulebook, now=MOMENT + 1).allowed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purpose": "dmi:purpose:parking-guidance"}, "allowed"),
        ({"purpose": "dmi:purpose:public-task"}, "wrong_purpose"),
        ({"purpose": "dmi:purpose:marketing"}, "wrong_purpose"),
        ({"purpose": "dmi:purpose:any"}, "unknown_term"),
        ({"purpose": ""}, "unknown_term"),
        ({"purpose": "dmi:purpose:unheard-of"}, "unknown_term"),
        ({"action": "dmi:shred"}, "unknown_term"),
        ({"action": "odrl:use"}, "unknown_term"),
        ({"action": "dmi:export"}, "no_agreement"),
        ({"dataset": "urn:dmi:dataset:gemeente:other"}, "no_agreement"),
        ({"assignee": "urn:dmi:participant:other"}, "wrong_recipient"),
    ],
)
def test_each_term_of_a_request_is_checked(
    agreement: Build, rulebook: Rulebook, change: dict[str, str], code: str
) -> None:
    decision = ask(agreement(), rulebook, **change)  # type: ignore[arg-type]
    assert (decision.allowed, decision.reasons[0].code) == (code == "allowed", code)


def test_a_recipient_outside_the_list_is_refused(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement(assignee="urn:dmi:party:everyone", recipients=["urn:dmi:participant:a"])
    assert ask(state, rulebook, assignee="urn:dmi:participant:a").allowed
    assert ask(state, rulebook).reasons[0].code == "wrong_recipient"


def test_a_prohibition_wins_over_a_permission(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement(prohibit="dmi:purpose:crowd-safety")
    decision = ask(state, rulebook, purpose="dmi:purpose:crowd-safety")
    assert (decision.reasons[0].code, decision.reasons[0].path) == ("prohibited", "/prohibition/0")
    assert ask(state, rulebook).allowed


def test_a_prohibition_that_has_not_begun_forbids_nothing_yet(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement(prohibit="dmi:purpose:mobility", times=[("gteq", TEXT)])
    assert ask(state, rulebook, now=MOMENT - 1).reasons[0].code == "not_yet"
    assert ask(state, rulebook, now=MOMENT).reasons[0].code == "prohibited"


def test_of_two_permissions_the_one_with_fewer_duties_counts(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement()
    first = state.document["permission"][0]
    delay = {"leftOperand": "dmi:seconds", "operator": "eq", "rightOperand": 60}
    state.document["permission"] = [
        {**first, "duty": [{"action": "dmi:delay", "constraint": [delay]}]},
        {**first, "constraint": [{**first["constraint"][0], "rightOperand": "dmi:purpose:parking-guidance"}]},
    ]
    assert ask(state, rulebook).duties == (Delay(60),)
    decision = ask(state, rulebook, purpose="dmi:purpose:parking-guidance")
    assert (decision.duties, decision.reasons[0].path) == ((), "/permission/1")


def test_an_area_becomes_a_duty(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement()
    area = {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": {"dmi:bbox": [4, 52, 5, 53]}}
    state.document["permission"][0]["constraint"].append(area)
    assert ask(state, rulebook).duties == (RestrictArea((4.0, 52.0, 5.0, 53.0)),)


def test_two_tests_of_purpose_must_both_hold(agreement: Build, rulebook: Rulebook) -> None:
    state = agreement()
    exact = {
        "leftOperand": "purpose",
        "operator": "isAnyOf",
        "rightOperand": ["dmi:purpose:noise", "dmi:purpose:mobility"],
    }
    state.document["permission"][0]["constraint"].append(exact)
    assert ask(state, rulebook).allowed
    assert not ask(state, rulebook, purpose="dmi:purpose:noise").allowed
    assert not ask(state, rulebook, purpose="dmi:purpose:parking-guidance").allowed
