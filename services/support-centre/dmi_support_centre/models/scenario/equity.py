"""Who gains and who loses: figures by neighbourhood, without showing groups so small that they name people."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dmi_support_centre.models.scenario.result import INDICATORS, AreaResult, Change, Figures

SMALLEST_GROUP = 50
"""Fewer inhabitants than this (but not none) in either situation: the figures of a neighbourhood are not shown."""
TINY = 1e-9


class Side(msgspec.Struct, frozen=True):
    """How many neighbourhoods, and how many of today's inhabitants, a figure rises, falls or stays for."""

    areas: int = 0
    inhabitants: float = 0.0


class Split(msgspec.Struct, frozen=True):
    """One indicator over the neighbourhoods that are shown."""

    indicator: str
    up: Side
    down: Side
    same: Side
    unknown: int
    """Neighbourhoods for which it is not known, or not shown."""
    gap_before: float | None
    """The highest minus the lowest neighbourhood, in the null alternative."""
    gap_after: float | None


def small(areas: Sequence[AreaResult], smallest: int = SMALLEST_GROUP) -> set[str]:
    """Neighbourhoods whose figures are not shown.

    Where it is exactly one, the total would give it away: the next smallest inhabited one is not shown either.
    """

    def people(area: AreaResult) -> list[float]:
        counts = (area.baseline.inhabitants, area.scenario.inhabitants)
        return [count for count in counts if count is not None and count > 0]

    hidden = {area.id for area in areas if any(count < smallest for count in people(area))}
    if len(hidden) == 1:
        others = [area for area in areas if area.id not in hidden and people(area)]
        if others:
            hidden.add(min(others, key=lambda area: (min(people(area)), area.id)).id)
    return hidden


def veiled(area: AreaResult) -> AreaResult:
    """A neighbourhood without its figures."""
    none = {name: Change(None, None, None) for name in INDICATORS}
    return AreaResult(area.id, area.name, Figures(), Figures(), none, area.edits)


def split(areas: Sequence[AreaResult], hidden: set[str]) -> list[Split]:
    """Every indicator over the neighbourhoods that are not ``hidden``."""
    return [_of(name, [area for area in areas if area.id not in hidden], len(hidden)) for name in INDICATORS]


def _of(name: str, areas: Sequence[AreaResult], hidden: int) -> Split:
    sides: dict[str, list[AreaResult]] = {"up": [], "down": [], "same": []}
    before, after, unknown = [], [], hidden
    for area in areas:
        change = area.change[name].absolute
        if change is None:
            unknown += 1
            continue
        sides["same" if abs(change) <= TINY else "up" if change > 0 else "down"].append(area)
        first, second = area.baseline.get(name), area.scenario.get(name)
        if first is not None and second is not None:
            before.append(first)
            after.append(second)
    counted = {
        side: Side(len(found), sum(area.baseline.inhabitants or 0.0 for area in found))
        for side, found in sides.items()
    }
    return Split(
        name,
        counted["up"],
        counted["down"],
        counted["same"],
        unknown,
        max(before) - min(before) if before else None,
        max(after) - min(after) if after else None,
    )
