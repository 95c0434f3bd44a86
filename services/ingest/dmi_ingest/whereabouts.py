"""Where things of persons are: judged as rows are, so that no place is stored that its person does not want to give."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra import clock
from dmi_infra.gate import Permit
from dmi_ingest import geometry
from dmi_ingest.ports import Door
from dmi_ingest.store.features import STREAM, FeatureStore, Persons

PLACE_RULE: Final = (
    "the person that it is about has not consented to its place, or wants places coarser than this geometry can be: "
    "hand in a point, or no place"
)
Shape = dict[str, Any]


class Whereabouts:
    """Asks the gate for each place, as for a row of this moment: by consents and their duties, and by objections."""

    def __init__(self, gate: Door, features: FeatureStore) -> None:
        self._gate = gate
        self._features = features

    def of(self, permit: Permit, person: str, shape: Shape) -> Shape | None:
        """A place of a person as far as it is given, recorded for that person; ``None``: not at all.

        A point is coarsened as the person wants; of any other geometry too little would be known afterwards.
        """
        points = geometry.points_in(shape)
        rows = len(points)
        batch = ObservationBatch(
            dataset=permit.dataset, datastream=[""] * rows, phenomenon_time=[clock.now()] * rows, result=[None] * rows,
            longitude=[x for x, _ in points], latitude=[y for _, y in points], subject=[person] * rows,
        )  # fmt: skip
        passed = self._gate.carry(dataclasses.replace(permit, duties=()), batch)
        after = passed.batch
        if passed.left or after.longitude is None or after.latitude is None:
            return None
        found = list(zip(after.longitude, after.latitude, strict=True))
        if found == points:
            return shape
        if shape["type"] != "Point" or None in found[0]:
            return None
        return {"type": "Point", "coordinates": list(found[0])}

    def placed(self, permit: Permit, features: Sequence[Feature], said: Persons) -> list[Feature | None]:
        """Features with their places as far as persons give them; ``None`` where the place is not given.

        ``said``: whom features are about, where their request says so; else that is as the store has it.
        """
        somewhere = [item for item in features if item.geometry is not None]
        if not somewhere:
            return list(features)
        names = {item.id for item in somewhere} | {_thing(item) for item in somewhere}
        stored = self._features.persons(names)
        found: list[Feature | None] = []
        for item in features:
            person = _about(item, said, stored)
            if item.geometry is None or person is None:
                found.append(item)
                continue
            shape = self.of(permit, person, item.geometry)
            found.append(None if shape is None else msgspec.structs.replace(item, geometry=shape))
        return found


def _thing(item: Feature) -> str:
    """The thing that a datastream is of; of anything else itself."""
    return str(item.properties.get("thing")) if item.kind == STREAM else item.id


def _about(item: Feature, said: Persons, stored: Mapping[str, str]) -> str | None:
    """Whom a feature is about: what is said of it or of its thing goes before what is stored."""
    for name in (item.id, _thing(item)):
        if name in said:
            return said[name]
    return stored.get(item.id) or stored.get(_thing(item))
