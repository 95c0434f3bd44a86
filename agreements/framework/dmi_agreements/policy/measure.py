"""How much a new agreement may ask of every gate: its rules by dataset and action, and those whose uses are counted.

What is read is bounded by its size (``jsonld``); a document within that can still name so many rules for so many
datasets that each process would compile it for seconds, or make a record of each use that no bus carries. Both sides
learn of it before they sign. Agreements of before are read and carried out as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import Action, Rule, Test
from dmi_agreements.policy.predicates import counted
from dmi_agreements.policy.terms import AgreementTerms, RuleTerms

MOST_PLACES: Final = 20_000
"""Rules, each for each of its datasets and actions."""
MOST_COUNTED: Final = 50
"""Rules that ask how often or how long they were used, or that have a price."""
MOST_DATASETS: Final = 500
"""Datasets that it speaks of: the catalogue tells of each what the agreement opens, all in one transaction."""
LONGEST_PATH: Final = 500
"""Characters of the path of a rule, under which its uses are counted and findings are told."""


def check_measure(terms: AgreementTerms) -> None:
    """Raise ``PolicyRefused`` where a new agreement asks too much, with the rule at which it does."""
    places = counting = 0
    datasets: set[str] = set()
    for rule in (*terms.permissions, *terms.prohibitions):
        places += len(rule.targets) * len(rule.actions)
        counting += counts(rule)
        if places > MOST_PLACES:
            raise _beyond(rule, f"at most {MOST_PLACES} rules, each counted by dataset and action", places)
        if counting > MOST_COUNTED:
            raise _beyond(rule, f"at most {MOST_COUNTED} rules whose uses are counted or paid for", counting)
        datasets.update(rule.targets)
        if len(datasets) > MOST_DATASETS:
            raise _beyond(rule, f"at most {MOST_DATASETS} datasets in an agreement", len(datasets))
        if len(rule.path) > LONGEST_PATH:
            beyond = (
                f"its place is told in at most {LONGEST_PATH} characters: use shorter names, or fewer levels"
            )
            raise _beyond(rule, beyond, len(rule.path))


def counts(rule: RuleTerms) -> bool:
    """Whether the uses of a rule are counted, for any of its actions."""
    return rule.price is not None or any(map(counted, tests_of(rule.rule, rule.rule.actions)))


def tests_of(rule: Rule, actions: tuple[Action, ...]) -> Iterator[Test]:
    """All that a rule asks when it is used by one of these actions; what its duties ask is a part of it."""
    yield from rule.constraints
    for action in actions:
        yield from action.refinements
    for party in rule.assignees:
        yield from party.refinements
    for duty in rule.duties:
        yield from duty.constraints
        for consequence in duty.consequences:
            yield from consequence.constraints


def _beyond(rule: RuleTerms, limit: str, found: int) -> PolicyRefused:
    return PolicyRefused((Finding(rule.path, limit, str(found)),))
