"""The datastreams and things that the platform knows, in memory, with what each needs to be harmonised."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dmi_agreements.contracts.features import Feature, number_of
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_platform import units
from dmi_platform.errors import UnknownUnit
from dmi_platform.model import UNKNOWN_DATASTREAM, Area, Datastream
from dmi_platform.neighbourhoods import ALWAYS, Neighbourhoods, shape_of


@dataclass(frozen=True, slots=True)
class StoredFeature:
    """A feature as the store gives it back; ``key`` is the number of a datastream, else 0."""

    feature: Feature
    dataset: str
    key: int
    changed_at: Micros


Load = Callable[[Micros], list[StoredFeature]]
"""Features changed at or after a moment, from the store."""

REFRESH_SECONDS: Final = 2.0
OVERLAP: Final = 5_000_000
"""Microseconds that a look at the store reaches back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows of one datastream, in one unit, become harmonised; numbers are in the canonical unit.

    ``reason`` is set when such rows must be rejected. NaN means unknown. ``neighbourhood`` is that of the
    fixed position; with ``moves_in_time`` it depends on the time of the row.
    """

    stream: Datastream | None
    reason: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    minimum: float = math.nan
    maximum: float = math.nan
    capacity: float = math.nan
    step: float = math.nan
    area: Area = (-180.0, -90.0, 180.0, 90.0)
    neighbourhood: str | None = None
    moves_in_time: bool = False
    generation: int = 0


Wanted = tuple[str, str | None, str | None]
"""Datastream id, the row's own unit and observed property (``None``: as declared)."""


