"""Whether constraints, actions, assets and parties of a rule hold for an attempt: three-valued, with the facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from dmi_agreements.odrl.model import (
    ODRL,
    XSD,
    Action,
    Constraint,
    Logical,
    Rule,
    Test,
    Thing,
    Typed,
    Value,
)
from dmi_agreements.odrl.report import Premise, PremiseKind
from dmi_agreements.odrl.sequence import DELAY, arrival, lasting
from dmi_agreements.odrl.values import (
    Span,
    Truth,
    every,
    meaning,
    negate,
    one,
    order,
    same,
    some,
    within,
)
from dmi_agreements.odrl.vocabulary import DMI, Left, Vocabulary, unit_of
from dmi_agreements.odrl.world import Attempt, Facts, World, reaches

_ZONE: Final = re.compile(r"(Z|[+-]\d\d:\d\d)$")
UNIT: Final = ODRL + "unit"
"""Facts under this name tell the unit, or the currency, of what they stand beside."""
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a rule is judged against; ``subject`` is the asset or party (IRI) that a refinement speaks of.

    ``rule`` is the place of the rule, whose use the log counts; ``since`` the moment (microseconds UTC) from which a
    delay counts that stands in a sequence.
    """

    attempt: Attempt
    world: World
    vocabulary: Vocabulary
    subject: str | None = None
    rule: str | None = None
    since: int | None = None


def hold(tests: tuple[Test, ...], scene: Scene) -> list[Premise]:
    """A premise for each test."""
    return [satisfied(test, scene) for test in tests]


def satisfied(test: Test, scene: Scene) -> Premise:
    """Whether a constraint or logical constraint is satisfied (sections 2.5.1 and 2.5.2).

    ``andSequence`` asks that each holds when those before it do; judged at one moment that is ``and``, with delays
    counted from the moment at which those before them had come to hold.
    """
    if isinstance(test, Logical):
        parts = _in_turn(test, scene) if test.connective == "andSequence" else _at_once(test, scene)
        truths = [part.holds for part in parts]
        joined: dict[str, Callable[[list[Truth]], Truth]] = {"or": some, "xone": one}
        holds = joined.get(test.connective, every)(truths) if truths else None
        return Premise("Constraint", holds, test, parts=parts)
    left = scene.vocabulary.lefts.get(test.left)
    if left is None:
        return Premise("Constraint", None, test, expected=test.right)
    found = _facts(left, test, scene)
    expected = _expected(test, scene)
    holds = _compared(test.operator, found, expected, scene.world) if found and expected else None
    return Premise("Constraint", holds, test, expected or test.right, found)


def _at_once(test: Logical, scene: Scene) -> tuple[Premise, ...]:
    return tuple(satisfied(operand, scene) for operand in test.operands)


def _in_turn(test: Logical, scene: Scene) -> tuple[Premise, ...]:
    parts = []
    for operand in test.operands:
        parts.append(satisfied(operand, scene))
        scene = replace(scene, since=arrival(operand)(scene.since))
    return tuple(parts)


def _expected(test: Constraint, scene: Scene) -> tuple[Value, ...]:
    if test.right == (ODRL + "policyUsage",):
        return (scene.world.now,) if scene.world.now else ()
    if not test.reference:
        return test.right
    return tuple(value for name in test.right for value in scene.world.facts.get(str(name), ()))


def _facts(left: Left, test: Constraint, scene: Scene) -> tuple[Value, ...]:
    """The values that the source of truth of this left operand gives; none when it gives none in this unit."""
    name = left.same_as or left.iri
    if left.source == "clock":
        return _clock(name, scene.world.now, test)
    if name == DELAY and scene.since is not None:
        now = None if scene.world.now is None else meaning(scene.world.now)
        return (lasting(now.start - scene.since),) if isinstance(now, Span) and now.zoned else ()
    unit = unit_of(test.unit) if test.unit else None
    if unit is not None and left.unit not in (None, "currency", unit):
        return ()
    for facts in _sources(left, scene):
        for key, values in facts.items():
            if unit is not None and left.unit is None and unit_of(key) == unit:
                return values
        if name in facts:
            stated = facts.get(UNIT)
            if unit is not None and (left.unit is None or left.unit == "currency"):
                return facts[name] if stated and unit_of(str(stated[0])) == unit else ()
            return facts[name]
    return ()


def _sources(left: Left, scene: Scene) -> list[Facts]:
    """Where to look, in order. What a requester states counts only where it is its to state."""
    world = scene.world
    counted = scene.rule if left.source == "log" else None
    concerned = scene.attempt.party if left.source == "assignee" else scene.attempt.target
    subjects = [scene.subject, counted, concerned]
    about = [world.about[each] for each in subjects if each is not None and each in world.about]
    return [*about, *([scene.attempt.facts] if left.source == "request" else []), world.facts]


