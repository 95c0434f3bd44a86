"""Scenarios: what the edits do, what they refuse, and that the result can be checked and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_infra.geo import Projection
from dmi_support_centre.models.scenario import (
    INDICATORS,
    Area,
    AreaState,
    Baseline,
    BuildingState,
    Edit,
    Mix,
    Redevelop,
    ScenarioRefused,
    SetCoefficient,
    check,
    run,
)

places = import_module("dmi_support_centre.models.scenario.places")
# The package has a function of this name.
running = import_module("dmi_support_centre.models.scenario.run")
X, Y = 140_000.0, 455_000.0
"""A corner of the invented quarter in RD New."""


def box(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    """A rectangle in metres from the corner, as GeoJSON in WGS84."""
    xs, ys = [x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0]
    lon, lat = Projection().to_wgs84([X + x for x in xs], [Y + y for y in ys])
    return {"type": "Polygon", "coordinates": [[list(p) for p in zip(lon, lat, strict=True)]]}


BASELINE = Baseline(
    areas=[
        AreaState("bu-1", "Kade", box(0, 0, 1000, 1000), 1e6, 2000, 3000, 1000, 50_000, 65_000),
        AreaState("bu-2", "Weide", box(1000, 0, 2000, 1000), 1e6, None, 500, 700, None, 10_000),
        AreaState("bu-3", "Haven", box(2000, 0, 3000, 1000), 1e6, 900, 100, 400, 20_000, 0),
    ],
    buildings=[
        BuildingState("office-1", "Toren", "office", 6500.0, box(100, 100, 150, 140), "bu-1"),
        BuildingState("office-2", "Blok", "office", 13_000.0, box(300, 100, 400, 150), "bu-1"),
        BuildingState("school-1", "School", "school", 3000.0, box(500, 100, 550, 140), "bu-1"),
        BuildingState("office-3", "Hof", "office", 5000.0, box(1100, 100, 1150, 150), "bu-2"),
        BuildingState("office-4", "Loods", "office", None, box(2100, 100, 2150, 150), "bu-3"),
    ],
    version="v1",
)
TOWER = Area(geometry=box(90, 90, 160, 150))
HOUSING = Mix(housing=1.0)


def test_offices_become_dwellings_by_the_sourced_figures() -> None:
    result = run(BASELINE, [Redevelop(TOWER, HOUSING)])
    area = result.areas[0]
    assert area.change["inhabitants"].absolute == pytest.approx(6500 / 65 * 2.1)
    assert area.change["jobs"].absolute == pytest.approx(-6500 * 0.84 / 25)
    assert area.change["green_m2"].absolute == 0
    assert area.change["parking_demand"].absolute == pytest.approx(100 * 1.0 - 65 * 1.6)
    assert area.change["trips"].absolute == pytest.approx(210 * 2.7 - 218.4 * 1.6)
    assert area.change["inhabitants"].percent == pytest.approx(10.5)
    assert area.edits == [0]
    assert result.areas[1].edits == []


def test_green_takes_the_ground_of_the_building() -> None:
    change = run(BASELINE, [Redevelop(TOWER, Mix(green=1.0))]).areas[0].change
    assert change["green_m2"].absolute == pytest.approx(50 * 40 * 0.8, rel=1e-4)
    assert change["inhabitants"].absolute == 0
    assert change["green_per_inhabitant"].absolute == pytest.approx(1600 / 2000, rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.95))
def test_a_polygon_takes_the_share_of_the_footprint_that_it_covers(share: float) -> None:
    drawn = Area(geometry=box(90, 90, 100 + 50 * share, 150))
    touched = run(BASELINE, [Redevelop(drawn, HOUSING)]).touched
    assert [one.building for one in touched] == ["office-1"]
    assert touched[0].share == pytest.approx(share, abs=1e-4)
    assert touched[0].floor_m2 == pytest.approx(6500 * share, rel=2e-3)


def test_a_neighbourhood_takes_its_offices_and_nothing_else() -> None:
    touched = run(BASELINE, [Redevelop(Area(neighbourhood="bu-1"), HOUSING)]).touched
    assert [(one.building, one.share) for one in touched] == [("office-1", 1.0), ("office-2", 1.0)]


def test_without_edits_the_result_is_the_null_alternative() -> None:
    result = run(BASELINE, [])
    for area in result.areas:
        assert area.baseline == area.scenario
        for name in INDICATORS:
            assert area.change[name].absolute in (0.0, None)
    assert result.touched == []
    assert result.sensitivity == []


def test_a_changed_coefficient_alone_changes_both_sides_alike() -> None:
    result = run(BASELINE, [SetCoefficient("trips_per_inhabitant", 3.5)])
    assert result.areas[0].baseline.trips == pytest.approx(2000 * 3.5 + 3000 * 1.6)
    assert result.areas[0].change["trips"].absolute == 0
    used = {one.name: one for one in result.coefficients}["trips_per_inhabitant"]
    assert used.changed
    assert (used.default, used.value, used.high) == (2.7, 3.5, 3.5)


def test_missing_figures_stay_missing_while_their_change_is_known() -> None:
    result = run(BASELINE, [Redevelop(Area(neighbourhood="bu-2"), Mix(housing=0.5, green=0.5))])
    area = result.areas[1]
    assert area.baseline.inhabitants is None
    assert area.scenario.inhabitants is None
    assert area.scenario.green_m2 is None
    assert area.change["inhabitants"].absolute == pytest.approx(2500 / 65 * 2.1)
    assert area.change["inhabitants"].percent is None
    assert area.change["green_per_inhabitant"].absolute is None
    assert result.totals.missing["inhabitants"] == 1
    assert result.totals.missing["jobs"] == 0
    assert result.totals.baseline.inhabitants == 2900


def test_totals_are_the_sums_of_the_areas() -> None:
    result = run(BASELINE, [Redevelop(Area(neighbourhood=n), Mix(0.5, 0.3, 0.2)) for n in ("bu-1", "bu-2")])
    for name in ("inhabitants", "jobs", "green_m2", "parking_demand", "trips"):
        changes = [area.change[name].absolute or 0.0 for area in result.areas]
        assert result.totals.change[name].absolute == pytest.approx(sum(changes))
    assert result.totals.scenario.jobs == pytest.approx(sum(area.scenario.jobs or 0 for area in result.areas))


def test_ranges_hold_the_middle_and_widen_with_doubt() -> None:
    change = run(BASELINE, [Redevelop(TOWER, HOUSING)]).areas[0].change["inhabitants"]
    assert change.range is not None
    assert change.range.low < change.range.mid < change.range.high
    down = ((6500 / 90 * 2.1 - 210) ** 2 + (100 * 1.6 - 210) ** 2) ** 0.5
    assert change.range.low == pytest.approx(210 - down)


def test_sensitivity_names_the_strongest_coefficient_first() -> None:
    swings = [
        s for s in run(BASELINE, [Redevelop(TOWER, HOUSING)]).sensitivity if s.indicator == "inhabitants"
    ]
    assert {one.coefficient for one in swings} == {"inhabitants_per_dwelling", "floor_m2_per_dwelling"}
    sizes = [abs(one.at_high - one.at_low) for one in swings]
    assert sizes == sorted(sizes, reverse=True)


def test_a_later_edit_takes_only_what_earlier_ones_left() -> None:
    half = Redevelop(TOWER, Mix(housing=0.5, office=0.5))
    touched = run(BASELINE, [half, Redevelop(TOWER, HOUSING)]).touched
    assert [one.floor_m2 for one in touched] == pytest.approx([6500, 3250])
    with pytest.raises(ScenarioRefused, match="earlier edits left no office") as refused:
        run(BASELINE, [Redevelop(TOWER, HOUSING), Redevelop(TOWER, HOUSING)])
    assert refused.value.edit == 1


def test_an_area_cannot_lose_more_jobs_than_it_has() -> None:
    area = msgspec.structs.replace(BASELINE.areas[0], jobs=10.0)
    baseline = msgspec.structs.replace(BASELINE, areas=[area, *BASELINE.areas[1:]])
    result = run(baseline, [Redevelop(TOWER, HOUSING)])
    assert result.areas[0].scenario.jobs == 0
    assert any("Kade" in note["nl"] for note in result.notes)


@pytest.mark.parametrize(
    ("mix", "field"),
    [
        (Mix(housing=0.6, green=0.3), "mix"),
        (Mix(housing=1.2, green=-0.2), "mix.housing"),
        (Mix(housing=float("nan"), green=1.0), "mix.housing"),
        (Mix(office=1.0), "mix.office"),
    ],
)
def test_a_mix_that_cannot_be_is_refused_by_field(mix: Mix, field: str) -> None:
    with pytest.raises(ScenarioRefused) as refused:
        check(BASELINE, Redevelop(TOWER, mix))
    assert refused.value.field == field


def test_shares_may_differ_from_one_by_rounding() -> None:
    check(BASELINE, Redevelop(TOWER, Mix(0.1 + 0.2, 0.3, 0.4)))
    check(BASELINE, Redevelop(TOWER, Mix(0.5, 0.5 + 9e-7)))
    with pytest.raises(ScenarioRefused, match="sum to 1"):
        check(BASELINE, Redevelop(TOWER, Mix(0.5, 0.49999)))


CROSSED = box(0, 0, 200, 200)
CROSSED["coordinates"][0][1], CROSSED["coordinates"][0][2] = (
    CROSSED["coordinates"][0][2],
    CROSSED["coordinates"][0][1],
)
SWAPPED = {"type": "Polygon", "coordinates": [[p[::-1] for p in box(0, 0, 200, 200)["coordinates"][0]]]}

ENDLESS = {"type": "Polygon", "coordinates": [[[10**400, 0], [1, 0], [1, 1], [10**400, 0]]]}


@pytest.mark.parametrize(
    ("area", "field", "rule"),
    [
        (Area(), "area", "either"),
        (Area("bu-1", box(0, 0, 9, 9)), "area", "either"),
        (Area("bu-9"), "area.neighbourhood", "not an area"),
        (Area("bu-3"), "area", "no office of known floor"),
        (Area(geometry=box(600, 600, 700, 700)), "area", "no office"),
        (Area(geometry=box(9000, 9000, 9100, 9100)), "area.geometry", "outside every area"),
        (Area(geometry=CROSSED), "area.geometry", "crosses"),
        (Area(geometry=ENDLESS), "area.geometry", "closed rings"),
        (Area(geometry=SWAPPED), "area.geometry", "outside"),
        (Area(geometry={"type": "Point", "coordinates": [5, 52]}), "area.geometry", "Polygon"),
        (Area(geometry={"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52]]]}), "area.geometry", "rings"),
        (Area(geometry={"type": "Polygon", "coordinates": "here"}), "area.geometry", "rings"),
        (Area(geometry={"type": "Polygon"}), "area.geometry", "rings"),
        (Area(geometry={"type": "Polygon", "coordinates": []}), "area.geometry", "empty"),
        (
            Area(geometry={"type": "Polygon", "coordinates": [[[500, 1], [501, 1], [501, 2], [500, 1]]]}),
            "area.geometry",
            "degrees",
        ),
    ],
)
def test_an_area_that_cannot_be_is_refused_by_field_and_rule(area: Area, field: str, rule: str) -> None:
    with pytest.raises(ScenarioRefused, match=rule) as refused:
        run(BASELINE, [SetCoefficient("office_vacancy", 0.1), Redevelop(area, HOUSING)])
    assert refused.value.field == field
    assert refused.value.edit == 1


def test_an_unknown_coefficient_is_refused_with_the_number_of_its_edit() -> None:
    with pytest.raises(ScenarioRefused) as refused:
        run(BASELINE, [Redevelop(TOWER, HOUSING), SetCoefficient("luck", 1.0)])
    assert (refused.value.edit, refused.value.field) == (1, "name")


def test_the_same_input_gives_the_same_result_and_record_and_other_input_another() -> None:
    edits: list[Edit] = [Redevelop(TOWER, HOUSING), SetCoefficient("office_vacancy", 0.2)]
    first, second = run(BASELINE, edits), run(BASELINE, edits)
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    assert first.record.baseline_version == "v1"
    assert len(first.record.parameters) == 64
    assert run(BASELINE, edits[:1]).record.parameters != first.record.parameters


def test_edits_are_read_from_the_json_of_the_interface() -> None:
    text = b'{"type":"redevelop","area":{"neighbourhood":"bu-1"},"from":"office","mix":{"housing":0.6,"green":0.4}}'
    edit = msgspec.json.decode(text, type=Edit)
    assert edit == Redevelop(Area(neighbourhood="bu-1"), Mix(0.6, 0.4))
    assert msgspec.json.decode(b'{"type":"coefficient","name":"a","value":1}', type=Edit) == SetCoefficient(
        "a", 1.0
    )
    with pytest.raises(msgspec.ValidationError, match=r"mix"):
        msgspec.json.decode(text.replace(b"green", b"water"), type=Edit)


def block(number: int, geometry: dict[str, Any] | None = None) -> BuildingState:
    """An office of a row, each in its own spot."""
    spot = geometry or box(20 * number, 800, 20 * number + 10, 810)
    return BuildingState(f"row-{number}", "Rij", "office", 100.0, spot, "bu-1")


def test_a_city_is_projected_once_for_all_edits_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    projected: list[int] = []

    class Counting(Projection):
        def to_rd(self, lon: Sequence[float], lat: Sequence[float]) -> tuple[list[float], list[float]]:
            projected.append(len(lon))
            return super().to_rd(lon, lat)

    monkeypatch.setattr(places, "Projection", Counting)
    city = Baseline(BASELINE.areas, [block(number) for number in range(40)], "v2")
    part = Mix(housing=0.5, office=0.5)
    edits = [Redevelop(Area(geometry=box(0, 800, 10 * n, 810)), part) for n in range(20, 30)]
    first = run(city, edits)
    assert len(projected) == 2 + len(edits), "areas and offices once, and what was drawn"
    assert run(city, edits) == first
    run(city, [*edits, Redevelop(Area(geometry=box(0, 790, 310, 820)), part)])
    assert len(projected) == 3 + len(edits), "of a longer list the new edit alone"


def test_what_is_remembered_of_drawn_areas_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "REMEMBERED_PAIRS", 30)
    city = Baseline(BASELINE.areas, [block(number) for number in range(40)], "v2")
    drawn = [box(0, 800, 10 * n, 810) for n in range(20, 40)]
    found = [city.ground.shares(one, "office") for one in drawn]
    assert [city.ground.shares(one, "office") for one in drawn] == found
    assert sum(1 + len(one) for one in city.ground._found.values()) == city.ground._pairs <= 30


def test_a_building_that_cannot_be_placed_is_refused_where_it_matters_alone() -> None:
    city = Baseline(BASELINE.areas, [block(0), block(1), block(30, CROSSED)], "v2")
    taken = run(city, [Redevelop(Area(geometry=box(0, 790, 40, 820)), HOUSING)]).touched
    assert [one.building for one in taken] == ["row-0", "row-1"]
    for area in (Area("bu-1"), Area(geometry=box(0, 0, 900, 900))):
        with pytest.raises(ScenarioRefused) as refused:
            run(city, [Redevelop(area, HOUSING)])
        assert (refused.value.field, "crosses" in refused.value.rule) == ("row-30", True)


def test_in_a_city_without_offices_there_are_none_to_take() -> None:
    with pytest.raises(ScenarioRefused, match="no office"):
        run(Baseline(BASELINE.areas, [], "v2"), [Redevelop(TOWER, HOUSING)])


@pytest.mark.parametrize(
    ("figures", "field"),
    [
        ({"inhabitants": 1.7e308}, "areas.bu-1.trips"),
        ({"inhabitants": 5e307}, "totals.trips"),
        ({"inhabitants": 5e-324}, "areas.bu-1.inhabitants"),
        ({"dwellings": -1.7e308}, "totals.parking_demand"),
        ({"green_m2": 1e200, "inhabitants": 1e-5}, "areas.bu-1.green_per_inhabitant"),
    ],
)
def test_figures_of_which_an_effect_would_be_infinite_are_refused_by_name(
    figures: dict[str, float], field: str
) -> None:
    first, second, third = BASELINE.areas
    areas = [msgspec.structs.replace(first, **figures), msgspec.structs.replace(second, **figures), third]
    with pytest.raises(ScenarioRefused, match="too large, or too close to zero") as refused:
        run(Baseline(areas, BASELINE.buildings, "v2"), [Redevelop(TOWER, HOUSING)])
    assert refused.value.field == f"baseline.{field}"


def test_edits_take_from_so_many_buildings_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_TAKEN", 3)
    edits = [Redevelop(Area("bu-1"), Mix(housing=0.5, office=0.5))] * 2
    assert len(run(BASELINE, edits[:1]).touched) == 2
    with pytest.raises(ScenarioRefused, match="more than 3 buildings") as refused:
        run(BASELINE, edits)
    assert refused.value.edit == 1
