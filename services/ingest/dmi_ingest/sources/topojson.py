"""TopoJSON to GeoJSON: quantised arcs are sums of steps, scaled and shifted; a negative index runs backwards.

After https://github.com/topojson/topojson-specification (version 1, section 2.1 to 2.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dmi_ingest.sources.values import Unreadable

Point = tuple[float, float]
_PLACES: Final = 9
"""Decimals that are kept: so many that rounding gives points on a line no area worth the name."""


class BadTopology(Exception):
    """A document whose arcs or transform are not what TopoJSON asks for; the text says what."""


def arcs(topology: dict[str, Any]) -> list[list[Point]]:
    """All arcs as absolute positions, in the CRS of the document (x first)."""
    if topology.get("type") != "Topology" or not isinstance(topology.get("arcs"), list):
        raise BadTopology("no Topology with arcs")
    transform = topology.get("transform")
    try:
        if transform is None:
            return [[(float(x), float(y)) for x, y, *_ in arc] for arc in topology["arcs"]]
        (sx, sy), (tx, ty) = transform["scale"], transform["translate"]
        return [_absolute(arc, float(sx), float(sy), float(tx), float(ty)) for arc in topology["arcs"]]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadTopology("the arcs or the transform are malformed") from error


def _absolute(arc: list[list[int]], sx: float, sy: float, tx: float, ty: float) -> list[Point]:
    x = y = 0
    found: list[Point] = []
    for dx, dy, *_ in arc:
        x, y = x + dx, y + dy
        found.append((round(x * sx + tx, _PLACES), round(y * sy + ty, _PLACES)))
    return found


def geometries(topology: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The geometry objects of all collections, in order: JSON pointer, number in the collection from 0, and object."""
    objects = topology.get("objects")
    if not isinstance(objects, dict):
        raise BadTopology("no objects")
    for name, one in objects.items():
        pointer = f"/objects/{name.replace('~', '~0').replace('/', '~1')}"
        if not isinstance(one, dict):
            raise BadTopology("an object that is none")
        if one.get("type") != "GeometryCollection":
            yield pointer, 0, one
            continue
        members = one.get("geometries")
        if not isinstance(members, list):
            raise BadTopology("a collection without geometries")
        for number, member in enumerate(members):
            yield f"{pointer}/geometries/{number}", number, member if isinstance(member, dict) else {}


def geometry(member: dict[str, Any], all_arcs: list[list[Point]]) -> dict[str, Any]:
    """A polygon or multipolygon as GeoJSON; raises ``Unreadable`` where it points at no arcs."""
    kind, indices = member.get("type"), member.get("arcs")
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(indices, list) or not indices:
        raise Unreadable("bad_geometry", f"no surface: {kind}")
    try:
        if kind == "Polygon":
            return {"type": kind, "coordinates": [_ring(ring, all_arcs) for ring in indices]}
        polygons = [[_ring(ring, all_arcs) for ring in polygon] for polygon in indices]
    except (IndexError, TypeError) as error:
        raise Unreadable("bad_geometry", "an arc that does not exist") from error
    return {"type": kind, "coordinates": polygons}


def _ring(indices: list[int], all_arcs: list[list[Point]]) -> list[list[float]]:
    """Arcs joined end to end; the last point of one is the first of the next and stands once."""
    points: list[Point] = []
    for index in indices:
        # ~index numbers an arc that is passed through backwards
        arc = all_arcs[index] if index >= 0 else all_arcs[~index][::-1]
        points += arc[1:] if points else arc
    return [list(point) for point in points]
