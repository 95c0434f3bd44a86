"""Terms compiled for deciding: rules by action and dataset, purposes expanded, limits in time, predicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from dmi_agreements.decision import Duty, RestrictArea
from dmi_agreements.odrl.model import ODRL, Action, Constraint, Logical, Strategy, Test
from dmi_agreements.odrl.values import Truth
from dmi_agreements.policy.beyond import reached, spared
from dmi_agreements.policy.measure import tests_of
from dmi_agreements.policy.operands import iri
from dmi_agreements.policy.owed import Settled, compile_duty
from dmi_agreements.policy.predicates import (
    Place,
    Predicate,
    all_of,
    any_of,
    compile_test,
    counted,
    purpose_truths,
)
from dmi_agreements.policy.rules import PURPOSE, SPATIAL, covered
from dmi_agreements.policy.situation import Situation
from dmi_agreements.policy.terms import AgreementTerms, RuleTerms
from dmi_agreements.rulebook import Rulebook

ALWAYS: Final = -(2**63)
"""``starts`` of a rule without a start."""
FOREVER: Final = 2**63 - 1
"""``ends`` of a rule without an end."""

_DATE_TIME: Final = ODRL + "dateTime"
_RECIPIENT: Final = ODRL + "recipient"
_NAMED: Final = frozenset((ODRL + "eq", ODRL + "isAnyOf"))


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A permission or prohibition, for one action on one dataset.

    ``purposes`` are those for which a permission holds, and those for which a prohibition (``forbids``) does not: one
    that it cannot know is forbidden.
    ``starts`` and ``ends`` are the first and last microsecond it holds, ``rest`` what else must hold, ``owed`` the
    duties that must be settled. ``counted``: it depends on how often it was used, or costs something (``priced``), so
    its uses are counted.
    """

    path: str
    purposes: frozenset[str]
    recipients: frozenset[str] | None
    starts: int
    ends: int
    duties: tuple[Duty, ...]
    rest: tuple[Predicate, ...] = ()
    owed: tuple[Settled, ...] = ()
    forbids: bool = False
    counted: bool = False
    priced: bool = False

    @property
    def simple(self) -> bool:
        """Whether the request and the moment settle it, without facts of the agreement."""
        return not self.rest and not self.owed

    @property
    def burden(self) -> tuple[bool, int]:
        """What a use under it asks, to choose the least: what is free before what is paid for, then fewest duties."""
        return self.priced, len(self.duties)

    def concerns(self, assignee: str, purpose: str) -> bool:
        """Whether it is about this recipient and purpose, whatever else it asks."""
        meant = (purpose in self.purposes) is not self.forbids
        return meant and (self.recipients is None or assignee in self.recipients)

    def failing(
        self, assignee: str, purpose: str, now: int, situation: Situation | None = None
    ) -> str | None:
        """The code of the first test that does not hold, time last; ``None`` when the rule applies.

        A rule that is not ``simple`` asks for the ``situation``: without it a permission does not apply, and a
        prohibition does. What is not known permits nothing and lifts no prohibition.
        """
        if self.recipients is not None and assignee not in self.recipients:
            return "wrong_recipient"
        if (purpose in self.purposes) is self.forbids:
            return "wrong_purpose"
        if self.rest:
            truth = self._rest(situation)
            if truth is False or (truth is None and not self.forbids):
                return "condition_unmet" if truth is False else "condition_unknown"
        if self.owed and not (situation and all(settled(situation) for settled in self.owed)):
            return "duty_open"
        if now > self.ends:
            return "expired"
        if now < self.starts:
            return "not_yet"
        return None

    def _rest(self, situation: Situation | None) -> Truth:
        if situation is None:
            return None
        truth: Truth = True
        for test in self.rest:
            found = test(situation, None)
            if found is False:
                return False
            truth = truth and found
        return truth


Rules = Mapping[tuple[str, str], tuple[CompiledRule, ...]]
"""Rules by (action, dataset)."""


@dataclass(frozen=True, slots=True)
class CompiledAgreement:
    """An agreement ready to decide; ``actions`` and ``purposes`` are the vocabulary a request may use.

    ``strategy`` settles a permission and a prohibition that both apply: ``perm`` permits, any other refuses.
    """

    id: str
    assigner: str
    assignee: str
    permissions: Rules
    prohibitions: Rules
    datasets: tuple[str, ...]
    actions: frozenset[str]
    purposes: frozenset[str]
    strategy: Strategy | None = None


def compile_agreement(
    terms: AgreementTerms, rulebook: Rulebook, others: tuple[Rulebook, ...] = ()
) -> CompiledAgreement:
    """The compiled form of ``terms`` that were read with the same rulebook; ``others``: versions in force beside it."""
    return CompiledAgreement(
        id=terms.uid,
        assigner=terms.assigner,
        assignee=terms.assignee,
        permissions=_index(terms.permissions, rulebook, terms.obligations),
        prohibitions=_index(terms.prohibitions, rulebook, (), others),
        datasets=terms.datasets,
        actions=frozenset(rulebook.actions),
        purposes=rulebook.requestable,
        strategy=terms.policy.conflict,
    )


