"""Brings two branches of one baseline together; where both changed the same thing, a person chooses.

What both lists begin with is shared. Of the rest, edits that are equal count once; two that take from the same
building, or set the same coefficient to different values, are in conflict. Conflicts that hang together through
an edit form one, so that the choices are independent of each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from dmi_support_centre.models.scenario.edits import Edit, Redevelop, SetCoefficient
from dmi_support_centre.models.scenario.places import Baseline, shares

Choice = Literal["ours", "theirs", "both"]
AREA, COEFFICIENT = "area", "coefficient"


class Contested(msgspec.Struct, frozen=True):
    """A building that edits of both branches take from, and its neighbourhood."""

    building: str
    name: str
    neighbourhood: str
    neighbourhood_name: str


class Clash(msgspec.Struct, frozen=True):
    """Edits of both branches that cannot both simply be done; ``id`` names exactly these edits."""

    id: str
    kind: str
    """``area`` or ``coefficient``."""
    ours: list[Edit]
    theirs: list[Edit]
    contested: list[Contested]
    """Buildings that both take from; none for a coefficient."""
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Step:
    """An own edit of one branch; ``both`` when the other branch holds it as well."""

    edit: Edit
    both: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a merge would do: first what is shared, then the edits of one branch, then those of the other."""

    shared: list[Edit]
    ours: list[Step]
    theirs: list[Step]
    clashes: list[Clash]

    def merged(self, choices: Mapping[str, Choice]) -> list[Edit]:
        """All edits in order. Every clash needs a choice: raises ``KeyError`` with its id."""
        dropped: list[int] = []
        for clash in self.clashes:
            choice = choices[clash.id]
            dropped += map(id, clash.theirs if choice == "ours" else clash.ours if choice == "theirs" else ())
        kept = [step.edit for step in self.ours if id(step.edit) not in dropped]
        new = [step.edit for step in self.theirs if not step.both and id(step.edit) not in dropped]
        return [*self.shared, *kept, *new]


def plan(baseline: Baseline, ours: Sequence[Edit], theirs: Sequence[Edit]) -> Plan:
    """How two ordered lists of edits on ``baseline`` come together.

    Raises ``ScenarioRefused`` when an edit names an area that the baseline does not have.
    """
    length = _common(ours, theirs)
    mine, other = _steps(ours[length:], theirs[length:])
    left = [step.edit for step in mine if not step.both]
    right = [step.edit for step in other if not step.both]
    clashes = [*_areas(baseline, left, right), *_coefficients(left, right)]
    return Plan(list(ours[:length]), mine, other, clashes)


def _common(ours: Sequence[Edit], theirs: Sequence[Edit]) -> int:
    length = 0
    while length < min(len(ours), len(theirs)) and ours[length] == theirs[length]:
        length += 1
    return length


def _steps(ours: Sequence[Edit], theirs: Sequence[Edit]) -> tuple[list[Step], list[Step]]:
    """The own edits of each branch, each equal pair marked once."""
    waiting = list(ours)
    other = []
    for edit in theirs:
        both = edit in waiting
        if both:
            waiting.remove(edit)
        other.append(Step(edit, both))
    alike = [step.edit for step in other if step.both]
    mine = []
    for edit in ours:
        both = edit in alike
        if both:
            alike.remove(edit)
        mine.append(Step(edit, both))
    return mine, other


def _areas(baseline: Baseline, ours: Sequence[Edit], theirs: Sequence[Edit]) -> Iterable[Clash]:
    """Edits that take from the same buildings, joined into groups that share no edit."""
    taken = {
        id(edit): frozenset(shares(baseline, edit.area, edit.source_use))
        for edit in (*ours, *theirs)
        if isinstance(edit, Redevelop)
    }
    mine = [edit for edit in ours if id(edit) in taken]
    other = [edit for edit in theirs if id(edit) in taken]

    def touching(edits: Sequence[Edit], group: set[int]) -> set[int]:
        return {id(one) for one in edits if any(taken[id(one)] & taken[member] for member in group)}

    done: set[int] = set()
    for first in mine:
        if id(first) in done or not touching(other, {id(first)}):
            continue
        left, right = {id(first)}, set[int]()
        while True:
            reached = touching(other, left)
            back = touching(mine, reached)
            if reached == right and back <= left:
                break
            left, right = left | back, reached
        done |= left
        both = frozenset[str]().union(*(taken[one] & taken[two] for one in left for two in right))
        yield _clash(
            AREA,
            [edit for edit in mine if id(edit) in left],
            [edit for edit in other if id(edit) in right],
            _contested(baseline, both),
            ["ours", "theirs", "both"],
        )


def _contested(baseline: Baseline, buildings: frozenset[str]) -> list[Contested]:
    names = {area.id: area.name for area in baseline.areas}
    found = [one for one in baseline.buildings if one.id in buildings]
    return [
        Contested(one.id, one.name, one.neighbourhood, names.get(one.neighbourhood, one.neighbourhood))
        for one in sorted(found, key=lambda b: (b.neighbourhood, b.name, b.id))
    ]


def _coefficients(ours: Sequence[Edit], theirs: Sequence[Edit]) -> Iterable[Clash]:
    """Coefficients that the branches end up setting to different values."""

    def by_name(edits: Sequence[Edit]) -> dict[str, list[SetCoefficient]]:
        found: dict[str, list[SetCoefficient]] = {}
        for edit in edits:
            if isinstance(edit, SetCoefficient):
                found.setdefault(edit.name, []).append(edit)
        return found

    mine, other = by_name(ours), by_name(theirs)
    for name in sorted(mine.keys() & other.keys()):
        if mine[name][-1].value != other[name][-1].value:
            yield _clash(COEFFICIENT, mine[name], other[name], [], ["ours", "theirs"])


def _clash(
    kind: str,
    ours: Sequence[Edit],
    theirs: Sequence[Edit],
    contested: list[Contested],
    choices: list[Choice],
) -> Clash:
    content = msgspec.json.encode([kind, list(ours), list(theirs)], order="deterministic")
    name = f"{kind}-{hashlib.sha256(content).hexdigest()[:16]}"
    return Clash(name, kind, list(ours), list(theirs), contested, choices)
