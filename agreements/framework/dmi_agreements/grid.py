"""Grid cells in RD New (EPSG:28992): the cells of positions, and their centres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

Cell = tuple[int, int]
"""Column and row of a cell; the cell (0, 0) has its lower left corner in the origin of RD New."""


class Projection(Protocol):
    """Turns WGS84 degrees into RD New metres and back; a position it cannot turn becomes NaN or infinite."""

    def to_rd(self, lon: Sequence[float], lat: Sequence[float]) -> tuple[list[float], list[float]]:
        """x and y in metres of these positions."""

    def to_wgs84(self, x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
        """Longitude and latitude in degrees of these points."""


def cells(
    longitude: Sequence[float | None] | None,
    latitude: Sequence[float | None] | None,
    rows: int,
    grid_m: int,
    projection: Projection,
) -> list[Cell | None]:
    """The cell of each row's position; ``None`` for a row without a usable position."""
    found: list[Cell | None] = [None] * rows
    if longitude is None or latitude is None:
        return found
    known: list[int] = []
    lon: list[float] = []
    lat: list[float] = []
    for row, (east, north) in enumerate(zip(longitude, latitude, strict=True)):
        if east is not None and north is not None and math.isfinite(east) and math.isfinite(north):
            known.append(row)
            lon.append(east)
            lat.append(north)
    if known:
        for row, x, y in zip(known, *projection.to_rd(lon, lat), strict=True):
            if math.isfinite(x) and math.isfinite(y):
                found[row] = (math.floor(x / grid_m), math.floor(y / grid_m))
    return found


def centres(wanted: Sequence[Cell], grid_m: int, projection: Projection) -> list[tuple[float, float]]:
    """Longitude and latitude of the centre of each cell, in degrees with 7 decimals (a centimetre)."""
    if not wanted:
        return []
    half = grid_m / 2
    lon, lat = projection.to_wgs84(
        [column * grid_m + half for column, _ in wanted], [row * grid_m + half for _, row in wanted]
    )
    return [(round(east, 7), round(north, 7)) for east, north in zip(lon, lat, strict=True)]
