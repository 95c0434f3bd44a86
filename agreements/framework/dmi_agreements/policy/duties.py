"""Reading duties: those that the gate carries out on the data, and those that people fulfil and the owner confirms."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from dmi_agreements.decision import Aggregate, Coarsen, CutEnds, Delay, DeleteAfter, Duty, LeaveOut, Suppress
from dmi_agreements.odrl.model import ODRL, XSD, Action, Constraint, Rule, RuleKind, Thing, Typed, Value
from dmi_agreements.odrl.vocabulary import CORE
from dmi_agreements.policy.constraints import Context, node_uid, own_type, read_tests
from dmi_agreements.policy.context import Place
from dmi_agreements.policy.jsonld import Reader
from dmi_agreements.policy.operands import identifier, iri
from dmi_agreements.prices import Price
from dmi_agreements.rulebook import DutyParameter, Rulebook

FUNCTIONS: Final = (
    "attributedParty", "attributingParty", "compensatedParty", "compensatingParty", "consentedParty",
    "consentingParty", "contractedParty", "contractingParty", "informedParty", "informingParty", "trackedParty",
    "trackingParty",
)  # fmt: skip
"""The other parties that a duty may name, by the property that names them."""
PAY: Final = "dmi:pay"
_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_ANYBODY: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]{1,500}")
_Values = dict[str, list[int] | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class DutyTerms:
    """A duty; ``carried`` is what the gate itself does for it, ``None`` for one that somebody else fulfils.

    ``price`` is what the exchange bills for it: nothing that the gate would have to wait for or do to the rows.
    """

    rule: Rule
    carried: Duty | None = None
    price: Price | None = None


def read_duty(
    reader: Reader, place: Place, rulebook: Rulebook, kind: RuleKind, own: Collection[str] = ()
) -> DutyTerms | None:
    """One duty, obligation, consequence or remedy; ``own`` are the actions that it gives to a layer itself."""
    further = ("consequence",) if kind in ("duty", "obligation") else ()
    optional = ("constraint", "@type", "uid", "assignee", "assigner", *FUNCTIONS, *further)
    fields = reader.fields(place, ("action",), optional)
    own_type(reader, fields, "Duty", "Rule")
    action, refinement = _action(reader, fields.get("action"), rulebook, kind)
    if action is None:
        return None
    if action in rulebook.duties:
        others = [fields[name] for name in (*FUNCTIONS, *further, "assignee", "assigner") if name in fields]
        for member in others:
            reader.refuse(member, f"{action} is carried out by the gate itself: nobody else owes it")
        given = reader.items(fields.get("constraint")), reader.items(refinement)
        _check_layer(reader, place, rulebook, action, own)
        return _carried(reader, place, action, given, rulebook, kind, node_uid(reader, fields))
    if refinement is not None:
        reader.refuse(refinement, "nothing tells the gate how a duty was done, only that it was")
    parties = {role: _party(reader, fields.get(role)) for role in ("assigner", "assignee")}
    rule = Rule(
        kind,
        place.path,
        (Action(iri(action)),),
        node_uid(reader, fields),
        assigners=parties["assigner"],
        assignees=parties["assignee"],
        functions=tuple(
            (iri(name), thing) for name in sorted(FUNCTIONS) for thing in _party(reader, fields.get(name))
        ),
        constraints=read_tests(reader, fields.get("constraint"), Context("duty", rulebook)),
        consequences=_consequences(reader, fields.get("consequence"), rulebook),
    )
    return DutyTerms(rule)


def _consequences(reader: Reader, place: Place | None, rulebook: Rulebook) -> tuple[Rule, ...]:
    found = (read_duty(reader, item, rulebook, "consequence") for item in reader.items(place))
    return tuple(duty.rule for duty in found if duty is not None)


def _party(reader: Reader, place: Place | None) -> tuple[Thing, ...]:
    found = (identifier(reader, item, _ANYBODY, "the IRI of a party") for item in reader.items(place))
    return tuple(Thing(party) for party in found if party is not None)


def _action(
    reader: Reader, place: Place | None, rulebook: Rulebook, kind: RuleKind
) -> tuple[str | None, Place | None]:
    """The action of a duty, and what narrows it."""
    only = reader.one(place)
    if only is None:
        return None, None
    refinement = None
    named = only
    if isinstance(only.value, dict) and "rdf:value" in {reader.canonical(key) for key in only.value}:
        fields = reader.fields(only, ("rdf:value",), ("refinement", "@type", "uid"))
        own_type(reader, fields, "Action")
        refinement, named = fields.get("refinement"), fields.get("rdf:value", only)
    # What the gate does itself is neither owed as a consequence or remedy nor ever late.
    own = () if kind in ("consequence", "remedy") else tuple(rulebook.duties)
    return reader.term(named, {*own, *_OWED}, "this duty"), refinement


def _check_layer(reader: Reader, place: Place, rulebook: Rulebook, action: str, own: Collection[str]) -> None:
    bar = rulebook.duties[action].not_in_layers
    if bar is not None and not set(bar.actions).isdisjoint(own):
        reader.refuse(place, f"{bar.reason['en']} / {bar.reason['nl']}")


def _carried(
    reader: Reader,
    place: Place,
    action: str,
    given: tuple[list[Place], list[Place]],
    rulebook: Rulebook,
    kind: RuleKind,
    uid: str | None,
) -> DutyTerms | None:
    """A duty of the rulebook with its parameters, within the limits of the rulebook."""
    before = len(reader.findings)
    term = rulebook.duties[action]
    parameters = {parameter.id: parameter for parameter in term.parameters}
    values: _Values = {}
    tests: tuple[list[Constraint], list[Constraint]] = [], []
    for items, kept in zip(given, tests, strict=True):
        for item in items:
            found = _parameter(reader, item, parameters)
            if found is not None and found[0] in values:
                reader.refuse(item, f"{found[0]} stands here twice")
            elif found is not None:
                values[found[0]] = found[1]
                kept.append(found[2])
    for parameter in term.parameters:
        if parameter.required and parameter.id not in values:
            reader.refuse(place, f"{action} needs {parameter.id}")
    if term.one_of and len(values.keys() & set(term.one_of)) != 1:
        reader.refuse(place, f"{action} needs exactly one of {', '.join(term.one_of)}")
    if len(reader.findings) > before:
        return None
    constraints, refinements = map(tuple, tests)
    rule = Rule(kind, place.path, (Action(iri(action), refinements),), uid, constraints=constraints)
    if action == PAY:
        unit = str(values["dmi:chargedUnit"][0])
        return DutyTerms(rule, price=Price(_number(values, "dmi:cents"), _number(values, "dmi:per"), unit))
    return DutyTerms(rule, _BUILD[action](values))


def _parameter(
    reader: Reader, place: Place, parameters: dict[str, DutyParameter]
) -> tuple[str, list[int] | tuple[str, ...], Constraint] | None:
    fields = reader.fields(place, ("leftOperand", "operator", "rightOperand"), ("unit", "@type", "uid"))
    own_type(reader, fields, "Constraint")
    left = reader.term(fields.get("leftOperand"), parameters, "this parameter of the duty")
    if left is None or "rightOperand" not in fields:
        return None
    parameter = parameters[left]
    reader.term(fields.get("operator"), (parameter.operator,), f"this operator for {left}")
    unit = reader.literal(fields["unit"])[0] if "unit" in fields else parameter.unit
    if unit != parameter.unit:
        reader.refuse(fields["unit"], f"the unit of {left} is {parameter.unit or 'absent'}")
    right = fields["rightOperand"]
    found = (
        _integer(reader, right, parameter)
        if parameter.type == "integer"
        else _choice(reader, right, parameter)
    )
    if found is None:
        return None
    datatype = "integer" if parameter.type == "integer" else "string"
    shown: tuple[Value, ...] = tuple(Typed(str(value), XSD + datatype) for value in found)
    stated = parameter.unit if "unit" in fields else None
    return left, found, Constraint(iri(left), ODRL + parameter.operator, shown, place.path, unit=stated)


def _choice(reader: Reader, right: Place, parameter: DutyParameter) -> tuple[str, ...] | None:
    values = [reader.literal(item) for item in reader.items(right)]
    texts = tuple(value for value, kind in values if isinstance(value, str) and kind in (None, "xsd:string"))
    wrong = [text for text in texts if text not in parameter.values]
    if not texts or len(texts) != len(values) or wrong or (parameter.type == "choice" and len(texts) != 1):
        shown = Place(right.path, wrong[0] if wrong else right.value)
        reader.refuse(shown, f"{parameter.id} is out of: {', '.join(parameter.values)}", parameter.values)
        return None
    return texts


def _integer(reader: Reader, place: Place, parameter: DutyParameter) -> list[int] | None:
    value, datatype = reader.literal(place)
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool) and datatype in (None, "xsd:integer"):
        number = value
    elif isinstance(value, str) and datatype == "xsd:integer" and _DIGITS.fullmatch(value):
        number = int(value)
    low, high = parameter.minimum or 0, parameter.maximum or 0
    if number is None or not low <= number <= high:
        unit = f" {parameter.unit}" if parameter.unit else ""
        reader.refuse(Place(place.path, value), f"a whole number from {low} to {high}{unit}")
        return None
    return [number]


def _number(values: _Values, name: str) -> int:
    return int(values[name][0])


def _aggregate(values: _Values) -> Duty:
    if "dmi:areaLevel" in values:
        return Aggregate(_number(values, "dmi:window"), area_level=str(values["dmi:areaLevel"][0]))
    return Aggregate(_number(values, "dmi:window"), grid_m=_number(values, "dmi:gridSize"))


_BUILD: Final[dict[str, Callable[[_Values], Duty]]] = {
    "dmi:leaveOut": lambda values: LeaveOut(tuple(str(name) for name in values["dmi:property"])),
    "dmi:coarsen": lambda values: Coarsen(_number(values, "dmi:gridSize")),
    "dmi:aggregate": _aggregate,
    "dmi:suppress": lambda values: Suppress(_number(values, "dmi:minimumGroup")),
    "dmi:cutEnds": lambda values: CutEnds(_number(values, "dmi:distance")),
    "dmi:delay": lambda values: Delay(_number(values, "dmi:seconds")),
    "dmi:deleteAfter": lambda values: DeleteAfter(_number(values, "dmi:days")),
}
_OWED: Final = frozenset(action.removeprefix(ODRL) for action in CORE.actions if action.startswith(ODRL))
"""What people can owe: any action of ODRL."""
