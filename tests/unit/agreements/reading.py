"""What the tests of reading agreements share: what is found wrong, what a document decides, how duties are written."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.decide import decide
from dmi_agreements.decision import Duty, Request
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook

NOW = 1_790_000_000_000_000  # September 2026, before the document's end


def findings(document: object, rulebook: Rulebook) -> dict[str, Finding]:
    """What is wrong with a document that must be refused, by its place."""
    with pytest.raises(PolicyRefused) as caught:
        read_agreement(document, rulebook)
    return {finding.path: finding for finding in caught.value.findings}


def answers(document: object, rulebook: Rulebook) -> list[tuple[bool, str, tuple[Duty, ...]]]:
    """What a document decides on every action, several purposes and two moments."""
    agreement = compile_agreement(read_agreement(document, rulebook), rulebook)
    found = []
    for action in sorted(rulebook.actions):
        for purpose in ("dmi:purpose:mobility", "dmi:purpose:crowd-safety", "dmi:purpose:marketing"):
            for now in (NOW, 4 * NOW):
                request = Request(
                    "urn:dmi:participant:stack", action, "urn:dmi:dataset:gemeente:garages", purpose
                )
                decision = decide(agreement, request, now)
                found.append((decision.allowed, decision.reasons[0].code, decision.duties))
    return found


def duty(
    action: str, *parameters: tuple[str, object], operator: str = "eq", **more: object
) -> dict[str, Any]:
    return {
        "action": action,
        "constraint": [
            {"leftOperand": name, "operator": operator, "rightOperand": value, **more}
            for name, value in parameters
        ],
    }
