"""Memory and start: resident memory of the idle stack with the demonstration city, and seconds until it is ready.

    python benchmarks/idle.py [--servers] [--idle 60]

A stack of its own loads the city, stops, and starts again: from that start the seconds until all services are
ready are counted, then it rests, with the city's sensors sending. Linux only. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts, resident
from benchmarks.common.node import start, stop

LOAD_SECONDS = 180.0
SERVERS = ("java", "postgres")
"""What a city runs anyhow is counted apart from the platform's own processes."""


def loaded(folder: Path) -> None:
    """Wait until the demonstration city is there; raises ``RuntimeError`` when it is not in time."""
    until = time.monotonic() + LOAD_SECONDS
    while not (folder / "demonstration.json").exists():
        if time.monotonic() > until:
            raise RuntimeError(f"the city was not loaded within {LOAD_SECONDS:.0f} s")
        time.sleep(0.2)


def memory(pid: int) -> dict[str, object]:
    """Megabytes of all processes, those of servers apart."""
    each = resident(pid)
    servers = {name: size for name, size in each.items() if any(word in name for word in SERVERS)}
    own = {name: size for name, size in each.items() if name not in servers}
    return {
        "own_mb": round(sum(own.values()), 1),
        "servers_mb": round(sum(servers.values()), 1),
        "each_mb": own,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", action="store_true", help="on Kafka and PostgreSQL")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of rest before memory is read")
    given = parser.parse_args()
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="dmi-bench-") as root:
        folder = Path(root) / "data"
        begun = time.perf_counter()
        first = start(folder, demo=True, servers=given.servers)
        try:
            loaded(folder)
            load_seconds = time.perf_counter() - begun
            time.sleep(given.idle)
            after_load = memory(first.process.pid) if first.process else {}
        finally:
            stopped = stop(first)
        second = start(folder, demo=True, servers=given.servers)
        try:
            time.sleep(given.idle)
            after_start = memory(second.process.pid) if second.process else {}
        finally:
            stop(second)
    figures = {
        "first_start_to_loaded_s": round(load_seconds, 2),
        "ready_s": round(second.ready_seconds, 2),
        "stop_s": round(stopped, 2),
        "after_load": after_load,
        "after_start": after_start,
    }
    print(json.dumps({"benchmark": "idle", "deployment": second.deployment, **figures, "machine": machine}))


if __name__ == "__main__":
    main()
