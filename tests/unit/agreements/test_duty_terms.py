"""Duties in an agreement: each of the rulebook reads into its value, anything else is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.decision import Aggregate, Coarsen, Delay, DeleteAfter, Duty, LeaveOut, Suppress
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.reading import duty, findings

INTEGER = {"@value": "60", "@type": "xsd:integer"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (duty("dmi:coarsen", ("dmi:gridSize", INTEGER), unit="m"), Coarsen(60)),
        (duty("dmi:leaveOut", ("dmi:property", ["subject"]), operator="isAnyOf"), LeaveOut(("subject",))),
        (duty("dmi:aggregate", ("dmi:window", 60), ("dmi:areaLevel", "neighbourhood")), Aggregate(60, "neighbourhood")),
        (duty("dmi:aggregate", ("dmi:window", 60), ("dmi:gridSize", 500)), Aggregate(60, None, 500)),
        (duty("dmi:suppress", ("dmi:minimumGroup", 5)), Suppress(5)),
        (duty("dmi:delay", ("dmi:seconds", 30), unit="s"), Delay(30)),
        (duty("dmi:deleteAfter", ("dmi:days", 28)), DeleteAfter(28)),
    ],
)  # fmt: skip
def test_each_duty_of_the_rulebook_reads_into_its_value(
    document: dict[str, Any], rulebook: Rulebook, given: dict[str, Any], expected: Duty
) -> None:
    document["permission"][0]["duty"] = given
    assert read_agreement(document, rulebook).permissions[0].duties == (expected,)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (duty("dmi:coarse", ("dmi:gridSize", 5)), "/action"),
        (duty("dmi:coarsen", ("dmi:gridSize", 0)), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", True)), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", 10**5000)), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", "100")), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", 100), operator="lteq"), "/constraint/0/operator"),
        (duty("dmi:coarsen", ("dmi:gridSize", 100), unit="km"), "/constraint/0/unit"),
        (duty("dmi:coarsen", ("dmi:gridSize", 100), ("dmi:gridSize", 5)), "/constraint/1"),
        (duty("dmi:coarsen", ("dmi:days", 5)), "/constraint/0/leftOperand"),
        (duty("dmi:coarsen"), ""),
        (
            duty("dmi:leaveOut", ("dmi:property", ["result"]), operator="isAnyOf"),
            "/constraint/0/rightOperand",
        ),
        (duty("dmi:leaveOut", ("dmi:property", []), operator="isAnyOf"), "/constraint/0/rightOperand"),
        (duty("dmi:aggregate", ("dmi:window", 60)), ""),
        (duty("dmi:aggregate", ("dmi:gridSize", 60)), ""),
        (duty("dmi:suppress", ("dmi:minimumGroup", 1)), "/constraint/0/rightOperand"),
    ],
)
def test_a_duty_outside_the_rulebook_is_refused_with_its_place(
    document: dict[str, Any], rulebook: Rulebook, given: dict[str, Any], path: str
) -> None:
    document["permission"][0]["duty"] = [given]
    assert f"/permission/0/duty/0{path}" in findings(document, rulebook)


def test_a_duty_stands_once_in_a_permission(document: dict[str, Any], rulebook: Rulebook) -> None:
    document["permission"][0]["duty"] *= 2
    assert "/permission/0/duty/1" in findings(document, rulebook)
