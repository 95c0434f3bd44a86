"""Features of interest of observations (18-088 §10.2.1): where a row is observed, and what is kept of that place.

What stands within an observation is kept once that was handed over, and not before. Of a row about a person it is
kept nowhere: the row has the place as far as the person wants to give it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dmi_infra.errors import InputRefused
from dmi_ingest import geometry, reading
from dmi_ingest.intake import Contributor
from dmi_ingest.sensorthings.bodies import as_id
from dmi_ingest.sensorthings.kinds import KINDS, shape_of
from dmi_ingest.sensorthings.planner import Planner
from dmi_ingest.store import EntityStore
from dmi_ingest.store.entities import Entity, Scope, Writers

INTERESTS = "FeaturesOfInterest"
SINGLE = KINDS[INTERESTS].single
Position = tuple[float, float] | None
Placing = Position | InputRefused
"""Where a row is observed: a point, nowhere in particular, or the rule that its reference breaks."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an observation is made; ``new`` is the feature of interest within it, where there is none like it yet."""

    position: Position
    new: Mapping[str, Any] | None = None


class Interests:
    """Looks features of interest up, and makes new ones in turn with all other creations."""

    def __init__(
        self, store: EntityStore, scope: Callable[[Contributor], Scope], planner: Callable[[Scope], Planner],
        writers: Callable[[Contributor], Writers], creating: threading.Lock,
    ) -> None:  # fmt: skip
        self._store = store
        self._scope = scope
        self._planner = planner
        self._writers = writers
        self._creating = creating

    def of_one(self, value: object, contributor: Contributor, dataset: str) -> Place:
        """The place that an observation names or holds; nothing is kept."""
        body = reading.mapping(value, SINGLE)
        planner = self._planner(self._scope(contributor))
        if not _new(planner, body):
            return Place(geometry.point_of(planner.interest(body, SINGLE)))
        item = planner.create(KINDS[INTERESTS], body, f"{SINGLE}.", dataset=dataset)
        return Place(geometry.point_of(shape_of(item.body["feature"])), body)

    def keep(self, place: Place, contributor: Contributor, dataset: str) -> None:
        """Make the feature of interest within an observation that was handed over, unless it is there meanwhile."""
        with self._creating:
            planner = self._planner(self._scope(contributor))
            if place.new is not None and _new(planner, place.new):
                planner.create(KINDS[INTERESTS], place.new, f"{SINGLE}.", dataset=dataset)
                self._store.apply(planner.changes, self._writers(contributor))

    def named(self, names: Collection[str], contributor: Contributor) -> dict[str, Placing]:
        """The places that rows name by id."""
        found: dict[str, Placing] = {}
        valid: list[str] = []
        for name in names:
            try:
                valid.append(as_id(name, f"{SINGLE}.@iot.id"))
            except InputRefused as exc:
                found[name] = exc
        scope = self._scope(contributor)
        seen = self._store.all_seen(INTERESTS, valid, scope)
        left = [name for name in valid if name not in seen]
        # Where somebody else chose the id of a location for a feature that is not shown, it is that of the location.
        there = self._store.all_seen("Locations", self._store.all_taken(INTERESTS, left), scope)
        for name in valid:
            found[name] = _placed(name, seen.get(name), there.get(name))
        return found


def _placed(name: str, interest: Entity | None, location: Entity | None) -> Placing:
    if interest is not None:
        return geometry.point_of(shape_of(interest.body["feature"]))
    if location is not None:
        return geometry.point_of(shape_of(location.body["location"]))
    return InputRefused.of(f"{SINGLE}.@iot.id", f"must name an existing {SINGLE}", name)


def _new(planner: Planner, body: Mapping[str, Any]) -> bool:
    """Whether a body is a feature of interest that is not there yet, not a reference to one."""
    described = any("@iot." not in name for name in body)
    return described and ("@iot.id" not in body or planner.find(INTERESTS, str(body["@iot.id"])) is None)
