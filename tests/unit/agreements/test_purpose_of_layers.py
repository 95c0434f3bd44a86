"""For what layers work: what a dataset is collected for, or what the owner on another node lets them have it for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant
from dmi_agreements.decision import Request
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.table import LawTable

NOW = 1_798_761_600_000_000
STACK, OWNER = "urn:dmi:participant:stack", "urn:dmi:participant:gemeente"
DATASET = "urn:dmi:dataset:gemeente:garages"
MOBILITY, COMMERCIAL, STATISTICS = (
    f"dmi:purpose:{name}" for name in ("mobility", "commercial", "statistics")
)
PROCESS = ("dmi:process",)
Build = Callable[..., AgreementState]


def law_of(rulebook: Rulebook, home: str) -> LawTable:
    table = LawTable(rulebook, [STACK])
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))
    table.apply(Participant(STACK, "Stack", [], rulebook="1.0.0"))
    table.apply(Participant(OWNER, "City", [], rulebook="1.0.0", home=home))
    table.apply(Dataset(DATASET, OWNER, {"nl": "Garages"}, purpose=MOBILITY))
    return table


@pytest.fixture
def law(rulebook: Rulebook) -> LawTable:
    """A node that gets the data from another one."""
    return law_of(rulebook, "https://other.example/exchange")


def code(law: LawTable) -> str:
    """What comes of a layer's own work."""
    request = Request(STACK, "dmi:process", DATASET, law.purpose_of(DATASET), "raw")
    return law.decide(request, NOW, open_data=False).reasons[0].code


def end(state: AgreementState, at: int) -> AgreementState:
    return msgspec.structs.replace(state, state="ended", ended_at=at)


def test_layers_work_on_another_nodes_data_for_what_its_owner_agreed_to_with_them(
    law: LawTable, agreement: Build
) -> None:
    assert law.purpose_of(DATASET) == MOBILITY
    mine = agreement(actions=PROCESS, purpose=COMMERCIAL)
    law.apply(mine)
    assert (law.purpose_of(DATASET), code(law)) == (COMMERCIAL, "allowed")
    # What is told of its end is that end, not that it never was for this.
    law.apply(end(mine, NOW - 1))
    assert (law.purpose_of(DATASET), code(law)) == (COMMERCIAL, "ended")


def test_in_their_own_city_layers_work_for_what_it_is_collected_for(
    rulebook: Rulebook, agreement: Build
) -> None:
    law = law_of(rulebook, "")
    law.apply(agreement(actions=PROCESS, purpose=COMMERCIAL))
    assert (law.purpose_of(DATASET), code(law)) == (MOBILITY, "wrong_purpose")
    assert law.purpose_of("urn:dmi:dataset:gemeente:unknown") == ""


def test_what_it_is_collected_for_goes_before_and_of_others_the_oldest(
    law: LawTable, agreement: Build
) -> None:
    def agreed(number: int, purpose: str, **more: Any) -> AgreementState:
        made = agreement(number, actions=PROCESS, purpose=purpose, **more)
        state = msgspec.structs.replace(made, concluded_at=NOW - 100 + number)
        law.apply(state)
        return state

    first = agreed(5, COMMERCIAL)
    agreed(6, STATISTICS)
    assert law.purpose_of(DATASET) == COMMERCIAL
    wide = agreed(7, "dmi:purpose:public-task")
    assert law.purpose_of(DATASET) == MOBILITY
    law.apply(end(wide, NOW - 3))
    law.apply(end(first, NOW - 2))
    assert (law.purpose_of(DATASET), code(law)) == (STATISTICS, "allowed")


def test_an_agreement_that_has_yet_to_begin_changes_nothing(law: LawTable, agreement: Build) -> None:
    law.apply(agreement(1, actions=PROCESS, purpose=COMMERCIAL))
    law.apply(agreement(2, actions=PROCESS, purpose=MOBILITY, times=[("gteq", "2090-01-01T00:00:00Z")]))
    assert (law.purpose_of(DATASET), code(law)) == (COMMERCIAL, "allowed")


def test_neither_a_users_right_nor_anybody_elses_offer_changes_what_layers_work_for(
    law: LawTable, agreement: Build
) -> None:
    law.apply(agreement(1, actions=PROCESS, purpose=COMMERCIAL, assignee="urn:dmi:participant:user"))
    law.apply(agreement(2, actions=PROCESS, purpose=COMMERCIAL, assigner="urn:dmi:participant:user"))
    law.apply(agreement(3, actions=PROCESS, purpose=COMMERCIAL, state="proposed"))
    law.apply(agreement(4, actions=("dmi:read",), purpose=COMMERCIAL))
    assert law.purpose_of(DATASET) == MOBILITY
