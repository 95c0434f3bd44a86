"""Geometries that are handed in: GeoJSON in a declared CRS, checked with shapely, kept in WGS84."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from dmi_infra.errors import InputRefused
from dmi_infra.geo import RD_NEW, WGS84, Projection
from dmi_ingest import reading
from dmi_ingest.sources.places import in_netherlands, to_centimetres

CRS: Final = {WGS84: WGS84, RD_NEW: RD_NEW, "EPSG:4326": WGS84}
"""What ``crs`` may declare; GeoJSON puts longitude first, also under EPSG:4326."""
DEPTHS: Final = {
    "Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
}  # fmt: skip
POINTS: Final = 200_000

_projection = Projection()


def declared(value: object, field: str = "crs") -> str:
    """The CRS that a request declares; WGS84 when it says nothing."""
    if value is None:
        return WGS84
    known = CRS.get(value) if isinstance(value, str) else None
    if known is None:
        raise InputRefused.of(field, f"must be one of {', '.join(CRS)}", reading.form(value))
    return known


def checked(value: object, field: str, crs: str = WGS84) -> dict[str, Any]:
    """The geometry in WGS84, longitude first; raises ``InputRefused`` with the rule that it breaks."""
    document = reading.mapping(value, field)
    kind = document.get("type")
    # A kind that is an array or an object could not even be looked up.
    if not isinstance(kind, str) or kind not in DEPTHS:
        raise InputRefused.of(f"{field}.type", f"must be one of {', '.join(DEPTHS)}", reading.form(kind))
    points = list(_positions(document.get("coordinates"), DEPTHS[kind], f"{field}.coordinates"))
    if not points or len(points) > POINTS:
        raise InputRefused.of(f"{field}.coordinates", f"must hold 1 to {POINTS} positions", str(len(points)))
    for x, y in points:
        _in_bounds(x, y, crs, f"{field}.coordinates")
    plain = {"type": kind, "coordinates": document["coordinates"]}
    try:
        whole: BaseGeometry = shapely.force_2d(shape(plain))
    except (ValueError, shapely.errors.GEOSException) as exc:
        raise InputRefused.of(
            f"{field}.coordinates", "must form a geometry: rings closed, lines of two points"
        ) from exc
    if whole.is_empty or not whole.is_valid:
        raise _invalid(whole, field)
    if crs == RD_NEW:
        whole = _converted(whole, field)
    found: dict[str, Any] = mapping(whole)
    return found


def _invalid(whole: BaseGeometry, field: str) -> InputRefused:
    """What is wrong with a geometry and, where it has a place, at which position."""
    reason, _, place = shapely.is_valid_reason(whole).rstrip("]").partition("[")
    told = f"{reason.lower()} at {', '.join(place.split())}" if place else reason.lower()
    return InputRefused.of(field, "must be a valid geometry (OGC Simple Features)", told)


def _converted(whole: BaseGeometry, field: str) -> BaseGeometry:
    """A geometry in RD New as degrees."""
    found = to_centimetres(whole, _to_wgs84)
    if not found.is_valid:
        raise _invalid(found, field)
    return found


def point_of(geometry: dict[str, Any] | None) -> tuple[float, float] | None:
    """Longitude and latitude of a point; ``None`` for any other geometry."""
    if geometry is None or geometry.get("type") != "Point":
        return None
    longitude, latitude = geometry["coordinates"][:2]
    return float(longitude), float(latitude)


def points_in(geometry: dict[str, Any]) -> list[tuple[float, float]]:
    """All positions of a geometry that was checked, longitude first."""
    return [(float(x), float(y)) for x, y in shapely.get_coordinates(shape(geometry))]


def position(longitude: object, latitude: object, row: str = "") -> tuple[float, float]:
    """A position in WGS84 degrees, checked."""
    x, y = reading.number(longitude, f"{row}longitude"), reading.number(latitude, f"{row}latitude")
    _in_bounds(x, y, WGS84, f"{row}longitude")
    return x, y


def _positions(value: object, depth: int, field: str) -> Iterator[tuple[float, float]]:
    parts = reading.sequence(value, field, POINTS)
    if depth:
        for part in parts:
            yield from _positions(part, depth - 1, field)
        return
    if len(parts) not in (2, 3):
        raise InputRefused.of(field, "a position must have two or three numbers", str(len(parts)))
    numbers = [reading.number(part, field) for part in parts]
    yield numbers[0], numbers[1]


def _in_bounds(x: float, y: float, crs: str, field: str) -> None:
    if crs == RD_NEW:
        if 0 <= x <= 300_000 and 300_000 <= y <= 625_000:
            return
        if 0 <= y <= 300_000 and 300_000 <= x <= 625_000:
            raise InputRefused.of(
                field, "axes are swapped: RD New is x (easting), then y (northing)", f"{x}, {y}"
            )
        raise InputRefused.of(field, "must lie in the area of RD New (EPSG:28992), in metres", f"{x}, {y}")
    if not (-180 <= x <= 180 and -90 <= y <= 90):
        hint = "; declare crs EPSG:28992 for RD New" if 0 <= x <= 300_000 and 300_000 <= y <= 625_000 else ""
        raise InputRefused.of(field, f"must be degrees in WGS84, longitude first{hint}", f"{x}, {y}")
    # Both orders are degrees; that the swapped one lies in the Netherlands and this one does not decides.
    if in_netherlands(y, x) and not in_netherlands(x, y):
        raise InputRefused.of(field, "axes are swapped: longitude comes first", f"{x}, {y}")


def _to_wgs84(points: Any) -> Any:
    # A coordinate array (n, 2) of numpy, which shapely passes untyped.
    longitudes, latitudes = _projection.to_wgs84(points[:, 0].tolist(), points[:, 1].tolist())
    points[:, 0], points[:, 1] = longitudes, latitudes
    return points
