"""Composition root of visualisation."""

from __future__ import annotations

from dmi_agreements.rights import KIND
from dmi_infra.bus.port import Bus
from dmi_infra.consumer import ConsumerLoop
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.http.app import build_app
from dmi_infra.retention import Retention
from dmi_infra.room import Room
from dmi_infra.runtime import build_runtime
from dmi_infra.service import Service
from dmi_infra.sql import migrate, open_engine, store_check
from dmi_visualisation.consumer import TOPICS, MapHandler, Shelf
from dmi_visualisation.errors import TooManyStreams
from dmi_visualisation.handlers import Maps
from dmi_visualisation.live import LiveMap
from dmi_visualisation.routes import router
from dmi_visualisation.settings import VisualisationSettings
from dmi_visualisation.store import Store, positions

NAME = "visualisation"


def build(settings: VisualisationSettings, bus: Bus) -> Service:
    """Visualisation on ``bus`` with its store migrated and its map loaded."""
    engine = open_engine(settings.store_address(NAME), NAME)
    migrate(engine, "dmi_visualisation")
    runtime = build_runtime(NAME, settings, bus)
    store = Store(engine)
    live = LiveMap()
    live.load(store.features(), store.newest())
    runtime.law.listen(
        lambda change: live.law_changed(change.datasets) if change.ended or change.kind == KIND else None
    )
    handler = MapHandler(store, live, runtime.gate)
    consumer = ConsumerLoop(bus, NAME, TOPICS, handler, runtime.metrics)
    shelf = Shelf(store, live)
    retention = Retention(shelf, runtime.gate, "dmi:process", settings.retention_seconds)
    exercising = Exercising(shelf, Marks(engine, positions), runtime.gate, in_hand=consumer.in_hand)
    runtime.law.listen(exercising.listen)
    runtime.parts += [consumer, retention, exercising]
    runtime.checks["store"] = store_check(engine)
    runtime.checks["consumer"] = consumer.check
    room = Room(settings.stream_limit, settings.share_of_streams, "live streams", TooManyStreams)
    app = build_app(
        runtime,
        "DMI visualisation",
        "Maps, tiles, live events and charts: layer 3.",
        [router(Maps(store, live, runtime.gate, room), settings.background_url)],
    )
    return Service(NAME, app, runtime, engine.dispose)
