"""Which values of a name need to be told apart: one for each way in which the terms about it can come out.

A request has one value of each operand; only ``isAllOf`` asks for several at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

from dmi_exchange.review.conflicts.formula import Naming, Variable
from dmi_exchange.review.conflicts.order import Order, Point
from dmi_exchange.review.conflicts.values import Name

Truth = bool | None | Literal["open"]
"""``None``: not known here. ``open``: several values that do not agree, so neither satisfied nor its opposite."""
OPERATORS: Final = frozenset(["eq", "neq", "isA", "isPartOf", "hasPart", "isAnyOf", "isNoneOf", "isAllOf"])


@dataclass(frozen=True)
class Choice:
    """The values of one operand, and how each term about it comes out."""

    points: tuple[Point, ...]
    truths: dict[Naming, Truth]


def choices(atoms: Iterable[Naming]) -> dict[Variable, list[Choice]]:
    """The values that each variable needs to take, no two of them alike to the terms."""
    about: dict[Variable, list[Naming]] = {}
    for atom in dict.fromkeys(atoms):
        about.setdefault(atom.variable, []).append(atom)
    found: dict[Variable, list[Choice]] = {}
    for variable, terms in about.items():
        names = [name for atom in terms for name in atom.names]
        orders = dict.fromkeys(atom.order for atom in terms)
        single = dict.fromkeys((point,) for order in orders for point in order.around(names))
        seen: dict[tuple[Truth, ...], Choice] = {}
        for points in [*single, *_several(terms)]:
            # Rules say the same again and again: what is asked alike is answered once.
            told: dict[object, Truth] = {}
            for atom in terms:
                key = (atom.operator, atom.names, id(atom.order))
                if key not in told:
                    told[key] = truth(points, atom.operator, atom.names, atom.order)
            truths = {atom: told[atom.operator, atom.names, id(atom.order)] for atom in terms}
            seen.setdefault(tuple(truths.values()), Choice(points, truths))
        found[variable] = list(seen.values())
    return found


def _several(terms: list[Naming]) -> list[tuple[Point, ...]]:
    asked = list(dict.fromkeys(atom.names for atom in terms if atom.operator == "isAllOf"))
    return [
        tuple(dict.fromkeys(name for names in chosen for name in names))
        for count in range(1, min(len(asked), 4) + 1)
        for chosen in combinations(asked, count)
    ]


def truth(points: tuple[Point, ...], operator: str, names: tuple[Name, ...], order: Order) -> Truth:
    """Whether the values ``points`` stand in ``operator`` to ``names``."""
    same = [_any(_same(point, name) for point in points) for name in names]
    if operator == "isAnyOf":
        return _any(same)
    if operator == "isNoneOf":
        return _not(_any(same))
    if operator == "isAllOf":
        return _not(_any(_not(each) for each in same))
    each = {_one(point, operator, names[0], order) for point in points}
    return each.pop() if len(each) == 1 else "open"


def _one(point: Point, operator: str, name: Name, order: Order) -> bool | None:
    match operator:
        case "eq":
            return _same(point, name)
        case "neq":
            return _not(_same(point, name))
        case "isA" | "isPartOf":
            return order.under(point, name)
        case "hasPart":
            return order.under(name, point)
    raise ValueError(f"{operator} compares no names")


def _same(point: Point, name: Name) -> bool | None:
    """Names of one kind are the same when they are spelt alike; an IRI and a text may mean the same."""
    if not isinstance(point, Name):
        return False
    return point == name if point.kind == name.kind else None


def _any(truths: Iterable[bool | None]) -> bool | None:
    found = set(truths)
    return True if True in found else None if None in found else False


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth
