"""The rules that call for a measure, their settings, and what each looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dmi_agreements.contracts.results import Grounds, Measure
from dmi_support_centre.models.crowd import Level

NO_GROUNDS = Grounds()
DAY_MIN = 24 * 60
BOUNDS = {
    "horizon_min": (15, 120),
    "intervals": (1, 20),
    "duration_min": (5, DAY_MIN),
    "quiet_min": (0, 7 * DAY_MIN),
    "oldest_forecast_min": (1, DAY_MIN),
    "oldest_count_min": (1, DAY_MIN),
}
"""Least and most of the settings that are whole numbers; a kind of rule has some of them."""
LONGEST = {"id": 100, "place": 300, "hub": 300, "zone": 64}
"""Most characters of the settings that are texts."""


class RuleRefused(ValueError):
    """A rule with a setting that it cannot have; names the field and what holds for it."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class Automatic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who decided that a rule publishes by itself, until when (µs UTC), and in which roles (none: not kept)."""

    decided_by: str
    until: int
    roles: list[str] = []


class GarageRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="garage", tag_field="type"):
    """Destination garage forecast full on arrival: advise the hub, if the hub has room. Shares of capacity."""

    id: str
    place: str
    hub: str
    full_share: float = 0.95
    release_share: float = 0.85
    quantile: Literal["p50", "p90"] = "p50"
    """``p50``: more likely full than not; ``p90``: full in one case of ten is enough."""
    horizon_min: int = 30
    hub_room_share: float = 0.10
    duration_min: int = 60
    quiet_min: int = 120
    """After a rejection the rule is silent this long, or until the value fell below ``release_share``."""
    oldest_forecast_min: int = 20
    zone: str = "Europe/Amsterdam"
    automatic: Automatic | None = None


class CrowdRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="crowd", tag_field="type"):
    """Level of service at or above a threshold for some intervals on end: advise another way or moment."""

    id: str
    place: str
    threshold: Level = Level.D
    intervals: int = 2
    duration_min: int = 30
    quiet_min: int = 60
    oldest_count_min: int = 15
    zone: str = "Europe/Amsterdam"
    automatic: Automatic | None = None


Rule = GarageRule | CrowdRule


class ForecastAt(msgspec.Struct, frozen=True):
    """One forecast as a rule needs it, with the id under which it is stored."""

    id: str
    issued_at: int
    valid_at: int
    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class GarageState:
    """What a garage rule looks at; capacities in vehicles, ``None`` when not known."""

    name: str
    capacity: float | None
    forecasts: Sequence[ForecastAt]
    hub_name: str
    hub_capacity: float | None
    hub_forecasts: Sequence[ForecastAt] = ()
    hub_occupancy: float | None = None
    measures: Sequence[Measure] = ()
    """Earlier measures of this rule and place, any order."""
    released_at: int | None = None
    """When the value was last below ``release_share``."""
    grounds: Grounds = NO_GROUNDS
    geometry: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CrowdState:
    """What a crowd rule looks at: levels in order of time, the newest at ``at``."""

    name: str
    levels: Sequence[Level]
    at: int
    flow: float
    measures: Sequence[Measure] = ()
    released_at: int | None = None
    grounds: Grounds = NO_GROUNDS
    geometry: dict[str, Any] | None = None


State = GarageState | CrowdState


def check_rule(rule: Rule) -> None:
    """Raises ``RuleRefused`` for settings that cannot be."""
    for field, most in LONGEST.items():
        text = getattr(rule, field, None)
        if text == "":
            raise RuleRefused(field, "must not be empty")
        if text is not None and len(text) > most:
            raise RuleRefused(field, f"must be at most {most} characters")
    for field, (least, largest) in BOUNDS.items():
        number = getattr(rule, field, None)
        if number is not None and not least <= number <= largest:
            raise RuleRefused(field, f"must lie between {least} and {largest}")
    if isinstance(rule, GarageRule):
        if not 0 < rule.full_share <= 1:
            raise RuleRefused("full_share", "must lie above 0 and at most at 1")
        if not 0 <= rule.release_share < rule.full_share:
            raise RuleRefused("release_share", "must lie below full_share")
        if not 0 <= rule.hub_room_share < 1:
            raise RuleRefused("hub_room_share", "must lie from 0 to below 1")
        if rule.hub == rule.place:
            raise RuleRefused("hub", "must be another place")
    if rule.automatic is not None and not rule.automatic.decided_by:
        raise RuleRefused("automatic.decided_by", "must name who decided")
    try:
        ZoneInfo(rule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder of zones
        raise RuleRefused("zone", "is not a known time zone") from error
