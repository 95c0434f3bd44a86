"""Runs a scenario: edits on a baseline, beside the null alternative, with the range that coefficients leave.

The null alternative is the baseline under the same coefficients, so a difference is the doing of the edits.
The range moves one coefficient at a time to its low and its high and adds the swings as independent errors
(root of the sum of squares); it holds no doubt about the model itself.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from dmi_support_centre.models.coefficients import (
    CoefficientRefused,
    Setting,
    Settings,
    Text,
    changed,
    defaults,
)
from dmi_support_centre.models.scenario.edits import (
    Edit,
    Redevelop,
    ScenarioRefused,
    SetCoefficient,
    check_mix,
)
from dmi_support_centre.models.scenario.effects import (
    Delta,
    Taken,
    deltas,
    differences,
    figures,
    missing,
    total,
)
from dmi_support_centre.models.scenario.places import Baseline, BuildingState, shares
from dmi_support_centre.models.scenario.result import (
    INDICATORS,
    AreaResult,
    Change,
    Figures,
    Range,
    RunRecord,
    ScenarioResult,
    Swing,
    Totals,
    Touched,
    UsedCoefficient,
)

MODEL = "redevelopment-1"
MOST_TAKEN = 25_000
"""Buildings that the edits of a scenario take from, each counted for every edit that does: the outcome names them."""
TOTAL = ""
"""Key of the whole city beside the areas' ids."""

NO_NUMBER = (
    "cannot be worked out: figures of the baseline that it rests on are too large, or too close to zero"
)

Changes = dict[str, dict[str, float | None]]

SIMPLIFICATIONS: tuple[Text, ...] = (
    {
        "nl": "Banen verdwijnen hier; dat ze elders terugkomen telt het model niet mee. Hetzelfde geldt voor "
        "woningen die anders elders gebouwd waren.",
        "en": "Jobs disappear here; the model does not count that they return elsewhere. The same holds for "
        "dwellings that would have been built elsewhere.",
    },
    {
        "nl": "Reizigers passen zich niet aan: ander vervoer of een andere tijd is niet meegerekend.",
        "en": "Travellers do not adapt: another mode or another hour is not counted.",
    },
    {
        "nl": "Vloer en grond van een gebouw zijn gelijkmatig verdeeld over zijn oppervlak.",
        "en": "Floor and ground of a building are spread evenly over its footprint.",
    },
)
CAPPED: Text = {
    "nl": "In {area} rekent het model meer banen weg dan er bekend zijn; het verlies is daarop begrensd.",
    "en": "In {area} the model takes away more jobs than are known; the loss is limited to those.",
}


def run(baseline: Baseline, edits: Sequence[Edit], coefficients: Settings | None = None) -> ScenarioResult:
    """The effects of ``edits`` in order. Raises ``ScenarioRefused`` with the number of the edit and its field.

    So it does where figures of the baseline are so far from zero, or so near, that an effect would be infinite. Without
    edits the result is the null alternative. Same input, same result, whatever the machine.
    """
    settings = _settings(edits, coefficients or defaults())
    steps, touched = _steps(baseline, edits)
    found = deltas(steps, baseline.areas, settings)
    changes = _changes(baseline, steps, settings)
    swings = {name: _swing(baseline, steps, settings, name) for name in settings}
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for one in touched:
        numbers[one.neighbourhood].add(one.edit)
    areas, null, after = [], [], []
    for area in baseline.areas:
        before, then = figures(area, Delta(), settings), figures(area, found.get(area.id, Delta()), settings)
        null.append(before)
        after.append(then)
        change = _with_range(area.id, before, changes, swings)
        areas.append(AreaResult(area.id, area.name, before, then, change, sorted(numbers[area.id])))
    whole = total(null)
    totals = Totals(whole, total(after), _with_range(TOTAL, whole, changes, swings), dict(missing(null)))
    _check_numbers(areas, totals)
    capped = [area.name for area in baseline.areas if area.id in found and found[area.id].jobs_capped]
    return ScenarioResult(
        areas=areas,
        totals=totals,
        touched=touched,
        sensitivity=_sensitivity(swings),
        coefficients=[_used(setting) for setting in settings.values()],
        notes=[*SIMPLIFICATIONS, *({k: v.format(area=name) for k, v in CAPPED.items()} for name in capped)],
        record=RunRecord(MODEL, baseline.version, _hash(baseline, edits, settings)),
    )


def _check_numbers(areas: Sequence[AreaResult], totals: Totals) -> None:
    """Raises ``ScenarioRefused`` for the first figure or change that is no finite number."""
    told: list[tuple[str, AreaResult | Totals]] = [(f"areas.{area.id}", area) for area in areas]
    for where, one in [*told, ("totals", totals)]:
        for name in INDICATORS:
            change = one.change[name]
            found = [one.baseline.get(name), one.scenario.get(name), change.absolute, change.percent]
            if change.range is not None:
                found += [change.range.low, change.range.high]
            if not all(value is None or math.isfinite(value) for value in found):
                raise ScenarioRefused(f"baseline.{where}.{name}", NO_NUMBER)


def check(baseline: Baseline, edit: Edit) -> None:
    """Raises ``ScenarioRefused`` when this edit alone could not be run on the baseline."""
    _settings([edit], defaults())
    _steps(baseline, [edit])


def _settings(edits: Sequence[Edit], settings: Settings) -> dict[str, Setting]:
    result = dict(settings)
    for number, edit in enumerate(edits):
        if isinstance(edit, SetCoefficient):
            try:
                result = changed(result, edit.name, edit.value)
            except CoefficientRefused as error:
                raise ScenarioRefused(error.field, error.rule, number) from error
    return result


