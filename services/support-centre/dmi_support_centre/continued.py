"""Consents that a person gave once more: what rests on one rests on the next, as long as that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dmi_agreements.table import LawTable

UNTIL: Final = ("lt", "lteq")


def last(law: LawTable, ground: str) -> str:
    """The agreement or consent that a ground goes on in: itself, or the last that said the same in its place.

    Of a consent that says something else, another limit or another version of the rulebook, nothing goes on.
    """
    state = law.agreement(ground)
    seen = {ground}
    while state is not None and state.replaced_by is not None and state.replaced_by not in seen:
        following = law.agreement(state.replaced_by)
        if following is None or _said(following.document) != _said(state.document):
            break
        state = following
        seen.add(state.id)
    return ground if state is None else state.id


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    """All that a consent says but its name and until when it permits."""
    said = {name: value for name, value in document.items() if name != "uid"}
    if isinstance(rules := said.get("permission"), list):
        said["permission"] = [_unending(rule) for rule in rules]
    return said


def _unending(rule: Any) -> Any:
    tests = rule.get("constraint") if isinstance(rule, dict) else None
    if not isinstance(tests, list):
        return rule
    return {**rule, "constraint": [{**one, "rightOperand": None} if _ends(one) else one for one in tests]}


def _ends(test: Any) -> bool:
    # In another spelling it is compared as it stands: then the two differ, and the result is made again.
    return isinstance(test, dict) and test.get("leftOperand") == "dateTime" and test.get("operator") in UNTIL
