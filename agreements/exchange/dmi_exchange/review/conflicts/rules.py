"""Rules and policies as formulas: what a request must be for a policy to allow it, and a duty to be doable.

A permission covers a request that its action, asset, assignee and constraints cover, if its duties can be fulfilled.
A prohibition forbids what it covers, except where the policy's conflict strategy is ``perm`` and a permission covers
it too. A policy without permissions allows what it does not forbid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dmi_agreements.odrl.model import Policy, Rule, Test, Thing
from dmi_agreements.odrl.vocabulary import Vocabulary
from dmi_exchange.review.conflicts import operands
from dmi_exchange.review.conflicts.formula import (
    TRUE,
    All,
    Any,
    Claim,
    Formula,
    Link,
    Naming,
    Number,
    Opaque,
    Recurring,
    Variable,
    links,
    literals,
    negated,
    replaced,
)
from dmi_exchange.review.conflicts.order import Order, merged
from dmi_exchange.review.conflicts.results import Term
from dmi_exchange.review.conflicts.terms import Scene, Terms
from dmi_exchange.review.conflicts.values import Name, common_round

REQUEST: Final = Scene("request")
ACTION: Final = "action"
TARGET: Final = "target"
ASSIGNEE: Final = "assignee"
_BEATS: Final = 500


@dataclass(frozen=True, slots=True)
class Who:
    """The act that is spoken of: its values, and where its asset and its assignee stand (a duty may share them)."""

    scene: Scene
    target: Variable
    assignee: Variable

    @classmethod
    def own(cls, scene: Scene) -> Who:
        return cls(scene, scene.variable(TARGET), scene.variable(ASSIGNEE))


@dataclass(frozen=True, slots=True)
class Orders:
    """What falls under what: what operands name, actions, and actions with those that they cannot do without."""

    names: Order
    actions: Order
    needs: Order

    @classmethod
    def of(
        cls,
        own: Iterable[Mapping[str, Iterable[str]]],
        foreign: Iterable[Mapping[str, Iterable[str]]],
        vocabulary: Vocabulary,
    ) -> Orders:
        needs = merged([vocabulary.actions, vocabulary.implies])
        return cls(merged(own, foreign), merged([vocabulary.actions]), needs)


class Rules:
    """The formulas of ``policies``."""

    def __init__(self, policies: tuple[Policy, ...], vocabulary: Vocabulary, orders: Orders) -> None:
        self.policies = policies
        self.terms = Terms(vocabulary, orders.names, tests=tuple(_tests(policies)))
        self.orders = orders
        self._duties: dict[str, list[Rule]] = {}
        self.things = merged([_memberships(policies)], strict=True)

    def allowed(self, policy: Policy, who: Who) -> Formula:
        """That ``policy`` allows the request ``who``."""
        covered = Any(tuple(self.usable(policy, rule, who) for rule in policy.permissions))
        if not policy.permissions:
            return self.not_forbidden(policy, who)
        if policy.conflict == "perm":
            return covered
        return All((covered, self.not_forbidden(policy, who)))

    def usable(self, policy: Policy, rule: Rule, who: Who) -> Formula:
        """That a permission covers the request, and what it asks for can be done."""
        duties = tuple(self.doable(policy, duty, who) for duty in rule.duties)
        return All((self.covers(policy, rule, who), *duties))

    def not_forbidden(self, policy: Policy, who: Who) -> Formula:
        return All(tuple(negated(self.covers(policy, rule, who)) for rule in policy.prohibitions))

    def obliged(self, policy: Policy) -> Formula:
        """That each obligation can be fulfilled, each by an act of its own."""
        return All(tuple(self.doable(policy, rule) for rule in policy.obligations))

    def doable(self, policy: Policy, duty: Rule, of: Who | None = None) -> Formula:
        """That some act fulfils ``duty``, and no policy forbids the act.

        A duty ``of`` a permission is about the asset and the assignee of the request where it names no other.
        """
        scene = self._act(policy, duty)
        who = Who.own(scene)
        if of is not None:
            who = replace(
                who,
                target=who.target if duty.targets else of.target,
                assignee=who.assignee if duty.assignees else of.assignee,
            )
        unforbidden = (self.not_forbidden(each, who) for each in self.policies)
        return All((self.covers(policy, duty, who), *unforbidden))

    def _act(self, policy: Policy, duty: Rule) -> Scene:
        """The scene of the act that fulfils a duty; a rule that was inherited may stand at the same path as another."""
        name = f"{policy.uid} {duty.path}"
        same = self._duties.setdefault(name, [])
        if duty not in same:
            same.append(duty)
        return Scene(name + "'" * same.index(duty))

    def covers(self, policy: Policy, rule: Rule, who: Who) -> Formula:
        """That a rule speaks of the act ``who`` (what it does not say, it says of all)."""
        return All(
            (
                self._action(policy, rule, who),
                self._things(policy, rule, rule.targets, TARGET, who.target, who.scene),
                self._things(policy, rule, rule.assignees, ASSIGNEE, who.assignee, who.scene),
                *(self.terms.test(test, policy.uid, who.scene) for test in rule.constraints),
            )
        )

    def _action(self, policy: Policy, rule: Rule, who: Who) -> Formula:
        if not rule.actions:
            return TRUE
        variable = who.scene.variable(ACTION)
        # What an action cannot be done without must not be prohibited either (odrl:implies, section 2.4.1).
        order = self.orders.needs if rule.kind == "prohibition" else self.orders.actions
        choices = []
        for at, action in enumerate(rule.actions):
            term = Term(policy.uid, f"{rule.path}/action/{at}", f"action {_last(action.iri)}")
            name = Name("iri", action.iri, action.iri)
            named = Claim(Naming(term, variable, "isPartOf", (name,), order))
            refined = (self.terms.test(test, policy.uid, who.scene) for test in action.refinements)
            choices.append(All((named, *refined)))
        return Any(tuple(choices))

    def _things(
        self,
        policy: Policy,
        rule: Rule,
        things: tuple[Thing, ...],
        role: str,
        variable: Variable,
        scene: Scene,
    ) -> Formula:
        if not things:
            return TRUE
        choices = []
        for at, thing in enumerate(things):
            named = [name for name in (thing.uid, thing.source) if name is not None]
            term = Term(policy.uid, f"{rule.path}/{role}/{at}", f"{role} {' or '.join(named)}")
            claims = [
                Claim(Naming(term, variable, "isPartOf", (Name("iri", name, name),), self.things))
                for name in named
            ]
            refined = [self.terms.test(test, policy.uid, scene.of(role)) for test in thing.refinements]
            if not named and not refined:
                refined.append(Claim(Opaque(term, "which it is, is not said")))
            choices.append(All((*([Any(tuple(claims))] if claims else []), *refined)))
        return Any(tuple(choices))


def grounded(formula: Formula) -> Formula:
    """``formula`` with what always holds between its values, and with units that cannot be compared marked."""
    variables = {claim.atom.variable for claim in literals(formula) if isinstance(claim.atom, Number)}
    variables |= {variable for link in links(formula) for _, variable in link.factors}
    metered = [each for each in variables if each.of == operands.METERED]
    pairs = [(each, replace(each, of=operands.ELAPSED)) for each in metered]
    always = tuple(Link(((1, longer), (-1, used))) for used, longer in pairs if longer in variables)
    formula = _slowed(formula)
    units: dict[tuple[str, str], set[str]] = {}
    for each in variables:
        units.setdefault((each.scene, each.of), set()).add(each.unit)
    return All((_marked(formula, {key for key, found in units.items() if len(found) > 1}), *always))


def _slowed(formula: Formula) -> Formula:
    """``formula`` without recurrences that beat too often in the round that they share with others."""
    atoms = [claim.atom for claim in literals(formula) if isinstance(claim.atom, Recurring)]
    rounds = {
        variable: common_round({atom.period for atom in atoms if atom.variable == variable})
        for variable in {atom.variable for atom in atoms}
    }
    dense = {atom for atom in atoms if rounds[atom.variable] / atom.period > _BEATS}
    return replaced(
        formula, lambda atom: Opaque(atom.term, "it recurs too often to be placed") if atom in dense else atom
    )


def _marked(formula: Formula, mixed: set[tuple[str, str]]) -> Formula:
    why = "values in different units that cannot be turned into one another"
    return replaced(
        formula,
        lambda atom: (
            replace(atom, doubtful=why)
            if isinstance(atom, Number) and (atom.variable.scene, atom.variable.of) in mixed
            else atom
        ),
    )


def _tests(policies: Iterable[Policy]) -> Iterator[Test]:
    waiting = [rule for policy in policies for rule in policy.rules]
    while waiting:
        rule = waiting.pop()
        yield from rule.constraints
        for action in rule.actions:
            yield from action.refinements
        for thing in (*rule.targets, *rule.assignees):
            yield from thing.refinements
        waiting += rule.duties + rule.consequences + rule.remedies


def _memberships(policies: Iterable[Policy]) -> Mapping[str, set[str]]:
    """The collections of each asset and party that the policies describe."""
    found: dict[str, set[str]] = {}
    for policy in policies:
        waiting = list(policy.rules)
        things = list(policy.things)
        while waiting:
            rule = waiting.pop()
            things += rule.targets + rule.assignees
            waiting += rule.duties + rule.consequences + rule.remedies
        for thing in things:
            if thing.uid is not None and thing.part_of:
                found.setdefault(thing.uid, set()).update(thing.part_of)
    return found


def _last(iri: str) -> str:
    return iri.rpartition("#" if "#" in iri else "/")[2] or iri
