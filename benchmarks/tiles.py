"""Vector tiles: tiles a second that are made anew, and that come from the cache.

    python benchmarks/tiles.py [URL] [--servers] [--things 500] [--tiles 300] [--cached 4000]

A layer of points at rest; every tile asked for has at least one of them in it. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.load import Ask, load
from benchmarks.common.machine import facts, percentiles
from benchmarks.common.node import CITY, Bench, Node, a_dataset, a_node, arguments, batch, spent
from dmi_command.client import Client

ZOOMS = range(8, 18)


def addresses(features: list[dict[str, list[float]]], most: int) -> list[tuple[int, int, int]]:
    """Tiles with points in them, from the whole city inwards."""
    found: dict[tuple[int, int, int], None] = {}
    for zoom in ZOOMS:
        for point in features:
            lon, lat = point["coordinates"]
            x = int((lon + 180) / 360 * 2**zoom)
            radians = math.radians(lat)
            y = int((1 - math.asinh(math.tan(radians)) / math.pi) / 2 * 2**zoom)
            found[(zoom, x, y)] = None
    return list(found)[:most]


async def measure(node: Node, bench: Bench, tiles: int, cached: int, connections: int) -> dict[str, object]:
    """Give each thing a value, ask for every tile once, and then again and again."""
    token, things = node.token("resident"), len(bench.streams)
    now = int(time.time()) * 1_000_000
    body = batch(bench.dataset, bench.streams, [now] * things, [float(n % 300) for n in range(things)])
    await load(node.url, node.token(), [Ask("/ingest/v1/batches", body)], 1)
    resident = Client(node.url, demo="resident")
    until = time.monotonic() + 20
    while True:
        shown = resident.get(f"/visualisation/v1/layers/{bench.dataset}/features")["features"]
        if len(shown) == things:
            break
        if time.monotonic() > until:
            raise RuntimeError(f"{len(shown)} of {things} things are on the map after 20 s")
        await asyncio.sleep(0.1)
    path = f"/visualisation/v1/layers/{bench.dataset}/tiles/"
    wanted = addresses([feature["geometry"] for feature in shown], tiles)
    asks = [Ask(f"{path}{z}/{x}/{y}") for z, x, y in wanted]
    before = node.cpu()
    fresh = await load(node.url, token, asks, connections, keep=True)
    fresh_cpu = spent(node, before, len(asks))
    empty = sum(not answer for answer in fresh.answers.values())
    if empty:
        raise RuntimeError(f"{empty} tiles are empty")
    before = node.cpu()
    again = await load(
        node.url, token, [asks[number % len(asks)] for number in range(cached)], connections, keep=True
    )
    again_cpu = spent(node, before, cached)
    return {
        "things": things,
        "tiles": len(asks),
        "city": CITY,
        "uncached_per_s": round(len(asks) / fresh.seconds),
        "uncached": percentiles(fresh.each),
        "uncached_cpu_us": fresh_cpu,
        "cached_per_s": round(cached / again.seconds),
        "cached": percentiles(again.each),
        "cached_cpu_us": again_cpu,
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--things", type=int, default=500)
    parser.add_argument("--tiles", type=int, default=300)
    parser.add_argument("--cached", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    machine = facts()
    with a_node(given) as node, a_dataset(node, given.things) as bench:
        figures = asyncio.run(measure(node, bench, given.tiles, given.cached, given.connections))
    print(json.dumps({"benchmark": "tiles", "deployment": node.deployment, **figures, "machine": machine}))


if __name__ == "__main__":
    main()
