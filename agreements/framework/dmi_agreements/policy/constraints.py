"""Reading constraints and duties: which left operands, operators, values and units the language has."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from dmi_agreements.decision import Aggregate, Coarsen, Delay, DeleteAfter, Duty, LeaveOut, Suppress
from dmi_agreements.policy.jsonld import Place, Reader
from dmi_agreements.policy.terms import BBox, PurposeTest, TimeTest
from dmi_agreements.rulebook import DutyParameter, Rulebook

OPERATORS: Final = {
    "purpose": ("isA", "eq", "isAnyOf"),
    "dateTime": ("lt", "lteq", "gt", "gteq"),
    "recipient": ("eq", "isAnyOf"),
    "spatial": ("isPartOf",),
}
"""The left operands of a rule's constraints and the operators each takes."""

RECIPIENT: Final = re.compile(r"urn:dmi:(?:participant|person):[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Test = PurposeTest | TimeTest | frozenset[str] | BBox
"""One constraint of a rule: on purpose, time, recipients, or area."""


def read_constraint(reader: Reader, place: Place, rulebook: Rulebook) -> Test | None:
    """One constraint of a rule; ``None`` with a finding when it is outside the language."""
    fields = reader.fields(
        place, ("leftOperand", "operator", "rightOperand"), ("unit", "dataType", "@type", "uid")
    )
    own_type(reader, fields, "Constraint")
    left = reader.term(fields.get("leftOperand"), OPERATORS, "this left operand")
    if left is None or "rightOperand" not in fields:
        return None
    operator = reader.term(fields.get("operator"), OPERATORS[left], f"this operator for {left}")
    for key in ("unit", "dataType"):
        if key in fields:
            reader.refuse(fields[key], f"{left} has no {key}")
    if operator is None:
        return None
    right = fields["rightOperand"]
    if left == "purpose":
        return _purpose(reader, operator, right, rulebook)
    if left == "dateTime":
        moment = read_moment(reader, right)
        return None if moment is None else TimeTest(operator, moment)
    if left == "recipient":
        return _recipients(reader, operator, right)
    return _area(reader, right)


def _purpose(reader: Reader, operator: str, right: Place, rulebook: Rulebook) -> PurposeTest | None:
    if operator == "isAnyOf":
        purposes = reader.terms(right, rulebook.requestable, "this purpose")
        return PurposeTest(operator, purposes) if purposes else None
    known = rulebook.purposes if operator == "isA" else rulebook.requestable
    purpose = reader.term(right, known, "this purpose")
    return None if purpose is None else PurposeTest(operator, (purpose,))


def _recipients(reader: Reader, operator: str, right: Place) -> frozenset[str] | None:
    places = reader.items(right)
    if not places or (operator == "eq" and len(places) != 1):
        reader.refuse(right, "one recipient with eq, at least one with isAnyOf")
    found = [identifier(reader, place, RECIPIENT, "a participant or person") for place in places]
    return frozenset(recipient for recipient in found if recipient is not None) or None


def identifier(reader: Reader, place: Place | None, pattern: re.Pattern[str], what: str) -> str | None:
    """An identifier of a known form, as URN."""
    name = reader.name(place)
    if place is None or name is None:
        return None
    urn = f"urn:{name}" if name.startswith("dmi:") else name
    if pattern.fullmatch(urn):
        return urn
    reader.refuse(Place(place.path, name), f"{what} stands here")
    return None


def own_type(reader: Reader, fields: dict[str, Place], expected: str) -> None:
    """A node may name its own type and identifier; the type must be the one of its place."""
    if "@type" in fields:
        reader.term(fields["@type"], (expected,), f"a type other than {expected}")
    if "uid" in fields and expected != "Agreement":
        reader.name(fields["uid"])


def read_moment(reader: Reader, place: Place) -> int | None:
    """An xsd:dateTime with time zone as microseconds UTC."""
    value, datatype = reader.literal(place)
    if datatype not in (None, "xsd:dateTime"):
        reader.refuse(place, "a moment has the type xsd:dateTime")
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return (datetime.fromisoformat(value) - _EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            pass  # month 13, hour 25, offset +99:00: refused below like any other wrong form
    reader.refuse(Place(place.path, value), "a moment is written 2027-01-01T00:00:00Z, with its time zone")
    return None


def _area(reader: Reader, right: Place) -> BBox | None:
    only = reader.one(right)
    if only is None:
        return None
    box = reader.fields(only, ("dmi:bbox",), ()).get("dmi:bbox")
    if box is None:
        return None
    numbers = [reader.literal(place)[0] for place in reader.items(box)]
    edges = [
        float(number)
        for number in numbers
        if isinstance(number, (int, float)) and not isinstance(number, bool) and -180 <= number <= 180
    ]
    if len(numbers) == len(edges) == 4:
        west, south, east, north = edges
        if west < east and -90 <= south < north <= 90:
            return (west, south, east, north)
    reader.refuse(box, "a bbox is [west, south, east, north] in WGS84 degrees")
    return None


def read_duty(reader: Reader, place: Place, rulebook: Rulebook) -> tuple[str, Duty] | None:
    """One duty with its term and its parameters, within the limits of the rulebook."""
    fields = reader.fields(place, ("action", "constraint"), ("@type", "uid"))
    own_type(reader, fields, "Duty")
    action = reader.term(fields.get("action"), rulebook.duties, "this duty")
    if action is None:
        return None
    before = len(reader.findings)
    term = rulebook.duties[action]
    parameters = {parameter.id: parameter for parameter in term.parameters}
    values: dict[str, list[int] | tuple[str, ...]] = {}
    for item in reader.items(fields.get("constraint")):
        found = _parameter(reader, item, parameters)
        if found is not None and found[0] in values:
            reader.refuse(item, f"{found[0]} stands here twice")
        elif found is not None:
            values[found[0]] = found[1]
    for parameter in term.parameters:
        if parameter.required and parameter.id not in values:
            reader.refuse(place, f"{action} needs {parameter.id}")
    if term.one_of and len(values.keys() & set(term.one_of)) != 1:
        reader.refuse(place, f"{action} needs exactly one of {', '.join(term.one_of)}")
    return None if len(reader.findings) > before else (action, _BUILD[action](values))


def _parameter(
    reader: Reader, place: Place, parameters: dict[str, DutyParameter]
) -> tuple[str, list[int] | tuple[str, ...]] | None:
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
    if parameter.type == "integer":
        number = _integer(reader, right, parameter)
        return None if number is None else (left, [number])
    values = [reader.literal(item) for item in reader.items(right)]
    texts = tuple(value for value, kind in values if isinstance(value, str) and kind in (None, "xsd:string"))
    wrong = [text for text in texts if text not in parameter.values]
    if not texts or len(texts) != len(values) or wrong or (parameter.type == "choice" and len(texts) != 1):
        shown = Place(right.path, wrong[0] if wrong else right.value)
        reader.refuse(shown, f"{left} is out of: {', '.join(parameter.values)}", parameter.values)
        return None
    return left, texts


def _integer(reader: Reader, place: Place, parameter: DutyParameter) -> int | None:
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
    return number


_Values = dict[str, list[int] | tuple[str, ...]]


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
    "dmi:delay": lambda values: Delay(_number(values, "dmi:seconds")),
    "dmi:deleteAfter": lambda values: DeleteAfter(_number(values, "dmi:days")),
}
