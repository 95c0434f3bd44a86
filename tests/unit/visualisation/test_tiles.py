"""Vector tiles hold what lies in them; addresses out of range are refused."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import pytest

from dmi_infra.errors import InputRefused
from dmi_visualisation.tiles import Tile, TileCache, check, drawn, encode, mercator, tile_bounds

POINT: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [5.1, 52.1]},
    "properties": {"id": "a", "result": 12.5, "label": {"nl": "x"}, "nothing": None},
}
TILE = (12, 2106, 1351)
"""Holds the point."""


@pytest.mark.parametrize(("z", "x", "y"), [(0, 0, 0), (1, 1, 1), (22, 2**22 - 1, 0)])
def test_tiles_inside_the_world_exist(z: int, x: int, y: int) -> None:
    check(z, x, y)


@pytest.mark.parametrize(
    ("z", "x", "y", "field"),
    [(-1, 0, 0, "z"), (23, 0, 0, "z"), (0, 1, 0, "x"), (3, 8, 0, "x"), (3, 0, 8, "y"), (3, 0, -1, "y")],
)
def test_tiles_outside_the_world_are_refused_by_field(z: int, x: int, y: int, field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        check(z, x, y)
    assert refused.value.errors[0].field == field


def test_the_world_is_one_tile_at_zoom_zero_and_four_at_zoom_one() -> None:
    west, south, east, north = tile_bounds(0, 0, 0)
    assert (west, south) == (-east, -north)
    assert tile_bounds(1, 1, 0) == (0, 0, east, north)


def test_mercator_stays_finite_at_the_poles() -> None:
    assert mercator(0, 90) == mercator(0, 85.05112878)
    assert mercator(180, 0) == pytest.approx((20037508.342789, 0), abs=1e-3)


def test_a_tile_holds_its_features_with_the_properties_that_a_tile_can_hold() -> None:
    layer = mapbox_vector_tile.decode(encode(drawn([POINT], *TILE)))["features"]
    [feature] = layer["features"]
    assert feature["properties"] == {"id": "a", "result": 12.5}
    x, y = feature["geometry"]["coordinates"]
    assert 0 <= x <= layer["extent"]
    assert 0 <= y <= layer["extent"]


def test_a_tile_elsewhere_and_a_feature_without_place_hold_nothing() -> None:
    assert (
        mapbox_vector_tile.decode(encode(drawn([POINT], 12, 0, 0))).get("features", {}).get("features", [])
        == []
    )
    nowhere = {**POINT, "geometry": None}
    assert (
        mapbox_vector_tile.decode(encode(drawn([nowhere], *TILE))).get("features", {}).get("features", [])
        == []
    )


def test_the_cache_forgets_what_was_unused_for_longest() -> None:
    tile = Tile(bytes(1000))
    cache = TileCache(5000)  # two tiles of this size with what comes with them
    cache.put(("a",), tile)
    cache.put(("b",), tile)
    assert cache.get(("a",)) == tile
    cache.put(("c",), tile)
    assert (cache.get(("a",)), cache.get(("b",)), cache.get(("c",))) == (tile, None, tile)
