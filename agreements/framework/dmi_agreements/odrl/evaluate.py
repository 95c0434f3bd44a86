"""A policy, a request and a state of the world give a verdict with its proof (sections 2.6 to 2.10).

Three-valued inside: a premise holds, does not, or is not known. Closed outside: what is not known activates no
permission and lifts no prohibition, and only a clear yes permits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dmi_agreements.odrl.fulfilment import duty_report, exercised
from dmi_agreements.odrl.model import Policy, Rule, Strategy
from dmi_agreements.odrl.report import PolicyReport, Premise, RuleReport, Verdict
from dmi_agreements.odrl.satisfaction import Scene, action_premise, hold, thing_premise
from dmi_agreements.odrl.vocabulary import CORE, Vocabulary
from dmi_agreements.odrl.world import Attempt, Request, World

PROPOSALS: Final = frozenset(("Offer", "Request"))
NOBODY: Final = Attempt("", None)
"""The attempt of a request that puts none."""


def evaluate(policy: Policy, request: Request, world: World, vocabulary: Vocabulary = CORE) -> PolicyReport:
    """Judge every rule of ``policy``, its own and (see ``inherit``) its parents', for every attempt.

    Several attempts are permitted only together. An offer and a request bind nobody, so they permit nothing.
    """
    world = _with_members(policy, world)
    attempts = request.attempts or (NOBODY,)
    rules: list[RuleReport] = []
    verdicts: list[Verdict] = []
    for attempt in attempts:
        scene = Scene(attempt, world, vocabulary)
        judged = [_judge(rule, replace(scene, rule=rule.uid or rule.path)) for rule in policy.rules]
        rules += judged
        verdicts.append("undecided" if policy.kind in PROPOSALS else settle(judged, policy.conflict))
    verdict: Verdict = "deny" if "deny" in verdicts else "undecided" if "undecided" in verdicts else "permit"
    return PolicyReport(
        policy=policy.uid,
        request=request.uid,
        world=world.uid,
        created=world.now,
        rules=tuple(rules),
        verdict=verdict if request.attempts else "undecided",
        strategy=policy.conflict,
        proposal=policy.kind in PROPOSALS,
        draft=request.draft,
    )


def settle(judged: list[RuleReport], strategy: Strategy | None) -> Verdict:
    """The verdict of rules on one attempt; a conflict is settled by the strategy (section 2.10).

    Without one, or with ``invalid``, a policy that contradicts itself is void: it permits nothing.
    """
    permitted = any(each.active for each in judged if each.rule.kind == "permission")
    prohibited = any(each.active for each in judged if each.rule.kind == "prohibition")
    if permitted and (not prohibited or strategy == "perm"):
        return "permit"
    return "deny" if prohibited else "undecided"


def _judge(rule: Rule, scene: Scene) -> RuleReport:
    attempt = None if scene.attempt is NOBODY else scene.attempt
    if rule.kind == "obligation":
        duty = duty_report(rule, rule, scene)
        return RuleReport(
            rule,
            attempt,
            active=duty.active,
            in_force=duty.active,
            premises=duty.premises,
            conditions=duty.further,
            duty=duty,
            performed=duty.performance == "Performed",
        )
    constraints = hold(rule.constraints, scene)
    premises = (*_about_attempt(rule, scene), *constraints)
    if rule.kind == "prohibition":
        performed = bool(exercised(rule, scene))
        remedies = tuple(duty_report(each, rule, scene) for each in rule.remedies) if performed else ()
        return RuleReport(
            rule,
            attempt,
            active=all(premise.holds is not False for premise in premises),
            in_force=all(premise.holds is not False for premise in constraints),
            premises=premises,
            conditions=remedies,
            performed=performed,
        )
    duties = tuple(duty_report(duty, rule, scene) for duty in rule.duties)
    settled = all(duty.settled for duty in duties)
    return RuleReport(
        rule,
        attempt,
        active=settled and all(premise.holds is True for premise in premises),
        in_force=settled and all(premise.holds is True for premise in constraints),
        premises=premises,
        conditions=duties,
    )


def _about_attempt(rule: Rule, scene: Scene) -> list[Premise]:
    """Whether the rule speaks of this attempt. Whose rule it is matters only to a request that names an assigner."""
    attempt = scene.attempt
    asked = rule.assigners if attempt.assigner is not None else ()
    premises = (
        thing_premise("Target", rule.targets, attempt.target, scene),
        thing_premise("Party", rule.assignees, attempt.party, scene),
        thing_premise("Party", asked, attempt.assigner, scene),
        action_premise(rule, scene),
    )
    return [premise for premise in premises if premise is not None]


def _with_members(policy: Policy, world: World) -> World:
    """The state of the world with the memberships that the policy itself states."""
    described = [thing for thing in policy.things if thing.uid is not None and thing.part_of]
    if not described:
        return world
    part_of = dict(world.part_of)
    for thing in described:
        assert thing.uid is not None
        part_of[thing.uid] = part_of.get(thing.uid, frozenset()) | frozenset(thing.part_of)
    return replace(world, part_of=part_of)
