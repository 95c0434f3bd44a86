"""Asks the solver (z3) whether formulas can hold together. The only module that knows it; imported when first used.

Each term has a switch: off, the term says nothing, so that a minimal set of terms that clash can be found. Where the
truth of a term is not known, it *may* hold: a clash is one whatever such terms mean, a witness rests on none of them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import Any as Expression
from typing import Final

from dmi_exchange.review.conflicts.formula import (
    NOT,
    All,
    Any,
    Atom,
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
    literals,
)
from dmi_exchange.review.conflicts.naming import Choice, choices
from dmi_exchange.review.conflicts.operands import bounds
from dmi_exchange.review.conflicts.order import Point
from dmi_exchange.review.conflicts.results import Term
from dmi_exchange.review.conflicts.values import Span, common_round

TIMEOUT_MS: Final = 2_000
# The library's default context belongs to one thread at a time.
_ONE: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Values:
    """A solution: the value of each variable."""

    numbers: dict[Variable, Fraction]
    points: dict[Variable, tuple[Point, ...]]


@dataclass(frozen=True, slots=True)
class Clash:
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The terms that it depends on, each with why it is not known; none when the solver gave up."""

    terms: tuple[tuple[Term, str], ...]


Answer = Values | Clash | Unknown


def solve(formula: Formula) -> Answer:
    """Whether ``formula`` can hold."""
    with _ONE:
        return _Question(formula).answer()


