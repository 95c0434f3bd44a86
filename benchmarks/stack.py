"""Intake to stored: rows a second through HTTP until the platform's outcome says that they are stored.

    python benchmarks/stack.py [URL] [--servers] [--batches 300] [--rows 1000] [--connections 4]

Batches of ``--rows`` observations over 100 datastreams; the clock runs from the first request until every batch's
outcome is complete. Each row is stored exactly once, which the benchmark checks. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.load import Ask, Connection, load
from benchmarks.common.machine import facts, percentiles
from benchmarks.common.node import Bench, Node, a_dataset, a_node, arguments, batch, spent

STREAMS = 100
BEGIN = 1_767_225_600_000_000
WARM = 10
LONGEST_SECONDS = 120.0


def bodies(bench: Bench, first: int, count: int, rows: int) -> list[Ask]:
    """Batches in order of time; no row repeats another."""
    made = []
    for number in range(first, first + count):
        index = range(number * rows, (number + 1) * rows)
        made.append(
            Ask(
                "/ingest/v1/batches",
                batch(
                    bench.dataset,
                    [bench.streams[each % STREAMS] for each in index],
                    [BEGIN + each // STREAMS * 1_000_000 for each in index],
                    [each % 997 for each in index],
                ),
            )
        )
    return made


async def stored(node: Node, batches: list[str], rows: int) -> None:
    """Wait until every batch is stored whole; raises ``RuntimeError`` when one is not within the time."""
    connection = Connection(node.url, node.token())
    await connection.open()
    until = time.monotonic() + LONGEST_SECONDS
    for identifier in reversed(batches):
        accepted = 0
        while accepted < rows:
            try:
                found = json.loads(await connection.ask(Ask(f"/platform/v1/outcomes/{identifier}")))
                accepted = found["accepted"]
                if found["read"] >= rows and accepted < rows:
                    raise ValueError(f"not all rows were accepted: {found}")
            except RuntimeError:
                accepted = 0  # 404: nothing of it is stored yet
            if accepted < rows:
                if time.monotonic() > until:
                    raise RuntimeError(f"{identifier} was not stored within {LONGEST_SECONDS:.0f} s")
                await asyncio.sleep(0.02)
    connection.close()


async def measure(node: Node, bench: Bench, batches: int, rows: int, connections: int) -> dict[str, object]:
    """Load the node; rows a second to the answer and to the store."""
    token = node.token()
    await load(node.url, token, bodies(bench, 0, WARM, rows), connections)
    asks = bodies(bench, WARM, batches, rows)
    before, begun = node.cpu(), time.perf_counter()
    taken = await load(node.url, token, asks, connections, keep=True)
    identifiers = [json.loads(taken.answers[number])["batch_id"] for number in range(batches)]
    await stored(node, identifiers, rows)
    seconds = time.perf_counter() - begun
    cpu = spent(node, before, batches * rows)
    return {
        "rows": batches * rows,
        "acknowledged_per_s": round(batches * rows / taken.seconds),
        "stored_per_s": round(batches * rows / seconds),
        "cpu_us_per_row": cpu,
        "request": percentiles(taken.each),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=4)
    given = parser.parse_args()
    machine = facts()
    with a_node(given) as node, a_dataset(node, STREAMS) as bench:
        figures = asyncio.run(measure(node, bench, given.batches, given.rows, given.connections))
    print(json.dumps({"benchmark": "stack", "deployment": node.deployment, **figures, "machine": machine}))


if __name__ == "__main__":
    main()
