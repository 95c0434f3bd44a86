"""Reading constraints and logical constraints into the information model, as far as the gate can judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dmi_agreements.odrl.model import Connective, Constraint, Logical, Test
from dmi_agreements.policy.context import Place
from dmi_agreements.policy.jsonld import Reader
from dmi_agreements.policy.operands import OPERANDS, PLACES, Where, iri, no_fact
from dmi_agreements.rulebook import Rulebook

CONNECTIVES: Final[dict[str, Connective]] = {
    "and": "and",
    "or": "or",
    "xone": "xone",
    "andSequence": "andSequence",
}


@dataclass(frozen=True, slots=True)
class Context:
    """Where a test stands: in which kind of rule, and whether nothing but it decides about places there."""

    where: Where
    rulebook: Rulebook
    places: bool = False
    """Whether an area may stand here: as a condition of its own of a permission."""


def own_type(reader: Reader, fields: dict[str, Place], *expected: str) -> None:
    """A node may name its own type and identifier; the type must be the one of its place."""
    if "@type" in fields:
        reader.term(fields["@type"], expected, f"a type other than {' or '.join(expected)}")
    if "uid" in fields and "Agreement" not in expected:
        reader.name(fields["uid"])


def node_uid(reader: Reader, fields: dict[str, Place]) -> str | None:
    """The IRI of a node, where it has one; ``own_type`` has told what is wrong with it."""
    before = len(reader.findings)
    name = reader.name(fields["uid"]) if "uid" in fields else None
    del reader.findings[before:]
    return iri(name) if name is not None else None


def read_tests(reader: Reader, place: Place | None, context: Context) -> tuple[Test, ...]:
    """All constraints or refinements of a node; all of them must hold."""
    found = (read_test(reader, item, context) for item in reader.items(place))
    return tuple(test for test in found if test is not None)


def read_test(reader: Reader, place: Place, context: Context) -> Test | None:
    """One constraint or logical constraint; ``None`` with a finding when it is outside the language."""
    names = _names(reader, place)
    joined = [name for name in CONNECTIVES if name in names]
    if joined and "leftOperand" not in names:
        return _logical(reader, place, joined, context)
    return _constraint(reader, place, context)


def _names(reader: Reader, place: Place) -> set[str | None]:
    if not isinstance(place.value, Mapping):
        return set()
    return {reader.canonical(key) for key in place.value}


def _logical(reader: Reader, place: Place, joined: list[str], context: Context) -> Test | None:
    fields = reader.fields(place, (joined[0],), ("@type", "uid"))
    own_type(reader, fields, "LogicalConstraint", "Constraint")
    name = joined[0]
    inner = fields.get(name)
    if inner is None:
        return None
    items = reader.items(inner)
    if not items:
        reader.refuse(inner, "a connective joins at least one constraint")
    if name == "andSequence" and len(items) > 1 and not (reader.names.ordered or _listed(reader, inner)):
        reader.refuse(inner, "a sequence is a @list, since other values have no order")
    within = Context(context.where, context.rulebook)
    found = [read_test(reader, item, within) for item in items]
    operands = tuple(test for test in found if test is not None)
    if len(operands) != len(items) or not operands:
        return None
    return Logical(CONNECTIVES[name], operands, place.path, node_uid(reader, fields))


def _listed(reader: Reader, place: Place) -> bool:
    """Whether a value says by itself that it has an order."""
    value = place.value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return (
        isinstance(value, Mapping)
        and len(value) == 1
        and all(isinstance(key, str) and reader.canonical(key) == "@list" for key in value)
    )


def _constraint(reader: Reader, place: Place, context: Context) -> Constraint | None:
    fields = reader.fields(
        place,
        ("leftOperand", "operator", "rightOperand"),
        ("unit", "datatype", "status", "@type", "uid"),
    )
    own_type(reader, fields, "Constraint")
    left = _left(reader, fields.get("leftOperand"))
    if left is None or "rightOperand" not in fields:
        return None
    operand = OPERANDS[left]
    operator = reader.term(
        fields.get("operator"),
        operand.allowed(context.where),
        f"this operator for {left}{operand.instead and f'; {operand.instead}'}",
    )
    for key in ("unit", "datatype", "status"):
        if key in fields:
            reader.refuse(fields[key], f"{left} has no {key}")
    if left == PLACES and not context.places:
        reader.refuse(
            place, "an area stands by itself in a permission: the gate leaves out what lies outside"
        )
        return None
    if operator is None:
        return None
    right = operand.read(reader, fields["rightOperand"], operator, context.rulebook)
    if right is None:
        return None
    return Constraint(iri(left), iri(operator), right, place.path, node_uid(reader, fields))


def _left(reader: Reader, place: Place | None) -> str | None:
    name = reader.name(place)
    if place is None or name is None or name in OPERANDS:
        return name
    reader.refuse(Place(place.path, name), no_fact(name), OPERANDS)
    return None
