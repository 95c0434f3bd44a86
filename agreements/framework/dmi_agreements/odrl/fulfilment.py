"""The state of duties: of permissions, obligations, consequences and remedies (sections 2.6.3 to 2.6.7)."""

from __future__ import annotations

from dataclasses import replace

from dmi_agreements.odrl.model import ODRL, Action, Constraint, Rule, Test, Thing, Typed
from dmi_agreements.odrl.report import DutyReport
from dmi_agreements.odrl.satisfaction import Scene, hold
from dmi_agreements.odrl.values import every, order
from dmi_agreements.odrl.world import DutyState, Event

# By operator: how the moment compares to the limit when it is too late.
_LATE = {ODRL + "lt": (0, 1), ODRL + "lteq": (1,)}


def duty_report(duty: Rule, holder: Rule, scene: Scene) -> DutyReport:
    """The state of ``duty``, which ``holder`` asks for; parties that it does not name are those of the holder.

    The state of the world may say it outright. Else it is fulfilled by an event that is its action; a duty of
    which nothing is known is not fulfilled, and stands in the way. A duty that its constraints keep out of force
    asks nothing, except that one whose last moment has passed is violated.
    """
    premises = tuple(hold(duty.constraints, scene))
    in_force = every([premise.holds for premise in premises]) is not False
    late = not in_force and _too_late(duty.constraints, scene)
    attempted = carried = False
    if duty.uid is not None and duty.uid in scene.world.duties:
        state = scene.world.duties[duty.uid]
        attempted = state.attempted
    elif duty.actions and all(action.iri in scene.world.carried_out for action in duty.actions):
        state, carried = DutyState("NonSet", "Unknown"), in_force
    elif in_force or late:
        state = _from_events(duty, holder, scene, late)
    else:
        state = DutyState("NonSet", "Unperformed")
    due = state.deontic == "Violated" or (in_force and state.performance == "Unperformed")
    further = tuple(duty_report(each, duty, scene) for each in duty.consequences) if due else ()
    if further and state.performance == "Performed":
        # Done after all: with all consequences fulfilled too, nothing is owed any more.
        made_good = all(each.deontic == "Fulfilled" for each in further)
        state = replace(state, deontic="Fulfilled" if made_good else "Violated")
    pending = state.deontic == "NonSet" and state.performance == "Unknown"
    return DutyReport(
        duty,
        active=in_force or late,
        deontic=state.deontic,
        performance=state.performance,
        settled=state.deontic == "Fulfilled" or pending or not (in_force or late),
        attempted=attempted,
        report=state.report,
        premises=premises,
        further=further,
        carried=carried,
    )


def _too_late(tests: tuple[Test, ...], scene: Scene) -> bool:
    """Whether a last moment (``dateTime`` before …) has passed."""
    now = scene.world.now
    return now is not None and any(
        isinstance(test, Constraint)
        and test.left == ODRL + "dateTime"
        and order(now, test.right[0]) in _LATE.get(test.operator, ())
        for test in tests
    )


def _from_events(duty: Rule, holder: Rule, scene: Scene, late: bool) -> DutyState:
    done = [event for event in scene.world.events if answers(event, duty, holder, scene)]
    if any(_in_time(event, duty, scene, late) for event in done):
        return DutyState("Fulfilled", "Performed")
    if done:
        return DutyState("Violated", "Performed")
    return DutyState("Violated" if late else "NonSet", "Unperformed")


def _in_time(event: Event, duty: Rule, scene: Scene, late: bool) -> bool:
    if event.at is None:
        return not late
    then = replace(scene, world=replace(scene.world, now=event.at))
    return not _too_late(duty.constraints, then)


def answers(event: Event, rule: Rule, holder: Rule, scene: Scene) -> bool:
    """Whether what was done is the rule's action, by whom and with what the rule says.

    An event that names the rule that it answers answers no other. What has yet to come answers nothing.
    """
    if event.rule is not None and event.rule not in (rule.uid, rule.path):
        return False
    now = scene.world.now
    if event.at is not None and now is not None and order(event.at, now) == 1:
        return False
    who = [name for name, thing in rule.functions if name.endswith(("edParty", "#recipient"))]
    recipients = tuple(thing for name, thing in rule.functions if name in who) or _own(
        rule, holder, "assigners"
    )
    return (
        any(_is(action, event, scene) for action in rule.actions)
        and _one_of(_own(rule, holder, "assignees"), event.party, scene)
        and _one_of(rule.targets, event.target, scene)
        and (event.recipient is None or _one_of(recipients, event.recipient, scene))
    )


def _own(rule: Rule, holder: Rule, role: str) -> tuple[Thing, ...]:
    mine: tuple[Thing, ...] = getattr(rule, role)
    inherited: tuple[Thing, ...] = getattr(holder, role)
    return mine or inherited


def _is(action: Action, event: Event, scene: Scene) -> bool:
    if not scene.vocabulary.covers(action.iri, event.action):
        return False
    told = replace(
        scene, attempt=replace(scene.attempt, facts={}), world=replace(scene.world, facts=event.facts)
    )
    return all(premise.holds is True for premise in hold(action.refinements, told))


def _one_of(things: tuple[Thing, ...], uid: str | None, scene: Scene) -> bool:
    names = [name for thing in things for name in (thing.uid, thing.source) if name is not None]
    if not names:
        return True
    return uid is not None and any(uid == name or scene.world.within(uid, name) for name in names)


def exercised(rule: Rule, scene: Scene) -> tuple[Typed | None, ...]:
    """When what a prohibition forbids was done all the same, as far as the state of the world tells."""
    return tuple(event.at for event in scene.world.events if answers(event, rule, rule, scene))
