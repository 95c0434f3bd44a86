"""Verdicts as plain data for a machine, and in a line for a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dmi_agreements.odrl.model import Typed, Value
from dmi_exchange.review.conflicts.results import (
    Act,
    Compatible,
    Conflict,
    Containment,
    Finding,
    FindingKind,
    Inside,
    Outside,
    Term,
    Undecidable,
    Verdict,
    Witness,
)

_MEANINGS: Final[dict[FindingKind, str]] = {
    "impossible": "no request can meet the terms of this permission",
    "swallowed": "prohibitions of the same policy forbid all that this permission allows",
    "overlap": "a prohibition forbids some of what this permission allows, which makes the policy invalid "
    "unless it states a conflict strategy",
    "unusable": "no request can use this policy",
    "unfulfillable": "nobody can fulfil this duty",
    "not decidable": "whether this rule can be used is not decidable",
}


def verdict(found: Verdict | Containment) -> dict[str, Any]:
    """The verdict by name, with its clash, its witness, or the terms that cannot be decided."""
    match found:
        case Conflict(clash):
            return {"verdict": "Conflict", "clash": _terms(clash)}
        case Compatible(witness):
            return {"verdict": "Compatible", "witness": _witness(witness)}
        case Undecidable(terms, reasons):
            named = [{**term, "reason": why} for term, why in zip(_terms(terms), reasons, strict=True)]
            return {"verdict": "Undecidable", "terms": named, "message": undecided(found)}
        case Inside():
            return {"verdict": "Within"}
        case Outside(witness):
            return {"verdict": "Beyond", "witness": _witness(witness)}


def findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """What is wrong within policies: kind, rule, what that means, and what shows it."""
    return [
        {
            "kind": each.kind,
            "policy": each.policy,
            "path": each.path,
            "message": _MEANINGS[each.kind],
            **{key: value for key, value in verdict(each.verdict).items() if key != "verdict"},
        }
        for each in found
    ]


def undecided(found: Undecidable) -> str:
    """Which term is in the way, as a sentence."""
    if not found.terms:
        return "not decidable: the solver found no answer in time"
    named = (
        f"term {term.path} ({term.text}): {why}" for term, why in zip(found.terms, found.reasons, strict=True)
    )
    return "not decidable: " + "; ".join(named)


def _terms(terms: Iterable[Term]) -> list[dict[str, str]]:
    return [{"policy": term.policy, "path": term.path, "term": term.text} for term in terms]


def _witness(witness: Witness) -> dict[str, Any]:
    plain = {"request": _act(witness.request)}
    if witness.further:
        plain["further"] = {name: _act(act) for name, act in witness.further.items()}
    return plain


def _act(act: Act) -> dict[str, Any]:
    roles = {"action": act.action, "target": act.target, "assignee": act.assignee}
    return {
        **{role: iri for role, iri in roles.items() if iri is not None},
        "values": {
            left: {
                "values": [_value(value) for value in values],
                **({"unit": act.units[left]} if left in act.units else {}),
            }
            for left, values in act.values.items()
        },
    }


def _value(value: Value) -> str | dict[str, str]:
    if isinstance(value, Typed):
        tagged = {"@language": value.language} if value.language else {"@type": value.datatype}
        return {"@value": value.text, **tagged}
    return {"@id": value}
