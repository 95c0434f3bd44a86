"""What the learning of a forecast costs the process around it: in a thread of it, and in a process of its own.

    python benchmarks/learning.py FILE

FILE is a ``birmingham-parking`` file. Meanwhile another thread asks to be woken every millisecond, as the event
loop of the gates is by requests; how late it wakes is how late an answer would be. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts, percentiles, resident
from dmi_support_centre.learning import Learner
from dmi_support_centre.models.backtest import KINDS, read
from dmi_support_centre.models.forecast import History, OccupancyForecaster, PlaceHistory, series_of

KIND = KINDS["birmingham-parking"]
TICK = 0.001
"""Seconds between two wakings."""


def lateness(work: Callable[[], object]) -> dict[str, object]:
    """How late a thread wakes while ``work`` runs in another, how long that took, and what memory stays behind."""
    late: list[float] = []
    worker = threading.Thread(target=work)
    started = time.perf_counter()
    worker.start()
    while worker.is_alive():
        wanted = time.perf_counter() + TICK
        time.sleep(TICK)
        late.append(time.perf_counter() - wanted)
    own = next(iter(resident(os.getpid()).values()))
    return {"seconds": round(time.perf_counter() - started, 2), "late": percentiles(late), "after_mb": own}


def in_thread(history: History) -> OccupancyForecaster:
    """Learn in the process that serves."""
    model = OccupancyForecaster(KIND.zone)
    model.fit(history)
    return model


def main() -> None:
    """Measure both ways, the process of its own first: what the other leaves in memory would count for both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    history = {
        place: PlaceHistory(series_of(rows.times, rows.values), rows.capacities[-1])
        for place, rows in read(file, KIND).places.items()
    }
    before = facts()
    apart = lateness(lambda: Learner()(KIND.zone, history))
    inside = lateness(lambda: in_thread(history))
    print(json.dumps({"benchmark": "learning", "apart": apart, "inside": inside, "machine": before}))


if __name__ == "__main__":
    main()
