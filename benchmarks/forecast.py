"""Quality and speed of the occupancy forecast: ``python benchmarks/forecast.py FILE [--test-weeks 3]``.

FILE is a ``birmingham-parking`` file; its last weeks are forecast from a rolling origin, the rest is trained
on. Prints one JSON document: error beside both baselines, coverage, seconds, and the time of one forecast.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_support_centre.models.backtest import KINDS, backtest, read
from dmi_support_centre.models.forecast import OccupancyForecaster, PlaceHistory, series_of

KIND = KINDS["birmingham-parking"]


def split(source: Path, folder: Path, weeks: int) -> tuple[Path, Path]:
    """The file as a training and a test file, divided at midnight ``weeks`` weeks before its last day ends."""
    with source.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = list(csv.reader(file))
    column = header.index(KIND.time)
    last = max(datetime.fromisoformat(row[column]) for row in rows)
    cut = (last - timedelta(weeks=weeks, days=-1)).replace(hour=0, minute=0, second=0)
    paths = folder / "train.csv", folder / "test.csv"
    for path, later in zip(paths, (False, True), strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(row for row in rows if (datetime.fromisoformat(row[column]) >= cut) is later)
    return paths


def one_forecast(source: Path) -> dict[str, float]:
    """Seconds of one fit on the whole file and milliseconds of one forecast of all horizons of one place."""
    known = {
        place: PlaceHistory(series_of(rows.times, rows.values), rows.capacities[-1])
        for place, rows in read(source, KIND).places.items()
    }
    model = OccupancyForecaster(KIND.zone)
    started = time.perf_counter()
    model.fit(known)
    fitted = time.perf_counter()
    laps = []
    for place, history in known.items():
        lap = time.perf_counter()
        model.predict(place, int(history.series.times.max()), history.series)
        laps.append(time.perf_counter() - lap)
    return {"fit_s": round(fitted - started, 2), "predict_p50_ms": round(float(np.median(laps)) * 1000, 2)}


def main() -> None:
    """Runs the benchmark and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--test-weeks", type=int, default=3)
    arguments = parser.parse_args()
    machine = facts()
    with tempfile.TemporaryDirectory() as folder:
        summary = backtest(*split(arguments.file, Path(folder), arguments.test_weeks)).summary()
    summary.pop("places")
    figures = {"benchmark": "forecast", "machine": machine}
    print(json.dumps({**figures, **summary, **one_forecast(arguments.file)}, indent=2))


if __name__ == "__main__":
    main()
