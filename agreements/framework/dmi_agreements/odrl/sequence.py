"""``andSequence`` over time: from which moment a delay counts that stands behind other constraints (section 2.5.2)."""

from __future__ import annotations

from collections.abc import Callable

from dmi_agreements.odrl.model import ODRL, Constraint, Test, Typed, Value
from dmi_agreements.odrl.values import Lasting, Span, meaning

Arrival = Callable[["int | None"], "int | None"]
"""When something had come to hold, from the moment at which what stands before it had; microseconds UTC."""

DELAY = ODRL + "delayPeriod"
_BEGINS = frozenset((ODRL + "gt", ODRL + "gteq"))


def arrival(test: Test) -> Arrival:
    """When ``test`` had come to hold; the moment that is handed in, where time alone does not tell.

    A moment after which something is allowed tells it, and a delay that has passed since the moment before it. Of an
    ``or`` or ``xone`` it is not known which operand was the first to hold.
    """
    if not isinstance(test, Constraint):
        steps = [arrival(operand) for operand in test.operands]
        if test.connective == "andSequence":
            return lambda since: in_turn(steps, since)
        return (lambda since: together(steps, since)) if test.connective == "and" else _unchanged
    if test.operator not in _BEGINS or len(test.right) != 1:
        return _unchanged
    known = meaning(test.right[0])
    if test.left == ODRL + "dateTime" and isinstance(known, Span) and known.zoned:
        start = known.start
        return lambda since: start if since is None else max(since, start)
    length = micros(test.right[0])
    if test.left == DELAY and length is not None:
        return lambda since: None if since is None else since + length
    return _unchanged


def _unchanged(since: int | None) -> int | None:
    return since


def in_turn(steps: list[Arrival], since: int | None) -> int | None:
    """When the last of several had come to hold, one after the other."""
    for step in steps:
        since = step(since)
    return since


def together(steps: list[Arrival], since: int | None) -> int | None:
    """When the latest of several had come to hold."""
    found = [reached for step in steps if (reached := step(since)) is not None]
    return max(found, default=since)


def micros(value: Value) -> int | None:
    """A length of time in microseconds; ``None`` when it has months, which have no fixed length."""
    known = meaning(value)
    return known.micros if isinstance(known, Lasting) and not known.months else None


def lasting(length: int) -> Typed:
    """A length of time, in microseconds, as a literal."""
    whole, part = divmod(abs(length), 1_000_000)
    sign = "-" if length < 0 else ""
    return Typed(f"{sign}PT{whole}.{part:06}S", "http://www.w3.org/2001/XMLSchema#duration")
