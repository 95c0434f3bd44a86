"""A raw batch becomes harmonised: canonical units, WGS84, quality flags, neighbourhood; pure, in numpy columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from dmi_agreements.contracts.observations import LARGEST_RESULT, ObservationBatch
from dmi_infra.clock import EARLIEST, LATEST
from dmi_platform import quality
from dmi_platform.model import NEVER, Datastream, storable
from dmi_platform.neighbourhoods import Neighbourhoods
from dmi_platform.quality import Flags, Floats, Ints
from dmi_platform.registry import Plan, Registry, Wanted

TRANSFORMATIONS: Final = (
    "units to UCUM canonical units",
    "times to UTC, positions to WGS84",
    "quality tests: range, rate, missing, place",
    "repeats dropped by datastream, time and source id",
    "neighbourhood by position and validity",
)
"""What happens to every accepted row, for its lineage."""

_DECIMALS: Final = 9
"""Converted values are rounded here, so that 293.15 K is 20 Cel and not 19.999999999999996."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest row of a datastream, and its newest row that has a value (NaN: none)."""

    time: int = NEVER
    valued_at: int = NEVER
    value: float = float("nan")


class Before(Protocol):
    """What was there before a batch."""

    def __call__(self, keys: list[int]) -> Mapping[int, Newest]:
        """The newest rows of these datastreams."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Harmonised rows in columns; ``streams`` by ``code``, missing numbers are NaN, no source id is ``""``."""

    streams: list[Datastream]
    code: Ints
    key: Ints
    time: Ints
    source_id: list[str]
    result: Floats
    raw_result: Floats
    flags: dict[str, Flags]
    longitude: Floats
    latitude: Floats
    """As the row states it, else that of its thing as it stands now: the row keeps it when the thing moves on."""
    subject: list[str | None] | None
    neighbourhood: list[str | None]
    newest_time: Ints
    """Time of the newest row stored of each row's datastream."""

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Harmonised:
    """The rows that can be stored, their numbers in the batch, and those that cannot, by reason and culprit."""

    rows: Rows
    numbers: Ints
    rejected: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def harmonise(batch: ObservationBatch, registry: Registry, before: Before) -> Harmonised:
    """Harmonise the rows of one dataset; asks ``before`` once, for the datastreams of the good rows."""
    count = len(batch)
    code, wanted = _codes(batch)
    plans = [registry.plan(batch.dataset, each) for each in wanted]
    time = times_of(batch)
    raw = quality.numbers(batch.result, count)
    longitude = quality.numbers(batch.longitude, count)
    latitude = quality.numbers(batch.latitude, count)
    rejected: dict[tuple[str, str], list[int]] = {}
    good = np.ones(count, bool)

    def refuse(bad: Flags | np.ndarray[tuple[int], np.dtype[np.bool_]], reason: str, about: str = "") -> None:
        rows = np.flatnonzero(bad & good).tolist()
        if rows:
            rejected.setdefault((reason, about), []).extend(rows)
            good[rows] = False

    for number, plan in enumerate(plans):
        if plan.reason is not None:
            refuse(code == number, plan.reason, wanted[number][0])
    refuse((time < EARLIEST) | (time >= LATEST), "time_out_of_range")
    half = np.isnan(longitude) != np.isnan(latitude)
    refuse(half | (np.abs(longitude) > 180) | (np.abs(latitude) > 90), "impossible_position")
    # Summed up it would be no number any more. It is judged as it will be stored too: 10^18 km is beyond in metres.
    value = _converted(raw, code, plans)
    refuse((np.abs(raw) > LARGEST_RESULT) | (np.abs(value) > LARGEST_RESULT), "too_large")
    for name in ("source_id", "subject"):
        refuse(_unstorable(getattr(batch, name), count), f"bad_{name}")

    numbers = np.flatnonzero(good)
    if len(numbers) < count:
        batch = batch.take(numbers.tolist())
        code, time, raw, value = code[numbers], time[numbers], raw[numbers], value[numbers]
        longitude, latitude = longitude[numbers], latitude[numbers]
    columns = _Columns(batch, code, time, raw, value, longitude, latitude)
    return Harmonised(_rows(columns, plans, registry.neighbourhoods, before), numbers, rejected)


