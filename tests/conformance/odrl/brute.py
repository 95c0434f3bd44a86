"""Judges requests against policies by trying values, knowing nothing of the solver: what tests compare it with.

A request gives one value to each operand. ``Judge.requests`` tries, for each operand that the policies name, every
value that they compare with, one between each two neighbours, and one beyond either end: between two neighbours all
comparisons come out alike, so nothing is missed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from dmi_agreements.odrl.model import ODRL, XSD, Constraint, Logical, Policy, Rule, Test, Typed, Value
from dmi_exchange.review.conflicts import Act, Witness

Number = Fraction
Request = dict[str, Number | str]
Free = frozenset[tuple[str, str]]
"""Terms (policy and path) that say nothing: they may hold or not."""
DAY = 86_400
ACTION = "action"
_PARTS = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:([\d.]+)S)?)?")
_TIME = {ODRL + name for name in ("elapsedTime", "meteredTime", "delayPeriod")}


def number(value: Value) -> Number | None:
    """A number, a moment or a duration as one number; ``None`` for a name."""
    if isinstance(value, str):
        return None
    kind = value.datatype.removeprefix(XSD)
    if kind in ("decimal", "integer"):
        return Fraction(value.text)
    if kind in ("date", "dateTime"):
        at = datetime.fromisoformat(value.text)
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        return Fraction(seconds)
    if kind == "duration":
        found = _PARTS.fullmatch(value.text)
        assert found is not None, value
        total = int(found[2] or 0) * DAY + Fraction(found[3] or 0)
        return -total if found[1] else total
    return None


def is_day(value: Value) -> bool:
    return isinstance(value, Typed) and value.datatype == XSD + "date"


@dataclass(frozen=True)
class Judge:
    """``above``: each name with all that it falls under."""

    above: Mapping[str, frozenset[str]]

    def allows(self, policy: Policy, request: Request, free: Free = frozenset()) -> bool:
        """Whether ``policy`` may allow the request: certainly when nothing is free."""
        covered = _some(self._covers(rule, policy, request, free) for rule in policy.permissions)
        forbidden = _some(self._covers(rule, policy, request, free) for rule in policy.prohibitions)
        if not policy.permissions:
            return forbidden is not True
        if policy.conflict == "perm":
            return covered is not False
        return covered is not False and forbidden is not True

    def _covers(self, rule: Rule, policy: Policy, request: Request, free: Free) -> bool | None:
        done = str(request[ACTION])
        action = _some(
            None if (policy.uid, f"{rule.path}/action/{at}") in free else each.iri in self.up(done)
            for at, each in enumerate(rule.actions)
        )
        return _every([action, *(self.holds(test, policy.uid, request, free) for test in rule.constraints)])

    def holds(self, test: Test, policy: str, request: Request, free: Free) -> bool | None:
        if isinstance(test, Constraint):
            return None if (policy, test.path) in free else self._compare(test, request)
        if test.connective == "andSequence" and any(
            isinstance(each, Constraint) and each.left == ODRL + "delayPeriod" for each in test.operands
        ):
            return self._delays(test, policy, request, free)
        parts = [self.holds(each, policy, request, free) for each in test.operands]
        if test.connective == "or":
            return _some(parts)
        if test.connective == "xone":
            sure, open_ = parts.count(True), parts.count(None)
            if sure > 1 or sure + open_ == 0:
                return False
            return None if open_ else sure == 1
        return _every(parts)

    def _delays(self, test: Logical, policy: str, request: Request, free: Free) -> bool | None:
        """Steps that only wait: the least waits that satisfy each, one after the other, end in the elapsed time."""
        tried: list[list[Number]] = []
        for each in test.operands:
            assert isinstance(each, Constraint)
            least = number(each.right[0]) or Fraction(0)
            values = [Fraction(0), least, least + 1]
            may = (policy, each.path) in free
            tried.append([v for v in values if may or self._compare(each, {each.left: v})])
        waits = [sum(chosen, Fraction(0)) for chosen in itertools.product(*tried)]
        return any(wait <= request[ODRL + "elapsedTime"] for wait in waits)  # type: ignore[operator]

    def _compare(self, test: Constraint, request: Request) -> bool:
        operator = test.operator.removeprefix(ODRL)
        if test.left == ODRL + "timeInterval":
            period, anchor = number(test.right[0]), number(test.anchor) if test.anchor else None
            at = request[ODRL + "dateTime"]
            assert isinstance(at, Fraction)
            assert period is not None
            return anchor is None or (at - anchor) % period == 0
        found = request[test.left]
        if isinstance(found, str):
            return self._named(operator, found, [_name(value) for value in test.right])
        expected = number(test.right[0])
        assert expected is not None
        until = expected + DAY if is_day(test.right[0]) else expected
        before, after = found < expected, found >= until if until > expected else found > expected
        return {
            "lt": before,
            "lteq": not after,
            "gt": after,
            "gteq": not before,
            "eq": not before and not after,
            "neq": before or after,
        }[operator]

    def up(self, name: str) -> set[str]:
        """A name and all that it falls under; something unnamed below a name falls under that."""
        known = name.removesuffix("/another")
        return {name, known, *self.above.get(known, ())}

    def _named(self, operator: str, found: str, names: list[str]) -> bool:
        match operator:
            case "eq" | "isAnyOf":
                return found in names
            case "neq" | "isNoneOf":
                return found not in names
            case "isA" | "isPartOf":
                return names[0] in self.up(found)
            case "hasPart":
                return found in self.up(names[0])
        raise AssertionError(operator)

    def requests(self, policies: Iterable[Policy], actions: Iterable[str]) -> Iterator[Request]:
        """Every request that needs to be tried."""
        asked: dict[str, list[Constraint]] = {}
        for policy in policies:
            for rule in policy.rules:
                for test in flat(rule.constraints):
                    asked.setdefault(test.left, []).append(test)
        if ODRL + "timeInterval" in asked:
            asked.setdefault(ODRL + "dateTime", [])
        if ODRL + "delayPeriod" in asked:
            asked.setdefault(ODRL + "elapsedTime", [])
        recurring = asked.pop(ODRL + "timeInterval", [])
        tried: dict[str, list[Number | str]] = {ACTION: list(actions)}
        for left, tests in asked.items():
            tried[left] = self._values(left, tests, recurring, asked.get(ODRL + "delayPeriod", []))
        for chosen in itertools.product(*tried.values()):
            request = dict(zip(tried, chosen, strict=True))
            if self.possible(request):
                yield request

    @staticmethod
    def possible(request: Request) -> bool:
        """Nobody uses something for longer than the time that has passed, and no size or time is below zero."""
        used, passed = request.get(ODRL + "meteredTime"), request.get(ODRL + "elapsedTime")
        if isinstance(used, Fraction) and isinstance(passed, Fraction) and used > passed:
            return False
        return all(
            not isinstance(value, Fraction) or value >= 0
            for left, value in request.items()
            if left in _TIME or "Size" in left
        )

    def _values(
        self, left: str, tests: list[Constraint], recurring: list[Constraint], delays: list[Constraint]
    ) -> list[Number | str]:
        rights = [value for test in tests for value in test.right]
        numbers = {each for each in map(number, rights) if each is not None}
        numbers |= {(number(each) or 0) + DAY for each in rights if is_day(each)}
        if rights and not numbers:
            named = {_name(value) for value in rights}
            near = {name for name, above in self.above.items() if named & {name, *above}}
            near |= {up for name in named for up in self.above.get(name, ())}
            return ["another", *sorted(named | near), *(f"{name}/another" for name in sorted(named | near))]
        if left == ODRL + "elapsedTime":
            shared = {number(value) or Fraction(0) for test in delays for value in test.right}
            numbers |= {Fraction(0), *shared, sum(shared, Fraction(0)), 2 * max(shared, default=Fraction(0))}
        if left in _TIME:
            # Metered and elapsed time are compared with each other too: both try the days around all values.
            numbers |= {Fraction(days * DAY) for days in (0, 10, 20, 30)}
        for test in recurring if left == ODRL + "dateTime" else []:
            period, anchor = number(test.right[0]), number(test.anchor) if test.anchor else Fraction(0)
            assert period is not None
            assert anchor is not None
            numbers |= {anchor + turn * period for turn in range(-24, 25)}
        line = sorted(numbers)
        between = [(low + high) / 2 for low, high in itertools.pairwise(line)]
        return sorted({*line, *between, line[0] - 1, line[-1] + 1}) if line else [Fraction(0)]


def flat(tests: Iterable[Test]) -> Iterator[Constraint]:
    for test in tests:
        if isinstance(test, Constraint):
            yield test
        else:
            yield from flat(test.operands)


def places(policy: Policy) -> set[tuple[str, str]]:
    """The terms of a policy whose rules have an action and constraints alone."""
    found = {(policy.uid, test.path) for rule in policy.rules for test in flat(rule.constraints)}
    return found | {
        (policy.uid, f"{rule.path}/action/{at}") for rule in policy.rules for at in range(len(rule.actions))
    }


def reached(hierarchies: Iterable[Mapping[str, Iterable[str]]]) -> dict[str, frozenset[str]]:
    """Each name of the hierarchies with all that it falls under, at any height."""
    above: dict[str, set[str]] = {}
    for hierarchy in hierarchies:
        for name, parents in hierarchy.items():
            above.setdefault(name, set()).update(parents)
    for _ in range(len(above)):
        for found in above.values():
            found.update(*(above.get(name, ()) for name in list(found)))
    return {name: frozenset(found) for name, found in above.items()}


def told(witness: Witness) -> Request:
    """The request of a witness, in the form that is judged here."""
    act: Act = witness.request
    request: Request = {ACTION: act.action or "another"}
    for left, (value,) in act.values.items():
        found = number(value)
        request[left] = _unnamed(_name(value)) if found is None else found
    return request


def _unnamed(name: str) -> str:
    if name.startswith("urn:dmi:another"):
        return f"{name.removeprefix('urn:dmi:another:')}/another" if ":another:" in name else "another"
    return f"{name.removesuffix('-x-another')}/another" if name.endswith("-x-another") else name


def _name(value: Value) -> str:
    return value if isinstance(value, str) else value.text


def _every(truths: Iterable[bool | None]) -> bool | None:
    found = list(truths)
    return False if False in found else None if None in found else True


def _some(truths: Iterable[bool | None]) -> bool | None:
    found = list(truths)
    return True if True in found else None if None in found else False
