"""Cost of an observation while the store grows: microseconds a row at 10^4, 10^5, 10^6 and 10^7 rows stored.

    python benchmarks/growth.py [--database URL] [--rows 10000000] [--streams 500]

The platform alone, as ``platform_store.py`` measures it: from encoded raw batches to stored rows. The figure at each
power of ten is that of the rows since the one before. Prints one JSON object; ``growth`` is the last cost divided by
the least one before it, 1.0 for a cost that stays flat.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from benchmarks.platform_store import run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database", default="", help="postgresql+psycopg://…; default SQLite")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--streams", type=int, default=500)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    machine = facts()
    options = argparse.Namespace(
        database=given.database, rows=given.rows, batch=1000, poll=10, streams=given.streams, moving=False
    )
    with tempfile.TemporaryDirectory(prefix="dmi-bench-") as folder:
        figures = [figure for figure in run(options, Path(folder)) if "rows" in figure]
    cost = {str(int(figure["rows"])): round(1e6 / figure["per_second"], 2) for figure in figures}
    values = list(cost.values())
    grown = round(values[-1] / min(values[:-1] or values), 2)
    store = "postgresql" if given.database else "sqlite"
    print(
        json.dumps(
            {"benchmark": "growth", "store": store, "us_per_row": cost, "growth": grown, "machine": machine}
        )
    )


if __name__ == "__main__":
    main()
