"""Finding the neighbourhood of a position at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dmi_agreements.contracts.features import Feature
from dmi_platform.neighbourhoods import Neighbourhoods, shape_of


def square(west: float, south: float, size: float = 1.0) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def area(name: str, geometry: dict[str, Any], begin: int | None = None, end: int | None = None) -> Feature:
    return Feature(name, "neighbourhood", name, geometry, {}, begin, end)


CITY = "urn:dmi:dataset:gemeente:areas"


def known() -> Neighbourhoods:
    return Neighbourhoods({CITY}.__contains__)


def at(places: Neighbourhoods, *rows: tuple[float, float, int]) -> list[str | None]:
    longitude, latitude, time = zip(*rows, strict=True)
    return places.at(np.array(longitude, float), np.array(latitude, float), np.array(time, np.int64))


def test_a_position_lies_in_the_area_around_it_or_in_none() -> None:
    places = known()
    places.put(CITY, [area("west", square(4, 52)), area("east", square(5, 52))])
    assert at(places, (4.5, 52.5, 0), (5.5, 52.5, 0), (7, 52.5, 0)) == ["west", "east", None]


def test_the_version_valid_at_the_time_is_taken() -> None:
    places = known()
    places.put(CITY, [area("old", square(4, 52), None, 100), area("new", square(4, 52), 100, 200)])
    assert at(places, *((4.5, 52.5, moment) for moment in (99, 100, 199, 200))) == ["old", "new", "new", None]


def test_of_overlapping_versions_the_one_that_began_last_wins_whatever_came_first() -> None:
    features = [area("a", square(4, 52), 0), area("b", square(4, 52), 50), area("c", square(4, 52))]
    for order in (features, features[::-1]):
        places = known()
        places.put(CITY, order)
        assert at(places, (4.5, 52.5, 60), (4.5, 52.5, 10), (4.5, 52.5, -5)) == ["b", "a", "c"]


def test_without_any_area_every_answer_is_none() -> None:
    assert at(known(), (4.5, 52.5, 0)) == [None]


def test_a_new_version_replaces_the_same_one_and_changes_the_generation() -> None:
    places = known()
    places.put(CITY, [area("a", square(4, 52))])
    before = places.generation
    assert at(places, (4.5, 52.5, 0)) == ["a"]
    places.put(CITY, [area("a", square(6, 52))])
    assert places.generation > before
    assert at(places, (4.5, 52.5, 0), (6.5, 52.5, 0)) == [None, "a"]
    assert [version.id for version in places.covering(6.5, 52.5)] == ["a"]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon"},
        {"type": "Nonsense", "coordinates": []},
        {"type": "Point", "coordinates": [121_000.0, 487_000.0]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "Point", "coordinates": ["a", "b"]},
    ],
)
def test_a_geometry_that_is_no_geojson_in_wgs84_is_refused(geometry: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"geometry|WGS84"):
        shape_of(geometry)


def test_a_polygon_that_crosses_itself_is_repaired() -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    assert shapely.is_valid(shape_of(bow))


@given(st.lists(st.tuples(st.floats(3, 8), st.floats(50, 54), st.integers(0, 300)), min_size=1, max_size=30))
def test_the_tree_agrees_with_trying_every_area(rows: list[tuple[float, float, int]]) -> None:
    features = [area(f"n{i}", square(3 + i % 4, 50 + i // 4, 1.2), i * 10, 100 + i * 20) for i in range(12)]
    places = known()
    places.put(CITY, features)
    expected = []
    for longitude, latitude, moment in rows:
        inside = [v for v in places.covering(longitude, latitude) if v.valid_from <= moment < v.valid_to]
        best = max(inside, key=lambda v: (v.valid_from, v.id), default=None)
        expected.append(best.id if best else None)
    assert at(places, *rows) == expected


def test_areas_count_for_others_only_while_their_dataset_does() -> None:
    counting = {CITY}
    places = Neighbourhoods(counting.__contains__)
    places.put(CITY, [area("a", square(4, 52))])
    places.put("urn:dmi:dataset:gemeente:noise", [area("z", square(4, 52), 50)])
    before = places.generation
    assert at(places, (4.5, 52.5, 60)) == ["a"]
    assert [version.id for version in places.covering(4.5, 52.5)] == ["a"]
    places.review()
    assert places.generation == before, "nothing is made again while the law stays as it is"
    counting.clear()
    places.review()
    assert at(places, (4.5, 52.5, 60)) == [None]
    assert places.generation > before
