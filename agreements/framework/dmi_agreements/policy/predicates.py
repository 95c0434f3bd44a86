"""Constraints compiled into predicates over a situation: the same three-valued meaning as ``odrl.satisfaction``.

What can be worked out beforehand is: the truth for each purpose of the rulebook, limits as numbers, sets as sets. A
predicate also gets the moment from which a waiting time counts, which only a sequence knows (``andSequence``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from dmi_agreements.odrl.model import ODRL, Constraint, Logical, Test, Typed, Value
from dmi_agreements.odrl.own import world_of
from dmi_agreements.odrl.satisfaction import Scene, satisfied
from dmi_agreements.odrl.sequence import Arrival, arrival, lasting, micros
from dmi_agreements.odrl.values import Truth, one, order
from dmi_agreements.odrl.vocabulary import CORE, DMI
from dmi_agreements.odrl.world import Attempt
from dmi_agreements.policy.operands import iri, moment_of
from dmi_agreements.policy.situation import NEVER, Situation
from dmi_agreements.rulebook import Rulebook

Predicate = Callable[[Situation, "int | None"], Truth]
"""Whether a test holds; the second argument is the moment from which a delay counts, ``None``: the agreement's."""

_SECOND: Final = 1_000_000
_COUNTED: Final = frozenset((ODRL + "count", ODRL + "elapsedTime", ODRL + "timeInterval"))


@dataclass(frozen=True, slots=True)
class Place:
    """The rule (path) that a test stands in, which counts speak of, and the rulebook it was read with."""

    rule: str
    rulebook: Rulebook


def compile_test(test: Test, place: Place) -> Predicate:
    """The predicate of a test that was read for the gate; tests that say the same share one.

    Agreements are many and their templates few: with a predicate for each test of each agreement, what decisions touch
    would not stay in the processor's caches.
    """
    return _shared(_bare(test), place if counted(test) else Place("", place.rulebook))


def counted(test: Test) -> bool:
    """Whether a test asks how often or how long its rule was used."""
    if isinstance(test, Logical):
        return any(map(counted, test.operands))
    return test.left in _COUNTED


def _bare(test: Test) -> Test:
    """A test without its place in the document."""
    if isinstance(test, Logical):
        return replace(test, operands=tuple(map(_bare, test.operands)), path="", uid=None)
    return replace(test, path="", uid=None)


@lru_cache(maxsize=65_536)
def _shared(test: Test, place: Place) -> Predicate:
    if isinstance(test, Constraint):
        return _COMPILE[test.left](test, place)
    parts = tuple(compile_test(operand, place) for operand in test.operands)
    if test.connective == "andSequence":
        return _sequence(parts, [arrival(operand) for operand in test.operands])
    return {"or": any_of, "xone": _one}.get(test.connective, all_of)(parts)


def all_of(parts: tuple[Predicate, ...]) -> Predicate:
    """And: the first that fails settles it, whatever is not known."""
    if len(parts) == 1:
        return parts[0]

    def holds(situation: Situation, since: int | None) -> Truth:
        truth: Truth = True
        for part in parts:
            found = part(situation, since)
            if found is False:
                return False
            if found is None:
                truth = None
        return truth

    return holds


def any_of(parts: tuple[Predicate, ...]) -> Predicate:
    """Or: the first that holds settles it, whatever is not known."""

    def holds(situation: Situation, since: int | None) -> Truth:
        truth: Truth = False
        for part in parts:
            found = part(situation, since)
            if found is True:
                return True
            if found is None:
                truth = None
        return truth

    return holds


def _one(parts: tuple[Predicate, ...]) -> Predicate:
    return lambda situation, since: one([part(situation, since) for part in parts])


def _sequence(parts: tuple[Predicate, ...], arrivals: list[Arrival]) -> Predicate:
    """Each holds now; a delay counts from the moment at which those before it had come to hold."""
    steps = tuple(zip(parts, arrivals, strict=True))

    def holds(situation: Situation, since: int | None) -> Truth:
        truth: Truth = True
        for part, arrive in steps:
            found = part(situation, since)
            if found is False:
                return False
            if found is None:
                truth = None
            since = arrive(since)
        return truth

    return holds


def _comparing(operator: str, limit: int) -> Callable[[int], bool]:
    """Compares a number with ``limit``: the number stands on the left, as in the constraint."""
    name = operator.removeprefix(ODRL)
    return {
        "lt": limit.__gt__, "lteq": limit.__ge__, "gt": limit.__lt__, "gteq": limit.__le__, "eq": limit.__eq__,
    }[name]  # fmt: skip


def _moment(test: Constraint) -> int:
    right = test.right[0]
    assert isinstance(right, Typed)
    moment = moment_of(right.text)
    assert moment is not None
    return moment


