"""Time as the services use it: microseconds UTC inside, RFC 3339 with ``Z`` outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from dmi_agreements.contracts.observations import Micros

Clock = Callable[[], Micros]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST: Micros = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST: Micros = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

EARLIEST: Micros = -2_208_988_800_000_000
"""1900-01-01: an observation before it is a mistake of the source."""
LATEST: Micros = 4_102_444_800_000_000
"""2100-01-01: likewise, after it."""


def now() -> Micros:
    """The wall clock in microseconds UTC."""
    return time.time_ns() // 1000


def seconds() -> float:
    """The wall clock in seconds since 1970, as tokens and keys count it."""
    return time.time()


def to_text(at: Micros) -> str:
    """RFC 3339 in UTC; whole seconds without a fraction. What lies beyond the calendar is told as its edge."""
    return _moment(at).isoformat(timespec="auto").replace("+00:00", "Z")


def day_of(at: Micros) -> date:
    """The day in UTC."""
    return _moment(at).date()


def _moment(at: Micros) -> datetime:
    # The limits of an agreement, for one, may lie on a day that the calendar has in their zone and not in UTC.
    return _EPOCH + timedelta(microseconds=min(max(at, _FIRST), _LAST))


def from_datetime(moment: datetime) -> Micros:
    """An aware datetime in microseconds; a naive one raises ``ValueError``, since its zone is not known."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone offset, for example 2026-11-21T12:00:00Z")
    return (moment - _EPOCH) // _MICROSECOND


def from_text(text: str) -> Micros:
    """RFC 3339 text in microseconds; raises ``ValueError`` without an offset or outside 1900 to 2100."""
    if "\0" in text:
        # The parser of Python 3.11 takes it for the end of the text.
        raise ValueError("a time must be RFC 3339")
    at = from_datetime(datetime.fromisoformat(text.strip()))
    if not EARLIEST <= at < LATEST:
        raise ValueError("a time must lie between 1900 and 2100")
    return at