@dataclass(frozen=True, slots=True)
class _Columns:
    batch: ObservationBatch
    code: Ints
    time: Ints
    raw: Floats
    value: Floats
    longitude: Floats
    latitude: Floats


def _codes(batch: ObservationBatch) -> tuple[Ints, list[Wanted]]:
    """Number the distinct kinds of rows, so that all further work per kind is done once."""
    names = batch.datastream
    if batch.unit is None and batch.observed_property is None:
        index = {name: number for number, name in enumerate(dict.fromkeys(names))}
        code = np.fromiter(map(index.__getitem__, names), np.int64, len(names))
        return code, [(name, None, None) for name in index]
    absent = [None] * len(names)
    rows = list(zip(names, batch.unit or absent, batch.observed_property or absent, strict=True))
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(rows))}
    return np.fromiter(map(kinds.__getitem__, rows), np.int64, len(rows)), list(kinds)


def times_of(batch: ObservationBatch) -> Ints:
    """The phenomenon times; one that no calendar has becomes ``NEVER``, which is out of range."""
    column = batch.phenomenon_time
    try:
        return np.array(column, np.int64)
    except OverflowError:
        return np.array([at if EARLIEST <= at < LATEST else NEVER for at in column], np.int64)


def _converted(raw: Floats, code: Ints, plans: list[Plan]) -> Floats:
    """The results in canonical units; as they are where no unit is converted."""
    if all(plan.factor == 1.0 and plan.offset == 0.0 for plan in plans):
        return raw
    factor = np.array([plan.factor for plan in plans], np.float64)[code]
    offset = np.array([plan.offset for plan in plans], np.float64)[code]
    # What lies beyond all numbers is refused, so that it needs no warning.
    with np.errstate(over="ignore"):
        converted = np.round(raw * factor + offset, _DECIMALS)
    return np.where((factor == 1.0) & (offset == 0.0), raw, converted)


