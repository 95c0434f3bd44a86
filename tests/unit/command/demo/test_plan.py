"""The map: valid shapes inside the outline, and figures that add up."""

from __future__ import annotations

import math

import pytest
import shapely
from shapely.geometry import Point, shape

from dmi_command.demo import City, build_city
from dmi_command.demo.buildings import OFFICE_AREA
from dmi_command.demo.plane import to_degrees
from dmi_command.demo.story import GARAGES, NEIGHBOURHOODS
from dmi_command.demo.streets import length_of


@pytest.fixture(scope="module", params=[5, 6, 2026], ids=lambda seed: f"seed {seed}")
def city(request: pytest.FixtureRequest) -> City:
    return build_city(request.param)


def test_every_geometry_is_valid_and_inside_the_outline(city: City) -> None:
    outline = shapely.transform(city.plan.outline, to_degrees).buffer(1e-5)
    ids: set[str] = set()
    for features in city.features.values():
        for feature in features:
            assert feature.id not in ids
            ids.add(feature.id)
            if feature.geometry is not None:
                found = shape(feature.geometry)
                assert found.is_valid, feature.id
                assert not found.is_empty, feature.id
                assert outline.covers(found), feature.id


def test_the_neighbourhoods_tile_the_outline(city: City) -> None:
    shapes = [area.shape for area in city.plan.neighbourhoods]
    assert len(shapes) == 24
    assert sum(area.area for area in shapes) == pytest.approx(city.plan.outline.area, rel=1e-6)
    assert shapely.union_all(shapes).area == pytest.approx(city.plan.outline.area, rel=1e-6)
    east, south, west, north = city.plan.outline.bounds
    assert 5000 < west - east < 6500
    assert 5000 < north - south < 6500
    assert math.dist(to_degrees(shapely.get_coordinates(city.plan.outline.centroid))[0], (5.10, 52.10)) < 0.01


def test_the_figures_of_a_neighbourhood_add_up_to_its_buildings(city: City) -> None:
    features = city.features[NEIGHBOURHOODS]
    buildings = [feature.properties for feature in features if feature.kind == "building"]
    areas = [feature for feature in features if feature.kind == "neighbourhood"]
    for area in areas:
        figures = area.properties
        here = [building for building in buildings if building["neighbourhood"] == area.id]
        assert figures["dwellings"] == sum(building["dwellings"] for building in here)
        assert figures["jobs"] == sum(building["jobs"] for building in here)
        ages = ("inhabitants_0_15", "inhabitants_15_65", "inhabitants_65_plus")
        assert figures["inhabitants"] == sum(figures[age] for age in ages)
        assert figures["green_m2"] + figures["water_m2"] < figures["area_m2"]
        assert 20 < figures["mean_income"] < 50
    assert 30_000 < sum(area.properties["inhabitants"] for area in areas) < 70_000
    assert 350 <= len(buildings) <= 420


def test_buildings_do_not_overlap_each_other_or_the_water(city: City) -> None:
    shapes = [building.shape for building in city.buildings]
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    assert (first == second).all()
    assert not any(building.intersects(city.plan.water) for building in shapes)


def test_the_office_area_is_nine_large_offices_in_the_nachtwachtkwartier(city: City) -> None:
    features = {feature.id: feature for feature in city.features[NEIGHBOURHOODS]}
    area = features[OFFICE_AREA]
    assert area.name == "Kantoren Nachtwachtlaan"
    offices = [features[id] for id in area.properties["buildings"]]
    assert len(offices) == 9
    home = features[area.properties["neighbourhood"]]
    assert home.name == "Nachtwachtkwartier"
    for office in offices:
        assert office.properties["use"] == "office"
        assert office.properties["floor_m2"] > 8_000
        assert shape(home.geometry).covers(shape(office.geometry))
        assert shape(area.geometry).covers(shape(office.geometry))
    assert area.properties["jobs"] > 0.5 * home.properties["jobs"]


def test_garages_stand_on_dry_land_in_a_neighbourhood(city: City) -> None:
    parking = [feature for feature in city.features[GARAGES] if feature.kind == "parking"]
    assert len(parking) == 9
    assert "garages.pr-noord" in {feature.id for feature in parking}
    water = shapely.transform(city.plan.water, to_degrees)
    assert not any(water.covers(Point(feature.geometry["coordinates"])) for feature in parking)
    assert all(150 <= feature.properties["capacity"] <= 900 for feature in parking)


def test_riders_have_a_way_from_door_to_door(city: City) -> None:
    assert len(city.riders) == 40
    for rider in city.riders:
        for track in rider.tracks:
            assert length_of(track.line) == pytest.approx(track.distance[-1])
            assert 0 <= track.main[0] <= track.main[1] <= track.distance[-1]