class _Question:
    def __init__(self, formula: Formula) -> None:
        import z3

        self.z3 = z3
        self.solver = z3.SimpleSolver()
        self.solver.set("timeout", TIMEOUT_MS)
        self.solver.set("random_seed", 0)
        self.fresh = 0
        self.variables: dict[Variable, Expression] = {}
        self.claims: dict[tuple[Atom, bool], Expression] = {}
        self.switches: dict[Term, Expression] = {}
        self.doubts: dict[Term, tuple[Expression, str]] = {}
        atoms = [claim.atom for claim in literals(formula)]
        self.choices: dict[Variable, list[Choice]] = choices(a for a in atoms if isinstance(a, Naming))
        self.recurring = [atom for atom in atoms if isinstance(atom, Recurring)]
        self.rhythms: dict[Variable, tuple[Expression, Fraction, Fraction]] = {}
        self.solver.add(self.expression(formula))

    def answer(self) -> Answer:
        switches = list(self.switches.values())
        found = self.solver.check(switches)
        if found == self.z3.unsat:
            return Clash(self._clash())
        doubts = [self.z3.Not(doubt) for doubt, _ in self.doubts.values()]
        if found == self.z3.sat and doubts:
            found = self.solver.check([*switches, *doubts])
        if found == self.z3.sat:
            return self._values()
        if found == self.z3.unsat:
            core = self._minimal([*doubts], switches)
            return Unknown(
                tuple(
                    (t, why) for t, (doubt, why) in self.doubts.items() if self._in(self.z3.Not(doubt), core)
                )
            )
        return Unknown(())

    def _clash(self) -> tuple[Term, ...]:
        core = self._minimal(list(self.solver.unsat_core()), [])
        return tuple(term for term, switch in self.switches.items() if self._in(switch, core))

    def _minimal(self, core: list[Expression], always: list[Expression]) -> list[Expression]:
        """A part of ``core`` that is enough, and of which nothing can be left out."""
        for one in list(core):
            rest = [other for other in core if not other.eq(one)]
            if self.solver.check([*always, *rest]) == self.z3.unsat:
                core = rest
        return core

    @staticmethod
    def _in(one: Expression, many: list[Expression]) -> bool:
        return any(one.eq(other) for other in many)

    def _values(self) -> Values:
        model = self.solver.model()
        numbers, points = {}, {}
        for variable, expression in self.variables.items():
            value = model.eval(expression, model_completion=True)
            if variable in self.choices:
                points[variable] = self.choices[variable][value.as_long()].points
            else:
                numbers[variable] = Fraction(str(value))
        return Values(numbers, points)

    def expression(self, formula: Formula) -> Expression:
        z3 = self.z3
        match formula:
            case All(parts):
                return z3.And([self.expression(part) for part in parts])
            case Any(parts):
                return z3.Or([self.expression(part) for part in parts])
            case Steps(holds, _):
                return self.expression(holds)
            case Link(factors, equal):
                total = z3.Sum([factor * self.variable(variable) for factor, variable in factors])
                return total == 0 if equal else total >= 0
            case Claim(atom, positive):
                return self.claim(atom, positive)

    def claim(self, atom: Atom, positive: bool) -> Expression:
        """A proposition for that ``atom`` holds (or does not), tied to its meaning while its switch is on."""
        if (atom, positive) not in self.claims:
            z3 = self.z3
            yes, no = self._proposition(), self._proposition()
            self.claims[atom, True], self.claims[atom, False] = yes, no
            self.solver.add(z3.Not(z3.And(yes, no)))
            if atom.term not in self.switches:
                self.switches[atom.term] = self._proposition()
            switch = self.switches[atom.term]
            for proposition, wanted in ((yes, True), (no, False)):
                sure, possible, why = self.meaning(atom, wanted)
                if possible is not None:
                    doubt, _ = self.doubts.setdefault(atom.term, (self._proposition(), why))
                    sure = z3.Or(sure, z3.And(doubt, possible))
                self.solver.add(z3.Implies(z3.And(switch, proposition), sure))
        return self.claims[atom, positive]

    def meaning(self, atom: Atom, wanted: bool) -> tuple[Expression, Expression | None, str]:
        """When ``atom`` is ``wanted`` for certain, when it may be (``None``: never more than that), and why."""
        z3 = self.z3
        match atom:
            case Number(_, variable, relation, span, doubtful):
                relation = relation if wanted else NOT[relation]
                sure, possible = self._compare(self.variable(variable), relation, span)
                if doubtful:
                    return z3.BoolVal(False), possible if possible is not None else sure, doubtful
                return (
                    sure,
                    possible,
                    "a month has 28 to 31 days, and a moment without zone may be 14 hours off",
                )
            case Recurring():
                return self._recurring(atom, wanted), None, ""
            case Naming(_, variable, _, _, _):
                position = self.variable(variable)
                truths = [(at, choice.truths[atom]) for at, choice in enumerate(self.choices[variable])]
                sure = z3.Or([position == at for at, truth in truths if truth is wanted])
                maybe = [position == at for at, truth in truths if truth is None]
                return (
                    sure,
                    z3.Or(maybe) if maybe else None,
                    "no hierarchy given here says what falls under what",
                )
            case Opaque(_, why):
                return z3.BoolVal(False), z3.BoolVal(True), why

    def _compare(
        self, value: Expression, relation: Relation, span: Span
    ) -> tuple[Expression, Expression | None]:
        z3 = self.z3
        low, high, length = (self._number(n) for n in (span.low, span.high, span.length))
        after, surely_after = (
            (value >= low + length, value >= high + length) if span.length else (value > low, value > high)
        )
        match relation:
            case "lt":
                sure, possible = value < low, value < high
            case "le":
                sure, possible = z3.Not(after), z3.Not(surely_after)
            case "gt":
                sure, possible = surely_after, after
            case "ge":
                sure, possible = value >= high, value >= low
            case "eq":
                sure, possible = (
                    z3.And(value >= high, z3.Not(after)),
                    z3.And(value >= low, z3.Not(surely_after)),
                )
            case "ne":
                sure, possible = z3.Or(value < low, surely_after), z3.BoolVal(True)
        if relation == "eq" and not span.known:
            sure = z3.BoolVal(False)
        return sure, None if span.known else possible

    def _recurring(self, atom: Recurring, wanted: bool) -> Expression:
        z3 = self.z3
        if atom.anchor is None:
            # The first exercise sets the rhythm, and each request may be the first.
            return z3.BoolVal(True)
        rest, length, start = self._rhythm(atom.variable)
        first = (atom.anchor - start) % atom.period
        beats = [first + turn * atom.period for turn in range(int(length / atom.period))]
        return (
            z3.Or([rest == self._number(beat) for beat in beats])
            if wanted
            else z3.And([rest != self._number(beat) for beat in beats])
        )

    def _rhythm(self, variable: Variable) -> tuple[Expression, Fraction, Fraction]:
        """How far a moment is into the round in which all its recurrences repeat, the round's length, and a start.

        One whole number for all recurrences, in place of one for each: the solver finds no end in several.
        """
        if variable not in self.rhythms:
            z3 = self.z3
            beats = [atom for atom in self.recurring if atom.variable == variable and atom.anchor is not None]
            length, start = common_round(atom.period for atom in beats), beats[0].anchor or Fraction(0)
            self.fresh += 1
            turns, rest = z3.Int(f"turns{self.fresh}"), z3.Real(f"rest{self.fresh}")
            whole = self._number(start) + self._number(length) * z3.ToReal(turns) + rest
            self.solver.add(self.variable(variable) == whole, rest >= 0, rest < self._number(length))
            self.rhythms[variable] = rest, length, start
        return self.rhythms[variable]

    def variable(self, variable: Variable) -> Expression:
        if variable not in self.variables:
            z3 = self.z3
            label = f"v{len(self.variables)}"
            if variable in self.choices:
                self.variables[variable] = z3.Int(label)
                self.solver.add(self.variables[variable] >= 0)
                self.solver.add(self.variables[variable] < len(self.choices[variable]))
            else:
                self.variables[variable] = z3.Int(label) if variable.whole else z3.Real(label)
                within = bounds(variable.of)
                if within.low is not None:
                    self.solver.add(self.variables[variable] >= self._number(within.low))
                if within.high is not None:
                    self.solver.add(self.variables[variable] <= self._number(within.high))
        return self.variables[variable]

    def _number(self, number: Fraction) -> Expression:
        return self.z3.RealVal(f"{number.numerator}/{number.denominator}")

    def _proposition(self) -> Expression:
        self.fresh += 1
        return self.z3.Bool(f"p{self.fresh}")
