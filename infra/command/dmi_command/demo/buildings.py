"""Buildings on each neighbourhood's street grid, and the neighbourhood's figures that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from shapely.affinity import rotate
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from dmi_agreements.contracts.features import Feature
from dmi_command.demo import noise
from dmi_command.demo.garages import GARAGES
from dmi_command.demo.neighbourhoods import NACHTWACHTKWARTIER, Neighbourhood, Plan
from dmi_command.demo.noise import Floats
from dmi_command.demo.plane import geojson
from dmi_command.demo.streets import NACHTWACHTLAAN, RADIALS, lines, polar

OFFICES: Final = 9
"""Large offices of the area Kantoren Nachtwachtlaan."""
OFFICE_AREA: Final = "neighbourhoods.kantoren-nachtwachtlaan"
HOUSEHOLD: Final = 2.14
"""Persons a dwelling; the Dutch mean (CBS StatLine, households, 2022)."""
DWELLING_M2: Final = 96.0
"""Gross floor a dwelling in these blocks, stairs included: an assumption of the demonstration."""
JOB_M2: Final = {"office": 23.0, "shop": 46.0, "school": 70.0}
"""Gross floor a job: assumptions of the demonstration."""

CELL: Final = (118.0, 84.0)
"""Metres along and across the local streets from one place for a building to the next."""
# Number of buildings, then the shares of housing, office and shop (the rest is school), by character.
_MIX: Final = {
    "centre": (30, 0.50, 0.16, 0.32),
    "office": (7, 0.57, 0.29, 0.14),
    "mixed": (19, 0.62, 0.22, 0.12),
    "residential": (18, 0.84, 0.03, 0.08),
    "green": (10, 0.90, 0.00, 0.05),
    "industrial": (12, 0.25, 0.50, 0.20),
}


@dataclass(frozen=True)
class Building:
    """One footprint, in metres; ``dwellings`` and ``jobs`` follow from use and floor area."""

    id: str
    name: str
    use: str
    neighbourhood: str
    shape: Polygon
    floors: int
    year: int

    @property
    def floor_m2(self) -> int:
        """Gross floor area."""
        return round(self.shape.area * self.floors)

    @property
    def dwellings(self) -> int:
        """Dwellings in housing, else 0."""
        return round(self.floor_m2 / DWELLING_M2) if self.use == "housing" else 0

    @property
    def jobs(self) -> int:
        """Jobs in all that is no housing."""
        return 0 if self.use == "housing" else round(self.floor_m2 / JOB_M2[self.use])


def buildings(seed: int, plan: Plan) -> tuple[Building, ...]:
    """All buildings; no two overlap, none stands in water, in a park, on a main street or at a garage."""
    offices = _offices(seed)
    kept_free = shapely.union_all(
        [plan.water.buffer(12.0), *plan.parks.values()]
        + [line.buffer(18.0) for line in lines().values()]
        + [shapely.Point(garage.place).buffer(45.0) for garage in GARAGES]
        + [office.shape.buffer(12.0) for office in offices]
    )
    found = list(offices)
    for area in plan.neighbourhoods:
        found.extend(_on_grid(seed, area, kept_free))
    return tuple(found)


def _offices(seed: int) -> list[Building]:
    """The nine offices: five along the north side of the Nachtwachtlaan and four along the south side."""
    bearing = RADIALS[NACHTWACHTLAAN][0]
    chance = noise.uniform(noise.key(seed, "offices"), np.arange(3 * OFFICES)).reshape(-1, 3)
    found = []
    for number in range(OFFICES):
        side, place = (1.0, number) if number < 5 else (-1.0, number - 5 + 0.5)
        along, across = 1130.0 + 94.0 * place, side * 47.0
        length, depth = 66.0 + 14.0 * chance[number, 0], 30.0 + 6.0 * chance[number, 1]
        east, north = np.add(polar(along, bearing), polar(across, bearing + 90.0))
        found.append(
            Building(
                id=f"neighbourhoods.office-nachtwachtlaan-{number + 1}",
                name=f"Nachtwachtlaan {2 * number + 11}",
                use="office",
                neighbourhood=NACHTWACHTKWARTIER,
                shape=_rectangle(east, north, length, depth, bearing),
                floors=5 + int(chance[number, 2] * 5),
                year=1986 + int(chance[number, 0] * 18),
            )
        )
    return found


def _rectangle(east: float, north: float, length: float, depth: float, turn: float) -> Polygon:
    """A footprint around its middle, turned by degrees."""
    flat = box(east - length / 2, north - depth / 2, east + length / 2, north + depth / 2)
    return Polygon(np.round(np.array(rotate(flat, turn).exterior.coords), 2))


def _on_grid(seed: int, area: Neighbourhood, kept_free: BaseGeometry) -> list[Building]:
    """Up to the wanted number of buildings on cells of the neighbourhood's grid, nearest the middle first."""
    number, *shares = _MIX[area.character]
    key = noise.key(seed, f"buildings/{area.code}")
    found: list[Building] = []
    for index, (east, north) in enumerate(_cells(area)):
        chance = noise.uniform(key, np.arange(6) + 6 * index)
        if chance[5] < 0.2:
            continue  # an open place
        length, depth = 52.0 + 40.0 * chance[0], 15.0 + 15.0 * chance[1]
        shape = _rectangle(east, north, length, depth, area.turn)
        if not area.shape.contains(shape) or kept_free.intersects(shape):
            continue
        use = ("housing", "office", "shop", "school")[int(np.searchsorted(np.cumsum(shares), chance[2]))]
        floors = {"housing": 3 + int(4 * chance[3]), "office": 3 + int(4 * chance[3])}.get(use, 2)
        name = f"{area.name} {len(found) + 1}"
        year = 1900 + int(120 * chance[4])
        slug = f"neighbourhoods.building-{area.code[6:8]}-{len(found) + 1:02d}"
        found.append(Building(slug, name, use, area.name, shape, floors, year))
        if len(found) == number:
            break
    return found


