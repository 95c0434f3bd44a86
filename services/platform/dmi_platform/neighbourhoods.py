"""Which neighbourhood a position lies in, among the versions that were valid at the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_platform.quality import Floats, Ints

ALWAYS: Final = (-(2**62), 2**62)
"""Validity (microseconds) of a feature that states none."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a neighbourhood: valid from a moment until just before another."""

    id: str
    valid_from: Micros
    valid_to: Micros
    shape: Any
    """A shapely geometry in WGS84 degrees, prepared."""


@dataclass(frozen=True, slots=True)
class _Index:
    tree: shapely.STRtree
    ids: NDArray[np.object_]
    valid_from: Ints
    valid_to: Ints


def shape_of(geometry: dict[str, Any]) -> Any:
    """The shapely geometry of GeoJSON, repaired where rings cross; raises ``ValueError``."""
    try:
        shape = shapely.from_geojson(msgspec.json.encode(geometry))
        if not shapely.is_valid(shape):
            shape = shapely.make_valid(shape)
    except (shapely.errors.ShapelyError, ValueError) as exc:
        raise ValueError("the geometry cannot be read as GeoJSON") from exc
    if shape.is_empty:
        raise ValueError("the geometry is empty")
    west, south, east, north = shape.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise ValueError("coordinates must be WGS84 degrees, longitude first")
    return shape


class Neighbourhoods:
    """All known versions in a search tree, which is built again at the first question after a change.

    One thread changes, any number ask. Where versions overlap the one that began last wins, then the
    greatest id, so that the answer does not depend on the order of arrival.

    Everybody's rows are labelled by them, so only those of a dataset that ``counts`` are asked.
    """

    def __init__(self, counts: Callable[[str], bool]) -> None:
        self._counts = counts
        self._versions: dict[str, dict[tuple[str, Micros], Version]] = {}
        self._counting: frozenset[str] = frozenset()
        self._index: _Index | None = None
        self.generation = 0
        """Grows with each change; answers kept elsewhere are stale when it differs."""

    def put(self, dataset: str, features: Iterable[Feature]) -> None:
        """Take in features of kind neighbourhood of a dataset; their geometry was checked with ``shape_of``."""
        for feature in features:
            if feature.geometry is None:
                continue
            valid_from = ALWAYS[0] if feature.valid_from is None else feature.valid_from
            valid_to = ALWAYS[1] if feature.valid_to is None else feature.valid_to
            shape = shape_of(feature.geometry)
            shapely.prepare(shape)
            version = Version(feature.id, valid_from, valid_to, shape)
            self._versions.setdefault(dataset, {})[(feature.id, valid_from)] = version
            self._index = None
            self.generation += 1
        self.review()

    def review(self) -> None:
        """Ask again which datasets count: the law may have changed since."""
        counting = frozenset(filter(self._counts, tuple(self._versions)))
        if counting != self._counting:
            self._counting = counting
            self._index = None
            self.generation += 1

    def at(self, longitude: Floats, latitude: Floats, time: Ints) -> list[str | None]:
        """The neighbourhood id of each position at its time, ``None`` outside all or without position."""
        found = np.full(len(time), None, object)
        index = self._built()
        if index is None or not len(time):
            return found.tolist()
        points = shapely.points(longitude, latitude)
        rows, versions = index.tree.query(points, predicate="intersects")
        valid = (index.valid_from[versions] <= time[rows]) & (time[rows] < index.valid_to[versions])
        rows, versions = rows[valid], versions[valid]
        # Versions stand in order of preference, so the greatest index of a row is assigned last.
        order = np.argsort(versions, kind="stable")
        found[rows[order]] = index.ids[versions[order]]
        return found.tolist()

    def covering(self, longitude: float, latitude: float) -> list[Version]:
        """Every version whose area covers one position, whenever it was valid."""
        point = shapely.Point(longitude, latitude)
        return [version for version in self._valid() if version.shape.intersects(point)]

    def _valid(self) -> Iterator[Version]:
        for dataset in self._counting:
            yield from tuple(self._versions[dataset].values())

    def _built(self) -> _Index | None:
        if self._index is None and self._counting:
            versions = sorted(self._valid(), key=lambda v: (v.valid_from, v.id))
            self._index = _Index(
                shapely.STRtree([version.shape for version in versions]),
                np.array([version.id for version in versions], object),
                np.array([version.valid_from for version in versions], np.int64),
                np.array([version.valid_to for version in versions], np.int64),
            )
        return self._index
