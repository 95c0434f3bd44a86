"""Snapshots of the city that scenarios are pinned to."""

from __future__ import annotations

from typing import Any

from dmi_agreements.contracts.features import Feature
from dmi_support_centre.baseline import Snapshot, snapshot
from dmi_support_centre.model import Place


def square(west: float, south: float, size: float) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def area(identifier: str = "BU1", **figures: Any) -> tuple[str, Feature]:
    return "areas", Feature(identifier, "neighbourhood", "Buurt", square(5.0, 52.0, 0.1), figures)


def building(
    identifier: str, dataset: str = "areas", west: float = 5.01, **properties: Any
) -> tuple[str, Feature]:
    return dataset, Feature(identifier, "building", identifier, square(west, 52.01, 0.001), properties)


def snapped(features: list[tuple[str, Feature]]) -> Snapshot:
    return snapshot(features, {"areas"}.__contains__)


def test_equal_features_give_an_equal_version_whatever_their_order() -> None:
    one, two = area(jobs=10), building("b", use="office", floor_m2=100)
    assert snapped([one, two]).version == snapped([two, one]).version
    assert snapped([one, two]).version != snapped([area(jobs=11), two]).version


def test_office_floor_is_the_sum_of_the_offices_in_an_area() -> None:
    offices = [building(name, use="office", floor_m2=100, neighbourhood="BU1") for name in ("a", "b")]
    [part] = snapped([area(), *offices, building("c", use="housing", floor_m2=70, neighbourhood="BU1")]).parts
    assert part.areas[0].office_floor_m2 == 200.0


def test_without_buildings_the_office_floor_is_not_known_rather_than_zero() -> None:
    assert snapped([area()]).parts[0].areas[0].office_floor_m2 is None


def test_a_building_without_neighbourhood_gets_the_one_that_it_stands_in() -> None:
    [part] = snapped(
        [area(), building("inside", use="office"), building("outside", west=9.0, use="office")]
    ).parts
    assert [(b.id, b.neighbourhood) for b in part.buildings] == [("inside", "BU1")]


def test_a_figure_that_nothing_can_be_counted_as_is_not_known() -> None:
    """Stored before such properties were refused, and served as they are."""
    for figure in (1.7e308, -1e19, 10**400, True, "10"):
        [part] = snapped(
            [area(inhabitants=figure, jobs=1e18), building("b", use="office", floor_m2=figure)]
        ).parts
        assert (part.areas[0].inhabitants, part.areas[0].jobs) == (None, 1e18)
        assert part.buildings[0].floor_m2 is None
        place = Place("p", "areas", "p", "p.occupancy", {"capacity": figure})
        assert place.capacity is None


def test_parts_of_datasets_can_be_left_out_and_the_version_says_so() -> None:
    whole = snapped([area(), building("b", dataset="other", use="office", neighbourhood="BU1")])
    assert {part.dataset for part in whole.parts} == {"areas", "other"}
    less = whole.of({"areas"})
    assert less.buildings == []
    assert less.version != whole.of({"areas", "other"}).version == whole.version


def test_features_without_an_area_are_no_part_of_a_baseline() -> None:
    point = Feature("p", "building", "p", {"type": "Point", "coordinates": [5.0, 52.0]}, {"use": "office"})
    assert snapped([("areas", point)]).parts == []


def test_areas_of_a_dataset_that_lays_down_none_change_nobodys_figures() -> None:
    own = [area(jobs=10), building("b", use="office", floor_m2=100)]
    drawn = Feature("BU0", "neighbourhood", "Mine", square(5.0, 52.0, 0.1), {"jobs": 1_000_000})
    assert snapped([*own, ("noise", drawn)]) == snapped(own)