def _cells(area: Neighbourhood) -> Floats:
    """Middles of the grid cells that may lie in the neighbourhood, those nearest its middle first."""
    middle = np.array(area.shape.centroid.coords[0])
    steps = np.arange(-9, 10)
    across, up = np.meshgrid(steps * CELL[0], steps * CELL[1])
    turn = np.deg2rad(area.turn)
    flat = np.column_stack([across.ravel(), up.ravel()])
    turned = flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    order = np.argsort(np.round(np.hypot(*turned.T), 3), kind="stable")
    return np.asarray(middle + turned[order])


def area_features(plan: Plan, built: tuple[Building, ...]) -> list[Feature]:
    """The neighbourhoods with the figures that the baseline of every scenario starts from."""
    found = []
    for area in plan.neighbourhoods:
        here = [building for building in built if building.neighbourhood == area.name]
        found.append(
            Feature(area.code, "neighbourhood", area.name, geojson(area.shape), _figures(plan, area, here))
        )
    return found


def _figures(plan: Plan, area: Neighbourhood, here: list[Building]) -> dict[str, Any]:
    """Counts that add up: the age groups to the inhabitants, the inhabitants and jobs to the buildings."""
    dwellings = sum(building.dwellings for building in here)
    inhabitants = round(dwellings * HOUSEHOLD)
    young_share = {"centre": 0.10, "office": 0.12, "green": 0.19}.get(area.character, 0.165)
    old_share = {"centre": 0.15, "office": 0.13, "green": 0.24}.get(area.character, 0.185)
    young, old = round(inhabitants * young_share), round(inhabitants * old_share)
    water = area.shape.intersection(plan.water).area
    park = sum(area.shape.intersection(shape.difference(plan.water)).area for shape in plan.parks.values())
    land = area.shape.area - water
    return {
        "code": area.code,
        "character": area.character,
        "inhabitants": inhabitants,
        "inhabitants_0_15": young,
        "inhabitants_15_65": inhabitants - young - old,
        "inhabitants_65_plus": old,
        "dwellings": dwellings,
        "jobs": sum(building.jobs for building in here),
        "area_m2": round(area.shape.area),
        "water_m2": round(water),
        "green_m2": round(min(0.9 * land, area.green_share * (land - park) + park)),
        "mean_income": area.mean_income,
    }


def features(plan: Plan, built: tuple[Building, ...]) -> list[Feature]:
    """Buildings, the office area, water and parks."""
    codes = {area.name: area.code for area in plan.neighbourhoods}
    found = [
        Feature(
            building.id,
            "building",
            building.name,
            geojson(building.shape),
            {
                "use": building.use,
                "neighbourhood": codes[building.neighbourhood],
                "floor_m2": building.floor_m2,
                "floors": building.floors,
                "year": building.year,
                "dwellings": building.dwellings,
                "jobs": building.jobs,
            },
        )
        for building in built
    ]
    found.append(_office_area(built, codes[NACHTWACHTKWARTIER]))
    found.append(
        Feature("neighbourhoods.waterloop", "area", "Waterloop", geojson(plan.water), {"use": "water"})
    )
    for name, shape in plan.parks.items():
        land = shape.difference(plan.water).intersection(plan.outline)
        slug = f"neighbourhoods.park-{name.lower()}"
        found.append(Feature(slug, "area", name, geojson(land), {"use": "park", "area_m2": round(land.area)}))
    return found


def _office_area(built: tuple[Building, ...], code: str) -> Feature:
    """The area Kantoren Nachtwachtlaan around its nine offices."""
    offices = built[:OFFICES]
    shape = shapely.union_all([office.shape for office in offices]).convex_hull.buffer(12.0, quad_segs=2)
    properties = {
        "use": "office",
        "neighbourhood": code,
        "buildings": [office.id for office in offices],
        "floor_m2": sum(office.floor_m2 for office in offices),
        "jobs": sum(office.jobs for office in offices),
        "area_m2": round(shape.area),
    }
    return Feature(OFFICE_AREA, "area", "Kantoren Nachtwachtlaan", geojson(shape), properties)
