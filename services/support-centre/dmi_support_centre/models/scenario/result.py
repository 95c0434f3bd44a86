"""What a run gives: figures per neighbourhood, side by side with the null alternative, with their range."""

from __future__ import annotations

import msgspec

from dmi_support_centre.models.coefficients import Text

INDICATORS = ("inhabitants", "jobs", "green_m2", "green_per_inhabitant", "parking_demand", "trips")
UNITS: dict[str, Text] = {
    "inhabitants": {"nl": "bewoners", "en": "inhabitants"},
    "jobs": {"nl": "banen", "en": "jobs"},
    "green_m2": {"nl": "m² groen", "en": "m² of green"},
    "green_per_inhabitant": {"nl": "m² groen per bewoner", "en": "m² of green per inhabitant"},
    "parking_demand": {"nl": "parkeerplaatsen", "en": "parking places"},
    "trips": {"nl": "verplaatsingen per dag", "en": "trips a day"},
}


class Figures(msgspec.Struct, frozen=True):
    """The indicators of one area in one situation; ``None`` means not known, which is not zero."""

    inhabitants: float | None = None
    jobs: float | None = None
    green_m2: float | None = None
    green_per_inhabitant: float | None = None
    parking_demand: float | None = None
    trips: float | None = None

    def get(self, indicator: str) -> float | None:
        """One indicator by name."""
        value: float | None = getattr(self, indicator)
        return value


class Range(msgspec.Struct, frozen=True):
    """A change with the coefficients at their values (``mid``) and within their plausible ranges."""

    low: float
    mid: float
    high: float


class Change(msgspec.Struct, frozen=True):
    """Scenario minus null alternative; ``percent`` is ``None`` where the null alternative is 0 or unknown."""

    absolute: float | None
    percent: float | None
    range: Range | None


class AreaResult(msgspec.Struct, frozen=True):
    """One neighbourhood; ``edits`` are the numbers of the edits that touched it."""

    id: str
    name: str
    baseline: Figures
    scenario: Figures
    change: dict[str, Change]
    edits: list[int] = []


class Totals(msgspec.Struct, frozen=True):
    """Sums over the neighbourhoods where a figure is known; ``missing`` counts the others by indicator."""

    baseline: Figures
    scenario: Figures
    change: dict[str, Change]
    missing: dict[str, int]


class Touched(msgspec.Struct, frozen=True):
    """What one edit did to one building: share of it in the area, floor (m²) and ground (m²) taken."""

    edit: int
    building: str
    name: str
    neighbourhood: str
    share: float
    floor_m2: float
    ground_m2: float


class Swing(msgspec.Struct, frozen=True):
    """How the total change of one indicator moves when one coefficient goes to its low and its high."""

    coefficient: str
    indicator: str
    at_low: float
    at_high: float


class UsedCoefficient(msgspec.Struct, frozen=True):
    """A coefficient as this run used it, with everything needed to contest it.

    ``source`` is a bare text in results that were kept before it was told in two languages.
    """

    name: str
    label: Text
    value: float
    default: float
    low: float
    high: float
    unit: Text
    source: Text | str
    year: int
    assumption: bool
    changed: bool


class RunRecord(msgspec.Struct, frozen=True):
    """What makes the run repeatable: same record, same figures."""

    model: str
    baseline_version: str
    parameters: str
    """SHA-256 of edits, coefficients and baseline version as canonical JSON."""


class ScenarioResult(msgspec.Struct, frozen=True):
    """The whole outcome; the null alternative is in every ``baseline``, under the same coefficients."""

    areas: list[AreaResult]
    totals: Totals
    touched: list[Touched]
    sensitivity: list[Swing]
    coefficients: list[UsedCoefficient]
    notes: list[Text]
    record: RunRecord