class Registry:
    """What is known of datastreams and things. One thread applies changes, any number read."""

    def __init__(self, neighbourhoods: Neighbourhoods, node_area: Area, load: Load) -> None:
        self.neighbourhoods = neighbourhoods
        self._node_area = node_area
        self._load = load
        self._guard = threading.Lock()
        self._changed_at: dict[tuple[str, Micros | None], Micros] = {}
        self._seen_until: Micros = 0
        self._looked = -math.inf
        self._by_key: dict[int, str] = {}
        self._streams: dict[str, Datastream] = {}
        # By dataset as well: a datastream that names a thing of another dataset must not show where that stands.
        self._things: dict[tuple[str, str], Feature] = {}
        self._by_thing: dict[tuple[str, str], set[str]] = {}
        self._plans: dict[tuple[str, Wanted], Plan] = {}

    def refresh(self) -> None:
        """Take in what other processes have stored, at most once in ``REFRESH_SECONDS``."""
        with self._guard:
            if time.monotonic() - self._looked < REFRESH_SECONDS:
                return
            # The overlap covers transactions that were open, and clocks that differ, at the last look.
            now = clock.now()
            self.apply(self._load(self._seen_until - OVERLAP))
            self._seen_until = now
            self._looked = time.monotonic()

    def apply(self, stored: Iterable[StoredFeature]) -> None:
        """Take in new versions of features."""
        news = [item for item in stored if self._is_news(item)]
        for item in news:
            feature = item.feature
            if feature.kind == "neighbourhood":
                self.neighbourhoods.put(item.dataset, [feature])
            elif feature.kind == "datastream":
                self._put_stream(item)
            elif feature.kind == "thing":
                thing = (item.dataset, feature.id)
                self._things[thing] = feature
                for stream in self._by_thing.get(thing, ()):
                    self._streams[stream] = self._placed(self._streams[stream])
        if news:
            self._plans.clear()

    def _is_news(self, item: StoredFeature) -> bool:
        version = (item.feature.id, item.feature.valid_from)
        if self._changed_at.get(version, -1) >= item.changed_at:
            return False
        self._changed_at[version] = item.changed_at
        return True

    def by_key(self, key: int) -> Datastream:
        """A datastream by its number in the store; raises ``KeyError``."""
        return self._streams[self._by_key[key]]

    def stream(self, identifier: str) -> Datastream | None:
        """A datastream by its id."""
        return self._streams.get(identifier)

    def streams_of(self, dataset: str, feature: str) -> list[Datastream]:
        """The datastreams of a dataset that are this feature, or are of this thing."""
        names = [feature, *self._by_thing.get((dataset, feature), ())]
        found = [self._streams[name] for name in names if name in self._streams]
        return [one for one in found if one.dataset == dataset and feature in (one.id, one.thing)]

    def plan(self, dataset: str, wanted: Wanted) -> Plan:
        """The plan for rows of ``dataset``; made once, and again when neighbourhoods changed."""
        plan = self._plans.get((dataset, wanted))
        if plan is None or plan.generation != self.neighbourhoods.generation:
            plan = replace(self._make(dataset, wanted), generation=self.neighbourhoods.generation)
            if plan.stream is not None:
                self._plans[(dataset, wanted)] = plan
        return plan

    def _put_stream(self, item: StoredFeature) -> None:
        feature, properties = item.feature, item.feature.properties
        declared = str(properties.get("unit", ""))
        observed = str(properties.get("observed_property", ""))
        stream = Datastream(
            item.key, feature.id, item.dataset, str(properties.get("thing", "")), feature.name, observed,
            units.canonical(observed, declared), declared, properties, feature.geometry,
        )  # fmt: skip
        self._by_thing.setdefault((stream.dataset, stream.thing), set()).add(stream.id)
        self._streams[stream.id] = self._placed(stream)
        self._by_key[stream.key] = stream.id

    def _placed(self, stream: Datastream) -> Datastream:
        thing = self._things.get((stream.dataset, stream.thing))
        own = stream.properties.get("area")
        geometry = thing.geometry if thing else stream.geometry
        area = _area(own if own is not None else thing.properties.get("area") if thing else None)
        return replace(stream, geometry=geometry, position=position_of(geometry), area=area)

    def _make(self, dataset: str, wanted: Wanted) -> Plan:
        identifier, unit, observed = wanted
        stream = self._streams.get(identifier)
        if stream is None:
            return Plan(None, UNKNOWN_DATASTREAM)
        if stream.dataset != dataset:
            return Plan(stream, "other_dataset")
        if observed is not None and observed != stream.observed_property:
            return Plan(stream, "other_property")
        try:
            factor, offset = self._conversion(stream, unit or stream.declared)
            declared_factor, declared_offset = self._conversion(stream, stream.declared)
        except UnknownUnit:
            return Plan(stream, "unknown_unit")
        least, greatest = units.bounds(stream.observed_property)

        def bound(name: str, default: float | None) -> float:
            stated = _number(stream.properties.get(name))
            if not math.isnan(stated):
                return stated * declared_factor + declared_offset
            return math.nan if default is None else default

        neighbourhood, moves = self._neighbourhood(stream)
        return Plan(
            stream, None, factor, offset, bound("minimum", least), bound("maximum", greatest),
            _number(stream.properties.get("capacity")) * declared_factor,
            _number(stream.properties.get("maximum_step")) * abs(declared_factor),
            stream.area or self._node_area, neighbourhood, moves,
        )  # fmt: skip

    @staticmethod
    def _conversion(stream: Datastream, unit: str) -> tuple[float, float]:
        return units.conversion(stream.observed_property, unit, stream.unit)

    def _neighbourhood(self, stream: Datastream) -> tuple[str | None, bool]:
        if stream.position is None:
            return None, False
        versions = self.neighbourhoods.covering(*stream.position)
        if not versions:
            return None, False
        if len(versions) == 1 and (versions[0].valid_from, versions[0].valid_to) == ALWAYS:
            return versions[0].id, False
        return None, True


def _number(value: Any) -> float:
    """A number of a feature's properties, NaN for anything else."""
    found = number_of(value)
    return math.nan if found is None else found


def _area(value: Any) -> Area | None:
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    west, south, east, north = (_number(part) for part in value)
    return (west, south, east, north) if west <= east and south <= north else None


def position_of(geometry: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """The point of a geometry, or a point inside it."""
    if geometry is None:
        return None
    point = shape_of(dict(geometry)).representative_point()
    return float(point.x), float(point.y)
