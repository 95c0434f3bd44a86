"""Asks the solver (z3) whether formulas can hold together. The only module that knows it; imported when first used.

Each term has a switch: off, the term says nothing, so that a minimal set of terms that clash can be found. Where the
truth of a term is not known, it *may* hold: a clash is one whatever such terms mean, a witness rests on none of them.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from fractions import Fraction
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
_LOOSE: Final = "a month has 28 to 31 days, and a moment without zone may be 14 hours off"
_UNPLACED: Final = (
    "no hierarchy says whether the one falls under the other, and none of the project's own that it does not"
)
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
FOREVER: Final = float("inf")


class OutOfTime(Exception):
    """The moment has passed until which a question could be asked."""


def solve(formula: Formula, until: float = FOREVER) -> Answer:
    """Whether ``formula`` can hold; raises ``OutOfTime`` from ``until`` on, in seconds of ``time.monotonic``.

    What it waits for others who ask is part of its time.
    """
    if not _ONE.acquire(timeout=min(_left(until), threading.TIMEOUT_MAX)):
        raise OutOfTime
    try:
        _left(until)
        return _Question(formula, until).answer()
    finally:
        _ONE.release()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise OutOfTime
    return left


class _Question:
    """One formula in the solver's own language (SMT-LIB 2.6), as text: built so, it takes a fraction of the time."""

    def __init__(self, formula: Formula, until: float) -> None:
        import z3

        self.z3 = z3
        self.until = until
        self.lines: list[str] = []
        self.fresh = 0
        self.variables: dict[Variable, str] = {}
        self.claims: dict[Atom, tuple[str, str]] = {}
        self.switches: dict[Term, str] = {}
        self.doubts: dict[Term, tuple[str, str]] = {}
        self.rhythms: dict[Variable, tuple[str, Fraction, Fraction]] = {}
        atoms = list(dict.fromkeys(claim.atom for claim in literals(formula)))
        self.choices: dict[Variable, list[Choice]] = choices(a for a in atoms if isinstance(a, Naming))
        self.recurring = [atom for atom in atoms if isinstance(atom, Recurring)]
        self.state(self.expression(formula))
        self.solver = z3.SimpleSolver()
        self.solver.set("random_seed", 0)
        self.solver.from_string("\n".join(self.lines))

    def answer(self) -> Answer:
        switches = list(self.switches.values())
        doubts = [doubt for doubt, _ in self.doubts.values()]
        found = self.check(switches)
        if found == self.z3.unsat:
            core = self._minimal(self._core())
            return Clash(tuple(term for term, switch in self.switches.items() if switch in core))
        if found == self.z3.sat and doubts:
            # Without the benefit of any doubt: each has a proposition for that it is not given.
            found = self.check(switches + doubts)
            if found == self.z3.unsat:
                core = self._minimal([each for each in self._core() if each in doubts], switches)
                return Unknown(
                    tuple((term, why) for term, (doubt, why) in self.doubts.items() if doubt in core)
                )
        return self._values() if found == self.z3.sat else Unknown(())

    def check(self, assumed: list[str]) -> object:
        self.solver.set("timeout", int(min(TIMEOUT_MS, _left(self.until) * 1000 + 1)))
        found = self.solver.check([self.z3.Bool(name) for name in assumed])
        if found == self.z3.unknown:
            _left(self.until)
        return found

    def _core(self) -> list[str]:
        return [each.decl().name() for each in self.solver.unsat_core()]

    def _minimal(self, core: list[str], always: list[str] | None = None) -> list[str]:
        """A part of ``core`` that is enough, and of which nothing can be left out."""
        needed: list[str] = []
        while core:
            one, *core = core
            if self.check([*(always or ()), *needed, *core]) == self.z3.unsat:
                # What the solver did not use this time is not needed either.
                used = set(self._core())
                core = [each for each in core if each in used]
            else:
                needed.append(one)
        return needed

    def _values(self) -> Values:
        model = self.solver.model()
        numbers, points = {}, {}
        for variable, name in self.variables.items():
            found = model[self.z3.Int(name) if name.startswith("i") else self.z3.Real(name)]
            # What the solver leaves open can have any value, so also this one.
            value = Fraction(0) if found is None else Fraction(str(found))
            if variable in self.choices:
                points[variable] = self.choices[variable][int(value)].points
            else:
                numbers[variable] = value
        return Values(numbers, points)

    def expression(self, formula: Formula) -> str:
        match formula:
            case All(parts):
                return _joined("and", [self.expression(part) for part in parts])
            case Any(parts):
                return _joined("or", [self.expression(part) for part in parts])
            case Steps(holds, _):
                return self.expression(holds)
            case Link(factors, equal):
                terms = [f"(* {_number(Fraction(factor))} {self.value(of)})" for factor, of in factors]
                return f"({'=' if equal else '>='} (+ {' '.join(terms)} 0.0) 0.0)"
            case Claim(atom, positive):
                return self.claim(atom)[0 if positive else 1]

    def claim(self, atom: Atom) -> tuple[str, str]:
        """Propositions for that ``atom`` holds and that it does not, tied to its meaning while its switch is on."""
        if atom not in self.claims:
            self.claims[atom] = yes, no = self.proposition(), self.proposition()
            self.state(f"(not (and {yes} {no}))")
            if atom.term not in self.switches:
                self.switches[atom.term] = self.proposition()
            for proposition, wanted in ((yes, True), (no, False)):
                sure, possible, why = self.meaning(atom, wanted)
                if possible is not None:
                    if atom.term not in self.doubts:
                        self.doubts[atom.term] = self.proposition(), why
                    sure = f"(or {sure} (and (not {self.doubts[atom.term][0]}) {possible}))"
                self.state(f"(=> (and {self.switches[atom.term]} {proposition}) {sure})")
        return self.claims[atom]

    def meaning(self, atom: Atom, wanted: bool) -> tuple[str, str | None, str]:
        """When ``atom`` is ``wanted`` for certain, when it may be (``None``: never more than that), and why."""
        match atom:
            case Number(_, variable, relation, span, doubtful):
                sure, possible = _compare(self.value(variable), relation if wanted else NOT[relation], span)
                if doubtful:
                    return "false", possible if possible is not None else sure, doubtful
                return sure, possible, _LOOSE
            case Recurring():
                return self._recurring(atom, wanted), None, ""
            case Naming(_, variable, _, _, _):
                position = self.variable(variable)
                truths = [(at, choice.truths[atom]) for at, choice in enumerate(self.choices[variable])]
                sure = _joined("or", [f"(= {position} {at})" for at, truth in truths if truth is wanted])
                maybe = [f"(= {position} {at})" for at, truth in truths if truth is None]
                return sure, _joined("or", maybe) if maybe else None, _UNPLACED
            case Opaque(_, why):
                return "false", "true", why

    def _recurring(self, atom: Recurring, wanted: bool) -> str:
        if atom.anchor is None:
            # The first exercise sets the rhythm, and each request may be the first.
            return "true"
        rest, length, start = self._rhythm(atom.variable)
        first = (atom.anchor - start) % atom.period
        beats = [first + turn * atom.period for turn in range(int(length / atom.period))]
        on = _joined("or", [f"(= {rest} {_number(beat)})" for beat in beats])
        return on if wanted else f"(not {on})"

    def _rhythm(self, variable: Variable) -> tuple[str, Fraction, Fraction]:
        """How far a moment is into the round in which all its recurrences repeat, the round's length, and a start.

        One whole number for all recurrences, in place of one for each: the solver finds no end in several.
        """
        if variable not in self.rhythms:
            beats = [atom for atom in self.recurring if atom.variable == variable and atom.anchor is not None]
            length, start = common_round(atom.period for atom in beats), beats[0].anchor or Fraction(0)
            turns, rest = self.declared("Int"), self.declared("Real")
            whole = f"(+ {_number(start)} (* {_number(length)} (to_real {turns})) {rest})"
            self.state(
                f"(and (= {self.value(variable)} {whole}) (>= {rest} 0.0) (< {rest} {_number(length)}))"
            )
            self.rhythms[variable] = rest, length, start
        return self.rhythms[variable]

    def value(self, variable: Variable) -> str:
        """A variable as a real number."""
        name = self.variable(variable)
        return f"(to_real {name})" if variable.whole else name

    def variable(self, variable: Variable) -> str:
        if variable in self.variables:
            return self.variables[variable]
        picks = variable in self.choices
        self.variables[variable] = name = self.declared("Int" if picks or variable.whole else "Real")
        if picks:
            self.state(f"(and (>= {name} 0) (< {name} {len(self.choices[variable])}))")
        else:
            within = bounds(variable.of)
            if within.low is not None:
                self.state(f"(>= {self.value(variable)} {_number(within.low)})")
            if within.high is not None:
                self.state(f"(<= {self.value(variable)} {_number(within.high)})")
        return name

    def proposition(self) -> str:
        return self.declared("Bool")

    def declared(self, sort: str) -> str:
        self.fresh += 1
        name = f"{sort[0].lower()}{self.fresh}"
        self.lines.append(f"(declare-const {name} {sort})")
        return name

    def state(self, expression: str) -> None:
        self.lines.append(f"(assert {expression})")


