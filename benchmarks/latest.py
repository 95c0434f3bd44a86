"""Latest values: requests a second, each for the last value of 100 things.

    python benchmarks/latest.py [URL] [--servers] [--requests 1500] [--connections 8]

Each answer is checked to hold 100 values. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.load import Ask, load
from benchmarks.common.machine import facts, percentiles
from benchmarks.common.node import Bench, Node, a_dataset, a_node, arguments, batch, spent

THINGS = 100


async def measure(node: Node, bench: Bench, requests: int, connections: int) -> dict[str, object]:
    """Store a value for each thing, then ask for all of them again and again."""
    token = node.token()
    now = int(time.time()) * 1_000_000
    body = batch(bench.dataset, bench.streams, [now] * THINGS, [float(n) for n in range(THINGS)])
    await load(node.url, token, [Ask("/ingest/v1/batches", body)], 1)
    path = "/platform/v1/latest?" + "&".join(f"datastream={name}" for name in bench.streams)
    until = time.monotonic() + 20
    while len(await _values(node, token, path)) < THINGS:
        if time.monotonic() > until:
            raise RuntimeError("the values were not stored within 20 s")
        await asyncio.sleep(0.1)
    await load(node.url, token, [Ask(path)] * 100, connections)
    before = node.cpu()
    taken = await load(node.url, token, [Ask(path)] * requests, connections, keep=True)
    cpu = spent(node, before, requests)
    short = sum(answer.count(b'"datastream"') != THINGS for answer in taken.answers.values())
    if short:
        raise RuntimeError(f"{short} answers did not hold {THINGS} values")
    return {
        "requests_per_s": round(requests / taken.seconds),
        "request": percentiles(taken.each),
        "cpu_us_per_request": cpu,
    }


async def _values(node: Node, token: str, path: str) -> list[object]:
    taken = await load(node.url, token, [Ask(path)], 1, keep=True)
    items: list[object] = json.loads(taken.answers[0])["items"]
    return items


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    machine = facts()
    with a_node(given) as node, a_dataset(node, THINGS) as bench:
        figures = asyncio.run(measure(node, bench, given.requests, given.connections))
    print(json.dumps({"benchmark": "latest", "deployment": node.deployment, **figures, "machine": machine}))


if __name__ == "__main__":
    main()
