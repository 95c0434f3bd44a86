"""Evaluates the forecast on files of the past from a rolling origin, without any look ahead.

At every observation of a place in the test file forecasts are issued as they would have been at that moment:
only rows of both files at or before it count. The model is fitted again every few days, on rows before that
instant. Issuing at observations is how the service works (it forecasts as data arrives) and makes persistence
as strong as it can be, since its last value is never old.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from dmi_infra.clock import from_datetime, to_text
from dmi_support_centre.models.forecast import (
    HORIZONS,
    OccupancyForecaster,
    PlaceHistory,
    Score,
    Series,
    clean,
    estimated_capacity,
    score_columns,
    with_actuals,
)
from dmi_support_centre.models.forecast.series import DAY, MINUTE, Times

COLUMNS = ("place", "issued_at", "valid_at", "p10", "p50", "p90")
REFIT_DAYS = 3.0
SHOWN_REJECTS = 20


class BacktestRefused(Exception):
    """A file or setting that cannot be evaluated; the message names the file, line or column and the rule."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of file names its columns, and the zone of times that carry no offset."""

    place: str
    capacity: str
    occupancy: str
    time: str
    zone: str


KINDS = {
    "birmingham-parking": Kind("SystemCodeNumber", "Capacity", "Occupancy", "LastUpdated", "Europe/London"),
}