def _compare(value: str, relation: Relation, span: Span) -> tuple[str, str | None]:
    """When ``value`` stands in ``relation`` to a span for certain, and when it may."""
    low, high = _number(span.low), _number(span.high)
    if span.length:
        after, surely_after = (f"(>= {value} {_number(end + span.length)})" for end in (span.low, span.high))
    else:
        after, surely_after = f"(> {value} {low})", f"(> {value} {high})"
    match relation:
        case "lt":
            sure, possible = f"(< {value} {low})", f"(< {value} {high})"
        case "le":
            sure, possible = f"(not {after})", f"(not {surely_after})"
        case "gt":
            sure, possible = surely_after, after
        case "ge":
            sure, possible = f"(>= {value} {high})", f"(>= {value} {low})"
        case "eq":
            sure = f"(and (>= {value} {high}) (not {after}))" if span.known else "false"
            possible = f"(and (>= {value} {low}) (not {surely_after}))"
        case "ne":
            sure, possible = f"(or (< {value} {low}) {surely_after})", "true"
    return sure, None if span.known else possible


def _joined(word: str, parts: list[str]) -> str:
    if not parts:
        return "true" if word == "and" else "false"
    return parts[0] if len(parts) == 1 else f"({word} {' '.join(parts)})"


def _number(number: Fraction) -> str:
    plain = f"(/ {abs(number.numerator)}.0 {number.denominator}.0)"
    return f"(- {plain})" if number < 0 else plain
