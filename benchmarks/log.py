"""Measures the log: what an entry costs, and heads, proofs and verification at its size. Prints one JSON object.

    python benchmarks/log.py [--entries 100000] [--persons 20]

Entries are added in batches of 500, as the exchange takes them from the bus, into a SQLite store of its own;
microseconds an entry are processor time. Heads are signed after every 2,000 entries, as the background does at 1,000
decisions a second.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.contracts.record import DecisionRecord
from dmi_exchange.logbook.check import check
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.store import Store
from dmi_infra.jose import SigningKey
from dmi_infra.sql import migrate, open_engine

BATCH = 500
HEAD = 2_000
PROOFS = 300


def record(number: int, persons: int) -> DecisionRecord:
    """A decision about as many persons."""
    return DecisionRecord(
        str(uuid.uuid4()), number, "platform", "query", "urn:dmi:participant:vendor", "dmi:read",
        "urn:dmi:dataset:gemeente:garages", "dmi:purpose:mobility", True, ["allowed: permitted by urn:uuid:0"],
        ["urn:uuid:0"], [f"urn:dmi:person:p{n}" for n in range(persons)], rows=10,
        trace=f"00-{'a' * 32}-{'b' * 16}-01",
    )  # fmt: skip


def milliseconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {
        "p50": round(statistics.median(values), 3),
        "p95": round(statistics.quantiles(values, n=20)[-1], 3),
    }


def append(store: Store, entries: int, persons: int, tree: Tree | None, heads: list[float]) -> float:
    """Microseconds of processor time an entry, heads left out."""
    spent = 0.0
    for start in range(0, entries, BATCH):
        batch = [record(start + n, persons) for n in range(BATCH)]
        before = time.process_time()
        store.append(batch, [], {})
        spent += time.process_time() - before
        if tree is not None and (start + BATCH) % HEAD == 0:
            heads.append(milliseconds(tree.advance))
    return spent / entries * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--persons", type=int, default=20)
    options = parser.parse_args()
    about = facts()
    heads: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/exchange.db", "exchange")
        migrate(engine, "dmi_exchange")
        store, tree = Store(engine), Tree(engine, "bench", SigningKey.generate())
        personal = append(store, 10_000, options.persons, None, [])
        plain = append(store, options.entries, 0, tree, heads)
        tree.advance()
        head = tree.head()
        size = head.tree_size if head else 0
        places = random.Random(1)
        inclusion = [
            milliseconds(lambda: tree.inclusion(places.randrange(size), size)) for _ in range(PROOFS)
        ]
        consistency = [
            milliseconds(lambda: tree.consistency(places.randrange(1, size), size)) for _ in range(PROOFS)
        ]
        verified = milliseconds(lambda: check(store.log, tree))
        engine.dispose()
    print(json.dumps({
        **about,
        "entries": size,
        "append_us": round(plain, 1),
        f"append_with_{options.persons}_persons_us": round(personal, 1),
        "head_ms": spread(heads),
        "inclusion_ms": spread(inclusion),
        "consistency_ms": spread(consistency),
        "verify_all_ms": round(verified),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
