"""What came of a measure against crowding: levels of service before, during and after it, beside its threshold.

Nobody forecasts how crowded a street would have been without the advice, so there is nothing to compare with but the
street itself. That it became calmer is told; that the advice did it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from dmi_agreements.contracts.results import Measure
from dmi_support_centre.model import MINUTE
from dmi_support_centre.models.crowd import Capacities, Level

SPAN = 30 * MINUTE
"""One looks this far before and after the measure: as long as the advice itself usually holds."""
FEWEST = 3
"""Counted intervals below which a part of the time says nothing: one can be a school class or a tram."""
FEWEST_SHARE = 0.5
"""So much of a part must have been counted at least."""

CROWD_CAVEAT = {
    "nl": "Dat het rustiger werd, is geen bewijs dat het advies werkte: een menigte gaat ook vanzelf naar huis, en "
    "weer, evenementen en andere berichten zijn niet uitgesloten. Hoe druk het zonder het advies was geweest, is "
    "niet bekend.",
    "en": "That it became calmer is no proof that the advice worked: a crowd also goes home by itself, and weather, "
    "events and other messages are not ruled out. How crowded it would have been without the advice is not known.",
}

Part = Literal["width", "before", "during", "after"]


class Counted(msgspec.Struct, frozen=True):
    """One counting interval (µs UTC): persons a minute, and the level of service where the width is known."""

    at: int
    flow: float
    level: Level | None = None


class Period(msgspec.Struct, frozen=True):
    """A part of the time, from ``start`` to before ``end`` (µs UTC); what is not known is ``None``."""

    start: int
    end: int
    counted: int
    expected: int
    """Intervals that were counted, and that there are."""
    flow: float | None
    """Mean, persons a minute."""
    level: Level | None
    """The middle one of the levels."""
    worst: Level | None
    crowded: int | None
    """Intervals at the threshold or above."""
    enough: bool
    """Whether that is enough to say something."""


class Walkway(msgspec.Struct, frozen=True):
    """What is known of the place: effective width (m) and capacities, ``None`` where not, and the interval (s)."""

    interval_s: float
    effective_width: float | None = None
    capacities: Capacities | None = None


class CrowdLookBack(msgspec.Struct, frozen=True):
    """A measure against crowding looked back on. ``caveat`` belongs beside each figure."""

    measure: str
    place: str
    threshold: Level
    threshold_flow: float | None
    """Persons a minute from which the threshold is reached."""
    effective_width: float | None
    before: Period
    during: Period
    after: Period
    verdict: str
    """After the measure the middle level was ``below`` the threshold or ``above`` it (or at it); or ``unknown``."""
    lacking: list[Part]
    """Why that is not known: the width of the place, or counts of these parts of the time."""
    caveat: dict[str, str]
    moments: list[Counted] = []
    kind: Literal["crowd"] = "crowd"


def look_back_on_crowd(measure: Measure, walkway: Walkway, counts: Sequence[Counted]) -> CrowdLookBack:
    """Looks back with the counts of both directions together (oldest first); the threshold is the measure's own."""
    threshold = Level(measure.properties["threshold"])
    start, end = measure.valid_from, measure.valid_to
    before, during, after = (
        _period(since, until, walkway.interval_s, threshold, counts)
        for since, until in ((start - SPAN, start), (start, end), (end, end + SPAN))
    )
    lacking: list[Part] = [] if walkway.capacities is not None else ["width"]
    if not before.enough:
        lacking.append("before")
    if not during.enough:
        lacking.append("during")
    if not after.enough:
        lacking.append("after")
    calm = after.level is not None and not after.level.at_least(threshold)
    return CrowdLookBack(
        measure=measure.id,
        place=measure.place,
        threshold=threshold,
        threshold_flow=_begins(threshold, walkway.capacities),
        effective_width=walkway.effective_width,
        before=before,
        during=during,
        after=after,
        verdict="unknown" if lacking else "below" if calm else "above",
        lacking=lacking,
        caveat=CROWD_CAVEAT,
        moments=[one for one in counts if start - SPAN <= one.at < end + SPAN],
    )


def _begins(threshold: Level, capacities: Capacities | None) -> float | None:
    """Where a level begins: where the one below it ends."""
    below = list(Level).index(threshold) - 1
    return None if capacities is None else capacities.ends()[below] if below >= 0 else 0.0


def _period(start: int, end: int, interval_s: float, threshold: Level, counts: Sequence[Counted]) -> Period:
    inside = [one for one in counts if start <= one.at < end]
    levels = sorted(one.level for one in inside if one.level is not None)
    expected = round((end - start) / (interval_s * 1_000_000))
    return Period(
        start=start,
        end=end,
        counted=len(inside),
        expected=expected,
        flow=sum(one.flow for one in inside) / len(inside) if inside else None,
        level=levels[len(levels) // 2] if levels else None,
        worst=levels[-1] if levels else None,
        crowded=sum(level.at_least(threshold) for level in levels) if levels else None,
        enough=len(inside) >= max(FEWEST, FEWEST_SHARE * expected),
    )