def _clock(name: str, now: Typed | None, test: Constraint) -> tuple[Value, ...]:
    if now is None:
        return ()
    if name == DMI + "timeOfDay":
        clock = now.text.partition("T")[2]
        if not any(isinstance(each, Typed) and _ZONE.search(each.text) for each in test.right):
            # A time of day without zone is one of the clock that is asked, whatever zone that shows.
            clock = _ZONE.sub("", clock)
        return (Typed(clock, XSD + "time"),) if clock else ()
    if name == DMI + "dayOfWeek":
        return (Typed(_DAYS[date.fromisoformat(now.text[:10]).weekday()]),) if meaning(now) else ()
    return (now,)


def _compared(operator: str, found: tuple[Value, ...], expected: tuple[Value, ...], world: World) -> Truth:
    name = operator.removeprefix(ODRL) if operator.startswith(ODRL) else ""
    if name in ("isAnyOf", "isNoneOf"):
        any_of = some([same(value, each) for value in found for each in expected])
        return any_of if name == "isAnyOf" else negate(any_of)
    if name == "isAllOf":
        return every([some([same(value, each) for value in found]) for each in expected])
    if len(expected) != 1:
        return None
    truths = [_single(name, value, expected[0], world) for value in found]
    # Several values of which some hold and others do not: the constraint does not say which it means.
    return truths[0] if len(set(truths)) == 1 else None


def _single(name: str, found: Value, expected: Value, world: World) -> Truth:
    if name == "eq":
        return same(found, expected)
    if name == "neq":
        return negate(same(found, expected))
    if name == "isA":
        return _above(world, found, expected, kinds=True)
    if name == "isPartOf":
        return _above(world, found, expected, kinds=False)
    if name == "hasPart":
        return _above(world, expected, found, kinds=False)
    compared = order(found, expected)
    if compared is None:
        return None
    return {"lt": compared < 0, "lteq": compared <= 0, "gt": compared > 0, "gteq": compared >= 0}.get(name)


def _above(world: World, narrow: Value, wide: Value, kinds: bool) -> Truth:
    """Whether ``wide`` is ``narrow``, or above it in a hierarchy that is known; open where neither is known."""
    if same(narrow, wide):
        return True
    if not isinstance(narrow, str) or not isinstance(wide, str):
        return same(narrow, wide) if kinds else within(narrow, wide)
    for hierarchy in (world.kinds, world.part_of) if kinds else (world.part_of, world.kinds):
        if reaches(hierarchy, narrow, wide):
            return True
    known = {*world.kinds, *world.part_of}
    return False if narrow in known else None


def action_premise(rule: Rule, scene: Scene) -> Premise | None:
    """Whether the rule's action is the attempted one, or wider; ``None`` when the rule names none."""
    if not rule.actions:
        return None
    return _best("Action", [_action(rule, action, scene) for action in rule.actions])


def _action(rule: Rule, action: Action, scene: Scene) -> Premise:
    wanted = scene.attempt.action
    if wanted is None:
        holds: Truth = None
    else:
        # What an action cannot do without must not be prohibited either (odrl:implies, section 2.4.1).
        asked = scene.vocabulary.needs(wanted) if rule.kind == "prohibition" else {wanted}
        holds = any(scene.vocabulary.covers(action.iri, each) for each in asked)
        if not holds and wanted not in scene.vocabulary.actions:
            holds = None
    parts = tuple(hold(action.refinements, scene))
    truth = every([holds, *(part.holds for part in parts)])
    return Premise("Action", truth, None, (action.iri,), (wanted,) if wanted else (), parts)


def thing_premise(
    kind: PremiseKind, things: tuple[Thing, ...], uid: str | None, scene: Scene
) -> Premise | None:
    """Whether one of the rule's assets or parties is the attempt's; ``None`` when the rule names none."""
    if not things:
        return None
    return _best(kind, [_thing(kind, thing, uid, scene) for thing in things])


def _thing(kind: PremiseKind, thing: Thing, uid: str | None, scene: Scene) -> Premise:
    named = [name for name in (thing.uid, thing.source) if name is not None]
    if uid is None:
        holds: Truth = None
    elif named:
        holds = any(uid == name or scene.world.within(uid, name) for name in named)
    else:
        # Neither named nor taken from a collection: its refinements alone tell which are meant.
        holds = True if thing.refinements else None
    parts = tuple(hold(thing.refinements, replace(scene, subject=uid)))
    truth = every([holds, *(part.holds for part in parts)])
    return Premise(kind, truth, None, tuple(named), (uid,) if uid else (), parts)


def _best(kind: PremiseKind, choices: list[Premise]) -> Premise:
    """Of several that would do, the one that holds; else one that is not known; else the first."""
    if len(choices) == 1:
        return choices[0]
    truth = some([choice.holds for choice in choices])
    chosen = next(choice for choice in choices if choice.holds is truth)
    return replace(chosen, expected=tuple(name for choice in choices for name in choice.expected))