def _unstorable(column: list[str | None] | None, count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if column is None:
        return np.zeros(count, bool)
    return np.array([value is not None and not storable(value) for value in column], bool)


def _rows(columns: _Columns, plans: list[Plan], places: Neighbourhoods, before: Before) -> Rows:
    code, time, value = columns.code, columns.time, columns.value
    streams = [plan.stream or _NO_STREAM for plan in plans]
    key = np.array([stream.key for stream in streams], np.int64)[code]
    known = before(sorted(set(key.tolist())))
    newest = [known.get(stream.key, Newest()) for stream in streams]

    def per_row(values: list[float]) -> Floats:
        return np.array(values, np.float64)[code]

    fixed = [plan.stream.position if plan.stream else None for plan in plans]
    own = ~np.isnan(columns.longitude)
    here_lon = np.where(own, columns.longitude, per_row([p[0] if p else np.nan for p in fixed]))
    here_lat = np.where(own, columns.latitude, per_row([p[1] if p else np.nan for p in fixed]))
    west, south, east, north = (per_row([plan.area[side] for plan in plans]) for side in range(4))
    flags = {
        "range": quality.range_test(
            value,
            per_row([plan.minimum for plan in plans]),
            per_row([plan.maximum for plan in plans]),
            per_row([plan.capacity for plan in plans]),
        ),
        "rate": quality.rate_test(
            key,
            time,
            value,
            per_row([plan.step for plan in plans]),
            np.array([last.valued_at for last in newest], np.int64)[code],
            per_row([last.value for last in newest]),
        ),
        "missing": quality.missing_test(value),
        "place": quality.place_test(here_lon, here_lat, west, south, east, north),
    }
    return Rows(
        streams, code, key, time, [source or "" for source in columns.batch.source_id or [""] * len(time)],
        value, columns.raw, flags, here_lon, here_lat, columns.batch.subject,
        _neighbourhood(columns, plans, own, here_lon, here_lat, places),
        np.array([last.time for last in newest], np.int64)[code],
    )  # fmt: skip


def _neighbourhood(
    columns: _Columns,
    plans: list[Plan],
    own: np.ndarray[tuple[int], np.dtype[np.bool_]],
    longitude: Floats,
    latitude: Floats,
    places: Neighbourhoods,
) -> list[str | None]:
    """That of the thing, kept in the plan; looked up for rows with a position or a time-bound answer."""
    constant = [plan.neighbourhood for plan in plans]
    found: list[str | None] = [constant[number] for number in columns.code.tolist()]
    moving = np.array([plan.moves_in_time for plan in plans], bool)[columns.code]
    asked = np.flatnonzero(own | moving)
    if len(asked):
        answers = places.at(longitude[asked], latitude[asked], columns.time[asked])
        for row, answer in zip(asked.tolist(), answers, strict=True):
            found[row] = answer
    return found


def select(rows: Rows, chosen: Ints, dataset: str, batch_id: str) -> ObservationBatch:
    """The chosen rows as a message of the harmonised topic."""
    whole = len(chosen) == len(rows)
    codes = (rows.code if whole else rows.code[chosen]).tolist()
    streams = rows.streams

    def texts(column: list[str | None]) -> list[str | None]:
        return column if whole else [column[row] for row in chosen.tolist()]

    source = [value or None for value in texts(list(rows.source_id))]
    positioned = not np.isnan(rows.longitude).all()
    return ObservationBatch(
        dataset=dataset,
        datastream=[streams[code].id for code in codes],
        phenomenon_time=rows.time[chosen].tolist(),
        result=quality.optional(rows.result[chosen]),
        longitude=quality.optional(rows.longitude[chosen]) if positioned else None,
        latitude=quality.optional(rows.latitude[chosen]) if positioned else None,
        subject=None if rows.subject is None else texts(rows.subject),
        source_id=source if any(source) else None,
        observed_property=[streams[code].observed_property for code in codes],
        unit=[streams[code].unit for code in codes],
        raw_result=quality.optional(rows.raw_result[chosen]),
        flags={test: column[chosen].tolist() for test, column in rows.flags.items()},
        neighbourhood=texts(rows.neighbourhood),
        batch_id=batch_id,
    )


def locate(batch: ObservationBatch, registry: Registry) -> ObservationBatch:
    """The batch with the position of its thing on every row that states none, so that duties on place hold."""
    code, wanted = _codes(batch)
    streams = [registry.stream(each[0]) for each in wanted]
    fixed = [stream.position if stream else None for stream in streams]
    longitude = quality.numbers(batch.longitude, len(batch))
    latitude = quality.numbers(batch.latitude, len(batch))
    bare = np.isnan(longitude) & np.isnan(latitude)
    for column, side in ((longitude, 0), (latitude, 1)):
        column[bare] = np.array([p[side] if p else np.nan for p in fixed], np.float64)[code][bare]
    return msgspec.structs.replace(
        batch, longitude=quality.optional(longitude), latitude=quality.optional(latitude)
    )


def merge(batches: list[ObservationBatch]) -> ObservationBatch:
    """Batches of one dataset with the same columns as one."""
    if len(batches) == 1:
        return batches[0]
    found = [dict(batch.columns()) for batch in batches]
    columns: dict[str, Any] = {name: list(chain.from_iterable(f[name] for f in found)) for name in found[0]}
    if batches[0].flags is not None:
        columns["flags"] = {test: columns.pop(f"flags.{test}") for test in batches[0].flags}
    return msgspec.structs.replace(batches[0], **columns)


_NO_STREAM: Final = Datastream(0, "", "", "", "", "", "", "", {})
"""Stands where a datastream is not known; no good row points to it."""
