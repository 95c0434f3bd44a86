"""What a document claims, as the review looks at it: for each permission its data, purposes, end and duties."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dmi_agreements.decision import EVERYONE, Aggregate, Coarsen, DeleteAfter, Duty, Suppress
from dmi_agreements.odrl.model import ODRL, Logical, Test
from dmi_agreements.odrl.values import Truth, every, one, some
from dmi_agreements.policy.compiled import FOREVER
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.predicates import purpose_truths
from dmi_agreements.policy.terms import AgreementTerms, RuleTerms
from dmi_agreements.rulebook import Rulebook

AMOUNTS: Final[Mapping[type[Duty], tuple[str, str]]] = {
    DeleteAfter: ("dmi:deleteAfter", "days"),
    Coarsen: ("dmi:coarsen", "grid_m"),
    Suppress: ("dmi:suppress", "minimum"),
}
"""Duties with the one number that a limit can be about: their term, and where the number is."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One permission; ``path`` is its JSON pointer, ``ends`` its last microsecond (``FOREVER``: none).

    ``purposes`` are all that it allows, ``roots`` those of them with no wider one among them. ``recipients`` is
    ``None`` when only the assignee bounds them.
    """

    path: str
    datasets: tuple[str, ...]
    actions: frozenset[str]
    purposes: frozenset[str]
    roots: tuple[str, ...]
    ends: int
    recipients: frozenset[str] | None
    duties: tuple[Duty, ...]
    priced: bool = False
    """Whether a use of it costs something."""

    def amount(self, duty: str) -> int | None:
        """The number of a duty that this permission has; ``None`` without that duty."""
        for item in self.duties:
            term, field = AMOUNTS.get(type(item), ("", ""))
            if term == duty:
                return int(getattr(item, field))
        return None

    def anonymous(self, smallest_group: int) -> bool:
        """Whether it gives figures about groups alone: means, of at least so many persons."""
        group = self.amount("dmi:suppress")
        return (
            group is not None
            and group >= smallest_group
            and any(isinstance(d, Aggregate) for d in self.duties)
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """A whole document."""

    uid: str
    version: str
    basis: str
    assigner: str
    assignee: str
    consent: bool
    permissions: tuple[Claim, ...]
    prohibitions: tuple[Claim, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every dataset that a permission names, once, in order."""
        return tuple(dict.fromkeys(name for claim in self.permissions for name in claim.datasets))

    def recipients(self, claim: Claim) -> frozenset[str]:
        """Who may use the data under a permission; everyone stands for everyone."""
        if self.assignee == EVERYONE and claim.recipients is not None:
            return claim.recipients
        return frozenset({self.assignee})


def read_claims(document: Mapping[str, Any], rulebook: Rulebook, layers: Collection[str] = ()) -> Claims:
    """The claims of a document under a version of the rulebook; raises ``PolicyRefused``."""
    return claims_of(read_agreement(document, rulebook, layers), rulebook)


def claims_of(terms: AgreementTerms, rulebook: Rulebook) -> Claims:
    """The claims of terms that were read under a version of the rulebook."""

    def claims(rules: Iterable[RuleTerms]) -> tuple[Claim, ...]:
        return tuple(_claim(rule, terms.obligations, rulebook) for rule in rules)

    return Claims(
        terms.uid, terms.rulebook, terms.legal_basis, terms.assigner, terms.assignee, terms.is_consent,
        claims(terms.permissions), claims(terms.prohibitions),
    )  # fmt: skip


def _claim(rule: RuleTerms, obligations: tuple[Duty, ...], rulebook: Rulebook) -> Claim:
    """What one rule claims; obligations of the document are carried out on all that it lets pass."""
    purposes = frozenset(p for p in rulebook.requestable if _may_hold(rule, p, rulebook))
    ends = [t.moment - (t.operator == "lt") for t in rule.times if t.operator in ("lt", "lteq")]
    return Claim(
        rule.path, rule.targets, frozenset(rule.actions), purposes, rulebook.widest(purposes),
        min(ends, default=FOREVER),
        _within(tuple(map(_named, rule.rule.constraints))), (*rule.duties, *obligations),
        rule.price is not None,
    )  # fmt: skip


def _may_hold(rule: RuleTerms, purpose: str, rulebook: Rulebook) -> bool:
    """Whether some use for this purpose can pass: what else is asked of it may all be met."""

    def open_to(tests: Iterable[Test]) -> bool:
        return every([_for_purpose(test, purpose, rulebook) for test in tests]) is not False

    return open_to(rule.rule.constraints) and any(open_to(each.refinements) for each in rule.rule.actions)


def _for_purpose(test: Test, purpose: str, rulebook: Rulebook) -> Truth:
    """Whether a test holds for a purpose; ``None`` where something else decides."""
    if isinstance(test, Logical):
        joined = {"or": some, "xone": one}.get(test.connective, every)
        return joined([_for_purpose(operand, purpose, rulebook) for operand in test.operands])
    return purpose_truths(test, rulebook).get(purpose) if test.left == ODRL + "purpose" else None


def _named(test: Test) -> frozenset[str] | None:
    """The recipients that a test names; ``None`` where it bounds them in no way that can be told beforehand."""
    if isinstance(test, Logical):
        parts = tuple(map(_named, test.operands))
        if test.connective in ("and", "andSequence"):
            return _within(parts)
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    if test.left != ODRL + "recipient" or test.operator not in (ODRL + "eq", ODRL + "isAnyOf"):
        return None
    return frozenset(map(str, test.right))


def _within(bounds: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """What lies within all bounds that there are."""
    known = [bound for bound in bounds if bound is not None]
    return frozenset.intersection(*known) if known else None