def purpose_truths(test: Constraint, rulebook: Rulebook) -> dict[str, Truth]:
    """The truth of a constraint on the purpose for each purpose that can be requested."""
    return _purposes(test.operator, test.right, rulebook)


@lru_cache(maxsize=4_096)
def _purposes(operator: str, right: tuple[Value, ...], rulebook: Rulebook) -> dict[str, Truth]:
    # Asked of the engine itself, once for each constraint: two codes for one meaning could drift apart.
    test = Constraint(ODRL + "purpose", operator, right, "")
    world = world_of(rulebook)
    truths = {}
    for purpose in rulebook.requestable:
        attempt = Attempt("", None, facts={ODRL + "purpose": (iri(purpose),)})
        truths[purpose] = satisfied(test, Scene(attempt, world, CORE)).holds
    return truths


def _purpose(test: Constraint, place: Place) -> Predicate:
    truths = purpose_truths(test, place.rulebook)
    return lambda situation, _since: truths.get(situation.purpose)


def _recipient(test: Constraint, _place: Place) -> Predicate:
    names = frozenset(str(value) for value in test.right)
    inside = test.operator in (ODRL + "eq", ODRL + "isAnyOf")
    return lambda situation, _since: (situation.assignee in names) is inside


def _date_time(test: Constraint, _place: Place) -> Predicate:
    compare = _comparing(test.operator, _moment(test))
    return lambda situation, _since: compare(situation.now)


def _role(test: Constraint, _place: Place) -> Predicate:
    names = frozenset(str(value).replace(DMI, "dmi:", 1) for value in test.right)
    inside = test.operator == ODRL + "isAnyOf"

    def holds(situation: Situation, _since: int | None) -> Truth:
        if not situation.roles:
            # Nobody without a role is known to have none: roles may be told later.
            return None
        return names.isdisjoint(situation.roles) is not inside

    return holds


def _day(test: Constraint, _place: Place) -> Predicate:
    names = frozenset(value.text for value in test.right if isinstance(value, Typed))
    inside = test.operator in (ODRL + "eq", ODRL + "isAnyOf")
    return lambda situation, _since: (situation.here()[0] in names) is inside


def _time_of_day(test: Constraint, _place: Place) -> Predicate:
    right = test.right[0]
    assert isinstance(right, Typed)
    hours, minutes, seconds = right.text.split(":")
    whole, _, part = seconds.partition(".")
    limit = (int(hours) * 3_600 + int(minutes) * 60 + int(whole)) * _SECOND + int((part + "000000")[:6])
    compare = _comparing(test.operator, limit)
    return lambda situation, _since: compare(situation.here()[1])


def _count(test: Constraint, place: Place) -> Predicate:
    right = test.right[0]
    assert isinstance(right, Typed)
    compare, rule = _comparing(test.operator, int(right.text)), place.rule

    def holds(situation: Situation, _since: int | None) -> Truth:
        if situation.uses is None:
            return None
        # This use counts too: with at most five uses, the sixth must be refused.
        return compare(situation.uses.get(rule, NEVER).count + 1)

    return holds


def _elapsed(test: Constraint, place: Place) -> Predicate:
    compare, rule = _lasting(test), place.rule

    def holds(situation: Situation, _since: int | None) -> Truth:
        if situation.uses is None:
            return None
        first = situation.uses.get(rule, NEVER).first
        return compare(0 if first is None else situation.now - first)

    return holds


def _interval(test: Constraint, place: Place) -> Predicate:
    compare, rule = _lasting(test), place.rule

    def holds(situation: Situation, _since: int | None) -> Truth:
        last = None if situation.uses is None else situation.uses.get(rule, NEVER).last
        return None if last is None else compare(situation.now - last)

    return holds


def _delay(test: Constraint, _place: Place) -> Predicate:
    compare = _lasting(test)

    def holds(situation: Situation, since: int | None) -> Truth:
        start = situation.concluded if since is None else since
        return None if start is None else compare(situation.now - start)

    return holds


def _lasting(test: Constraint) -> Callable[[int], Truth]:
    """Compares microseconds with a length of time; open where months make that open."""
    right = test.right[0]
    length = micros(right)
    if length is not None:
        return _comparing(test.operator, length)
    compare = _comparing(test.operator, 0)

    def holds(found: int) -> Truth:
        compared = order(lasting(found), right)
        return None if compared is None else compare(compared)

    return holds


_COMPILE: Final[dict[str, Callable[[Constraint, Place], Predicate]]] = {
    ODRL + "purpose": _purpose,
    ODRL + "recipient": _recipient,
    ODRL + "dateTime": _date_time,
    DMI + "role": _role,
    DMI + "dayOfWeek": _day,
    DMI + "timeOfDay": _time_of_day,
    ODRL + "count": _count,
    ODRL + "elapsedTime": _elapsed,
    ODRL + "timeInterval": _interval,
    ODRL + "delayPeriod": _delay,
}
