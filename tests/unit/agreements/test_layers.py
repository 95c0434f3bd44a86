"""What the own right of a layer cannot carry: a duty under which it would lose for good what passes by once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState, Heartbeat
from dmi_agreements.decision import Delay, Request
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.table import LawTable

NOW = 1_798_761_600_000_000
REQUEST = Request(
    "urn:dmi:participant:stack", "dmi:process", "urn:dmi:dataset:gemeente:garages", "dmi:purpose:mobility"
)


@pytest.mark.parametrize("action", ["dmi:process", "dmi:analyse"])
def test_a_layer_cannot_aggregate_what_it_gets_in_parts(
    document: dict[str, Any], rulebook: Rulebook, action: str
) -> None:
    window = {"leftOperand": "dmi:window", "operator": "eq", "rightOperand": 600}
    cell = {"leftOperand": "dmi:gridSize", "operator": "eq", "rightOperand": 100}
    means = {"action": "dmi:aggregate", "constraint": [window, cell]}
    document["permission"][0] |= {"action": [action], "duty": [means]}
    with pytest.raises(PolicyRefused) as caught:
        read_agreement(document, rulebook, {document["assignee"]})
    (finding,) = caught.value.findings
    assert finding.path == "/permission/0/duty/0"
    assert "the mean of a part can be a single value" in finding.rule
    document["permission"][0]["action"] = ["dmi:read", "dmi:export"]
    assert read_agreement(document, rulebook, {document["assignee"]}).permissions[0].duties


@pytest.mark.parametrize("action", ["dmi:process", "dmi:analyse"])
def test_a_layer_cannot_delay_what_it_gets_once(
    document: dict[str, Any], rulebook: Rulebook, action: str
) -> None:
    stack = document["assignee"]
    fits = {"leftOperand": "dmi:gridSize", "operator": "eq", "rightOperand": 100}
    late = {"leftOperand": "dmi:seconds", "operator": "eq", "rightOperand": 60}
    duties = [{"action": "dmi:coarsen", "constraint": [fits]}, {"action": "dmi:delay", "constraint": [late]}]
    document["permission"][0] |= {"action": ["dmi:read", action], "duty": duties}
    with pytest.raises(PolicyRefused) as caught:
        read_agreement(document, rulebook, {stack})
    (finding,) = caught.value.findings
    assert finding.path == "/permission/0/duty/1"
    assert "a layer gets each row once" in finding.rule
    assert "een laag krijgt elke rij één keer" in finding.rule
    assert read_agreement(document, rulebook).permissions[0].duties, "another participant may be given this"
    document["permission"][0]["action"] = ["dmi:read", "dmi:display", "dmi:export"]
    assert Delay(60) in read_agreement(document, rulebook, {stack}).permissions[0].duties


def test_an_older_agreement_that_delays_a_layer_refuses_at_run_time(
    rulebook: Rulebook, table: LawTable, agreement: Callable[..., AgreementState]
) -> None:
    late = {"leftOperand": "dmi:seconds", "operator": "eq", "rightOperand": 60}
    delayed = agreement(actions=["dmi:process"], duties=[{"action": "dmi:delay", "constraint": [late]}])
    strict = LawTable(rulebook, layers={"urn:dmi:participant:stack"})
    for event in (*table.participants.values(), *table.datasets.values(), Heartbeat("h", NOW), delayed):
        strict.apply(event)
    decision = strict.decide(REQUEST, NOW)
    assert (decision.allowed, decision.reasons[0].code) == (False, "unknown_term")
