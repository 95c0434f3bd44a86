"""The rules of all agreements, by who may do what with which dataset: what a decision looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dmi_agreements.held import Held
from dmi_agreements.policy.compiled import CompiledRule


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


def keys(held: Held | None) -> set[tuple[str, str, str]]:
    """The slots (assignee, action, dataset) that an agreement has rules in."""
    if held is None or held.compiled is None or held.is_consent or held.state.state == "proposed":
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
