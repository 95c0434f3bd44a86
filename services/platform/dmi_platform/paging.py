"""Pages of a datastream's history: cut anywhere, or between whole windows where a duty judges rows together.

What a page holds and whether another follows depends on rows that pass the gate alone. Were rows counted before it,
a reader could find those that it leaves out, by asking for pages of one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from dmi_agreements.contracts.observations import Micros
from dmi_infra.errors import InputRefused
from dmi_infra.permit import EVER, Passed
from dmi_platform.model import Cursor
from dmi_platform.store import Table

WINDOW_ROWS: Final = 1_000_000
"""Rows of one window at most: they are held in memory together, since their mean is made of all of them."""
CHUNK_ROWS: Final = 100_000
"""Rows of several windows that are held in memory together at most."""
PIECE_ROWS: Final = 1000
"""Rows of whole windows that are read at a time at least, so that few reads pass over windows that give nothing."""


class ReadSpan(Protocol):
    """Reads at most ``limit`` rows of all datastreams from ``begin`` until before ``end``, by time."""

    def __call__(self, begin: Micros, end: Micros, limit: int) -> Table: ...


class Read(Protocol):
    """Reads rows from ``begin`` until before ``end``, by time and source id, behind ``after``."""

    def __call__(self, begin: Micros, end: Micros, after: Cursor | None, limit: int) -> Table: ...


def page(
    read: Read, begin: Micros, end: Micros, after: Cursor | None, limit: int
) -> tuple[Table, Cursor | None]:
    """``limit`` rows and where the next page begins (``None``: this was the last); ``read`` gives only what passes."""
    table = read(begin, end, after, limit)
    return table, _behind(table) if len(table) == limit else None


def filled(
    read: Read, judge: Callable[[Table], Passed], begin: Micros, end: Micros, limit: int, window: Micros
) -> tuple[list[Passed], Cursor | None]:
    """Whole windows until ``limit`` rows have passed, and where the next page begins (``None``: this was the last).

    They are those that begin from ``begin`` until before ``end``. Otherwise whoever chooses page or span could have
    the mean of a part, down to a single row.
    """
    begin, end = whole(begin, window), whole(end, window)
    given: list[Passed] = []
    rows = 0
    while begin < end:
        table, following = _piece(read, begin, end, max(limit - rows, PIECE_ROWS), window)
        passed = judge(table)
        times = passed.batch.phenomenon_time
        if rows + len(times) >= limit:
            behind = (times[limit - rows - 1] // window + 1) * window
            given.append(passed.between(-EVER, behind))
            return given, Cursor(behind)
        given.append(passed)
        rows += len(times)
        if following is None:
            break
        begin = following
    return given, None


def whole(at: Micros, window: Micros) -> Micros:
    """The beginning of the first window that begins at ``at`` or later."""
    return -(-at // window) * window


def windows(read: ReadSpan, begin: Micros, end: Micros, window: Micros) -> Iterator[Table]:
    """All rows between two beginnings of windows, in pieces that each hold whole windows."""
    single = end - begin <= window
    most = WINDOW_ROWS if single else CHUNK_ROWS
    table = read(begin, end, most)
    if len(table) < most:
        yield table
        return
    if single:
        raise _too_many("dataset")
    middle = begin + max(window, (end - begin) // 2 // window * window)
    yield from windows(read, begin, middle, window)
    yield from windows(read, middle, end, window)


def _too_many(field: str) -> InputRefused:
    rule = f"has more than {WINDOW_ROWS} rows in one window over which the agreement aggregates"
    return InputRefused.of(field, rule)


def _piece(read: Read, begin: Micros, end: Micros, size: int, window: Micros) -> tuple[Table, Micros | None]:
    """Whole windows of about ``size`` rows, and the beginning of the first that was not read (``None``: all were)."""
    table = read(begin, end, None, size)
    if len(table) < size:
        return table, None
    times = table.columns["time"]
    last = times[-1] // window * window
    before = bisect_left(times, last)
    if before:
        return table.first(before), last
    rest = read(begin, last + window, _behind(table), WINDOW_ROWS)
    if len(rest) == WINDOW_ROWS:
        raise _too_many("datastream")
    return table.joined(rest), last + window


def _behind(table: Table) -> Cursor:
    return Cursor(table.columns["time"][-1], table.columns["source_id"][-1])
