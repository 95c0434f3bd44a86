"""The rules of all agreements, by who may do what with which dataset: what a decision looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.decide import near_miss, none_for, weight
from dmi_agreements.decision import DeleteAfter, Reason, Request
from dmi_agreements.held import Held
from dmi_agreements.policy.compiled import FOREVER, CompiledRule
from dmi_agreements.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule of an agreement, with what the table knows of it."""

    held: Held
    assigner: str
    rule: CompiledRule


@dataclass(frozen=True, slots=True)
class Slot:
    """All rules about one (assignee, action, dataset): live ones, and those of ended agreements."""

    permissions: tuple[Entry, ...] = ()
    prohibitions: tuple[Entry, ...] = ()
    ended: tuple[Entry, ...] = ()


EMPTY: Final = Slot()
PROCESS: Final = "dmi:process"
"""What layers do with data that they hold, whatever else."""


def keys(held: Held | None) -> set[tuple[str, str, str]]:
    """The slots (assignee, action, dataset) that an agreement has rules in."""
    if held is None or held.compiled is None or held.is_consent or not held.once_active:
        return set()
    rules: Iterable[tuple[str, str]] = {*held.compiled.permissions, *held.compiled.prohibitions}
    return {(held.assignee, action, dataset) for action, dataset in rules}


def unreadable_keys(held: Held | None) -> set[tuple[str, str]]:
    """Whom (assignee) and what (dataset) an agreement in force that cannot be read refuses."""
    if held is None or held.compiled is not None or held.is_consent or not held.active:
        return set()
    return {(held.assignee, dataset) for dataset in held.datasets}


def slot_after(slot: Slot, key: tuple[str, str, str], before: Held | None, after: Held | None) -> Slot:
    """``slot`` with the rules of ``before`` taken out and those of ``after``, if it has any here, put in."""
    permissions = [entry for entry in slot.permissions if entry.held is not before]
    prohibitions = [entry for entry in slot.prohibitions if entry.held is not before]
    ended = [entry for entry in slot.ended if entry.held is not before]
    if after is not None and after.compiled is not None:
        _, action, dataset = key
        assigner = after.assigner or ""
        allow = [
            Entry(after, assigner, rule) for rule in after.compiled.permissions.get((action, dataset), ())
        ]
        if after.ended:
            ended += allow
        else:
            permissions += allow
            forbidding = after.compiled.prohibitions.get((action, dataset), ())
            prohibitions += [Entry(after, assigner, rule) for rule in forbidding]
    permissions.sort(key=lambda entry: (entry.rule.burden, entry.held.state.id))
    return Slot(tuple(permissions), tuple(prohibitions), tuple(ended))


def why_not(
    ended: Iterable[Entry], missed: Iterable[tuple[Entry, str]], request: Request
) -> tuple[Reason, ...]:
    """Reasons of a refusal: the agreement that ended last of those that allowed it, then the nearest misses."""
    reasons = [
        Reason("ended", f"{state.id} has been ended", state.id, entry.rule.path, state.ended_at)
        for entry, state in ((entry, entry.held.state) for entry in ended)
    ]
    reasons.sort(key=lambda reason: -(reason.moment or 0))
    nearest = sorted(missed, key=lambda miss: weight(miss[1]))[:3]
    misses = [near_miss(code, entry.held.state.id, entry.rule, request) for entry, code in nearest]
    return (*reasons[:1], *misses) or (none_for(request),)


def purpose_under(slots: Iterable[Slot], dataset: Dataset, rulebook: Rulebook, now: int) -> str:
    """For what the holder of these slots works on a dataset at ``now``, under what its owner has agreed to.

    What it is collected for, where an agreement allows that. Else what the oldest one in force names, so that a new
    one changes nothing; after all of them what the last one named, so that its end is what is told.
    """
    rules = [
        (entry, entry in slot.ended)
        for slot in slots
        for entry in (*slot.permissions, *slot.ended)
        if entry.assigner == dataset.owner and entry.rule.purposes
    ]
    standing = [entry for entry, ended in rules if not ended]
    # One that has yet to begin, or whose term has passed, changes nothing where another one is in force.
    live = [entry for entry in standing if entry.rule.starts <= now <= entry.rule.ends] or standing
    if not rules or any(dataset.purpose in entry.rule.purposes for entry in live):
        return dataset.purpose
    if live:
        chosen = min(live, key=lambda entry: (entry.held.state.concluded_at or 0, entry.held.state.id))
    else:
        chosen = max((e for e, _ in rules), key=lambda e: (e.held.state.ended_at or 0, e.held.state.id))
    return rulebook.purpose_among(chosen.rule.purposes, dataset.purpose)


def days_kept(slot: Slot, owner: str, holder: str, purpose: str, now: int) -> int | None:
    """After how many days the holder of this slot deletes what it keeps; ``None`` when no agreement sets a term.

    The term is a promise: it holds whether or not the permission can be used at the moment, for its conditions,
    counts or missing consents. Of the agreements in force for what the holder works for the shortest term counts, so
    that each is kept; once none is, that of the last one, since what was received under it is still there.
    """
    begun = [
        entry
        for entry in (*slot.permissions, *slot.ended)
        if entry.assigner == owner and entry.rule.starts <= min(now, _end(entry))
    ]
    rules = [entry for entry in begun if entry.rule.concerns(holder, purpose)] or begun
    since = min(now, max(map(_end, rules), default=now))
    counting = (entry for entry in rules if _end(entry) >= since)
    terms = (duty.days for entry in counting for duty in entry.rule.duties if isinstance(duty, DeleteAfter))
    return min(terms, default=None)


def _end(entry: Entry) -> int:
    """The last microsecond at which a rule was or will be in force."""
    state = entry.held.state
    return min(entry.rule.ends, (state.ended_at or 0) if entry.held.ended else FOREVER)
