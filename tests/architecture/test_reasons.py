"""Reasons: every code that anything gives is in the list that who reads refusals and the log can count on."""

from __future__ import annotations

import ast
from pathlib import Path

from dmi_agreements.decision import REASON_CODES

ROOT = Path(__file__).parents[2]


def _codes(path: Path) -> set[str]:
    """The codes that a module writes out where it makes a reason."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    made = (
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Reason" and call.args
    )
    return {str(call.args[0].value) for call in made if isinstance(call.args[0], ast.Constant)}


def test_every_reason_that_is_given_is_in_the_list() -> None:
    modules = [
        path for part in ("agreements", "infra", "services") for path in ROOT.glob(f"{part}/*/dmi_*/**/*.py")
    ]
    found = set[str]().union(*map(_codes, modules))
    assert len(found) > 20
    assert found <= set(REASON_CODES)
    assert len(set(REASON_CODES)) == len(REASON_CODES)