@dataclass(slots=True)
class Rows:
    """One file's rows of one place, in columns as they came: times (µs UTC), values, capacities."""

    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    capacities: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """One file: its rows by place, how many were read, and which were left out and why."""

    places: dict[str, Rows]
    read: int = 0
    rejected: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """Both files' rows of one place in order of time, each time once."""

    series: Series
    capacities: npt.NDArray[np.float64]
    issues: Times


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts in columns of equal length, in order of place, issue and target; scores; what was read."""

    place: list[str]
    issued_at: npt.NDArray[np.int64]
    valid_at: npt.NDArray[np.int64]
    p10: npt.NDArray[np.float64]
    p50: npt.NDArray[np.float64]
    p90: npt.NDArray[np.float64]
    scores: list[Score]
    counts: dict[str, int]
    rejected: list[str]
    seconds: float

    def __len__(self) -> int:
        return len(self.place)

    def rows(self) -> Iterator[tuple[str, str, str, float, float, float]]:
        """Rows as ``COLUMNS`` names them: times RFC 3339 in UTC, vehicles to one decimal."""
        text = {int(at): to_text(int(at)) for at in np.unique(np.r_[self.issued_at, self.valid_at])}
        for index, place in enumerate(self.place):
            issued, valid = text[int(self.issued_at[index])], text[int(self.valid_at[index])]
            yield place, issued, valid, float(self.p10[index]), float(self.p50[index]), float(self.p90[index])

    def write(self, out: Path) -> None:
        """The rows as CSV with a header, UTF-8."""
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self.rows())

    def summary(self) -> dict[str, object]:
        """For ``--json``: overall and per horizon and place, counts, the rows left out, seconds."""
        entries = [(one.place, one.horizon_min, asdict(one)) for one in self.scores]
        return {
            "overall": next((e for place, horizon, e in entries if place is None and horizon is None), None),
            "horizons": [e for place, horizon, e in entries if place is None and horizon is not None],
            "places": [e for place, _, e in entries if place is not None],
            **self.counts,
            "rejects": self.rejected[:SHOWN_REJECTS],
            "seconds": round(self.seconds, 2),
        }


def backtest(
    train: Path,
    test: Path,
    kind: str = "birmingham-parking",
    horizons: Sequence[int] = HORIZONS,
    refit_days: float = REFIT_DAYS,
    progress: Callable[[float], None] | None = None,
) -> Backtest:
    """Forecasts for every observation in ``test``; ``progress`` hears the share done.

    Raises ``BacktestRefused``.
    """
    started = time.perf_counter()
    if kind not in KINDS:
        raise BacktestRefused(f"kind {kind!r} is unknown; known are: {', '.join(sorted(KINDS))}")
    if not horizons or min(horizons) < 1 or max(horizons) > 240:
        raise BacktestRefused("horizons must lie between 1 and 240 minutes")
    if refit_days <= 0:
        raise BacktestRefused("refit_days must be more than 0")
    shape = KINDS[kind]
    sources = read(train, shape), read(test, shape)
    places = {place: _joined(place, *sources) for place in sorted(_names(*sources))}
    blocks = _roll(places, shape.zone, horizons, refit_days, progress)
    quantiles = np.concatenate([np.stack(block.quantiles) for block in blocks], axis=1).round(1)
    return Backtest(
        place=[block.place for block in blocks for _ in range(block.issued_at.size)],
        issued_at=np.concatenate([block.issued_at for block in blocks]),
        valid_at=np.concatenate([block.valid_at for block in blocks]),
        p10=quantiles[0],
        p50=quantiles[1],
        p90=quantiles[2],
        scores=_scores(places, blocks),
        counts=_counts(sources, places),
        rejected=[line for source in sources for line in source.rejected],
        seconds=time.perf_counter() - started,
    )


def _counts(sources: Sequence[Source], places: dict[str, Place]) -> dict[str, int]:
    """Rows read = kept + duplicate + rejected."""
    read_rows = sum(source.read for source in sources)
    rejected = sum(len(source.rejected) for source in sources)
    kept = sum(len(place.series) for place in places.values())
    return {
        "places": len(places),
        "read": read_rows,
        "kept": kept,
        "duplicate": read_rows - rejected - kept,
        "rejected": rejected,
    }


def read(path: Path, kind: Kind) -> Source:
    """One CSV file: comma, UTF-8 with or without BOM; rows in any order.

    Missing columns, or not one usable row: ``BacktestRefused``.
    """
    source = Source({})
    zone = ZoneInfo(kind.zone)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="")
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            wanted = (kind.place, kind.capacity, kind.occupancy, kind.time)
            missing = [name for name in wanted if name not in header]
            if missing:
                found = ", ".join(header) or "nothing"
                raise BacktestRefused(
                    f"{path.name}, line 1: column {', '.join(missing)} missing; found {found}"
                )
            for row in reader:
                source.read += 1
                fault = _take(source, row, kind, zone)
                if fault:
                    source.rejected.append(f"{path.name}, line {reader.line_num}, {fault}")
    except UnicodeDecodeError as error:
        raise BacktestRefused(f"{path.name}: byte {error.start} is not UTF-8") from error
    except csv.Error as error:
        raise BacktestRefused(f"{path.name}: not readable as CSV: {error}") from error
    except OSError as error:
        raise BacktestRefused(f"{path.name}: cannot be read: {error.strerror}") from error
    if not source.places:
        first = f"; first: {source.rejected[0]}" if source.rejected else ""
        raise BacktestRefused(f"{path.name}: no usable row among {source.read}{first}")
    return source


def _take(source: Source, row: dict[str, str | None], kind: Kind, zone: ZoneInfo) -> str:
    """Adds a row; or says which column breaks which rule."""
    place = (row[kind.place] or "").strip()
    if not place:
        return f"column {kind.place}: empty"
    numbers = []
    for name in (kind.occupancy, kind.capacity):
        text = (row[name] or "").strip()
        try:
            number = float(text)
        except ValueError:
            return f"column {name}: not a number"
        if not np.isfinite(number):
            return f"column {name}: not finite"
        numbers.append(number)
    if numbers[1] < 0:
        return f"column {kind.capacity}: less than zero"
    try:
        moment = datetime.fromisoformat((row[kind.time] or "").strip())
    except ValueError:
        return f"column {kind.time}: not a time such as 2016-10-04 07:59:42"
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    rows = source.places.setdefault(place, Rows())
    rows.times.append(from_datetime(moment))
    rows.values.append(numbers[0])
    rows.capacities.append(numbers[1])
    return ""


def _names(*sources: Source) -> set[str]:
    return {place for source in sources for place in source.places}


def _joined(place: str, train: Source, test: Source) -> Place:
    """Rows of both files in order of time; at a time that occurs more than once the median holds."""
    both = [source.places[place] for source in (train, test) if place in source.places]
    times = np.concatenate([np.asarray(rows.times, dtype=np.int64) for rows in both])
    values = np.concatenate([np.asarray(rows.values, dtype=np.float64) for rows in both])
    capacities = np.concatenate([np.asarray(rows.capacities, dtype=np.float64) for rows in both])
    unique, where = np.unique(times, return_inverse=True)
    order = np.lexsort((values, where))
    starts = np.searchsorted(where[order], np.arange(unique.size))
    groups = np.split(values[order], starts[1:])
    middle = np.array([np.median(group) if group.size > 1 else group[0] for group in groups])
    highest = np.zeros(unique.size)
    np.maximum.at(highest, where, capacities)
    issues = (
        np.unique(np.asarray(test.places[place].times, dtype=np.int64))
        if place in test.places
        else unique[:0]
    )
    return Place(Series(unique, middle), highest, issues)


def _roll(
    places: dict[str, Place],
    zone: str,
    horizons: Sequence[int],
    refit_days: float,
    progress: Callable[[float], None] | None,
) -> list[_Block]:
    """Forecasts of every place, in order of place, issue time and horizon."""
    found: dict[str, list[_Block]] = {name: [] for name in places}
    # The blocks start at the first issue time, which no later row can change.
    start = min(int(place.issues[0]) for place in places.values() if place.issues.size)
    end = max(int(place.issues[-1]) for place in places.values() if place.issues.size)
    span = int(refit_days * DAY)
    for origin in range(start, end + 1, span):
        busy = {n: p.issues[(p.issues >= origin) & (p.issues < origin + span)] for n, p in places.items()}
        if any(issues.size for issues in busy.values()):
            model = OccupancyForecaster(zone)
            model.fit({name: _before(place, origin) for name, place in places.items()})
            for name, issues in busy.items():
                if issues.size:
                    found[name].append(_issue(model, name, places[name].series, issues, horizons))
        if progress is not None:
            progress(min(1.0, (origin + span - start) / (end + 1 - start)))
    return [block for blocks in found.values() for block in blocks]


def _issue(
    model: OccupancyForecaster, name: str, series: Series, issues: Times, horizons: Sequence[int]
) -> _Block:
    """Forecasts of one place at ``issues``; each rests on the rows at or before its own issue time."""
    made = model.predict_many(name, issues, series.until(int(issues[-1])), horizons)
    ahead = np.asarray(horizons, dtype=np.int64) * MINUTE
    valid = (issues[:, None] + ahead[None, :]).ravel()
    # The first observation ever of a place may be one that cleaning drops: then nothing can be said yet.
    known = ~np.isnan(made.p50.ravel())
    p10, p50, p90 = (column.ravel()[known] for column in (made.p10, made.p50, made.p90))
    return _Block(name, np.repeat(issues, len(horizons))[known], valid[known], (p10, p50, p90))


def _before(place: Place, origin: int) -> PlaceHistory:
    """What was known of a place strictly before the origin; the capacity is its newest one then."""
    series = place.series.until(origin - 1)
    capacity = float(place.capacities[len(series) - 1]) if len(series) else 0.0
    return PlaceHistory(series, capacity or None)


@dataclass(frozen=True, slots=True)
class _Block:
    """Forecasts of one place, flat: issue times, targets and quantiles in equal vectors."""

    place: str
    issued_at: Times
    valid_at: Times
    quantiles: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _scores(places: dict[str, Place], blocks: Sequence[_Block]) -> list[Score]:
    """Scores against the clean series; here, and only here, values after an issue time are looked at."""
    scored = []
    for block in blocks:
        place = places[block.place]
        capacity = float(place.capacities[-1]) or estimated_capacity(place.series)
        truth = clean(place.series, capacity)
        scored.append(with_actuals(block.place, truth, block.issued_at, block.valid_at, block.quantiles))
    return score_columns(scored)
