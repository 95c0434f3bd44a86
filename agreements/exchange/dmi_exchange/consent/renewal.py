"""The text of a consent once more: all its rules as they were, for as long as they held."""

from __future__ import annotations

import uuid
from typing import Any, Final

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock

RULES: Final = frozenset({"permission", "prohibition", "inheritFrom"})
SECOND: Final[Micros] = 1_000_000


def again(before: AgreementState, last: Micros, version: str) -> dict[str, Any] | None:
    """The document with a name of its own, under a version of the rulebook; ``None`` where its end cannot be moved.

    Each moment up to which a rule holds comes as much later as the consent does, and at the latest at ``last``.
    """
    now = clock.now()
    passed = now - (before.concluded_at or now)
    ends: list[Micros] = []

    def renewed(part: Any) -> Any:
        if isinstance(part, list):
            return [renewed(each) for each in part]
        if not isinstance(part, dict):
            return part
        if _named(part, "leftOperand") == "dateTime" and _named(part, "operator") in ("lt", "lteq"):
            return {**part, "rightOperand": later(part.get("rightOperand"))}
        return {name: renewed(value) for name, value in part.items()}

    def later(moment: Any) -> Any:
        if isinstance(moment, dict):
            return {**moment, "@value": later(moment.get("@value"))}
        ends.append(min(clock.from_text(str(moment)) + passed, last) // SECOND * SECOND)
        return clock.to_text(ends[-1])

    try:
        text = {name: renewed(value) if name in RULES else value for name, value in before.document.items()}
    except ValueError:
        return None
    if not ends or min(ends) <= now:
        return None
    return {**text, "uid": f"urn:uuid:{uuid.uuid4()}", "dmi:rulebook": version}


def _named(constraint: dict[str, Any], field: str) -> str:
    """A term of ODRL without its prefix, however it is spelled."""
    value = constraint.get(field)
    written = value.get("@id") if isinstance(value, dict) else value
    return str(written).replace("http://www.w3.org/ns/odrl/2/", "").removeprefix("odrl:")
