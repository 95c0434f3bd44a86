"""Addresses: the local streets of each neighbourhood, and a number at every entrance of a building.

A local street runs between two rows of the neighbourhood's street grid; odd numbers stand on one side and
even ones on the other. The offices at the Nachtwachtlaan keep the numbers that they are named by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.affinity import rotate

from dmi_agreements.contracts.features import Feature
from dmi_command.demo.buildings import CELL, Building
from dmi_command.demo.neighbourhoods import Neighbourhood, Plan
from dmi_command.demo.plane import geojson

ENTRANCE_M: Final = 14.0
"""Metres of front to an entrance."""

_STEMS: Final = (
    "Merel", "Lijster", "Zwaluw", "Kievit", "Roodborst", "Spreeuwen", "Vinken", "Ekster",
    "Linden", "Eiken", "Beuken", "Berken", "Esdoorn", "Iepen", "Wilgen", "Populieren",
    "Bakkers", "Smeden", "Wevers", "Kuipers", "Molenaars", "Schippers", "Vissers", "Timmer",
    "Tulpen", "Rozen", "Anjer", "Lelie", "Zonnebloem", "Korenbloem", "Klaver", "Madelief",
    "Maas", "Waal", "IJssel", "Vecht", "Amstel", "Rijn", "Schelde", "Dommel",
)  # fmt: skip
_ENDINGS: Final = ("straat", "laan", "hof", "weg", "pad")


@dataclass(frozen=True)
class Address:
    """One entrance; ``place`` in metres."""

    street: str
    number: int
    building: str
    neighbourhood: str
    place: tuple[float, float]


def addresses(plan: Plan, built: tuple[Building, ...]) -> list[Address]:
    """Every address of the city, by street and number."""
    found: list[Address] = []
    for index, area in enumerate(plan.neighbourhoods):
        here = [building for building in built if building.neighbourhood == area.name]
        offices = [building for building in here if not building.name.startswith(area.name)]
        found.extend(_at_the_main_street(office) for office in offices)
        found.extend(_on_local_streets(index, area, [b for b in here if b not in offices]))
    return sorted(found, key=lambda one: (one.street, one.number))


def _at_the_main_street(office: Building) -> Address:
    street, number = office.name.rsplit(" ", 1)
    east, north = office.shape.centroid.coords[0]
    return Address(street, int(number), office.id, office.neighbourhood, (east, north))


def _on_local_streets(index: int, area: Neighbourhood, here: list[Building]) -> list[Address]:
    """Numbers rise along each street; the two rows of the grid beside it are its two sides."""
    middle = area.shape.centroid
    sides: dict[tuple[int, int], list[tuple[float, str, tuple[float, float]]]] = {}
    for building in here:
        upright = rotate(building.shape, -area.turn, origin=middle)
        row = round((upright.centroid.y - middle.y) / CELL[1])
        west, _, east, _ = upright.bounds
        for along in _entrances(west, east):
            turned = rotate(shapely.Point(along, upright.centroid.y), area.turn, origin=middle)
            sides.setdefault((row // 2, row % 2), []).append((along, building.id, (turned.x, turned.y)))
    rows = sorted({street for street, _ in sides})
    found = []
    for (street, side), entrances in sides.items():
        name = street_name(index, rows.index(street))
        for step, (_, building_id, place) in enumerate(sorted(entrances)):
            found.append(Address(name, 2 * step + 1 + side, building_id, area.name, place))
    return found


def _entrances(west: float, east: float) -> list[float]:
    count = max(1, int((east - west) / ENTRANCE_M))
    return [float(x) for x in west + (np.arange(count) + 0.5) * (east - west) / count]


def street_name(neighbourhood: int, street: int) -> str:
    """A name of its own for each local street: its stem tells the neighbourhood's theme."""
    number = neighbourhood * 8 + street
    return f"{_STEMS[number % len(_STEMS)]}{_ENDINGS[number // len(_STEMS) % len(_ENDINGS)]}"


def features(plan: Plan, built: tuple[Building, ...]) -> list[Feature]:
    """An ``address`` feature for each address."""
    codes = {area.name: area.code for area in plan.neighbourhoods}
    return [
        Feature(
            f"addresses.{_slug(one.street)}-{one.number}",
            "address",
            f"{one.street} {one.number}",
            geojson(shapely.Point(one.place)),
            {
                "street": one.street,
                "number": one.number,
                "building": one.building,
                "neighbourhood": codes[one.neighbourhood],
            },
        )
        for one in addresses(plan, built)
    ]


def _slug(street: str) -> str:
    return street.lower().replace(" ", "-")
