"""Sensor to browser: the time from an observation's request until its event arrives in an open stream.

    python benchmarks/events.py [URL] [--servers] [--per-second 1000] [--rows 10] [--seconds 20]

Observations are handed in at a steady pace, ``--rows`` in a request, spread over 500 datastreams, while one stream
listens. An observation that never arrives is a failure. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

from benchmarks.common.load import Ask, Connection
from benchmarks.common.machine import facts, percentiles
from benchmarks.common.node import Bench, Node, a_dataset, a_node, arguments, batch
from dmi_infra import clock

STREAMS = 500
CONNECTIONS = 8
DRAIN_SECONDS = 10.0

Sent = dict[tuple[str, str], float]


async def send(node: Node, bench: Bench, per_second: int, rows: int, seconds: float, sent: Sent) -> float:
    """Hand in at a steady pace; notes when each observation left, and returns the pace that was reached."""
    opened = [Connection(node.url, node.token()) for _ in range(CONNECTIONS)]
    for connection in opened:
        await connection.open()
    total = int(per_second * seconds / rows)
    begun = time.perf_counter()

    async def work(first: int, connection: Connection) -> None:
        for number in range(first, total, CONNECTIONS):
            await asyncio.sleep(max(0.0, begun + number * rows / per_second - time.perf_counter()))
            streams = [bench.streams[(number * rows + row) % STREAMS] for row in range(rows)]
            now = clock.now()
            body = batch(bench.dataset, streams, [now] * rows, [float(number % 300)] * rows)
            moment, text = time.perf_counter(), clock.to_text(now)
            for stream in streams:
                sent[(stream, text)] = moment
            await connection.ask(Ask("/ingest/v1/batches", body))

    await asyncio.gather(*(work(first, connection) for first, connection in enumerate(opened)))
    for connection in opened:
        connection.close()
    return total * rows / (time.perf_counter() - begun)


async def listen(node: Node, bench: Bench, sent: Sent, delays: list[float], open_: asyncio.Event) -> None:
    """Follow the layer as a browser does; notes the delay of each observation."""
    path = f"{node.url}/visualisation/v1/layers/{bench.dataset}/events"
    headers = {"Authorization": f"Bearer {node.token('resident')}"}
    async with (
        httpx.AsyncClient(timeout=None) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        answer.raise_for_status()
        open_.set()
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                now = time.perf_counter()
                for feature in json.loads(line[6:]):
                    about = feature["properties"]
                    moment = sent.pop((about["datastream"], about["phenomenon_time"]), None)
                    if moment is not None:
                        delays.append(now - moment)


async def measure(node: Node, bench: Bench, per_second: int, rows: int, seconds: float) -> dict[str, object]:
    """One second to warm up, then the measurement."""
    sent: Sent = {}
    delays: list[float] = []
    opened = asyncio.Event()
    listening = asyncio.create_task(listen(node, bench, sent, delays, opened))
    await asyncio.wait_for(opened.wait(), 10)
    await send(node, bench, per_second, rows, 1.0, sent)
    await _drained(sent)
    delays.clear()
    reached = await send(node, bench, per_second, rows, seconds, sent)
    await _drained(sent)
    listening.cancel()
    return {
        "observations_per_s": round(reached),
        "rows_per_request": rows,
        "arrived": len(delays),
        "lost": len(sent),
        "delay": percentiles(delays),
    }


async def _drained(sent: Sent) -> None:
    until = time.monotonic() + DRAIN_SECONDS
    while sent and time.monotonic() < until:
        await asyncio.sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--per-second", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    machine = facts()
    with a_node(given) as node, a_dataset(node, STREAMS) as bench:
        figures = asyncio.run(measure(node, bench, given.per_second, given.rows, given.seconds))
    print(json.dumps({"benchmark": "events", "deployment": node.deployment, **figures, "machine": machine}))


if __name__ == "__main__":
    main()
