"""The places that analyses are about, from the kept features; read again when features change."""

from __future__ import annotations

import threading

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_support_centre.model import CROWD_COUNT, OCCUPANCY, Place, places_of, standing
from dmi_support_centre.store.observations import ObservationStore

_KINDS = ("datastream", "thing", "parking")


class Atlas:
    """Places by observed property; any thread may ask."""

    def __init__(self, store: ObservationStore, law: LawTable) -> None:
        self._store = store
        self._law = law
        self._lock = threading.Lock()
        self._places: dict[str, list[Place]] | None = None
        self._until: Micros | None = None

    def changed(self) -> None:
        """Features have changed."""
        with self._lock:
            self._places = None

    def places(self, observed_property: str, dataset: str | None = None) -> list[Place]:
        """The places of a property, of one dataset or of all, by id.

        What leads to a person is left out, on whatever basis its data is used: results bear the names of their places
        far and wide, where nobody is asked who may know them.
        """
        with self._lock:
            now = clock.now()
            if self._places is None or (self._until is not None and self._until <= now):
                features, self._until = standing(self._store.features(*_KINDS), now)
                self._places = {name: places_of(features, name) for name in (OCCUPANCY, CROWD_COUNT)}
            found = self._places[observed_property]
        return [
            _nameless(place) if about_persons(self._law, place.dataset) else place
            for place in found
            if dataset in (None, place.dataset)
        ]

    def name(self, place: str) -> str | None:
        """The name of a place of any property by its id."""
        known = (one for observed in (OCCUPANCY, CROWD_COUNT) for one in self.places(observed))
        return next((one.name for one in known if one.id == place), None)

    def datasets(self, observed_property: str) -> list[str]:
        """The datasets with a place of this property."""
        return sorted({place.dataset for place in self.places(observed_property)})


def about_persons(law: LawTable, dataset: str) -> bool:
    """Whether the places of a dataset may lead to persons, as those of one may that the law does not know (yet)."""
    entry = law.datasets.get(dataset)
    return entry is None or entry.personal


def _nameless(place: Place) -> Place:
    return msgspec.structs.replace(place, name=place.id, geometry=None)
