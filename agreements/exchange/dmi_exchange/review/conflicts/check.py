"""The questions that can be asked: of two policies, of one, and whether one stays within another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from dmi_agreements.odrl.inheritance import inherit
from dmi_agreements.odrl.model import ODRL, Constraint, Policy, Rule, Value
from dmi_agreements.odrl.vocabulary import CORE, Vocabulary
from dmi_exchange.review.conflicts.formula import TRUE, All, Any, Formula, negated
from dmi_exchange.review.conflicts.results import (
    Compatible,
    Conflict,
    Containment,
    Finding,
    FindingKind,
    Inside,
    Outside,
    Term,
    Undecidable,
    Verdict,
)
from dmi_exchange.review.conflicts.rules import REQUEST, Orders, Rules, Who, grounded
from dmi_exchange.review.conflicts.solver import FOREVER, Clash, Unknown, Values, solve
from dmi_exchange.review.conflicts.terms import constraints
from dmi_exchange.review.conflicts.witness import witness

FACTS = "facts"
"""Stands for the policy where a term that clashes is not of a policy but known of the request."""


@dataclass(frozen=True)
class Checker:
    """Checks policies against each other, with ``hierarchies`` (name -> its direct parents) of what they name.

    Names in ``hierarchies`` fall under nothing else than these say; names in ``foreign`` ones may (see ``order``).
    ``others`` are the policies, by uid, that those to be checked may inherit from. Solving takes some milliseconds:
    not for the way of the data.
    """

    hierarchies: tuple[Mapping[str, Iterable[str]], ...] = ()
    vocabulary: Vocabulary = CORE
    others: Mapping[str, Policy] = field(default_factory=dict)
    foreign: tuple[Mapping[str, Iterable[str]], ...] = ()

    def pair(self, one: Policy, other: Policy, facts: Mapping[str, Value] | None = None) -> Verdict:
        """Whether one request can satisfy both policies; ``facts`` are values of operands that it is known to have.

        To satisfy a policy is to be allowed by it, with each of its obligations doable.
        """
        policies = self._both(one, other)
        rules = self._rules(policies)
        who = Who.own(REQUEST)
        parts = [rules.allowed(policy, who) for policy in policies]
        parts += [rules.obliged(policy) for policy in policies]
        for left, value in (facts or {}).items():
            fact = Constraint(left, ODRL + "eq", (value,), f"/{left.removeprefix(ODRL)}")
            parts.append(rules.terms.constraint(fact, FACTS, REQUEST))
        found = _verdict(All(tuple(parts)), rules)
        return Conflict(self._useless(policies, rules)) if found == Conflict(()) else found

    def _useless(self, policies: Iterable[Policy], rules: Rules) -> tuple[Term, ...]:
        """The policies that allow nothing whatever their terms say: where no term clashes, they are what does."""
        who = Who.own(REQUEST)
        return tuple(
            Term(policy.uid, "", "allows nothing")
            for policy in policies
            if _verdict(All((rules.allowed(policy, who), rules.obliged(policy))), rules) == Conflict(())
        )

    def within(self, inner: Policy, outer: Policy) -> Containment:
        """Whether ``outer`` allows every request that ``inner`` allows. Duties are not compared."""
        policies = tuple(map(_bare, self._both(inner, outer)))
        rules = self._rules(policies)
        who = Who.own(REQUEST)
        escape = All((rules.allowed(policies[0], who), negated(rules.allowed(policies[1], who))))
        found = _verdict(escape, rules)
        match found:
            case Conflict():
                return Inside()
            case Compatible(escaped):
                return Outside(escaped)
            case Undecidable():
                return found

    def asked_of_requests(self, one: Policy, other: Policy) -> tuple[str, ...]:
        """The left operands (IRIs) that permissions and prohibitions of either compare a request's own values by.

        Of a request whose values of these are known, the answer of ``pair`` can be another.
        """
        rules = (rule for each in self._both(one, other) for rule in (*each.permissions, *each.prohibitions))
        tests = (
            test
            for rule in rules
            for test in (*rule.constraints, *(each for action in rule.actions for each in action.refinements))
        )
        return tuple(dict.fromkeys(each.left for each in constraints(tests)))

    def policy(self, policy: Policy) -> tuple[Finding, ...]:
        """What is wrong within one policy; none when nothing is."""
        return tuple(self.findings(policy))

    def findings(self, policy: Policy, until: float = FOREVER) -> Iterator[Finding]:
        """The same one by one; raises ``OutOfTime`` once the moment ``until`` has come (see ``solver.solve``)."""
        policy = self._whole(policy)
        yield from _Inside(policy, self._rules((policy,)), until).findings()

    def _both(self, one: Policy, other: Policy) -> tuple[Policy, Policy]:
        """Both with what they inherit; two versions of one policy get names that tell them apart."""
        one, other = self._whole(one), self._whole(other)
        return one, replace(other, uid=f"{other.uid} (second)") if other.uid == one.uid else other

    def _whole(self, policy: Policy) -> Policy:
        return inherit(policy, self.others)

    def _rules(self, policies: tuple[Policy, ...]) -> Rules:
        return Rules(policies, self.vocabulary, self._orders)

    @cached_property
    def _orders(self) -> Orders:
        return Orders.of(self.hierarchies, self.foreign, self.vocabulary)


class _Inside:
    def __init__(self, policy: Policy, rules: Rules, until: float) -> None:
        self.policy = policy
        self.rules = rules
        self.until = until
        self.who = Who.own(REQUEST)

    def findings(self) -> Iterator[Finding]:
        before = []
        for rule in self.policy.permissions:
            found = list(self.permission(rule))
            before += found
            yield from found
        if self.policy.permissions and not any(each.kind == "not decidable" for each in before):
            allowed = _verdict(self.rules.allowed(self.policy, self.who), self.rules, self.until)
            if isinstance(allowed, Conflict):
                yield self.finding("unusable", "", allowed)
        for rule in self.policy.obligations:
            yield from self.duties((rule, *rule.consequences), None, TRUE)
        for rule in self.policy.prohibitions:
            yield from self.duties(rule.remedies, None, TRUE)

    def permission(self, rule: Rule) -> Iterator[Finding]:
        covers = self.rules.covers(self.policy, rule, self.who)
        alone = _verdict(covers, self.rules, self.until)
        if isinstance(alone, Conflict):
            yield self.finding("impossible", rule.path, alone)
            return
        if isinstance(alone, Undecidable):
            yield self.finding("not decidable", rule.path, alone)
        yield from self.prohibited(rule, covers)
        yield from self.duties(rule.duties, self.who, covers)

    def prohibited(self, rule: Rule, covers: Formula) -> Iterator[Finding]:
        if not self.policy.prohibitions or self.policy.conflict == "perm":
            return
        left = _verdict(
            All((covers, self.rules.not_forbidden(self.policy, self.who))), self.rules, self.until
        )
        if isinstance(left, Conflict):
            yield self.finding("swallowed", rule.path, left)
            return
        if isinstance(left, Undecidable):
            yield self.finding("not decidable", rule.path, left)
        if self.policy.conflict != "prohibit":
            forbidden = Any(
                tuple(self.rules.covers(self.policy, each, self.who) for each in self.policy.prohibitions)
            )
            both = _verdict(All((covers, forbidden)), self.rules, self.until)
            if isinstance(both, Compatible):
                yield self.finding("overlap", rule.path, both)

    def duties(self, duties: Iterable[Rule], of: Who | None, given: Formula) -> Iterator[Finding]:
        for duty in duties:
            doable = _verdict(All((given, self.rules.doable(self.policy, duty, of))), self.rules, self.until)
            if isinstance(doable, Conflict):
                yield self.finding("unfulfillable", duty.path, doable)
            elif isinstance(doable, Undecidable) and given is TRUE:
                yield self.finding("not decidable", duty.path, doable)
            yield from self.duties(duty.consequences, of, given)

    def finding(self, kind: FindingKind, path: str, verdict: Verdict) -> Finding:
        return Finding(kind, self.policy.uid, path, verdict)


def _verdict(formula: Formula, rules: Rules, until: float = FOREVER) -> Verdict:
    answer = solve(grounded(formula), until)
    match answer:
        case Values():
            return Compatible(witness(answer, rules))
        case Clash(terms):
            return Conflict(terms)
        case Unknown(terms):
            return Undecidable(tuple(term for term, _ in terms), tuple(why for _, why in terms))


def _bare(policy: Policy) -> Policy:
    """``policy`` without duties and obligations."""
    permissions = tuple(replace(rule, duties=()) for rule in policy.permissions)
    return replace(policy, permissions=permissions, obligations=())
