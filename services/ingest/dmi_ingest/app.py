"""Composition root of ingest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from fastapi import FastAPI

from dmi_agreements.table import LawTable
from dmi_infra.bus.port import Bus
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.http.app import build_app
from dmi_infra.outbox import Relay
from dmi_infra.retention import Retention
from dmi_infra.room import behind
from dmi_infra.runtime import Runtime, build_runtime
from dmi_infra.service import Service
from dmi_infra.sql import migrate, open_engine, store_check
from dmi_ingest.erasing import Erasing
from dmi_ingest.handlers import Ingest
from dmi_ingest.imports import Imports
from dmi_ingest.intake import PROCESS, Intake
from dmi_ingest.leftovers import Leftovers
from dmi_ingest.reading_turns import ReadingTurns
from dmi_ingest.registry import Registry
from dmi_ingest.room import Room, Share
from dmi_ingest.routes import routers
from dmi_ingest.sensorthings.observations import Observations
from dmi_ingest.sensorthings.present import Addresses
from dmi_ingest.sensorthings.service import SensorThings
from dmi_ingest.settings import IngestSettings
from dmi_ingest.sources import PERSONS, SOURCES
from dmi_ingest.store import EntityStore, FeatureStore, ImportStore, PersonStore, outgoing, positions
from dmi_ingest.upload import FORM_BYTES
from dmi_ingest.whereabouts import Whereabouts

NAME = "ingest"


def build(settings: IngestSettings, bus: Bus) -> Service:
    """Ingest on ``bus`` with its store migrated; raises when either cannot be opened."""
    engine = open_engine(settings.store_address(NAME), NAME)
    migrate(engine, "dmi_ingest")
    runtime = build_runtime(NAME, settings, bus)
    return Service(NAME, assemble(settings, engine, runtime), runtime, engine.dispose)


def assemble(settings: IngestSettings, engine: sa.Engine, runtime: Runtime) -> FastAPI:
    """The application on a migrated store; what runs beside it is added to the parts of ``runtime``."""
    features = FeatureStore(engine)
    relay = Relay(engine, outgoing, runtime.publisher)
    table = runtime.law.table
    registry = Registry(features, lambda name: name in table.datasets and table.datasets[name].personal)
    registry.load()
    personal = partial(_about_persons, table)
    intake = Intake(runtime.gate, runtime.publisher, registry, runtime.metrics)
    places = Whereabouts(runtime.gate, features)
    turns = ReadingTurns(table)
    ingest = Ingest(
        intake, features, relay, table, places, turns, ReadingTurns(table), settings.area_datasets
    )
    addresses = Addresses(settings.public_url)
    things = SensorThings(EntityStore(engine), features, intake, relay, table, addresses, places)
    share = Share(settings.import_open, settings.import_room, settings.import_free)
    room = Room(settings.data_dir / "imports", share, partial(behind, table))
    imports = Imports(
        ImportStore(engine), features, ingest, intake, SOURCES, settings.data_dir / "imports", room,
        settings.import_workers, settings.import_batch_rows, table.rights.erased, personal,
    )  # fmt: skip
    persons = PersonStore(engine)

    def gone(streams: Sequence[str]) -> None:
        registry.forget(streams)
        relay.wake()

    erasing = Erasing(persons, features, imports, PERSONS, table.rights.erased, gone)
    imports.ended = erasing.again
    retention = Retention(
        Leftovers(imports.store, imports, personal), runtime.gate, PROCESS, settings.retention_seconds,
        longest=settings.import_days,
    )  # fmt: skip
    exercising = Exercising(erasing, Marks(engine, positions), runtime.gate, keeps_objected=True)
    runtime.law.listen(exercising.listen)
    # When things of persons were where has the term of the agreement alone, as rows have.
    history = Retention(persons, runtime.gate, PROCESS, settings.retention_seconds)
    runtime.parts += [relay, imports, exercising, retention, history]
    runtime.checks["store"] = store_check(engine)
    return build_app(
        runtime, "DMI ingest", "Layer 1: sensors (OGC SensorThings 1.1), files and features come in here.",
        routers(settings, ingest, imports, things, Observations(intake, things, addresses, turns)),
        form_limits={"/v1/imports": settings.import_limit + FORM_BYTES},
    )  # fmt: skip


def _about_persons(law: LawTable, dataset: str, kind: str) -> bool:
    """Whether rows of a dataset in files of a kind may be about persons; so of a dataset that is not known."""
    entry = law.datasets.get(dataset)
    return entry is None or entry.personal or kind in PERSONS
