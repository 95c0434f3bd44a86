"""How long a stop takes: from the owner's request until queries, maps, tiles and a stream are refused.

Usage: python benchmarks/stop.py [URL] [TRIALS]; needs a running stack with the demonstration city. The agreement
between the municipality and the stack about the garages is ended and concluded anew in every trial.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_command.client import Client
from dmi_command.errors import AnswerRefused

DATASET = "urn:dmi:dataset:gemeente:garages"
STACK = "urn:dmi:participant:stack"
READS: dict[str, Callable[[Client], object]] = {
    "query": lambda c: c.get("/platform/v1/latest", dataset=DATASET),
    "features": lambda c: c.get(f"/visualisation/v1/layers/{DATASET}/features"),
    "tile": lambda c: c.get_bytes(f"/visualisation/v1/layers/{DATASET}/tiles/12/2106/1351"),
    "export": lambda c: c.get_bytes(
        f"/platform/v1/export?dataset={DATASET}&format=csv&from=2099-01-01T00:00:00Z"
    ),
}


def until_refused(read: Callable[[Client], object], client: Client, begun: float) -> float:
    """Seconds from ``begun`` until ``read`` is refused."""
    while True:
        try:
            read(client)
        except AnswerRefused as refused:
            if refused.status == 403:
                return time.perf_counter() - begun
            raise


def follow(client: Client, ended: list[float]) -> None:
    """Read the live events until the gate ends them; notes when."""
    with client.stream(f"/visualisation/v1/layers/{DATASET}/events") as answer:
        for line in answer.iter_lines():
            if line == "event: ended":
                ended.append(time.perf_counter())
                return


def trial(url: str) -> dict[str, float]:
    """One stop; seconds by kind of read."""
    officer, operator, resident = (Client(url, demo=who) for who in ("officer", "operator", "resident"))
    active = officer.get("/exchange/v1/agreements", dataset=DATASET, state="active")["items"]
    agreement = next(a for a in active if a["assignee"] == STACK)
    for read in READS.values():
        read(resident)
    ended: list[float] = []
    stream = threading.Thread(target=follow, args=(Client(url, demo="resident"), ended))
    stream.start()
    time.sleep(0.3)
    found: dict[str, float] = {}
    begun = time.perf_counter()
    officer.post(f"/exchange/v1/agreements/{agreement['id']}/end", {"reason": "benchmark"})
    threads = [
        threading.Thread(
            target=lambda n=name, r=read: found.__setitem__(n, until_refused(r, resident, begun))
        )
        for name, read in READS.items()
    ]
    for thread in threads:
        thread.start()
    for thread in [*threads, stream]:
        thread.join(10)
    found["stream"] = ended[0] - begun if ended else float("inf")
    document = {name: value for name, value in agreement["document"].items() if name != "uid"}
    again = officer.post("/exchange/v1/agreements", {"document": document, "hosted": True})
    operator.post(f"/exchange/v1/agreements/{again['id']}/signature", {"hosted": True})
    while True:
        try:
            resident.get("/platform/v1/latest", dataset=DATASET)
            resident.get(f"/visualisation/v1/layers/{DATASET}/features")
            return found
        except AnswerRefused:
            time.sleep(0.02)


def main() -> None:
    """Print p50, p99 and the maximum in milliseconds as JSON."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    machine = facts()
    results = [trial(url) for _ in range(trials)]
    figures = {}
    for name in results[0]:
        values = sorted(1000 * result[name] for result in results)
        figures[name] = {
            "p50_ms": round(statistics.median(values), 1),
            "p99_ms": round(values[min(len(values) - 1, int(len(values) * 0.99))], 1),
            "max_ms": round(values[-1], 1),
        }
    print(json.dumps({"benchmark": "stop", "trials": trials, **figures, "machine": machine}, indent=2))


if __name__ == "__main__":
    main()
