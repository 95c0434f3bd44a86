"""Addresses: one street in one neighbourhood, numbers that rise, each at its building."""

from __future__ import annotations

import pytest
import shapely
from shapely.geometry import Point

from dmi_command.demo import City, build_city
from dmi_command.demo.addresses import addresses
from dmi_command.demo.story import ADDRESSES


@pytest.fixture(scope="module", params=[5, 2026], ids=lambda seed: f"seed {seed}")
def city(request: pytest.FixtureRequest) -> City:
    return build_city(request.param)


def test_every_entrance_has_an_address_of_its_own_at_its_building(city: City) -> None:
    found = addresses(city.plan, city.buildings)
    assert 1500 < len(found) < 2500
    assert len({(one.street, one.number) for one in found}) == len(found)
    shapes = {building.id: building.shape for building in city.buildings}
    assert {one.building for one in found} == set(shapes)
    assert all(shapes[one.building].covers(Point(one.place)) for one in found)


def test_a_local_street_lies_in_one_neighbourhood(city: City) -> None:
    areas: dict[str, set[str]] = {}
    for one in addresses(city.plan, city.buildings):
        areas.setdefault(one.street, set()).add(one.neighbourhood)
    assert len(areas) > 80
    assert {street for street, where in areas.items() if len(where) > 1} == set()


def test_the_offices_keep_the_numbers_of_the_nachtwachtlaan(city: City) -> None:
    numbers = [one.number for one in addresses(city.plan, city.buildings) if one.street == "Nachtwachtlaan"]
    assert numbers == list(range(11, 28, 2))


def test_numbers_on_one_side_of_a_street_rise_along_it(city: City) -> None:
    one_side = [
        one.place
        for one in addresses(city.plan, city.buildings)
        if one.street == "IJsselhof" and one.number % 2
    ]
    steps = [shapely.Point(a).distance(shapely.Point(one_side[0])) for a in one_side]
    assert len(steps) > 2
    assert steps == sorted(steps)


def test_the_features_are_the_same_for_the_same_seed(city: City) -> None:
    assert build_city(city.seed).features[ADDRESSES] == city.features[ADDRESSES]
