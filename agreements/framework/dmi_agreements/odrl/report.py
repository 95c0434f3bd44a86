"""The verdict on a request and its proof, as values: what stood, what did not, on which facts.

The names are those of the ODRL compliance report model; writing them down is another's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dmi_agreements.odrl.model import Rule, Strategy, Test, Typed, Value
from dmi_agreements.odrl.values import Truth
from dmi_agreements.odrl.world import Attempt, Deontic, Performance

PremiseKind = Literal["Target", "Party", "Action", "Constraint"]
Verdict = Literal["permit", "deny", "undecided"]
"""``undecided``: no permission applies and no prohibition either. Outside it is a denial too."""


@dataclass(frozen=True, slots=True)
class Premise:
    """One thing that must hold for a rule to be in force; ``holds`` is ``None`` when not known.

    ``expected`` is what the rule says, ``found`` what was the case; ``parts`` are the premises of a logical
    constraint, or the refinements of an action, asset or party.
    """

    kind: PremiseKind
    holds: Truth
    test: Test | None = None
    expected: tuple[Value, ...] = ()
    found: tuple[Value, ...] = ()
    parts: tuple[Premise, ...] = ()

    @property
    def refined(self) -> bool:
        """Whether it holds but for its refinements."""
        return bool(self.parts) and self.test is None


@dataclass(frozen=True, slots=True)
class DutyReport:
    """The state of a duty or obligation, or of a consequence or remedy; ``report`` names who found that.

    ``settled``: it stands in nobody's way: fulfilled, open but not yet due, or not in force. ``carried``: whoever
    judges carries it out itself, when what was asked for is given.
    """

    rule: Rule
    active: bool
    deontic: Deontic
    performance: Performance
    settled: bool
    attempted: bool = False
    report: str | None = None
    premises: tuple[Premise, ...] = ()
    further: tuple[DutyReport, ...] = ()
    carried: bool = False


@dataclass(frozen=True, slots=True)
class RuleReport:
    """A permission or prohibition, or an obligation's ``duty``, for one attempt.

    ``active``: the rule speaks of the attempt, and permits or prohibits it. ``in_force`` leaves out whether it
    speaks of the attempt: its constraints and conditions alone, as the W3C draft counts activation.
    """

    rule: Rule
    attempt: Attempt | None
    active: bool
    in_force: bool
    premises: tuple[Premise, ...] = ()
    conditions: tuple[DutyReport, ...] = ()
    duty: DutyReport | None = None
    performed: bool = False


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """The verdict of one policy on one request, rule by rule in the policy's order.

    ``proposal``: the policy is an offer or a request itself, which binds nobody yet.
    """

    policy: str
    request: str
    world: str | None
    created: Typed | None
    rules: tuple[RuleReport, ...]
    verdict: Verdict
    strategy: Strategy | None
    proposal: bool = False
    draft: bool = False

    @property
    def allowed(self) -> bool:
        """Whether it may be done: only on a clear yes."""
        return self.verdict == "permit"

    def premises(self) -> Iterator[Premise]:
        """Every premise of every rule, outermost first."""
        todo = [premise for rule in reversed(self.rules) for premise in reversed(rule.premises)]
        while todo:
            premise = todo.pop()
            yield premise
            todo.extend(reversed(premise.parts))
