"""What is asked, and the state of the world that it is judged in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dmi_agreements.odrl.model import ODRL, Policy, Thing, Typed, Value
from dmi_agreements.odrl.vocabulary import Vocabulary

Facts = Mapping[str, tuple[Value, ...]]
"""Values by the IRI of the left operand, or of the feature or unit that they are of."""
Deontic = Literal["Fulfilled", "Violated", "NonSet"]
Performance = Literal["Performed", "Unperformed", "Unknown"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wants to do what with what; ``None`` is not said. ``facts`` are stated with it and bind who states them."""

    uid: str
    action: str | None
    target: str | None = None
    party: str | None = None
    assigner: str | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A request for evaluation; ``draft`` when it was put in the terms of the W3C draft on formal semantics."""

    uid: str
    attempts: tuple[Attempt, ...]
    draft: bool = False


@dataclass(frozen=True, slots=True)
class DutyState:
    """What is known of a duty: ``report`` is the IRI of the report that says so."""

    deontic: Deontic
    performance: Performance
    attempted: bool = True
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done: an action, for the rule (IRI) that it answers, by and to whom, with its facts."""

    rule: str | None
    action: str
    party: str | None = None
    target: str | None = None
    recipient: str | None = None
    at: Typed | None = None
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """The state of the world. What it does not say is not known, except memberships: nobody is in what is unsaid.

    ``part_of`` gives the collections and wholes of a member, ``kinds`` the broader concepts of one, ``about`` the
    facts on one asset or party, ``facts`` all others. ``carried_out`` are the actions that whoever asks carries out
    itself on what it lets pass: a duty to do so is open and not yet due.
    """

    now: Typed | None = None
    uid: str | None = None
    facts: Facts = field(default_factory=dict)
    about: Mapping[str, Facts] = field(default_factory=dict)
    part_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    duties: Mapping[str, DutyState] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    carried_out: frozenset[str] = frozenset()

    def within(self, member: str, whole: str) -> bool:
        """Whether ``member`` is in ``whole``, directly or through others."""
        return reaches(self.part_of, member, whole)


def reaches(above: Mapping[str, frozenset[str]], start: str, goal: str) -> bool:
    """Whether ``goal`` is above ``start``, at any height; circles do no harm."""
    seen: set[str] = set()
    todo = list(above.get(start, ()))
    while todo:
        each = todo.pop()
        if each == goal:
            return True
        if each not in seen:
            seen.add(each)
            todo.extend(above.get(each, ()))
    return False


def attempts_of(policy: Policy, vocabulary: Vocabulary) -> Request:
    """The request that a policy of kind Request puts: one attempt for each action, target and assignee.

    What its constraints and refinements state as equal are facts, where it is the requester's to state them.
    """
    attempts = []
    for rule in policy.permissions:
        stated = [*rule.constraints, *(test for action in rule.actions for test in action.refinements)]
        facts: dict[str, tuple[Value, ...]] = {}
        for test in stated:
            left = vocabulary.lefts.get(getattr(test, "left", ""))
            if left is not None and left.source == "request" and getattr(test, "operator", "") == ODRL + "eq":
                facts[left.iri] = getattr(test, "right", ())
        actions: list[str | None] = [each.iri for each in rule.actions]
        for action in actions or [None]:
            for target in _uids(rule.targets):
                for party in _uids(rule.assignees):
                    assigner = _uids(rule.assigners)[0]
                    attempts.append(Attempt(rule.uid or rule.path, action, target, party, assigner, facts))
    return Request(policy.uid, tuple(attempts))


def _uids(things: tuple[Thing, ...]) -> list[str | None]:
    return [thing.uid for thing in things] or [None]
