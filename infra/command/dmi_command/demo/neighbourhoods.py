"""The ground plan: an outline, the water, and two dozen neighbourhoods that tile the outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from dmi_command.demo import noise
from dmi_command.demo.noise import Floats
from dmi_command.demo.streets import polar

NACHTWACHTKWARTIER: Final = "Nachtwachtkwartier"

# Name, character, radius (m) and bearing (degrees) of the middle before the seed shifts it.
_LAYOUT: Final = (
    ("Binnenstad", "centre", 0, 0),
    (NACHTWACHTKWARTIER, "office", 1350, 20),
    ("Molenhoek", "residential", 1120, 68),
    ("Singelbuurt", "residential", 1160, 112),
    ("Kastanjebuurt", "residential", 1180, 156),
    ("Westerpark", "residential", 1130, 203),
    ("Stationskwartier", "mixed", 1080, 246),
    ("Havenkwartier", "mixed", 1120, 291),
    ("Oosterbaan", "residential", 1190, 332),
    ("Lepelaarswijk", "residential", 2250, 6),
    ("Spiegelvelden", "green", 2260, 33),
    ("Molenvaart", "residential", 2200, 58),
    ("Rietlanden", "green", 2230, 82),
    ("Noorderdijk", "residential", 2180, 106),
    ("Zwanenburcht", "residential", 2240, 130),
    ("Hoge Weide", "green", 2210, 154),
    ("Kwekerskamp", "residential", 2190, 178),
    ("Sluiswachter", "residential", 2230, 202),
    ("De Loodsen", "industrial", 2240, 226),
    ("Zuiderdreef", "residential", 2200, 250),
    ("Waterrand", "green", 2230, 274),
    ("Scheepswerf", "industrial", 2210, 298),
    ("Ganzenhof", "residential", 2240, 321),
    ("Gasthuisveld", "mixed", 2210, 344),
)

# Share of the land that is green, and mean income per inhabitant (EUR 1,000 a year), by character.
_CHARACTER: Final = {
    "centre": (0.09, 31.5),
    "office": (0.14, 34.0),
    "mixed": (0.17, 29.5),
    "residential": (0.27, 30.5),
    "green": (0.52, 38.0),
    "industrial": (0.12, 26.5),
}


@dataclass(frozen=True)
class Neighbourhood:
    """One area of the plan, in metres; ``turn`` is how its local streets lie, in degrees from east."""

    code: str
    name: str
    character: str
    shape: Polygon
    turn: float
    green_share: float
    mean_income: float
    """EUR 1,000 per inhabitant a year."""


@dataclass(frozen=True)
class Plan:
    """The ground of the city."""

    outline: Polygon
    water: Polygon
    parks: dict[str, Polygon]
    neighbourhoods: tuple[Neighbourhood, ...]

    def at(self, place: tuple[float, float]) -> Neighbourhood | None:
        """The neighbourhood that a place in metres lies in."""
        point = Point(place)
        return next((area for area in self.neighbourhoods if area.shape.covers(point)), None)


def plan(seed: int) -> Plan:
    """The ground plan of the city of ``seed``."""
    outline = _outline(seed)
    return Plan(outline, _one(_river(seed).intersection(outline)), _parks(), _neighbourhoods(seed, outline))


def _outline(seed: int) -> Polygon:
    """A closed curve at some 2.8 km, with slow waves."""
    turns = np.linspace(0.0, 2.0 * np.pi, 120, endpoint=False)
    phases = 2.0 * np.pi * noise.uniform(noise.key(seed, "outline"), np.arange(3))
    waves = sum(
        size * np.sin(number * turns + phase)
        for number, size, phase in zip((3, 5, 8), (0.035, 0.025, 0.012), phases, strict=True)
    )
    radius = 2800.0 * (1.0 + waves)
    return Polygon(np.round(np.column_stack([radius * np.cos(turns), radius * np.sin(turns)]), 2))


def _river(seed: int) -> Polygon:
    """The Waterloop: it winds from west to east past the south of the centre, and widens into the harbour."""
    phase = 2.0 * np.pi * noise.uniform(noise.key(seed, "river"), np.arange(1))[0]
    east = np.linspace(-3400.0, 3400.0, 90)
    north = -1320.0 + 130.0 * np.sin(east / 900.0 + phase) + 0.05 * east
    river = LineString(np.column_stack([east, north])).buffer(45.0)
    middle = float(np.interp(190.0, east, north))
    harbour = Point(190.0, middle + 50.0).buffer(130.0, quad_segs=6)
    return _one(shapely.set_precision(river.union(harbour), 0.01))


def _one(shape: BaseGeometry) -> Polygon:
    """The shape as the single polygon that the plan relies on."""
    if not isinstance(shape, Polygon):
        raise ValueError(f"a part of the plan is a {shape.geom_type}, not one polygon")
    return shape


def _parks() -> dict[str, Polygon]:
    """Parks on fixed places between the main streets."""
    places = {"Stadspark": (780, 1240, 260), "Westerpark": (-1250, -60, 230), "Rietplas": (430, 2260, 300)}
    found = {}
    for number, (name, (east, north, radius)) in enumerate(places.items()):
        turns = np.linspace(0.0, 2.0 * np.pi, 28, endpoint=False)
        reach = radius * (1.0 + 0.16 * np.sin(3.0 * turns + number) + 0.07 * np.sin(5.0 * turns))
        ring = np.column_stack([east + reach * np.cos(turns), north + 0.8 * reach * np.sin(turns)])
        found[name] = Polygon(np.round(ring, 2))
    return found


def _sites(seed: int) -> Floats:
    """The middles of the neighbourhoods; the seed moves all but the centre and the Nachtwachtkwartier."""
    moves = noise.normal(noise.key(seed, "sites"), np.arange(2 * len(_LAYOUT))).reshape(-1, 2)
    sites = []
    for (name, _, radius, bearing), move in zip(_LAYOUT, moves, strict=True):
        fixed = name in ("Binnenstad", NACHTWACHTKWARTIER)
        shift = np.zeros(2) if fixed else np.clip(move, -1.8, 1.8) * 55.0
        sites.append(np.array(polar(radius, bearing)) + shift)
    return np.array(np.round(sites, 2), dtype=np.float64)


def _neighbourhoods(seed: int, outline: Polygon) -> tuple[Neighbourhood, ...]:
    """Voronoi cells of the middles, cut off by the outline; codes as of CBS, in no real municipality."""
    sites = _sites(seed)
    cells = shapely.voronoi_polygons(MultiPoint(sites), extend_to=outline.buffer(500.0))
    chance = noise.uniform(noise.key(seed, "character"), np.arange(3 * len(sites))).reshape(-1, 3)
    found = []
    for number, (name, character, _, bearing) in enumerate(_LAYOUT):
        cell = next(cell for cell in cells.geoms if cell.covers(Point(sites[number])))
        shape = _one(cell.intersection(outline))
        green, income = _CHARACTER[character]
        turn = float(bearing) if name == NACHTWACHTKWARTIER else bearing + 16.0 * (chance[number, 0] - 0.5)
        found.append(
            Neighbourhood(
                code=f"BU9999{number + 1:02d}00",
                name=name,
                character=character,
                shape=shape,
                turn=turn,
                green_share=green * (0.85 + 0.3 * float(chance[number, 1])),
                mean_income=round(income * (0.88 + 0.24 * float(chance[number, 2])), 1),
            )
        )
    return tuple(found)
