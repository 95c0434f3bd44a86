"""How many observations a second the platform takes from encoded raw batches to stored rows and outbox.

Measured in this process alone: decode, gate, quality, harmonise, insert, outcome, last value, outbox encode.
The bus is left out; the outbox is emptied between measurements as its relay does.

    python benchmarks/platform_store.py [--database URL] [--rows 1000000] [--batch 1000] [--streams 500]
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.port import Message, Received
from dmi_infra.gate import Gate
from dmi_infra.geo import Projection
from dmi_infra.runtime import load_rulebook
from dmi_infra.sql import migrate, open_engine
from dmi_infra.telemetry import Metrics
from dmi_platform.consumer import PlatformHandler
from dmi_platform.lineage import LineageBook
from dmi_platform.neighbourhoods import Neighbourhoods
from dmi_platform.processing import FEATURES_TOPIC, RAW_TOPIC, Processor
from dmi_platform.registry import Registry
from dmi_platform.settings import PlatformSettings
from dmi_platform.store import Store
from dmi_platform.store.tables import outgoing

DATASET = "urn:dmi:dataset:gemeente:bench"
OWNER, STACK = "urn:dmi:participant:gemeente", "urn:dmi:participant:stack"
BEGIN = 1_767_225_600_000_000


def law(settings: PlatformSettings) -> LawTable:
    """A law with one dataset and the agreement that lets the platform process it."""
    rulebook = load_rulebook(settings)
    table = LawTable(rulebook)
    for identifier in (OWNER, STACK):
        table.apply(Participant(identifier, identifier, [], rulebook=rulebook.version))
    table.apply(Dataset(DATASET, OWNER, {"en": "Benchmark"}))
    uid = f"urn:uuid:{uuid.uuid4()}"
    document = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
        "@type": "Agreement",
        "uid": uid,
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": rulebook.version,
        "dmi:legalBasis": "dmi:basis:public-task",
        "assigner": OWNER,
        "assignee": STACK,
        "permission": [
            {
                "target": DATASET,
                "action": ["dmi:process"],
                "constraint": [
                    {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:public-task"}
                ],
            }
        ],
    }
    table.apply(AgreementState(uid, document, "active", concluded_at=clock.now() - 1_000_000))
    return table


def features(streams: int) -> list[Feature]:
    """Things on a grid, a neighbourhood around them, a datastream each."""
    ring = [[5.0, 52.0], [5.2, 52.0], [5.2, 52.2], [5.0, 52.2], [5.0, 52.0]]
    found = [Feature("BU0001", "neighbourhood", "Centrum", {"type": "Polygon", "coordinates": [ring]})]
    for number in range(streams):
        point = [5.05 + number % 25 * 0.004, 52.05 + number // 25 * 0.002]
        found.append(Feature(f"bench.{number}", "thing", "T", {"type": "Point", "coordinates": point}))
        about = {
            "thing": f"bench.{number}",
            "observed_property": "temperature",
            "unit": "K",
            "maximum_step": 5.0,
        }
        found.append(Feature(f"bench.{number}.temperature", "datastream", "D", None, about))
    return found


def batches(rows: int, size: int, streams: int, moving: bool) -> Iterator[bytes]:
    """Encoded raw batches in order of time, each over all datastreams in turn."""
    sent = 0
    while sent < rows:
        numbers = range(sent, sent + size)
        yield encode(
            ObservationBatch(
                dataset=DATASET,
                datastream=[f"bench.{number % streams}.temperature" for number in numbers],
                phenomenon_time=[BEGIN + number // streams * 60_000_000 for number in numbers],
                result=[285.15 + number % 7 for number in numbers],
                longitude=[5.1 + number % 100 * 0.0001 for number in numbers] if moving else None,
                latitude=[52.1 + number % 90 * 0.0001 for number in numbers] if moving else None,
                batch_id=str(sent),
            )
        )
        sent += size


def received(topic: str, offset: int, value: bytes) -> Received:
    """A message as the bus would hand it over."""
    envelope = Envelope(str(uuid.uuid4()), "bench", "bench", clock.to_text(clock.now()), dataset=DATASET)
    return Received(topic, 0, offset, Message("bench", value, envelope))


def run(options: argparse.Namespace, folder: Path) -> list[dict[str, float]]:
    """Take in all batches; a figure for each power of ten of rows stored."""
    settings = PlatformSettings(data_dir=folder)
    schema = f"bench_{uuid.uuid4().hex[:8]}"
    engine = open_engine(options.database or f"sqlite:///{folder / 'platform.db'}", schema)
    migrate(engine, "dmi_platform")
    store, metrics = Store(engine), Metrics("platform")
    table = law(settings)
    # The law stands still: there is no exchange here whose heartbeat could keep it young.
    moment = clock.now()
    table.apply(Heartbeat("urn:dmi:heartbeat", moment))
    gate = Gate("platform", STACK, table, lambda _record: None, Projection(), metrics, lambda: moment)
    registry = Registry(Neighbourhoods(lambda _dataset: True), settings.plausible_area, store.features_since)
    lineage = LineageBook(gate.record_lineage)
    handler = PlatformHandler(store, Processor(store, registry, gate, lineage, lambda: None, metrics))
    handler.positions()
    told = encode(FeatureBatch(DATASET, features(options.streams)))
    handler.handle([received(FEATURES_TOPIC, 0, told)])
    figures = []
    offset, done, mark, spent, counted = 0, 0, 10_000, 0.0, 0
    source = batches(options.rows, options.batch, options.streams, options.moving)
    while piece := [value for _, value in zip(range(options.poll), source, strict=False)]:
        messages = [received(RAW_TOPIC, offset + number, value) for number, value in enumerate(piece)]
        begun = time.perf_counter()
        handler.handle(messages)
        spent += time.perf_counter() - begun
        offset += len(piece)
        done += len(piece) * options.batch
        counted += len(piece) * options.batch
        with engine.begin() as connection:
            connection.execute(sa.delete(outgoing))
        if done >= mark or done >= options.rows:
            figures.append({"rows": done, "per_second": round(counted / spent)})
            mark, spent, counted = mark * 10, 0.0, 0
    repeated = min(done, 200_000)
    again = list(batches(repeated, options.batch, options.streams, options.moving))
    messages = [received(RAW_TOPIC, offset + number, value) for number, value in enumerate(again)]
    begun = time.perf_counter()
    handler.handle(messages)
    figures.append({"repeated": repeated, "per_second": round(repeated / (time.perf_counter() - begun))})
    with engine.begin() as connection:
        total = connection.execute(sa.text("SELECT count(*) FROM observation")).scalar()
        if options.database:
            connection.execute(sa.text(f'DROP SCHEMA "{schema}" CASCADE'))
    engine.dispose()
    assert total == done, (total, done)
    return figures


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", default="", help="postgresql+psycopg://…; default SQLite")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1000, help="rows of one message")
    parser.add_argument("--poll", type=int, default=50, help="messages of one poll")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--moving", action="store_true", help="every row has a position of its own")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    profile = cProfile.Profile()
    machine = facts()
    with tempfile.TemporaryDirectory() as folder:
        if options.profile:
            profile.enable()
        figures = run(options, Path(folder))
        profile.disable()
    store = "postgresql" if options.database else "sqlite"
    print(json.dumps({"benchmark": "platform_store", "store": store, "figures": figures, "machine": machine}))
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
