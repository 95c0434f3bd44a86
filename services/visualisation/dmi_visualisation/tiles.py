"""Mapbox vector tiles (2.1) of a layer's features, cached until the layer or the viewer's right changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import mapbox_vector_tile
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import shape

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.errors import InputRefused

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
EXTENT = 4096
MAX_ZOOM = 22
CACHE_BYTES = 32 * 2**20
"""Memory for made tiles. With live data most of them are soon outdated, so that more would hold dead ones."""
ROW_BYTES = 500
"""About what one row that a tile was made of holds."""
_HALF_WORLD = 20037508.342789244
"""Half the circumference of the earth in web Mercator metres (EPSG:3857)."""
_STEEPEST = 85.05112878
"""Degrees of latitude where the square map of web Mercator ends."""
_MARGIN = EXTENT / 16
"""Around a tile what is drawn on it as well, so that marks are not cut off at its edge."""

Metres = npt.NDArray[np.float64]


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


def mercator(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Metres, Metres]:
    """WGS84 degrees to web Mercator metres."""
    limited = np.clip(np.asarray(lat, dtype=float), -_STEEPEST, _STEEPEST)
    across = np.asarray(lon, dtype=float) * _HALF_WORLD / 180
    up = np.log(np.tan((90 + limited) * np.pi / 360)) / np.pi * _HALF_WORLD
    return across, up


def drawn(features: Sequence[Mapping[str, Any]], z: int, x: int, y: int) -> list[dict[str, Any]]:
    """Those features that lie on a tile, or so near that their marks do, as it draws them."""
    placed = [feature for feature in features if feature.get("geometry")]
    moved = _on_grid([feature["geometry"] for feature in placed], tile_bounds(z, x, y))
    left, bottom, right, top = shapely.bounds(moved).T
    outside = (np.minimum(right, top) < -_MARGIN) | (np.maximum(left, bottom) > EXTENT + _MARGIN)
    return [
        {"geometry": moved[index], "properties": _values(placed[index]["properties"])}
        for index in np.flatnonzero(~outside)
    ]


def encode(shown: Sequence[Mapping[str, Any]]) -> bytes:
    """The tile of what is ``drawn``, with one layer ``features``; values that a tile cannot hold are left out."""
    data: bytes = mapbox_vector_tile.encode(
        [{"name": "features", "features": shown}], default_options={"extents": EXTENT}
    )
    return data


def _values(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if isinstance(value, str | int | float | bool)}


def _on_grid(
    geometries: Sequence[Mapping[str, Any]], bounds: tuple[float, float, float, float]
) -> npt.NDArray[np.object_]:
    """GeoJSON geometries on the grid of the tile: 0 to ``EXTENT`` from its west and south.

    All at once: each call of shapely gives up the interpreter's lock, and under load waits to get it back.
    """
    west, south, east, north = bounds
    made = np.empty(len(geometries), dtype=object)
    is_point = np.array([geometry["type"] == "Point" for geometry in geometries], dtype=bool)
    places = [geometry["coordinates"][:2] for geometry in geometries if geometry["type"] == "Point"]
    made[is_point] = shapely.points(np.array(places, dtype=float).reshape(-1, 2))
    for index in np.flatnonzero(~is_point).tolist():
        made[index] = shape(dict(geometries[index]))

    def grid(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        across, up = mercator(degrees[:, 0], degrees[:, 1])
        size = np.column_stack(((across - west) / (east - west), (up - south) / (north - south)))
        return np.rint(size * EXTENT)

    moved: npt.NDArray[np.object_] = shapely.transform(made, grid)
    return moved


class Tile(NamedTuple):
    """A made tile, and the rows of persons that it tells of, to whom that is told each time that it is given."""

    data: bytes
    used: tuple[ObservationBatch, ...] = ()


class TileCache:
    """The most recently used tiles, up to ``limit`` bytes; a key holds everything that a tile depends on."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._held = 0
        self._tiles: OrderedDict[tuple[Any, ...], Tile] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Any, ...]) -> Tile | None:
        """A kept tile."""
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
            return found

    def put(self, key: tuple[Any, ...], tile: Tile) -> None:
        """Keep a tile, and forget those unused for longest."""
        with self._lock:
            known = self._tiles.pop(key, None)
            self._held += _size(tile) - (0 if known is None else _size(known))
            self._tiles[key] = tile
            while self._held > self._limit:
                _, forgotten = self._tiles.popitem(last=False)
                self._held -= _size(forgotten)


def _size(tile: Tile) -> int:
    """Bytes that a tile holds in memory with its key and place."""
    return len(tile.data) + 1000 + sum(map(len, tile.used)) * ROW_BYTES
