"""Composition root of the support centre."""

from __future__ import annotations

from dataclasses import dataclass

from dmi_agreements.areas import not_laid_down
from dmi_infra.bus.port import Bus
from dmi_infra.consumer import ConsumerLoop
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.http.app import build_app
from dmi_infra.outbox import Relay
from dmi_infra.retention import Retention
from dmi_infra.runtime import Runtime, build_runtime
from dmi_infra.service import Service
from dmi_infra.sql import migrate, open_engine, store_check
from dmi_infra.telemetry import Metrics
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.consumer import ANALYSE, TOPICS, AnalysisHandler, Flow
from dmi_support_centre.crowding import Crowding
from dmi_support_centre.forecasting import Forecasts
from dmi_support_centre.forgetting import Forgotten
from dmi_support_centre.grounds import Book, Withdrawals, Workshop
from dmi_support_centre.handlers import Views
from dmi_support_centre.learning import Learner
from dmi_support_centre.measuring import Measures
from dmi_support_centre.merging import Merging
from dmi_support_centre.outcomes import ScenarioViews
from dmi_support_centre.patience import Patience
from dmi_support_centre.recompute import Recompute
from dmi_support_centre.rounds import PATIENCE_SECONDS, Aftermath, CityClock, Rounds
from dmi_support_centre.routes import forecasts as forecast_routes
from dmi_support_centre.routes import measures as measure_routes
from dmi_support_centre.routes import rules as rule_routes
from dmi_support_centre.routes import scenarios as scenario_routes
from dmi_support_centre.ruling import Ruling
from dmi_support_centre.runs import Runs
from dmi_support_centre.scenarios import Scenarios
from dmi_support_centre.scoring import Scores
from dmi_support_centre.settings import SupportCentreSettings
from dmi_support_centre.store import Store
from dmi_support_centre.store.tables import outbox, positions
from dmi_support_centre.webhooks import HttpSender, Webhooks

NAME = "support-centre"
SCHEMA = "support_centre"


@dataclass(frozen=True, slots=True)
class Analyses:
    """What works in the background, and the parts of it that routes speak to."""

    book: Book
    atlas: Atlas
    baselines: Baselines
    measures: Measures
    webhooks: Webhooks
    rounds: Rounds
    forgotten: Forgotten


def build(settings: SupportCentreSettings, bus: Bus) -> Service:
    """The support centre on ``bus`` with its store migrated; raises when either cannot be opened."""
    engine = open_engine(settings.store_address(SCHEMA), SCHEMA)
    migrate(engine, "dmi_support_centre")
    runtime = build_runtime(NAME, settings, bus)
    store = Store(engine)
    relay = Relay(engine, outbox, runtime.publisher)
    runtime.parts.append(relay)
    found = _analyses(settings, runtime, store, relay)
    runtime.checks["store"] = store_check(engine)
    runs = Runs(store, runtime.gate, found.book, found.baselines, found.forgotten)
    scenarios = Scenarios(store, runtime.gate, found.baselines, runs)
    views = Views(store, found.atlas, found.book)
    shown = ScenarioViews(store, found.book, scenarios, found.baselines)
    app = build_app(
        runtime,
        "DMI support centre",
        "Forecasts, scenarios, crowding and measures: layers 4 and 5.",
        [
            forecast_routes.router(views, Recompute(runtime.gate, views, found.rounds.hurry)),
            scenario_routes.router(scenarios, Merging(scenarios), shown),
            rule_routes.router(store.measures, found.measures, found.rounds.hurry),
            measure_routes.router(found.measures, views, store.measures, found.webhooks),
        ],
    )
    return Service(NAME, app, runtime, engine.dispose)


def _analyses(settings: SupportCentreSettings, runtime: Runtime, store: Store, relay: Relay) -> Analyses:
    """Put together what works in the background and hang it into ``runtime``."""
    law = runtime.law.table

    def counts(dataset: str) -> bool:
        return not_laid_down(law, dataset, settings.area_datasets) is None

    gate, city, flow, learner = runtime.gate, CityClock(), Flow(), Learner()
    atlas, book, baselines = Atlas(store.observations, law), Book(store, gate), Baselines(store, counts)
    sender = HttpSender(settings.env == "production", settings.webhook_seconds)
    webhooks = Webhooks(store.measures, sender.check, sender)

    def wake_outward() -> None:
        relay.wake()
        webhooks.wake()

    # What marks and what goes round tell each other; nothing runs before all names are bound below.
    withdrawals = Withdrawals(
        store, law, lambda *marked: aftermath(*marked), wake_outward, lambda: rounds.hurry(),
        lambda dataset, person: forecasts.forget(dataset, person),
    )  # fmt: skip
    scores = Scores(store, atlas, settings.score_days)
    workshop = Workshop(store, atlas, gate, book, withdrawals)
    forecasts = Forecasts(
        workshop, flow, scores, learner, lambda: rounds.hurry(), settings.zone, settings.refit_seconds
    )
    ruling = Ruling(store, atlas, book, settings.zone)
    measures = Measures(store, atlas, gate, book, city, webhooks.events, wake_outward, ruling)
    rounds = Rounds(
        atlas,
        forecasts,
        Crowding(workshop),
        measures,
        city,
        settings.forecast_seconds,
        Patience(lambda: flow.settled() and _no_lag(runtime.metrics), PATIENCE_SECONDS),
        relay.wake,
    )
    aftermath = Aftermath(measures)

    def features_changed() -> None:
        atlas.changed()
        baselines.changed()

    handler = AnalysisHandler(
        store.observations, gate, flow, features_changed, rounds.new_data, withdrawals.corrected
    )
    runtime.law.listen(withdrawals.listen)
    runtime.law.listen(baselines.listen)
    consumer = ConsumerLoop(runtime.bus, NAME, TOPICS, handler, runtime.metrics)
    runtime.checks["consumer"] = consumer.check
    retention = Retention(store.observations, gate, ANALYSE, settings.retention_seconds)
    exercising = Exercising(
        store.observations, Marks(store.engine, positions), gate, results=withdrawals,
        in_hand=consumer.in_hand,
    )  # fmt: skip
    runtime.law.listen(exercising.listen)
    runtime.parts += [webhooks, learner, withdrawals, rounds, consumer, retention, exercising]
    return Analyses(book, atlas, baselines, measures, webhooks, rounds, workshop.forgotten)


def _no_lag(metrics: Metrics) -> bool:
    """Whether the consumer has read all that was there, as far as it has heard."""
    gauge = metrics.registry.get_sample_value
    return all(not gauge("dmi_support_centre_lag", {"topic": topic}) for topic in TOPICS)
