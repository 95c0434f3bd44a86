"""The arithmetic of a scenario: from floor and ground taken to dwellings, people, jobs, cars and trips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dmi_support_centre.models import coefficients as c
from dmi_support_centre.models.coefficients import Settings
from dmi_support_centre.models.scenario.edits import Mix
from dmi_support_centre.models.scenario.places import AreaState
from dmi_support_centre.models.scenario.result import INDICATORS, Figures


@dataclass(frozen=True, slots=True)
class Taken:
    """Floor and ground (m²) of one building that one edit gives to its mix."""

    neighbourhood: str
    floor_m2: float
    ground_m2: float
    mix: Mix


@dataclass(slots=True)
class Delta:
    """What changes in one neighbourhood."""

    dwellings: float = 0.0
    inhabitants: float = 0.0
    jobs: float = 0.0
    green_m2: float = 0.0
    office_floor_m2: float = 0.0
    jobs_capped: bool = False


def deltas(steps: Iterable[Taken], areas: Sequence[AreaState], settings: Settings) -> dict[str, Delta]:
    """Changes by neighbourhood; an area never loses more jobs than it is known to have."""
    value = {name: setting.value for name, setting in settings.items()}
    found: dict[str, Delta] = {}
    for step in steps:
        delta = found.setdefault(step.neighbourhood, Delta())
        left = step.floor_m2 * (1 - step.mix.office)
        dwellings = step.floor_m2 * step.mix.housing / value[c.DWELLING_FLOOR]
        delta.dwellings += dwellings
        delta.inhabitants += dwellings * value[c.HOUSEHOLD]
        delta.jobs -= left * (1 - value[c.VACANCY]) / value[c.OFFICE_FLOOR]
        delta.green_m2 += step.ground_m2 * step.mix.green * value[c.GREEN_YIELD]
        delta.office_floor_m2 -= left
    for area in areas:
        own = found.get(area.id)
        if own is not None and area.jobs is not None and own.jobs < -area.jobs:
            own.jobs, own.jobs_capped = -area.jobs, True
    return found


def figures(area: AreaState, delta: Delta, settings: Settings) -> Figures:
    """Indicators of an area after a change; an indicator with an unknown part is unknown."""
    inhabitants = _plus(area.inhabitants, delta.inhabitants)
    jobs = _plus(area.jobs, delta.jobs)
    green = _plus(area.green_m2, delta.green_m2)
    dwellings = _plus(area.dwellings, delta.dwellings)
    offices = _plus(area.office_floor_m2, delta.office_floor_m2)
    value = {name: setting.value for name, setting in settings.items()}
    parking = trips = None
    if dwellings is not None and offices is not None:
        offices = max(offices, 0.0)
        parking = dwellings * value[c.DWELLING_PARKING] + offices / 100 * value[c.OFFICE_PARKING]
    if inhabitants is not None and jobs is not None:
        trips = inhabitants * value[c.INHABITANT_TRIPS] + jobs * value[c.JOB_TRIPS]
    return Figures(inhabitants, jobs, green, ratio(green, inhabitants), parking, trips)


def ratio(part: float | None, whole: float | None) -> float | None:
    """Division that knows no answer for an unknown part or an empty whole."""
    return None if part is None or not whole else part / whole


def _plus(known: float | None, change: float) -> float | None:
    return None if known is None else known + change


def differences(before: Figures, after: Figures, delta: Delta, settings: Settings) -> dict[str, float | None]:
    """Change of each indicator; what an edit adds is known even where the figure itself is not."""
    value = {name: setting.value for name, setting in settings.items()}
    office_places = delta.office_floor_m2 / 100 * value[c.OFFICE_PARKING]
    own: dict[str, float] = {
        "inhabitants": delta.inhabitants,
        "jobs": delta.jobs,
        "green_m2": delta.green_m2,
        "parking_demand": delta.dwellings * value[c.DWELLING_PARKING] + office_places,
        "trips": delta.inhabitants * value[c.INHABITANT_TRIPS] + delta.jobs * value[c.JOB_TRIPS],
    }
    result: dict[str, float | None] = {}
    for name in INDICATORS:
        first, second = before.get(name), after.get(name)
        result[name] = second - first if first is not None and second is not None else own.get(name)
    return result


def total(found: Sequence[Figures]) -> Figures:
    """Sums over the areas where known, ``None`` if nowhere; green per inhabitant where both are known."""
    sums: dict[str, float | None] = {}
    for name in INDICATORS:
        values = [value for one in found if (value := one.get(name)) is not None]
        sums[name] = sum(values) if values else None
    both = [f for f in found if f.green_m2 is not None and f.inhabitants is not None]
    green, people = sum(f.green_m2 or 0.0 for f in both), sum(f.inhabitants or 0.0 for f in both)
    sums["green_per_inhabitant"] = ratio(green, people) if both else None
    return Figures(**sums)


def missing(found: Sequence[Figures]) -> Mapping[str, int]:
    """In how many areas each indicator is not known."""
    return {name: sum(one.get(name) is None for one in found) for name in INDICATORS}
