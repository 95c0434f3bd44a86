"""Duties that somebody else must have fulfilled, compiled: the same meaning as ``odrl.fulfilment``.

That a duty was fulfilled is told by the party to which it is owed; the confirmation stands in the agreement's state. A
duty that is due late is made good by its consequences (section 2.6.3).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from dmi_agreements.odrl.model import ODRL, Constraint, Rule, Typed
from dmi_agreements.odrl.values import every
from dmi_agreements.policy.operands import moment_of
from dmi_agreements.policy.predicates import Place, Predicate, compile_test
from dmi_agreements.policy.situation import Situation

Settled = Callable[[Situation], bool]
"""Whether a duty stands in nobody's way: fulfilled, or not asked for now."""

_LAST: Final = {"lt": 1, "lteq": 0}


@lru_cache(maxsize=16_384)
def compile_duty(duty: Rule, place: Place) -> Settled:
    """When ``duty`` is settled; duties that say the same share what decides it."""
    tests = [compile_test(test, place) for test in duty.constraints]
    ends = _ends(duty)
    end = min(ends) if ends else None
    consequences = [_fulfilled(each, place) for each in duty.consequences]

    def settled(situation: Situation) -> bool:
        now = situation.now
        in_force = _in_force(tests, situation)
        late = not in_force and end is not None and now > end
        if not in_force and not late:
            return True
        done = [each.at for each in situation.performed if each.rule == duty.path and each.at <= now]
        if any(end is None or at <= end for at in done):
            return True
        # Done after its last moment: made good when all consequences are fulfilled too.
        return bool(done) and bool(consequences) and all(each(situation) for each in consequences)

    return settled


def _fulfilled(duty: Rule, place: Place) -> Settled:
    """When a consequence is fulfilled; it has none of its own."""
    tests = [compile_test(test, place) for test in duty.constraints]
    ends = _ends(duty)
    end = min(ends) if ends else None

    def fulfilled(situation: Situation) -> bool:
        now = situation.now
        if not _in_force(tests, situation) and not (end is not None and now > end):
            return False
        done = [each.at for each in situation.performed if each.rule == duty.path and each.at <= now]
        return any(end is None or at <= end for at in done)

    return fulfilled


def _in_force(tests: list[Predicate], situation: Situation) -> bool:
    return every([test(situation, None) for test in tests]) is not False


def _ends(duty: Rule) -> list[int]:
    """The last moments (``dateTime`` before …) at which the duty can be fulfilled in time."""
    found = []
    for test in duty.constraints:
        bare = test.operator.removeprefix(ODRL) if isinstance(test, Constraint) else ""
        if isinstance(test, Constraint) and test.left == ODRL + "dateTime" and bare in _LAST:
            right = test.right[0]
            moment = moment_of(right.text) if isinstance(right, Typed) else None
            assert moment is not None
            found.append(moment - _LAST[bare])
    return found
