"""Baselines: the neighbourhoods and buildings of one moment, by dataset, named by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import shapely
from shapely.geometry import shape

from dmi_agreements.contracts.features import Feature, number_of
from dmi_support_centre.models.scenario import AreaState, Baseline, BuildingState

KINDS = ("neighbourhood", "building")
_AREAL = ("Polygon", "MultiPolygon")


class Part(msgspec.Struct, frozen=True):
    """What one dataset gives to a baseline; ``version`` is the SHA-256 of its content."""

    dataset: str
    version: str
    areas: list[AreaState]
    buildings: list[BuildingState]


class Snapshot(msgspec.Struct, frozen=True):
    """A baseline as it is kept: its parts by dataset, since each has rights of its own."""

    version: str
    parts: list[Part]

    def of(self, datasets: Collection[str]) -> Baseline:
        """The baseline of only these datasets."""
        parts = [part for part in self.parts if part.dataset in datasets]
        return Baseline(
            areas=[area for part in parts for area in part.areas],
            buildings=[building for part in parts for building in part.buildings],
            version=self.version if len(parts) == len(self.parts) else _digest([p.version for p in parts]),
        )


def snapshot(features: Sequence[tuple[str, Feature]], counts: Callable[[str], bool]) -> Snapshot:
    """The baseline of these features (with their dataset). Equal features give an equal version.

    Neighbourhoods are of datasets that ``counts``: what others say lies where must not change everybody's figures.
    """
    by_dataset: dict[str, list[Feature]] = {}
    for dataset, feature in sorted(features, key=lambda pair: (pair[0], pair[1].id)):
        if feature.kind == "neighbourhood" and not counts(dataset):
            continue
        if feature.kind in KINDS and feature.geometry and feature.geometry.get("type") in _AREAL:
            by_dataset.setdefault(dataset, []).append(feature)
    grounds = {f.id: f for found in by_dataset.values() for f in found if f.kind == "neighbourhood"}
    parts = [_part(dataset, found, grounds) for dataset, found in by_dataset.items()]
    return Snapshot(_digest([[part.dataset, part.version] for part in parts]), parts)


def _part(dataset: str, features: Sequence[Feature], neighbourhoods: dict[str, Feature]) -> Part:
    buildings = _buildings([f for f in features if f.kind == "building"], neighbourhoods)
    offices: dict[str, float] = {}
    for building in buildings:
        office = building.floor_m2 if building.use == "office" and building.floor_m2 else 0.0
        offices[building.neighbourhood] = offices.get(building.neighbourhood, 0.0) + office
    areas = [_area(f, offices, bool(buildings)) for f in features if f.kind == "neighbourhood"]
    return Part(dataset, _digest(list(features)), areas, buildings)


def _area(feature: Feature, offices: dict[str, float], known: bool) -> AreaState:
    """A neighbourhood; without any building in its dataset its office floor is not known, which is not zero."""
    return AreaState(
        id=feature.id,
        name=feature.name,
        geometry=feature.geometry or {},
        office_floor_m2=offices.get(feature.id, 0.0) if known else None,
        **{
            name: number_of(feature.properties.get(name))
            for name in ("area_m2", "inhabitants", "jobs", "dwellings", "green_m2")
        },
    )


def _buildings(features: Sequence[Feature], neighbourhoods: dict[str, Feature]) -> list[BuildingState]:
    """Buildings with a use, each in its neighbourhood; one that lies in none is left out."""
    names = list(neighbourhoods)
    tree = shapely.STRtree([shape(neighbourhoods[name].geometry or {}) for name in names])
    found = []
    for feature in features:
        use = feature.properties.get("use")
        area = feature.properties.get("neighbourhood")
        if area not in neighbourhoods:
            inside = tree.query(shape(feature.geometry or {}).representative_point(), predicate="within")
            area = names[int(inside[0])] if len(inside) else None
        if isinstance(use, str) and area is not None:
            floor = number_of(feature.properties.get("floor_m2"))
            geometry = feature.geometry or {}
            found.append(BuildingState(feature.id, feature.name, use, floor, geometry, str(area)))
    return found


def _digest(content: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
