"""What the gate knows, as the engine's request and state of the world: one meaning for decision and proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from dmi_agreements.decision import EVERYONE
from dmi_agreements.odrl.model import ODRL, XSD, Policy, Rule, Typed, Value
from dmi_agreements.odrl.sequence import lasting
from dmi_agreements.odrl.vocabulary import DMI
from dmi_agreements.odrl.wording import Language, pick
from dmi_agreements.odrl.world import Attempt, Event, Facts, Request, World
from dmi_agreements.policy.situation import NEVER, Situation, offset
from dmi_agreements.rulebook import Rulebook

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def world_of(rulebook: Rulebook, now: Typed | None = None) -> World:
    """The state of the world as far as the rulebook tells it, at a moment."""
    kinds = {
        _iri(purpose.id): frozenset({_iri(purpose.parent)} if purpose.parent else ())
        for purpose in rulebook.purposes.values()
    }
    return World(now=now, kinds=kinds, carried_out=frozenset(_iri(duty) for duty in rulebook.duties))


def asked(
    policy: Policy, situation: Situation, rulebook: Rulebook, area: Value | None = None
) -> tuple[Request, World]:
    """The request and the state of the world of a decision about ``policy``.

    ``area`` is where the rows lie that are asked for: a place or an area in WGS84. The gate itself leaves out what lies
    elsewhere, so it needs none.
    """
    attempt = Attempt(
        "urn:dmi:attempt",
        _iri(situation.action),
        situation.dataset,
        situation.assignee,
        facts={
            ODRL + "purpose": (_iri(situation.purpose),),
            ODRL + "recipient": (situation.assignee,),
        },
    )
    facts: dict[str, tuple[Value, ...]] = {} if area is None else {ODRL + "spatial": (area,)}
    if situation.concluded is not None:
        facts[ODRL + "delayPeriod"] = (lasting(situation.now - situation.concluded),)
    about: dict[str, Facts] = {}
    if situation.roles:
        about[situation.assignee] = {DMI + "role": tuple(sorted(map(_iri, situation.roles)))}
    if situation.uses is not None:
        about |= _used(policy, situation)
    world = replace(
        world_of(rulebook, clock(situation.now)),
        facts=facts,
        about=about,
        part_of={situation.assignee: frozenset({EVERYONE})},
        events=tuple(_performed(policy, situation)),
    )
    return Request("urn:dmi:request", (attempt,)), world


def name_of(rulebook: Rulebook, term: str, language: Language) -> str | None:
    """What people call an absolute term of the rulebook, such as a purpose; ``None`` for anything else."""
    if term == EVERYONE:
        return pick(("iedereen", "everyone"), language)
    try:
        return rulebook.label(f"dmi:{term.removeprefix(DMI)}", language).lower()
    except KeyError:
        return None


def clock(now: int) -> Typed:
    """A moment (microseconds UTC) as clocks in the Netherlands show it."""
    zone = timezone(timedelta(microseconds=offset(now)))
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(zone)
    return Typed(local.isoformat(timespec="microseconds"), XSD + "dateTime")


def _used(policy: Policy, situation: Situation) -> Iterator[tuple[str, Facts]]:
    """The facts of the log on each rule: with this use, how often, how long since the first, and since the last."""
    for rule in (*policy.permissions, *policy.prohibitions):
        use = NEVER if situation.uses is None else situation.uses.get(rule.path, NEVER)
        elapsed = 0 if use.first is None else situation.now - use.first
        facts: dict[str, tuple[Value, ...]] = {
            ODRL + "count": (Typed(str(use.count + 1), XSD + "integer"),),
            ODRL + "elapsedTime": (lasting(elapsed),),
        }
        if use.last is not None:
            facts[ODRL + "timeInterval"] = (lasting(situation.now - use.last),)
        yield rule.uid or rule.path, facts


def _performed(policy: Policy, situation: Situation) -> Iterator[Event]:
    """What was confirmed as done, as events that answer the duty they name."""
    for duty, holder in duties_of(policy):
        for done in situation.performed:
            if done.rule == duty.path:
                parties = [thing.uid for thing in (duty.assignees or holder.assignees)]
                yield Event(
                    duty.path,
                    duty.actions[0].iri,
                    parties[0] if parties else None,
                    at=clock(done.at),
                )


def duties_of(policy: Policy) -> Iterator[tuple[Rule, Rule]]:
    """Every duty with the rule that asks for it."""
    waiting: list[tuple[Rule, Rule]] = [(rule, rule) for rule in policy.obligations]
    for rule in (*policy.permissions, *policy.prohibitions):
        waiting += [(duty, rule) for duty in (*rule.duties, *rule.remedies)]
    for duty, holder in waiting:
        yield duty, holder
        yield from _further(duty, duty.consequences)


def _further(holder: Rule, duties: Iterable[Rule]) -> Iterator[tuple[Rule, Rule]]:
    for duty in duties:
        yield duty, holder


def _iri(term: str) -> str:
    return DMI + term.removeprefix("dmi:")