def _steps(baseline: Baseline, edits: Sequence[Edit]) -> tuple[list[Taken], list[Touched]]:
    """What each edit takes of each building; a later edit takes of what the earlier ones left."""
    buildings: dict[str, BuildingState] = {building.id: building for building in baseline.buildings}
    known = {area.id for area in baseline.areas}
    floor: dict[str, float] = {}
    ground: dict[str, float] = {}
    steps: list[Taken] = []
    touched: list[Touched] = []
    for number, edit in enumerate(edits):
        if not isinstance(edit, Redevelop):
            continue
        try:
            check_mix(edit.mix)
            found = shares(baseline, edit.area, edit.source_use)
        except ScenarioRefused as error:
            raise ScenarioRefused(error.field, error.rule, number) from error
        taken_any = False
        for name in sorted(found):
            building = buildings[name]
            if building.neighbourhood not in known:
                raise ScenarioRefused(f"buildings.{name}", "its neighbourhood is not in the baseline", number)
            left = floor.setdefault(name, building.floor_m2 or 0.0)
            taken = left * found[name]
            if taken <= 0:
                continue
            taken_any = True
            if len(steps) >= MOST_TAKEN:
                rule = f"all edits together take from more than {MOST_TAKEN} buildings, counted once an edit"
                raise ScenarioRefused("area", rule, number)
            if name not in ground:
                ground[name] = baseline.ground.footprint_m2(building)
            soil = ground[name] * found[name]
            floor[name] = left - taken * (1 - edit.mix.office)
            ground[name] -= soil * edit.mix.green
            steps.append(Taken(building.neighbourhood, taken, soil, edit.mix))
            touched.append(
                Touched(number, name, building.name, building.neighbourhood, found[name], taken, soil)
            )
        if not taken_any:
            raise ScenarioRefused("area", f"earlier edits left no {edit.source_use} here", number)
    return steps, touched


def _changes(baseline: Baseline, steps: Sequence[Taken], settings: Settings) -> Changes:
    """Change of every indicator in every touched area and in total."""
    found = deltas(steps, baseline.areas, settings)
    result: Changes = {}
    null, after = [], []
    sums: dict[str, float | None] = dict.fromkeys(INDICATORS, 0.0)
    for area in baseline.areas:
        delta = found.get(area.id, Delta())
        before, then = figures(area, Delta(), settings), figures(area, delta, settings)
        null.append(before)
        after.append(then)
        if area.id in found:
            result[area.id] = differences(before, then, delta, settings)
            for name in INDICATORS:
                sums[name] = (sums[name] or 0.0) + (result[area.id][name] or 0.0)
    first, second = total(null).green_per_inhabitant, total(after).green_per_inhabitant
    sums["green_per_inhabitant"] = None if first is None or second is None else second - first
    result[TOTAL] = sums
    return result


def _swing(
    baseline: Baseline, steps: Sequence[Taken], settings: Settings, name: str
) -> tuple[Changes, Changes]:
    """The changes with one coefficient at its low and at its high."""
    setting = settings[name]
    low, high = (msgspec.structs.replace(setting, value=value) for value in (setting.low, setting.high))
    return (
        _changes(baseline, steps, {**settings, name: low}),
        _changes(baseline, steps, {**settings, name: high}),
    )


def _with_range(
    area: str, before: Figures, changes: Changes, swings: dict[str, tuple[Changes, Changes]]
) -> dict[str, Change]:
    result = {}
    for name in INDICATORS:
        if area not in changes:
            known = before.get(name) is not None
            none = Range(0.0, 0.0, 0.0) if known else None
            result[name] = Change(0.0 if known else None, 0.0 if before.get(name) else None, none)
            continue
        middle = changes[area][name]
        if middle is None:
            result[name] = Change(None, None, None)
            continue
        down = up = 0.0
        for pair in swings.values():
            moves = [(one[area][name] or 0.0) - middle for one in pair]
            down += _squared(min(0.0, *moves))
            up += _squared(max(0.0, *moves))
        base = before.get(name)
        percent = middle / base * 100 if base else None
        result[name] = Change(
            middle, percent, Range(middle - math.sqrt(down), middle, middle + math.sqrt(up))
        )
    return result


def _squared(move: float) -> float:
    try:
        return move**2
    except OverflowError:  # infinite, as a sum or product of floats that is too large is by itself
        return math.inf


def _sensitivity(swings: dict[str, tuple[Changes, Changes]]) -> list[Swing]:
    """Total change by coefficient and indicator, the strongest first; those without influence left out."""
    result = []
    for coefficient, (low, high) in swings.items():
        for name in INDICATORS:
            first, second = low[TOTAL][name], high[TOTAL][name]
            if first is not None and second is not None and first != second:
                result.append(Swing(coefficient, name, first, second))
    return sorted(result, key=lambda s: (INDICATORS.index(s.indicator), -abs(s.at_high - s.at_low)))


def _used(setting: Setting) -> UsedCoefficient:
    one = setting.coefficient
    return UsedCoefficient(
        one.name,
        one.label,
        setting.value,
        one.default,
        setting.low,
        setting.high,
        one.unit,
        one.source,
        one.year,
        one.assumption,
        setting.changed,
    )


def _hash(baseline: Baseline, edits: Sequence[Edit], settings: Settings) -> str:
    values = {name: [one.low, one.value, one.high] for name, one in settings.items()}
    canonical = msgspec.json.encode([MODEL, baseline.version, list(edits), values], order="deterministic")
    return hashlib.sha256(canonical).hexdigest()
