"""Formulas over terms of policies, without negation signs but at the terms; no solver is known here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from dmi_exchange.review.conflicts.order import Order
from dmi_exchange.review.conflicts.results import Term
from dmi_exchange.review.conflicts.values import Name, Span

Relation = Literal["lt", "le", "gt", "ge", "eq", "ne"]
NOT: dict[Relation, Relation] = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A value of the request, or of an act that fulfils a duty: which one (``scene``), and of what (``of``).

    ``unit`` keeps apart what cannot be compared; ``whole`` is a count.
    """

    scene: str
    of: str
    unit: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """``variable`` stands in ``relation`` to ``span``."""

    term: Term
    variable: Variable
    relation: Relation
    span: Span
    doubtful: str = ""
    """Why values of this unit and of others that were named cannot be compared; empty when they can."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """``variable`` (a moment) is a whole number of ``period`` seconds away from ``anchor``, if it has one."""

    term: Term
    variable: Variable
    period: Fraction
    anchor: Fraction | None


@dataclass(frozen=True)
class Naming:
    """``variable`` (a name) stands in ``operator`` to ``names``, after ``order``."""

    term: Term
    variable: Variable
    operator: str
    names: tuple[Name, ...]
    order: Order = field(compare=False)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A term of which nothing is known; ``why`` says what was not understood."""

    term: Term
    why: str


Atom = Number | Recurring | Naming | Opaque


@dataclass(frozen=True)
class Claim:
    """An atom, or that it does not hold."""

    atom: Atom
    positive: bool = True


@dataclass(frozen=True)
class All:
    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True)
class Any:
    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What always holds between values: the sum of ``factors`` is zero, or at least zero (``equal`` is false)."""

    factors: tuple[tuple[int, Variable], ...]
    equal: bool = False


@dataclass(frozen=True)
class Steps:
    """An ``andSequence`` whose steps have moments of their own: ``holds``, and what stands for it when it fails."""

    holds: Formula
    fails: Formula


Formula = Claim | All | Any | Link | Steps
TRUE = All()


def negated(formula: Formula) -> Formula:
    """That ``formula`` does not hold, with the negation at the terms."""
    match formula:
        case Claim(atom, positive):
            return Claim(atom, not positive)
        case All(parts):
            return Any(tuple(negated(part) for part in parts))
        case Any(parts):
            return All(tuple(negated(part) for part in parts))
        case Steps(_, fails):
            return fails
        case Link():
            raise TypeError("what always holds is never denied")


def exactly_one(parts: tuple[Formula, ...]) -> Formula:
    """One of ``parts`` holds and the others do not (``xone``)."""
    return Any(
        tuple(
            All((part, *(negated(other) for at, other in enumerate(parts) if at != chosen)))
            for chosen, part in enumerate(parts)
        )
    )


def literals(formula: Formula) -> Iterator[Claim]:
    match formula:
        case Claim():
            yield formula
        case All(parts) | Any(parts):
            for part in parts:
                yield from literals(part)
        case Steps(holds, _):
            yield from literals(holds)


def replaced(formula: Formula, by: Callable[[Atom], Atom]) -> Formula:
    """``formula`` with each atom replaced."""
    match formula:
        case Claim(atom, positive):
            return Claim(by(atom), positive)
        case All(parts):
            return All(tuple(replaced(part, by) for part in parts))
        case Any(parts):
            return Any(tuple(replaced(part, by) for part in parts))
        case Steps(holds, fails):
            return Steps(replaced(holds, by), replaced(fails, by))
        case Link():
            return formula


def links(formula: Formula) -> Iterator[Link]:
    match formula:
        case Link():
            yield formula
        case All(parts) | Any(parts):
            for part in parts:
                yield from links(part)
        case Steps(holds, _):
            yield from links(holds)
