"""Composition root of the platform."""

from __future__ import annotations

from dmi_agreements.areas import not_laid_down
from dmi_infra.bus.port import Bus
from dmi_infra.consumer import ConsumerLoop
from dmi_infra.cursors import Cursors, kept_key
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.http.app import build_app
from dmi_infra.outbox import Relay
from dmi_infra.retention import Retention
from dmi_infra.room import Room
from dmi_infra.runtime import build_runtime
from dmi_infra.service import Service
from dmi_infra.sql import migrate, open_engine, store_check
from dmi_platform.consumer import TOPICS, PlatformHandler
from dmi_platform.errors import TooManyExports
from dmi_platform.handlers import Platform
from dmi_platform.lineage import LineageBook
from dmi_platform.measuring import Measuring
from dmi_platform.neighbourhoods import Neighbourhoods
from dmi_platform.processing import RAW, Processor
from dmi_platform.registry import Registry
from dmi_platform.routes import routers
from dmi_platform.settings import PlatformSettings
from dmi_platform.store import Store
from dmi_platform.store.tables import outgoing, positions, secret

NAME = "platform"


def build(settings: PlatformSettings, bus: Bus) -> Service:
    """The platform on ``bus`` with its store migrated; raises when either cannot be opened."""
    engine = open_engine(settings.store_address(NAME), NAME)
    migrate(engine, "dmi_platform")
    runtime = build_runtime(NAME, settings, bus)
    store = Store(engine)
    cursors = Cursors(kept_key(engine, secret))
    law = runtime.law.table

    def counts(dataset: str) -> bool:
        return not_laid_down(law, dataset, settings.area_datasets) is None

    registry = Registry(Neighbourhoods(counts), settings.plausible_area, store.features_since)
    relay = Relay(engine, outgoing, runtime.publisher)
    lineage = LineageBook(runtime.gate.record_lineage)
    processor = Processor(store, registry, runtime.gate, lineage, relay.wake, runtime.metrics)
    platform = Platform(store, registry, runtime.gate, processor)
    consumer = ConsumerLoop(bus, NAME, TOPICS, PlatformHandler(store, processor), runtime.metrics)
    retention = Retention(store, runtime.gate, RAW.action, settings.retention_seconds)
    measuring = Measuring(store, runtime.recorder.put, settings.quality_seconds)
    exercising = Exercising(
        store, Marks(engine, positions), runtime.gate, keeps_objected=True, correct=platform.correct,
        afterwards=relay.wake, in_hand=consumer.in_hand,
    )  # fmt: skip
    runtime.law.listen(exercising.listen)
    runtime.parts += [relay, consumer, retention, measuring, exercising]
    runtime.checks["store"] = store_check(engine)
    runtime.checks["consumer"] = consumer.check
    room = Room(settings.export_limit, settings.share_of_exports, "exports", TooManyExports)
    app = build_app(
        runtime,
        "DMI platform",
        "Observations validated, harmonised and enriched: last values, history, export.",
        routers(platform, cursors, room),
    )
    return Service(NAME, app, runtime, engine.dispose)
