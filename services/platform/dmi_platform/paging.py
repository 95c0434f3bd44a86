"""Pages of a datastream's history: cut anywhere, or between whole windows where a duty judges rows together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from dmi_agreements.contracts.observations import Micros
from dmi_infra.errors import InputRefused
from dmi_platform.model import Cursor
from dmi_platform.store import Table

WINDOW_ROWS: Final = 1_000_000
"""Rows of one window at most: they are held in memory together, since their mean is made of all of them."""
CHUNK_ROWS: Final = 100_000
"""Rows of several windows that are held in memory together at most."""


class ReadSpan(Protocol):
    """Reads at most ``limit`` rows of all datastreams from ``begin`` until before ``end``, by time."""

    def __call__(self, begin: Micros, end: Micros, limit: int) -> Table: ...


class Read(Protocol):
    """Reads rows from ``begin`` until before ``end``, by time and source id, behind ``after``."""

    def __call__(self, begin: Micros, end: Micros, after: Cursor | None, limit: int) -> Table: ...


def page(
    read: Read, begin: Micros, end: Micros, after: Cursor | None, limit: int, window: Micros | None
) -> tuple[Table, Cursor | None]:
    """About ``limit`` rows and where the next page begins (``None``: this was the last).

    With a ``window`` (microseconds) only whole windows are read: those that begin from ``begin`` until before
    ``end``. Otherwise whoever chooses page or span could have the mean of a part, down to a single row.
    """
    if window is not None:
        begin, end = whole(begin, window), whole(end, window)
    table = read(begin, end, after, limit)
    if len(table) < limit:
        return table, None
    if window is not None:
        table = _whole(read, begin, table, window)
    return table, _behind(table)


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


def _whole(read: Read, begin: Micros, table: Table, window: Micros) -> Table:
    """Without the rows of a last window that is cut, or, where the page holds no other, with the rest of it."""
    times = table.columns["time"]
    last = times[-1] // window * window
    before = next(row for row, time in enumerate(times) if time >= last)
    if before:
        return table.first(before)
    rest = read(begin, last + window, _behind(table), WINDOW_ROWS)
    if len(rest) == WINDOW_ROWS:
        raise _too_many("datastream")
    return table.joined(rest)


def _behind(table: Table) -> Cursor:
    return Cursor(table.columns["time"][-1], table.columns["source_id"][-1])
