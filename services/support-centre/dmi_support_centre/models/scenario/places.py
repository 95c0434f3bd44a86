"""The baseline's areas and buildings, and how much of each building lies in a chosen or drawn area."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from dmi_infra.geo import Projection
from dmi_support_centre.models.scenario.edits import Area, ScenarioRefused

MOST_POINTS = 10_000
SLIVER = 0.001
"""Less than this share of a footprint is an inaccuracy of drawing, not a wish."""
REMEMBERED_PAIRS = 100_000
"""Pairs of a drawn area and a building in it that are remembered of one baseline."""
AREAL = ("Polygon", "MultiPolygon")
NO_SHAPE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    # A whole number of hundreds of digits.
    OverflowError,
    shapely.errors.ShapelyError,
)
"""What is raised for coordinates that form no geometry."""


class AreaState(msgspec.Struct, frozen=True):
    """A neighbourhood of the baseline; figures that are not known are ``None``, never 0."""

    id: str
    name: str
    geometry: dict[str, Any]
    """GeoJSON (Multi)Polygon in WGS84."""
    area_m2: float | None = None
    inhabitants: float | None = None
    jobs: float | None = None
    dwellings: float | None = None
    green_m2: float | None = None
    office_floor_m2: float | None = None


class BuildingState(msgspec.Struct, frozen=True):
    """A building of the baseline: its use, usable floor (m²) and footprint (GeoJSON in WGS84)."""

    id: str
    name: str
    use: str
    floor_m2: float | None
    geometry: dict[str, Any]
    neighbourhood: str


class Baseline(msgspec.Struct, frozen=True, dict=True):
    """What scenarios branch from; ``version`` names the versions of the data that it was made of."""

    areas: list[AreaState]
    buildings: list[BuildingState]
    version: str

    @cached_property
    def ground(self) -> Ground:
        """Where all of it lies."""
        return Ground(self.areas, self.buildings)


def to_rd(geometry: dict[str, Any], field: str) -> BaseGeometry:
    """A GeoJSON (Multi)Polygon in WGS84 as a valid geometry in RD New metres; else ``ScenarioRefused``."""
    if geometry.get("type") not in AREAL:
        raise ScenarioRefused(field, "must be a GeoJSON Polygon or MultiPolygon")
    try:
        drawn = shape(geometry)
    except NO_SHAPE as error:
        raise ScenarioRefused(
            field, "coordinates do not form closed rings of at least four positions"
        ) from error
    points = shapely.get_coordinates(drawn)
    if not len(points) or drawn.is_empty:
        raise ScenarioRefused(field, "is empty")
    if len(points) > MOST_POINTS:
        raise ScenarioRefused(field, f"has more than {MOST_POINTS} positions")
    if not np.isfinite(points).all() or (np.abs(points) > (180.0, 90.0)).any():
        raise ScenarioRefused(field, "positions must be longitude and latitude in degrees")
    if not drawn.is_valid:
        raise ScenarioRefused(field, f"ring crosses or touches itself: {shapely.is_valid_reason(drawn)}")
    x, y = Projection().to_rd(points[:, 0].tolist(), points[:, 1].tolist())
    projected: BaseGeometry = shapely.set_coordinates(shapely.force_2d(drawn), np.column_stack([x, y]))
    if not np.isfinite(shapely.get_coordinates(projected)).all():
        raise ScenarioRefused(field, "lies outside the area where RD New holds")
    return projected


def shares(baseline: Baseline, area: Area, use: str) -> dict[str, float]:
    """Share (0 to 1] of each building of this use that lies in the area, by building id.

    A drawn polygon takes the part of the footprint that it covers, in RD New; a neighbourhood takes its
    buildings whole. Raises ``ScenarioRefused`` when the area is unknown, outside or without such buildings.
    """
    if (area.neighbourhood is None) == (area.geometry is None):
        raise ScenarioRefused("area", "give either a neighbourhood or a geometry")
    if area.neighbourhood is not None:
        if all(known.id != area.neighbourhood for known in baseline.areas):
            raise ScenarioRefused("area.neighbourhood", "is not an area of the baseline")
        found = {
            b.id: 1.0 for b in baseline.buildings if _fits(b, use) and b.neighbourhood == area.neighbourhood
        }
    else:
        assert area.geometry is not None
        found = baseline.ground.shares(area.geometry, use)
    if not found:
        raise ScenarioRefused("area", f"there is no {use} of known floor area to redevelop here")
    return found


def _fits(building: BuildingState, use: str) -> bool:
    return building.use == use and building.floor_m2 is not None and building.floor_m2 > 0


class Ground:
    """Where the areas and buildings of a baseline lie in RD New: projected once, for all edits and runs on it.

    What was found in a drawn area is remembered, for a scenario is run with all its edits at every one that is added.
    Any thread may ask.
    """

    def __init__(self, areas: Sequence[AreaState], buildings: Sequence[BuildingState]) -> None:
        self._buildings = buildings
        self._areas = Layer([(area.id, area.geometry) for area in areas])
        self._lock = threading.Lock()
        self._layers: dict[str, Layer] = {}
        self._found: OrderedDict[bytes, dict[str, float]] = OrderedDict()
        self._pairs = 0

    def shares(self, geometry: dict[str, Any], use: str) -> dict[str, float]:
        """Share (0 to 1] of each building of this use that lies in a drawn area; not to be changed.

        Raises ``ScenarioRefused`` for a geometry that is none, or lies outside every area.
        """
        key = hashlib.sha256(msgspec.json.encode([use, geometry], order="deterministic")).digest()
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        drawn = to_rd(geometry, "area.geometry")
        box = shapely.box(*shape(geometry).bounds)
        shapely.prepare(drawn)
        if not self._areas.touches(drawn, box):
            raise ScenarioRefused("area.geometry", "lies outside every area of the baseline")
        found = self._layer(use).shares(drawn, box)
        with self._lock:
            self._remember(key, found)
        return found

    def footprint_m2(self, building: BuildingState) -> float:
        """Ground that a building covers, in m² (RD New)."""
        known = self._layer(building.use).m2.get(building.id)
        # What cannot be projected says why.
        return known if known is not None else float(to_rd(building.geometry, building.id).area)

    def _layer(self, use: str) -> Layer:
        with self._lock:
            if use not in self._layers:
                fitting = [(b.id, b.geometry) for b in self._buildings if _fits(b, use)]
                self._layers[use] = Layer(fitting)
            return self._layers[use]

    def _remember(self, key: bytes, found: dict[str, float]) -> None:
        if key in self._found:
            return
        self._found[key] = found
        self._pairs += 1 + len(found)
        while self._pairs > REMEMBERED_PAIRS:
            _, oldest = self._found.popitem(last=False)
            self._pairs -= 1 + len(oldest)


class Layer:
    """Geometries by name in RD New, with a tree to find them by; those that are none are refused where they matter."""

    def __init__(self, geometries: Sequence[tuple[str, dict[str, Any]]]) -> None:
        shapes, self._broken = _projected(geometries)
        self._names = list(shapes)
        self._shapes = np.array(list(shapes.values()), dtype=object)
        self._areas = shapely.area(self._shapes)
        self._tree = shapely.STRtree(self._shapes)
        self.m2: dict[str, float] = dict(zip(self._names, self._areas.tolist(), strict=True))
        """Surface by name."""

    def touches(self, drawn: BaseGeometry, box: BaseGeometry) -> bool:
        """Whether any of them shares a point with a drawn area (RD New), whose box in degrees is given."""
        if len(self._tree.query(drawn, predicate="intersects")):
            return True
        self._check(box)
        return False

    def shares(self, drawn: BaseGeometry, box: BaseGeometry) -> dict[str, float]:
        """The part of each that a drawn area (RD New, prepared) covers, where that is more than a sliver."""
        self._check(box)
        near = self._tree.query(drawn, predicate="intersects")
        part = np.ones(len(near))
        # Most are covered whole, and told so without cutting anything.
        cut = ~shapely.covers(drawn, self._shapes[near])
        pieces = shapely.intersection(self._shapes[near[cut]], drawn)
        part[cut] = shapely.area(pieces) / self._areas[near[cut]]
        # Rounding must not turn a building that is covered whole into one that is covered almost.
        part[part > 1 - SLIVER] = 1.0
        pairs = zip(near.tolist(), part.tolist(), strict=True)
        return {self._names[index]: share for index, share in pairs if share > SLIVER}

    def _check(self, box: BaseGeometry) -> None:
        for name, geometry, outline in self._broken:
            if outline is None or box.intersects(outline):
                to_rd(geometry, name)


_Broken = tuple[str, dict[str, Any], BaseGeometry | None]


def _projected(
    geometries: Sequence[tuple[str, dict[str, Any]]],
) -> tuple[dict[str, BaseGeometry], list[_Broken]]:
    """Geometries as ``to_rd`` makes them, all at once, by name; and those that it refuses, with their form."""
    outlines, broken = [_outline(geometry) for _, geometry in geometries], list[_Broken]()
    shapes = np.array(outlines, dtype=object)
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    counts = np.bincount(owner, minlength=len(shapes))
    well = shapely.is_valid(shapes) & (counts > 0) & (counts <= MOST_POINTS)
    x, y = Projection().to_rd(points[:, 0].tolist(), points[:, 1].tolist())
    moved = np.column_stack([x, y]) if len(points) else points
    # Outside the degrees, or where RD New does not hold.
    away = (np.abs(points) > (180.0, 90.0)).any(axis=1) | ~np.isfinite(moved).all(axis=1)
    well[owner[away]] = False
    flat = shapely.force_2d(shapes[well])
    placed = shapely.set_coordinates(flat, moved[well[owner]])
    kept = iter(placed)
    found: dict[str, BaseGeometry] = {}
    for (name, geometry), outline, usable in zip(geometries, outlines, well.tolist(), strict=True):
        if usable:
            found[name] = next(kept)
        else:
            broken.append((name, geometry, outline))
    return found, broken


def _outline(geometry: dict[str, Any]) -> BaseGeometry | None:
    if geometry.get("type") not in AREAL:
        return None
    try:
        return shape(geometry)
    except NO_SHAPE:
        return None
