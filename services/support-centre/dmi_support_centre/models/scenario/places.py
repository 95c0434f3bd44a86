"""The baseline's areas and buildings, and how much of each building lies in a chosen or drawn area."""

from __future__ import annotations

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


class Baseline(msgspec.Struct, frozen=True):
    """What scenarios branch from; ``version`` names the versions of the data that it was made of."""

    areas: list[AreaState]
    buildings: list[BuildingState]
    version: str


def to_rd(geometry: dict[str, Any], field: str) -> BaseGeometry:
    """A GeoJSON (Multi)Polygon in WGS84 as a valid geometry in RD New metres; else ``ScenarioRefused``."""
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ScenarioRefused(field, "must be a GeoJSON Polygon or MultiPolygon")
    try:
        drawn = shape(geometry)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        # A whole number of hundreds of digits.
        OverflowError,
        shapely.errors.ShapelyError,
    ) as error:
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
        drawn = to_rd(area.geometry, "area.geometry")
        box = shapely.box(*shape(area.geometry).bounds)
        near = [a for a in baseline.areas if shape(a.geometry).intersects(box)]
        if not any(drawn.intersects(to_rd(known.geometry, known.id)) for known in near):
            raise ScenarioRefused("area.geometry", "lies outside every area of the baseline")
        found = {}
        for building in baseline.buildings:
            # The box in degrees spares projecting a whole city for one block.
            if _fits(building, use) and box.intersects(shape(building.geometry)):
                share = _overlap(to_rd(building.geometry, building.id), drawn)
                if share > SLIVER:
                    found[building.id] = share
    if not found:
        raise ScenarioRefused("area", f"there is no {use} of known floor area to redevelop here")
    return found


def _fits(building: BuildingState, use: str) -> bool:
    return building.use == use and building.floor_m2 is not None and building.floor_m2 > 0


def _overlap(footprint: BaseGeometry, drawn: BaseGeometry) -> float:
    if not footprint.intersects(drawn):
        return 0.0
    # Rounding must not turn a building that is covered whole into one that is covered almost.
    share = footprint.intersection(drawn).area / footprint.area
    return 1.0 if share > 1 - SLIVER else float(share)


def footprint_m2(building: BuildingState) -> float:
    """Ground that the building covers, in m² (RD New)."""
    return float(to_rd(building.geometry, building.id).area)
