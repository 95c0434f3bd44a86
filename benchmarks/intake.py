"""Intake: single observations a second, each answered when it is durable, and rows a second as dataArray.

    python benchmarks/intake.py [URL] [--servers] [--singles 10000] [--arrays 200] [--connections 16]

The whole stack behind it processes what it takes meanwhile. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.load import Ask, load
from benchmarks.common.machine import facts, percentiles
from benchmarks.common.node import Bench, Node, a_dataset, a_node, arguments, spent
from dmi_infra import clock

STREAMS = 100
START = 1_767_225_600_000_000
ROWS = 1000
WARM = 500


def single(bench: Bench, number: int) -> Ask:
    """One observation in the SensorThings way."""
    body = {
        "phenomenonTime": clock.to_text(START + number * 1_000_000),
        "result": number % 400,
        "Datastream": {"@iot.id": bench.streams[number % STREAMS]},
    }
    return Ask("/ingest/v1.1/Observations", json.dumps(body).encode())


def array(bench: Bench, number: int) -> Ask:
    """A dataArray of ``ROWS`` rows of one datastream, later than every single observation."""
    first = START + 10**12 + number * ROWS * 1_000_000
    group = {
        "Datastream": {"@iot.id": bench.streams[number % STREAMS]},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[clock.to_text(first + row * 1_000_000), row % 400] for row in range(ROWS)],
    }
    return Ask("/ingest/v1.1/CreateObservations", json.dumps([group]).encode())


async def measure(node: Node, bench: Bench, singles: int, arrays: int, connections: int) -> dict[str, object]:
    """Load the node with the one kind, then with the other."""
    token = node.token()
    await load(node.url, token, [single(bench, number) for number in range(WARM)], connections)
    asks = [single(bench, WARM + number) for number in range(singles)]
    before = node.cpu()
    one = await load(node.url, token, asks, connections)
    cpu = spent(node, before, singles)
    many = await load(node.url, token, [array(bench, number) for number in range(arrays)], connections)
    return {
        "connections": connections,
        "single_per_s": round(singles / one.seconds),
        "single": percentiles(one.each),
        "single_cpu_us": cpu,
        "array_rows_per_s": round(arrays * ROWS / many.seconds),
        "array": percentiles(many.each),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--singles", type=int, default=10_000)
    parser.add_argument("--arrays", type=int, default=200)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    machine = facts()
    with a_node(given) as node, a_dataset(node, STREAMS) as bench:
        figures = asyncio.run(measure(node, bench, given.singles, given.arrays, given.connections))
    print(json.dumps({"benchmark": "intake", "deployment": node.deployment, **figures, "machine": machine}))


if __name__ == "__main__":
    main()
