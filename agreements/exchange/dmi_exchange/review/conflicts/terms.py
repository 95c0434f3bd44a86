"""Constraints as formulas over the values of a request (sections 2.5.1 and 2.5.2 of the information model)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from dmi_agreements.odrl.model import ODRL, XSD, Constraint, Logical, Test, Value
from dmi_agreements.odrl.values import Lasting
from dmi_agreements.odrl.vocabulary import Left, Vocabulary, unit_of
from dmi_exchange.review.conflicts import operands, values
from dmi_exchange.review.conflicts.formula import (
    All,
    Any,
    Claim,
    Formula,
    Link,
    Naming,
    Number,
    Opaque,
    Recurring,
    Relation,
    Steps,
    Variable,
    exactly_one,
)
from dmi_exchange.review.conflicts.naming import OPERATORS
from dmi_exchange.review.conflicts.order import Order
from dmi_exchange.review.conflicts.results import Term
from dmi_exchange.review.conflicts.values import MONTHS, SECONDS, Span

_RELATIONS: Final[dict[str, Relation]] = {
    "lt": "lt", "lteq": "le", "gt": "gt", "gteq": "ge", "eq": "eq", "neq": "ne",
}  # fmt: skip
_SETS: Final = ("isAnyOf", "isNoneOf", "isAllOf")


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose values are meant: of the request, of an act that fulfils a duty, of its asset or party.

    ``step`` is the step of an ``andSequence``, whose values that move with time are its own.
    """

    name: str
    step: str = ""

    def variable(self, of: str, unit: str = "", whole: bool = False) -> Variable:
        return Variable(self.name + (self.step if of in operands.MOVING else ""), of, unit, whole)

    def of(self, whom: str) -> Scene:
        """The values that describe an asset or party of this scene."""
        return Scene(f"{self.name} {whom}")


@dataclass
class Terms:
    """Reads tests in the light of all that ``tests`` say: whether months or zones occur beside other values."""

    vocabulary: Vocabulary
    order: Order
    months: bool = field(init=False)
    mixed: bool = field(init=False)
    local: bool = field(init=False)
    """Whether all moments are without zone, so that a witness names none either."""
    tests: tuple[Test, ...] = ()

    def __post_init__(self) -> None:
        all_values = [
            values.read(value, each.datatype) for each in constraints(self.tests) for value in each.right
        ]
        lengths = [each for each in map(values.lasting, all_values) if each is not None]
        self.months = bool(lengths) and all(each.micros == 0 for each in lengths)
        zones = {zone for zone in map(values.zoned, all_values) if zone is not None}
        self.mixed = len(zones) > 1
        self.local = zones == {False}

    def test(self, test: Test, policy: str, scene: Scene) -> Formula:
        """That ``test`` is satisfied by the values of ``scene``."""
        if isinstance(test, Constraint):
            return self.constraint(test, policy, scene)
        if not test.operands:
            return Claim(Opaque(Term(policy, test.path, test.connective), "it joins no constraints"))
        if test.connective == "andSequence":
            return self._sequence(test, policy, scene)
        parts = tuple(self.test(operand, policy, scene) for operand in test.operands)
        match test.connective:
            case "or":
                return Any(parts)
            case "xone":
                return exactly_one(parts)
            case _:
                return All(parts)

    def constraint(self, test: Constraint, policy: str, scene: Scene) -> Formula:
        """One comparison; what is not understood becomes a term of which nothing is known."""
        term = Term(policy, test.path, spoken(test))
        left = self.vocabulary.lefts.get(test.left)
        operator = test.operator.removeprefix(ODRL) if test.operator.startswith(ODRL) else ""
        if test.reference or test.status is not None:
            return Claim(Opaque(term, "its value stands elsewhere"))
        if left is None:
            near = self.vocabulary.nearest(test.left, "left")
            return Claim(
                Opaque(term, f"the left operand is not known{f'; the nearest is {near}' if near else ''}")
            )
        if operator not in _RELATIONS and operator not in OPERATORS:
            return Claim(Opaque(term, "the operator is not known"))
        if not test.right or (len(test.right) > 1 and operator not in _SETS):
            return Claim(Opaque(term, f"{operator} does not compare with {len(test.right)} values"))
        rights = tuple(values.read(value, test.datatype) for value in test.right)
        kind = operands.kind(left)
        if kind == "name":
            return self._name(term, left, operator, rights, scene)
        if left.iri == operands.INTERVAL and operator == "eq":
            # A use that recurs; with an order it is the time since the last use, as the gate counts it.
            return self._recurrence(term, test, scene)
        if left.iri == operands.INTERVAL and scene.step:
            return Claim(Opaque(term, "how long ago the last use was is not decided for steps over time"))
        if kind is not None and (operator in _RELATIONS or operator in _SETS):
            return self._line(term, left, operator, rights, scene, test.unit)
        return Claim(Opaque(term, f"{operator} has no meaning for this left operand"))

    def _name(
        self, term: Term, left: Left, operator: str, rights: tuple[Value, ...], scene: Scene
    ) -> Formula:
        if operator not in OPERATORS:
            return Claim(Opaque(term, f"names have no order that {operator} could compare"))
        of = left.same_as or left.iri
        names = tuple(values.name(value, of == operands.LANGUAGE) for value in rights)
        return Claim(Naming(term, scene.variable(of), operator, names, self.order))

    def _line(
        self,
        term: Term,
        left: Left,
        operator: str,
        rights: tuple[Value, ...],
        scene: Scene,
        unit: str | None,
    ) -> Formula:
        atoms = []
        for value in rights:
            placed = self._placed(left, value, unit)
            if placed is None:
                return Claim(Opaque(term, f"{_short(value)} is no value of this left operand"))
            span, in_unit = placed
            variable = scene.variable(left.same_as or left.iri, in_unit, left.type == "integer")
            relation: Relation = "ne" if operator == "isNoneOf" else _RELATIONS.get(operator, "eq")
            atoms.append(Claim(Number(term, variable, relation, span)))
        return Any(tuple(atoms)) if operator == "isAnyOf" else All(tuple(atoms))

    def _placed(self, left: Left, value: Value, unit: str | None) -> tuple[Span, str] | None:
        """Where ``value`` lies on the line of this left operand, and in which unit."""
        if operands.kind(left) == "moment":
            span = values.moment(value, self.mixed)
            return None if span is None else (span, SECONDS)
        duration = values.lasting(value)
        if duration is not None:
            return self._duration(duration)
        found = values.number(value)
        fixed = left.unit if left.unit != "currency" else None
        if found is None or (operands.kind(left) == "duration" and unit is None):
            return None
        base, factor = values.in_base_unit(unit_of(unit) if unit else fixed or "")
        if operands.kind(left) == "duration" and base != SECONDS:
            return None
        return Span(found * factor, found * factor), base

    def _duration(self, duration: Lasting) -> tuple[Span, str]:
        if self.months:
            return Span(Fraction(duration.months), Fraction(duration.months)), MONTHS
        return values.seconds(duration), SECONDS

    def _recurrence(self, term: Term, test: Constraint, scene: Scene) -> Formula:
        period = values.lasting(values.read(test.right[0], test.datatype))
        if period is None or period.months or period.micros <= 0:
            return Claim(Opaque(term, "a timeInterval is decided in days, hours, minutes or seconds only"))
        anchor = None if test.anchor is None else values.moment(test.anchor, self.mixed)
        if test.anchor is not None and (anchor is None or not anchor.known):
            return Claim(Opaque(term, "the anchor is no moment that can be placed"))
        length = Fraction(period.micros, 1_000_000)
        variable = scene.variable(operands.DATE_TIME, SECONDS)
        return Claim(Recurring(term, variable, length, anchor.low if anchor else None))

    def _sequence(self, test: Logical, policy: str, scene: Scene) -> Formula:
        """Each operand holds at a moment of its own, one after the other; each delay comes before its moment."""
        moved = {each.left for each in constraints(test.operands)} & operands.MOVING
        if not moved or (len(test.operands) == 1 and operands.DELAY not in moved):
            return All(tuple(self.test(operand, policy, scene) for operand in test.operands))
        steps = [replace(scene, step=f"{scene.step}#{test.path}/{at}") for at in range(len(test.operands))]
        parts = tuple(
            self.test(operand, policy, step) for operand, step in zip(test.operands, steps, strict=True)
        )
        unit = MONTHS if self.months else SECONDS
        fails = Opaque(Term(policy, test.path, "andSequence"), "whether steps over time fail is not decided")
        return Steps(All((*parts, *_clockwork(steps, scene, unit))), Claim(fails, False))


