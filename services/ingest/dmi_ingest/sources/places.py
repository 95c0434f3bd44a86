"""Positions and geometries: WGS84 or RD New in, WGS84 (longitude first) out; swapped axes are refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import shapely
from pyproj import Transformer
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from dmi_ingest.sources.values import Unreadable

RD_NEW: Final = "EPSG:28992"
WGS84: Final = "OGC:CRS84"
DECLARED: Final = {
    "urn:ogc:def:crs:ogc::crs84": WGS84,
    "urn:ogc:def:crs:ogc:1.3:crs84": WGS84,
    "urn:ogc:def:crs:epsg::4326": WGS84,
    "epsg:4326": WGS84,
    "ogc:crs84": WGS84,
    "urn:ogc:def:crs:epsg::28992": RD_NEW,
    "epsg:28992": RD_NEW,
}
"""What a GeoJSON ``crs`` member may name. GeoJSON puts longitude first, also under EPSG:4326."""

_DEPTH: Final = {
    "Point": 0,
    "LineString": 1,
    "MultiPoint": 1,
    "Polygon": 2,
    "MultiLineString": 2,
    "MultiPolygon": 3,
}
SMALLEST: Final = {WGS84: 1e-10, RD_NEW: 1.0}
"""About a square metre in the square of the unit of each CRS; less than that is a line that was rounded."""
_PLACES: Final = 7
"""Decimals of a degree that are kept: about a centimetre."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A geometry in WGS84, the CRS it came in, and what had to be done to make it valid."""

    geometry: dict[str, Any]
    crs: str
    repair: str | None = None


@lru_cache(maxsize=1)
def _from_rd() -> Transformer:
    return Transformer.from_crs(RD_NEW, WGS84, always_xy=True)


def in_netherlands(longitude: float, latitude: float) -> bool:
    """Whether a position in degrees lies in the box around the European Netherlands and its waters."""
    return 2.5 <= longitude <= 7.6 and 50.4 <= latitude <= 55.8


def crs_of(x: float, y: float) -> str:
    """The CRS that these coordinates are in; raises ``Unreadable`` where they are in none, or swapped.

    The ranges of RD New (x 0 to 300,000, y 300,000 to 625,000 metres) do not overlap each other or
    degrees, so a swap can be told from a place.
    """
    value = f"{x}, {y}"
    if not (math.isfinite(x) and math.isfinite(y)):
        raise Unreadable("bad_geometry", value)
    if in_netherlands(x, y):
        return WGS84
    if in_netherlands(y, x) or (300_000 <= x <= 625_000 and 0 <= y <= 300_000):
        raise Unreadable("swapped_axes", value)
    if 0 <= x <= 300_000 and 300_000 <= y <= 625_000:
        return RD_NEW
    raise Unreadable("outside_netherlands", value)


def position(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude in WGS84 of a position in the Netherlands, given in either CRS."""
    if crs_of(x, y) == WGS84:
        return x, y
    longitude, latitude = _from_rd().transform(x, y)
    return round(longitude, _PLACES), round(latitude, _PLACES)


def declared_crs(document: dict[str, Any]) -> str:
    """The CRS that a GeoJSON document names, WGS84 when none; raises ``Unreadable`` for any other."""
    member = document.get("crs")
    if member is None:
        return WGS84
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    known = DECLARED.get(str(name).casefold())
    if known is None:
        raise Unreadable("unknown_crs", name)
    return known


def placed(geometry: object, declared: str) -> Placed:
    """A GeoJSON geometry, checked, converted and repaired; raises ``Unreadable``.

    Values decide over the declaration where they can be nothing else: RD New metres are never
    degrees. Degrees under a declaration of RD New are refused as ``wrong_crs``.
    """
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or not isinstance(kind, str) or kind not in _DEPTH:
        raise Unreadable("bad_geometry", geometry if geometry is None else "no geometry of a known type")
    crs: str | None = None
    for x, y in _points(geometry.get("coordinates"), _DEPTH[kind]):
        found = crs_of(x, y)
        if crs is not None and found != crs:
            raise Unreadable("mixed_crs", f"{x}, {y}")
        crs = found
    if crs is None:
        raise Unreadable("bad_geometry", "no coordinates")
    if declared == RD_NEW and crs != RD_NEW:
        raise Unreadable("wrong_crs", "degrees, where RD New was declared")
    whole, repair = _repaired(geometry, SMALLEST[crs])
    if crs == RD_NEW:
        whole = to_centimetres(whole, _to_wgs84)
        if not whole.is_valid:
            raise Unreadable("bad_geometry", shapely.is_valid_reason(whole))
    return Placed(json.loads(shapely.to_geojson(whole)), crs, repair)


def _to_wgs84(points: Any) -> Any:
    """A shapely coordinate array (n, 2) in RD New as degrees; numpy is typed through shapely only."""
    longitudes, latitudes = _from_rd().transform(points[:, 0], points[:, 1])
    points[:, 0], points[:, 1] = longitudes, latitudes
    return points


def to_centimetres(whole: BaseGeometry, to_degrees: Callable[[Any], Any]) -> BaseGeometry:
    """A geometry in degrees, rounded where that leaves it valid: lines that run closer than that would cross."""
    rounded: BaseGeometry = shapely.transform(whole, lambda points: to_degrees(points).round(_PLACES))
    return rounded if rounded.is_valid else shapely.transform(whole, to_degrees)


def _points(coordinates: object, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(coordinates, list | tuple):
        raise Unreadable("bad_geometry", "coordinates are no list")
    if depth:
        for part in coordinates:
            yield from _points(part, depth - 1)
        return
    if len(coordinates) not in (2, 3) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in coordinates
    ):
        raise Unreadable("bad_geometry", str(coordinates)[:80])
    try:
        yield float(coordinates[0]), float(coordinates[1])
    except OverflowError as error:
        raise Unreadable("bad_geometry", "a coordinate beyond the range of a double") from error


def _repaired(geometry: dict[str, Any], smallest: float) -> tuple[BaseGeometry, str | None]:
    """The geometry as shapely has it, rings without area left out and self-crossings mended."""
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        try:
            return shapely.force_2d(shape(geometry)), None
        except (ValueError, shapely.errors.GEOSException) as error:
            raise Unreadable("bad_geometry", "too few points") from error
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    kept, dropped = [], 0
    for rings in polygons:
        sound = [_closed(ring) for ring in rings if len({(point[0], point[1]) for point in ring}) >= 3]
        dropped += len(rings) - len(sound)
        if rings and sound and len({(point[0], point[1]) for point in rings[0]}) >= 3:
            kept.append(shapely.Polygon(sound[0], sound[1:]))
    notes = [f"{dropped} rings without area left out"] if dropped else []
    whole: BaseGeometry = kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)
    if not whole.is_valid:
        mended = [part for part in shapely.get_parts(shapely.make_valid(whole)) if part.area >= smallest]
        surfaces = [part for part in shapely.get_parts(mended) if isinstance(part, shapely.Polygon)]
        whole = surfaces[0] if len(surfaces) == 1 else shapely.MultiPolygon(surfaces)
        notes.append("self-crossings mended")
    if whole.is_empty or whole.area < smallest:
        raise Unreadable("bad_geometry", "the surface collapsed: no ring encloses any area")
    return whole, "; ".join(notes) or None


def _closed(ring: list[list[float]]) -> list[tuple[float, float]]:
    points = [(point[0], point[1]) for point in ring]
    return points if points[0] == points[-1] else [*points, points[0]]
