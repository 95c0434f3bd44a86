"""Mapbox vector tiles (2.1) of a layer's features, cached until the layer or the viewer's right changes."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import mapbox_vector_tile
from shapely.geometry import shape

from dmi_infra.errors import InputRefused

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
EXTENT = 4096
MAX_ZOOM = 22
CACHE_BYTES = 32 * 2**20
"""Memory for made tiles. With live data most of them are soon outdated, so that more would hold dead ones."""
_HALF_WORLD = 20037508.342789244
"""Half the circumference of the earth in web Mercator metres (EPSG:3857)."""


def check(z: int, x: int, y: int) -> None:
    """Refuse a tile address that does not exist."""
    if not 0 <= z <= MAX_ZOOM:
        raise InputRefused.of("z", f"must lie between 0 and {MAX_ZOOM}", str(z))
    for name, value in (("x", x), ("y", y)):
        if not 0 <= value < 2**z:
            raise InputRefused.of(name, f"must lie between 0 and {2**z - 1} at zoom {z}", str(value))


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in web Mercator metres."""
    size = 2 * _HALF_WORLD / 2**z
    west = -_HALF_WORLD + x * size
    north = _HALF_WORLD - y * size
    return west, north - size, west + size, north


def mercator(lon: float, lat: float) -> tuple[float, float]:
    """WGS84 degrees to web Mercator metres."""
    x = lon * _HALF_WORLD / 180
    limited = max(-85.05112878, min(85.05112878, lat))
    y = math.log(math.tan((90 + limited) * math.pi / 360)) / math.pi * _HALF_WORLD
    return x, y


def encode(features: Sequence[Mapping[str, Any]], z: int, x: int, y: int) -> bytes:
    """The tile with one layer ``features``; values that a tile cannot hold are left out."""
    bounds = tile_bounds(z, x, y)
    margin = EXTENT / 16
    shown = []
    for feature in features:
        geometry = feature.get("geometry")
        if not geometry:
            continue
        moved = shape(_project(geometry, bounds))
        left, bottom, right, top = moved.bounds
        if right < -margin or left > EXTENT + margin or top < -margin or bottom > EXTENT + margin:
            continue
        properties = {
            name: value
            for name, value in feature["properties"].items()
            if isinstance(value, str | int | float | bool)
        }
        shown.append({"geometry": moved, "properties": properties})
    data: bytes = mapbox_vector_tile.encode(
        [{"name": "features", "features": shown}], default_options={"extents": EXTENT}
    )
    return data


def _project(geometry: Mapping[str, Any], bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    """A GeoJSON geometry on the grid of the tile: 0 to ``EXTENT`` from its west and south."""
    west, south, east, north = bounds
    across, up = EXTENT / (east - west), EXTENT / (north - south)

    def walk(coordinates: Any) -> Any:
        if coordinates and isinstance(coordinates[0], int | float):
            mx, my = mercator(coordinates[0], coordinates[1])
            return round((mx - west) * across), round((my - south) * up)
        return [walk(part) for part in coordinates]

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


class TileCache:
    """The most recently used tiles, up to ``limit`` bytes; a key holds everything that a tile depends on."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._held = 0
        self._tiles: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        """A kept tile."""
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
            return found

    def put(self, key: tuple[Any, ...], tile: bytes) -> None:
        """Keep a tile, and forget those unused for longest."""
        with self._lock:
            known = self._tiles.pop(key, None)
            self._held += _size(tile) - (0 if known is None else _size(known))
            self._tiles[key] = tile
            while self._held > self._limit:
                _, forgotten = self._tiles.popitem(last=False)
                self._held -= _size(forgotten)


def _size(tile: bytes) -> int:
    """Bytes that a tile holds in memory with its key and place."""
    return len(tile) + 1000
