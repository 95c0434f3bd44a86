"""Ingest's store: entities of the SensorThings interface, features, imports, and what the bus must still hear."""

from __future__ import annotations

from dmi_ingest.store.entities import EntityStore
from dmi_ingest.store.features import FeatureStore, KnownStream, Published
from dmi_ingest.store.imports import ImportStore
from dmi_ingest.store.persons import PersonStore
from dmi_ingest.store.tables import metadata, outgoing, positions

__all__ = [
    "EntityStore", "FeatureStore", "ImportStore", "KnownStream", "PersonStore", "Published", "metadata", "outgoing",
    "positions",
]  # fmt: skip
