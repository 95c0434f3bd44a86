"""What a prohibition says of purposes and actions that came after it, with another version of the rulebook.

A permission gives what was agreed on and nothing newer. A prohibition reaches a term that its own version does not
know, unless every version in force that knows the term says that it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dmi_agreements.odrl.model import ODRL, Action, Constraint
from dmi_agreements.odrl.vocabulary import CORE
from dmi_agreements.policy.operands import iri
from dmi_agreements.policy.predicates import purpose_truths
from dmi_agreements.policy.terms import RuleTerms
from dmi_agreements.rulebook import Rulebook


def spared(test: Constraint, rulebook: Rulebook, others: Sequence[Rulebook]) -> frozenset[str]:
    """The purposes for which a prohibition with this constraint does not hold: of ``rulebook``, and those beyond it."""
    found = {purpose for purpose, truth in purpose_truths(test, rulebook).items() if truth is False}
    newer = frozenset().union(*(book.requestable for book in others)) - rulebook.requestable
    for purpose in newer:
        telling = [book for book in others if purpose in book.requestable]
        if all(_excludes(test, book, purpose) for book in telling):
            found.add(purpose)
    return frozenset(found)


def _excludes(test: Constraint, book: Rulebook, purpose: str) -> bool:
    """Whether a version that knows all purposes of the constraint says that it does not hold."""
    known = {iri(each) for each in book.purposes}
    return known.issuperset(map(str, test.right)) and purpose_truths(test, book)[purpose] is False


def reached(rule: RuleTerms, rulebook: Rulebook, others: Iterable[Rulebook]) -> dict[str, tuple[Action, ...]]:
    """The actions of all versions that a prohibition reaches beside those it was read with, and by which it does.

    An action that the vocabulary places nowhere may be part of any of ODRL's.
    """
    found = {}
    for action in sorted({each for book in (rulebook, *others) for each in book.actions} - set(rule.actions)):
        narrow = iri(action)
        placed = narrow in CORE.actions
        by = tuple(
            each
            for each in rule.rule.actions
            if CORE.covers(each.iri, narrow) or (not placed and each.iri.startswith(ODRL))
        )
        if by:
            found[action] = by
    return found