def _clockwork(steps: list[Scene], scene: Scene, unit: str) -> Iterator[Link]:
    """How the values of the steps follow one another and end in those of the whole."""
    elapsed, metered, delays, times = (
        [step.variable(of, unit) for step in steps]
        for of in (operands.ELAPSED, operands.METERED, operands.DELAY, operands.DATE_TIME)
    )
    counts = [step.variable(operands.COUNT, "1", whole=True) for step in steps]
    for at in range(len(steps)):
        before = [] if at == 0 else [(-1, elapsed[at - 1])]
        yield Link(((1, elapsed[at]), *before, (-1, delays[at])))
        used = [] if at == 0 else [(1, metered[at - 1])]
        yield Link(((1, elapsed[at]), *before, (-1, metered[at]), *used))
        if at:
            yield Link(((1, metered[at]), (-1, metered[at - 1])))
            yield Link(((1, counts[at]), (-1, counts[at - 1])))
            clock = ((1, times[at]), (-1, times[at - 1]))
            if unit == SECONDS:
                yield Link((*clock, (-1, elapsed[at]), (1, elapsed[at - 1])), equal=True)
            else:
                yield Link(clock)
    for chain in (elapsed, metered, times, counts):
        yield Link(((1, chain[-1]), (-1, replace(chain[-1], scene=scene.name + scene.step))), equal=True)
    yield Link(((1, delays[0]), (-1, replace(delays[0], scene=scene.name + scene.step))), equal=True)


def constraints(tests: Iterable[Test]) -> Iterator[Constraint]:
    """All comparisons in ``tests``, at any depth."""
    for test in tests:
        if isinstance(test, Constraint):
            yield test
        else:
            yield from constraints(test.operands)


def spoken(test: Constraint) -> str:
    """A comparison in short, for a person: names by their last part."""
    rights = ", ".join(map(_short, test.right))
    unit = f" {_short(test.unit)}" if test.unit else ""
    return f"{_short(test.left)} {_short(test.operator)} {rights}{unit}"


def _short(value: Value) -> str:
    if not isinstance(value, str):
        return value.text
    return value.removeprefix(ODRL).removeprefix(XSD)
