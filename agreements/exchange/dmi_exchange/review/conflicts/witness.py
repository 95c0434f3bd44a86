"""A solution told as a request and the acts that fulfil the duties, in values that an evaluation can be given."""

from __future__ import annotations

from fractions import Fraction

from dmi_agreements.odrl.model import Typed, Value
from dmi_exchange.review.conflicts import operands, values
from dmi_exchange.review.conflicts.formula import Variable
from dmi_exchange.review.conflicts.order import Point
from dmi_exchange.review.conflicts.results import Act, Witness
from dmi_exchange.review.conflicts.rules import ACTION, ASSIGNEE, REQUEST, TARGET, Rules
from dmi_exchange.review.conflicts.solver import Values
from dmi_exchange.review.conflicts.values import Name

ANOTHER = "urn:dmi:another"
"""Begins the names given to what nobody named; what it falls under, if anything, follows."""


def witness(found: Values, rules: Rules) -> Witness:
    """The request, and what goes with it."""
    scenes: dict[str, dict[str, tuple[Value, ...]]] = {}
    units: dict[str, dict[str, str]] = {}
    for variable, points in found.points.items():
        scenes.setdefault(variable.scene, {})[variable.of] = tuple(map(_point, points))
    for variable, number in found.numbers.items():
        scenes.setdefault(variable.scene, {})[variable.of] = (_number(variable, number, rules),)
        if variable.unit and _is_quantity(variable, rules):
            units.setdefault(variable.scene, {})[variable.of] = variable.unit
    acts = {name: _act(of, units.get(name, {})) for name, of in scenes.items()}
    request = acts.pop(REQUEST.name, _act({}, {}))
    return Witness(request, dict(sorted(acts.items())))


def _act(of: dict[str, tuple[Value, ...]], units: dict[str, str]) -> Act:
    roles = {role: str(of[role][0]) if role in of else None for role in (ACTION, TARGET, ASSIGNEE)}
    rest = {key: of[key] for key in sorted(of) if key not in roles}
    return Act(roles[ACTION], roles[TARGET], roles[ASSIGNEE], rest, units)


def _point(point: Point) -> Value:
    if isinstance(point, Name):
        return point.spelt
    if point.under is None:
        return ANOTHER
    if point.under.kind == "tag":
        return _longer(point.under.spelt)
    return f"{ANOTHER}:{point.under.text}"


def _longer(tag: Value) -> Value:
    """A private tag below ``tag`` (RFC 5646, 2.2.7)."""
    if isinstance(tag, str):
        return f"{tag}-x-another"
    return Typed(f"{tag.text}-x-another", tag.datatype, tag.language)


def _is_quantity(variable: Variable, rules: Rules) -> bool:
    left = rules.terms.vocabulary.lefts.get(variable.of)
    return left is not None and operands.kind(left) == "quantity"


def _number(variable: Variable, number: Fraction, rules: Rules) -> Value:
    left = rules.terms.vocabulary.lefts.get(variable.of)
    kind = operands.kind(left) if left is not None else "quantity"
    if kind == "moment":
        return values.as_moment(number, rules.terms.local)
    if kind == "duration":
        return values.as_duration(number, variable.unit)
    return values.as_number(number)
