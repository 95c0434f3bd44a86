"""Terms compiled for deciding: purposes expanded, times as limits, rules by action and dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dmi_agreements.decision import Duty, RestrictArea
from dmi_agreements.policy.terms import AgreementTerms, PurposeTest, RuleTerms
from dmi_agreements.rulebook import Rulebook

ALWAYS: Final = -(2**63)
"""``starts`` of a rule without a start."""
FOREVER: Final = 2**63 - 1
"""``ends`` of a rule without an end."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A permission or prohibition; ``starts`` and ``ends`` are the first and last microsecond it holds."""

    path: str
    purposes: frozenset[str]
    recipients: frozenset[str] | None
    starts: int
    ends: int
    duties: tuple[Duty, ...]

    def failing(self, assignee: str, purpose: str, now: int) -> str | None:
        """The code of the first test that does not hold, time last; ``None`` when the rule applies."""
        if self.recipients is not None and assignee not in self.recipients:
            return "wrong_recipient"
        if purpose not in self.purposes:
            return "wrong_purpose"
        if now > self.ends:
            return "expired"
        if now < self.starts:
            return "not_yet"
        return None


Rules = Mapping[tuple[str, str], tuple[CompiledRule, ...]]
"""Rules by (action, dataset)."""


@dataclass(frozen=True, slots=True)
class CompiledAgreement:
    """An agreement ready to decide; ``actions`` and ``purposes`` are the vocabulary a request may use."""

    id: str
    assigner: str
    assignee: str
    permissions: Rules
    prohibitions: Rules
    datasets: tuple[str, ...]
    actions: frozenset[str]
    purposes: frozenset[str]


def compile_agreement(terms: AgreementTerms, rulebook: Rulebook) -> CompiledAgreement:
    """The compiled form of ``terms`` that were read with the same rulebook."""
    return CompiledAgreement(
        id=terms.uid,
        assigner=terms.assigner,
        assignee=terms.assignee,
        permissions=_index(terms.permissions, rulebook),
        prohibitions=_index(terms.prohibitions, rulebook),
        datasets=terms.datasets,
        actions=frozenset(rulebook.actions),
        purposes=rulebook.requestable,
    )


def _index(rules: tuple[RuleTerms, ...], rulebook: Rulebook) -> Rules:
    index: dict[tuple[str, str], tuple[CompiledRule, ...]] = {}
    for rule in rules:
        compiled = _compile_rule(rule, rulebook)
        for action in rule.actions:
            for target in rule.targets:
                index[action, target] = (*index.get((action, target), ()), compiled)
    return MappingProxyType(index)


def _compile_rule(rule: RuleTerms, rulebook: Rulebook) -> CompiledRule:
    purposes = rulebook.requestable
    for test in rule.purposes:
        purposes &= _expand(test, rulebook)
    recipients: frozenset[str] | None = None
    for allowed in rule.recipients:
        recipients = allowed if recipients is None else recipients & allowed
    starts, ends = ALWAYS, FOREVER
    for limit in rule.times:
        # Strict limits move by one microsecond, the unit of time here, so that all limits are inclusive.
        if limit.operator in ("gt", "gteq"):
            starts = max(starts, limit.moment + (limit.operator == "gt"))
        else:
            ends = min(ends, limit.moment - (limit.operator == "lt"))
    areas = tuple(RestrictArea(box) for box in rule.areas)
    return CompiledRule(rule.path, purposes, recipients, starts, ends, areas + rule.duties)


def _expand(test: PurposeTest, rulebook: Rulebook) -> frozenset[str]:
    if test.operator == "isA":
        return rulebook.below(test.purposes[0])
    return frozenset(test.purposes)
