"""Level of service of a walkway from counted persons and its effective width.

Levels A to F describe how freely people walk. Up to E more people mean more flow: each level ends at its
own capacity (persons a minute, both directions together) and E ends at the most that the width can carry.
F is the breakdown: the crowd is so dense that *fewer* people pass than in E. Its printed capacity equals
that of D, since past the breakdown the flow falls back to what D carries. So flow alone names two
situations: 400 a minute may be a lively D or a jammed F. From counts alone F is reported when the flow is
above the capacity of E, or when it fell by more than a quarter, from above D to between C and D, within the
intervals given as ``previous``: a crowd that goes home thins out slowly. That is a suspicion, and the reason
says so. With a measured density (persons a square metre) the two branches are told apart directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

BREAKDOWN_DENSITY = 1.5
"""Persons a square metre on a walkway from which flow falls with density (HCM: level F above 1.0 to 1.5;
Fruin 1971: breakdown from about 1.5). An assumption that a place may replace."""

PER_METRE = (16.8, 32.4, 52.5, 72.0, 90.0)
"""Capacity of A to E, persons a minute and metre of effective width; the ratios of the Amsterdam table, used
where a place has no own capacities."""


class Level(StrEnum):
    """Level of service; A is free, F is breakdown."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"

    def at_least(self, other: Level) -> bool:
        """Whether it is as crowded as ``other`` or more."""
        return self.value >= other.value


class CapacityRefused(ValueError):
    """A table of capacities or a width that cannot be."""


@dataclass(frozen=True, slots=True)
class Capacities:
    """Upper ends of A to E in persons a minute, both directions together, rising; F has no end of its own."""

    a: float
    b: float
    c: float
    d: float
    e: float

    def __post_init__(self) -> None:
        ends = self.ends()
        if ends[0] <= 0 or any(left >= right for left, right in pairwise(ends)):
            raise CapacityRefused("capacities of A to E must be above zero and rise")

    def ends(self) -> tuple[float, ...]:
        """The five ends in order."""
        return self.a, self.b, self.c, self.d, self.e

    @classmethod
    def of_width(cls, effective_width: float) -> Capacities:
        """Capacities of a walkway of this effective width (m) by the usual flow a metre."""
        if not 0 < effective_width < 1000:
            raise CapacityRefused("effective width must lie between 0 and 1000 m")
        return cls(*(round(flow * effective_width, 1) for flow in PER_METRE))


@dataclass(frozen=True, slots=True)
class Service:
    """How crowded a place is: level, flow and flow a metre (persons a minute), share of the capacity of E."""

    level: Level
    flow: float
    flow_per_metre: float
    load: float
    reason: str
    """Which rule named the level: ``flow``, ``above-capacity``, ``flow-collapsed`` or ``density``."""


def flow_per_minute(counts: Sequence[float | None], interval_s: float) -> float | None:
    """Both directions' counts of one interval as persons a minute; ``None`` when a direction is missing.

    A missing direction is not zero: half of a stream would read as a calm street.
    """
    if interval_s <= 0:
        raise CapacityRefused("a counting interval must be longer than 0 s")
    known = [count for count in counts if count is not None]
    if not known or len(known) < len(counts):
        return None
    if min(known) < 0:
        raise CapacityRefused("a count cannot be below zero")
    return sum(known) * 60.0 / interval_s


def service(
    flow: float,
    effective_width: float,
    capacities: Capacities,
    *,
    previous: Sequence[float] = (),
    density: float | None = None,
) -> Service:
    """Level of service at ``flow`` (persons a minute, both directions).

    ``previous`` are the flows of the intervals just before (newest last, about 10 minutes): they show a
    collapse. ``density`` (persons a square metre) decides the branch where it is measured.
    """
    if effective_width <= 0:
        raise CapacityRefused("effective width must be above 0 m")
    if not flow >= 0:
        raise CapacityRefused("flow must be zero or more")
    level, reason = _level(flow, capacities, previous, density)
    return Service(level, flow, flow / effective_width, flow / capacities.e, reason)


def _level(
    flow: float, capacities: Capacities, previous: Sequence[float], density: float | None
) -> tuple[Level, str]:
    if density is not None and density >= BREAKDOWN_DENSITY:
        return Level.F, "density"
    if flow > capacities.e:
        return Level.F, "above-capacity"
    fallen = bool(previous) and max(previous) > capacities.d and flow < 0.75 * max(previous)
    if density is None and fallen and capacities.c < flow <= capacities.d:
        return Level.F, "flow-collapsed"
    for level, end in zip(Level, capacities.ends(), strict=False):
        if flow <= end:
            return level, "flow"
    raise AssertionError("a flow up to the capacity of E has a level")


@dataclass(frozen=True, slots=True)
class CrowdAdvice:
    """Whether to advise, since when the threshold is passed, and by which level."""

    advise: bool
    level: Level
    intervals: int


def advice(levels: Sequence[Level], threshold: Level = Level.D, intervals: int = 2) -> CrowdAdvice:
    """Advise when the newest ``intervals`` levels (newest last) are all at the threshold or above.

    One interval can be a school class or a tram; F is advised at once, since waiting is dangerous.
    """
    if intervals < 1:
        raise ValueError("intervals must be at least 1")
    run = 0
    for level in reversed(levels):
        if not level.at_least(threshold):
            break
        run += 1
    newest = levels[-1] if levels else Level.A
    return CrowdAdvice(run >= intervals or newest is Level.F, newest, run)
