"""Speed of a bus: ``python benchmarks/bus.py ADDRESS…`` prints one JSON object per address.

Measured per address: single durable publishes by 16 tasks, records of 200 bytes in calls of 500,
batches of 100 kB (megabytes a second), reading both back, and the delay until a waiting reader wakes.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus import Bus, Message, open_bus

RAW = "dmi.observations.raw.v1"
HARMONISED = "dmi.observations.harmonised.v1"
FEATURES = "dmi.features.v1"
TASKS = 16
SINGLES = 16_000
RECORDS = 50_000
CALL = 500
BATCHES = 500
BATCH_BYTES = 100_000
WAKES = 50


def _message(key: int, value: bytes) -> Message:
    envelope = Envelope(
        "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d", "urn:dmi:ingest", "dmi.raw", "2026-01-01T00:00:00Z"
    )
    return Message(f"garages.{key % 64}", value, envelope)


def _column_batch() -> bytes:
    """100 kB like a batch in columns: numbers in text, which a compressor halves at best."""
    numbers = random.Random(1)
    return (
        ",".join(f"{numbers.gauss(20, 5):.3f}" for _ in range(BATCH_BYTES // 7)).encode().ljust(BATCH_BYTES)
    )


async def _singles(bus: Bus) -> None:
    publisher = bus.publisher("ingest")
    value = b"x" * 300

    async def work(task: int) -> None:
        for number in range(SINGLES // TASKS):
            await publisher.publish_async(FEATURES, [_message(task + number, value)])

    await asyncio.gather(*(work(task) for task in range(TASKS)))


def _records(bus: Bus) -> None:
    publisher = bus.publisher("ingest")
    value = b"x" * 200
    for start in range(0, RECORDS, CALL):
        publisher.publish(RAW, [_message(start + n, value) for n in range(CALL)], timeout=60)


def _batches(bus: Bus) -> None:
    publisher = bus.publisher("platform")
    value = _column_batch()
    for start in range(0, BATCHES, 10):
        publisher.publish(HARMONISED, [_message(start + n, value) for n in range(10)], timeout=60)


def _read(bus: Bus, service: str, topic: str, count: int) -> None:
    replay = bus.replay(service, [topic])
    while count > 0:
        count -= len(replay.poll(5.0, max_messages=1_000))
    replay.close()


def _wakes(bus: Bus) -> list[float]:
    subscription = bus.subscribe("platform", [FEATURES], "bench", from_start=False)
    while not subscription.assigned() or any(subscription.lag().values()):
        subscription.poll(0.2)
    arrived: list[float] = []
    stop = threading.Event()

    def wait() -> None:
        while not stop.is_set():
            arrived.extend(time.perf_counter() for _ in subscription.poll(0.5))

    reader = threading.Thread(target=wait)
    reader.start()
    delays: list[float] = []
    publisher = bus.publisher("ingest")
    for number in range(WAKES):
        time.sleep(0.02)
        started = time.perf_counter()
        publisher.publish(FEATURES, [_message(number, b"x")])
        while len(arrived) <= number:
            time.sleep(0.0005)
        delays.append(arrived[number] - started)
    stop.set()
    reader.join()
    return delays


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(address: str) -> dict[str, object]:
    """The figures of the bus at ``address``, which should be empty."""
    bus = open_bus(address)
    bus.create_topics()
    asyncio.run(bus.publisher("ingest").publish_async(FEATURES, [_message(0, b"warm")]))
    megabytes = BATCHES * BATCH_BYTES / 1e6
    figures: dict[str, object] = {"benchmark": "bus", "bus": address.split(":")[0], "machine": facts()}
    figures["single_publishes_per_s"] = round(SINGLES / _seconds(lambda: asyncio.run(_singles(bus))))
    figures["records_out_per_s"] = round(RECORDS / _seconds(lambda: _records(bus)))
    figures["records_in_per_s"] = round(RECORDS / _seconds(lambda: _read(bus, "platform", RAW, RECORDS)))
    figures["batches_out_mb_per_s"] = round(megabytes / _seconds(lambda: _batches(bus)), 1)
    figures["batches_in_mb_per_s"] = round(
        megabytes / _seconds(lambda: _read(bus, "visualisation", HARMONISED, BATCHES)), 1
    )
    delays = sorted(_wakes(bus))
    figures["publish_to_reader_ms_p50"] = round(statistics.median(delays) * 1000, 2)
    figures["publish_to_reader_ms_max"] = round(delays[-1] * 1000, 2)
    bus.close()
    return figures


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(json.dumps(measure(argument)))
