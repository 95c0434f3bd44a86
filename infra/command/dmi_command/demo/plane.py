"""The city is laid out in metres on a plane and published in degrees (WGS84, longitude first).

The plane touches the ellipsoid at the market square. Over the 3 km to the edge its scale is off by
less than 0.1 %, far below anything that the demonstration measures; it needs no projection library
and gives the same digits on every machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from dmi_command.demo.noise import Floats

LONGITUDE: Final = 5.10
LATITUDE: Final = 52.10
_DEGREE_EAST: Final = 68_508.6
"""Metres in a degree of longitude at 52.10 north: radius of the prime vertical times its cosine (GRS80)."""
_DEGREE_NORTH: Final = 111_265.0
"""Metres in a degree of latitude at 52.10 north: the meridional radius of curvature (GRS80)."""


def to_degrees(points: Floats) -> Floats:
    """Rows of (x, y) in metres from the market square as rows of (longitude, latitude)."""
    degrees = points / np.array([_DEGREE_EAST, _DEGREE_NORTH]) + np.array([LONGITUDE, LATITUDE])
    return np.asarray(np.round(degrees, 6))


def geojson(shape: BaseGeometry) -> dict[str, Any]:
    """A shape on the plane as a GeoJSON geometry in degrees, rings wound as RFC 7946 asks."""
    moved = shapely.transform(shape, to_degrees)
    if moved.geom_type in ("Polygon", "MultiPolygon"):
        moved = shapely.orient_polygons(shapely.make_valid(moved))
    return _lists(mapping(moved))


def _lists(geometry: dict[str, Any]) -> dict[str, Any]:
    """The mapping with lists for tuples, as it would come out of JSON."""

    def plain(value: Any) -> Any:
        return [plain(item) for item in value] if isinstance(value, list | tuple) else float(value)

    return {"type": geometry["type"], "coordinates": plain(geometry["coordinates"])}