def _index(
    rules: tuple[RuleTerms, ...],
    rulebook: Rulebook,
    obligations: tuple[Duty, ...],
    others: tuple[Rulebook, ...] = (),
) -> Rules:
    index: dict[tuple[str, str], list[CompiledRule]] = {}
    for rule in rules:
        known: dict[tuple[Action, ...], CompiledRule] = {}
        by: dict[str, tuple[Action, ...]] = {
            action: tuple(each for each in rule.rule.actions if action in covered(rulebook, each.iri))
            for action in rule.actions
        }
        if rule.rule.kind == "prohibition":
            by |= reached(rule, rulebook, others)
        for action, narrowed in by.items():
            # Actions of the rule that are alike for this one give the same compiled rule.
            plain = () if any(not each.refinements for each in narrowed) else narrowed
            if plain not in known:
                known[plain] = _shared(_compile_rule(rule, plain, rulebook, obligations, others))
            for target in rule.targets:
                compiled = known[plain]
                if target in rule.area_of:
                    compiled = _shared(_within(compiled, rule.area_of[target]))
                index.setdefault((action, target), []).append(compiled)
    return MappingProxyType({place: tuple(found) for place, found in index.items()})


@lru_cache(maxsize=65_536)
def _shared(rule: CompiledRule) -> CompiledRule:
    """The first rule that was compiled to the same: agreements of one template decide by the same few objects."""
    return rule


def _compile_rule(
    rule: RuleTerms,
    narrowed: tuple[Action, ...],
    rulebook: Rulebook,
    obligations: tuple[Duty, ...],
    others: tuple[Rulebook, ...],
) -> CompiledRule:
    place = Place(rule.path, rulebook)
    tests: list[Test] = [*rule.rule.constraints]
    if len(narrowed) == 1:
        tests += narrowed[0].refinements
    if len(rule.rule.assignees) == 1:
        tests += rule.rule.assignees[0].refinements
    forbids = rule.rule.kind == "prohibition"
    purposes = frozenset() if forbids else rulebook.requestable
    recipients: frozenset[str] | None = None
    rest: list[Predicate] = []
    for test in tests:
        if isinstance(test, Logical):
            rest.append(compile_test(test, place))
        elif test.left == PURPOSE and forbids:
            purposes |= spared(test, rulebook, others)
        elif test.left == PURPOSE:
            purposes &= _meeting(test, rulebook)
        elif test.left == _RECIPIENT and test.operator in _NAMED:
            named = frozenset(str(value) for value in test.right)
            recipients = named if recipients is None else recipients & named
        elif test.left != SPATIAL and not (test.left == _DATE_TIME and test in rule.rule.constraints):
            rest.append(compile_test(test, place))
    if len(narrowed) > 1:
        rest.append(_any_action(narrowed, place))
    starts, ends = _limits(rule)
    areas = tuple(RestrictArea(box) for box in rule.areas)
    owed = (duty for duty in rule.rule.duties if duty.actions[0].iri not in _carried(rulebook))
    return CompiledRule(
        rule.path,
        purposes,
        recipients,
        starts,
        ends,
        areas + rule.duties + (() if forbids else obligations),
        tuple(rest),
        tuple(compile_duty(duty, place) for duty in owed),
        forbids=forbids,
        counted=rule.price is not None or any(map(counted, tests_of(rule.rule, narrowed))),
        priced=rule.price is not None,
    )


def _limits(rule: RuleTerms) -> tuple[int, int]:
    starts, ends = ALWAYS, FOREVER
    for limit in rule.times:
        # Strict limits move by one microsecond, the unit of time here, so that all limits are inclusive.
        if limit.operator in ("gt", "gteq"):
            starts = max(starts, limit.moment + (limit.operator == "gt"))
        else:
            ends = min(ends, limit.moment - (limit.operator == "lt"))
    return starts, ends


def _within(rule: CompiledRule, areas: tuple[tuple[float, float, float, float], ...]) -> CompiledRule:
    duties = tuple(RestrictArea(box) for box in areas) + rule.duties
    return CompiledRule(
        rule.path, rule.purposes, rule.recipients, rule.starts, rule.ends, duties,
        rule.rest, rule.owed, rule.forbids, rule.counted, rule.priced,
    )  # fmt: skip


def _meeting(test: Constraint, rulebook: Rulebook) -> frozenset[str]:
    """The purposes for which a permission with this constraint applies."""
    return frozenset(purpose for purpose, truth in purpose_truths(test, rulebook).items() if truth is True)


def _any_action(actions: tuple[Action, ...], place: Place) -> Predicate:
    """Of several ways to name the action, each narrowed, one that holds will do."""
    choices = (tuple(compile_test(test, place) for test in action.refinements) for action in actions)
    return any_of(tuple(map(all_of, choices)))


def _carried(rulebook: Rulebook) -> frozenset[str]:
    return frozenset(map(iri, rulebook.duties))
