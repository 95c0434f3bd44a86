"""A parent acts for a child: for its own data alone, until it is of age, and nobody else does."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.contracts.law import Dataset, Heartbeat, Participant
from dmi_agreements.decision import Request
from dmi_agreements.persons import represents
from dmi_agreements.table import LawTable
from tests.unit.infra.fakes import rulebook

CITY = "urn:dmi:participant:gemeente"
MUM, DAD, KIM = (f"urn:dmi:person:{name}" for name in ("mum", "dad", "kim"))
BICYCLES, GARAGES = (f"urn:dmi:dataset:gemeente:{name}" for name in ("bicycles", "garages"))
NOW = 1_800_000_000_000_000
PURPOSE = "dmi:purpose:mobility"


@pytest.fixture
def law() -> LawTable:
    table = LawTable(rulebook(), [CITY])
    for each in (CITY, MUM, DAD):
        table.apply(Participant(each, each, [], [], rulebook="1.0.0"))
    # A child signs nothing itself.
    table.apply(Participant(KIM, "Kim", [], [], representatives=[MUM], of_age_at=NOW + 1))
    table.apply(Dataset(BICYCLES, CITY, {"nl": "x"}, purpose=PURPOSE, personal=True))
    table.apply(Dataset(GARAGES, CITY, {"nl": "x"}, purpose=PURPOSE))
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))
    return table


def outcome(law: LawTable, now: int = NOW, **change: Any) -> str:
    values = {"action": "dmi:read", "dataset": BICYCLES, "actor": MUM, "assignee": KIM} | change
    asked = Request(
        values["assignee"], values["action"], values["dataset"], PURPOSE, "query", actor=values["actor"]
    )
    decision = law.decide(asked, now)
    return "allowed" if decision.allowed else decision.reasons[0].code


@pytest.mark.parametrize("action", ["dmi:read", "dmi:display", "dmi:export"])
def test_a_parent_sees_and_takes_along_what_is_the_childs_alone(law: LawTable, action: str) -> None:
    assert outcome(law, action=action) == "allowed"
    asked = Request(KIM, action, BICYCLES, PURPOSE, "query", actor=MUM)
    assert set(law.consenting_subjects(asked, NOW)) == {KIM}


@pytest.mark.parametrize(
    "change",
    [
        {"actor": DAD},
        {"actor": CITY},
        {"assignee": MUM},
        {"assignee": DAD},
        {"assignee": CITY},
        {"assignee": "urn:dmi:person:nobody"},
        {"action": "dmi:analyse"},
        {"action": "dmi:contribute"},
        {"dataset": GARAGES},
        {"now": NOW + 1},
    ],
)
def test_nobody_else_and_nothing_else(law: LawTable, change: dict[str, Any]) -> None:
    assert outcome(law, **change) == "no_mandate"


def test_rights_do_not_wait_for_a_signature_and_everything_else_does(law: LawTable) -> None:
    law.apply(Participant(MUM, "Mum", [], []))
    assert outcome(law) == "allowed"
    assert outcome(law, actor="", assignee=MUM) == "allowed"
    for change in ({"dataset": GARAGES}, {"action": "dmi:analyse"}):
        assert outcome(law, actor="", assignee=MUM, **change) == "rulebook_not_signed"
    law.apply(Participant(CITY, "City", [], []))
    assert outcome(law, actor="", assignee=CITY, dataset=GARAGES) == "rulebook_not_signed"


def test_of_a_child_that_left_a_copy_is_taken_along_until_it_is_of_age_and_nothing_is_viewed(
    law: LawTable,
) -> None:
    law.apply(Participant(KIM, "Kim", [], [], representatives=[MUM], of_age_at=NOW + 1, active=False))
    assert outcome(law, action="dmi:export") == "allowed"
    for change in ({}, {"action": "dmi:display"}, {"action": "dmi:export", "now": NOW + 1}, {"actor": DAD}):
        assert outcome(law, **change) == "no_mandate", change


def test_a_person_that_left_takes_along_what_is_kept_of_it_and_nothing_else(law: LawTable) -> None:
    law.apply(Participant(MUM, "Mum", [], [], rulebook="1.0.0", active=False))
    assert outcome(law, actor="", assignee=MUM, action="dmi:export") == "allowed"
    for change in ({}, {"action": "dmi:display"}, {"action": "dmi:export", "dataset": GARAGES}):
        assert outcome(law, **{"actor": "", "assignee": MUM, **change}) == "inactive_participant", change


def test_a_parent_that_left_does_not_act_for_anybody(law: LawTable) -> None:
    law.apply(Participant(MUM, "Mum", [], [], rulebook="1.0.0", active=False))
    assert outcome(law) == "inactive_participant"
    assert outcome(law, actor="urn:dmi:person:nobody") == "unknown_participant"


def test_who_is_no_child_is_represented_until_it_is_told_otherwise() -> None:
    ward = Participant(KIM, "Kim", [], [], representatives=[MUM])
    mum, dad = Participant(MUM, "Mum", [], []), Participant(DAD, "Dad", [], [])
    assert represents(mum, ward, 2**62)
    assert not represents(dad, ward, 0)
    assert not represents(mum, None, 0)
    assert not represents(Participant(MUM, "Mum", [], [], active=False), ward, 0)
    assert not represents(None, ward, 0)
