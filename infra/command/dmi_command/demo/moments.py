"""Moments of the city: microseconds in UTC, and the local clock that people live by, summer time included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from dmi_command.demo.noise import Floats, Ints

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
TIME_ZONE: Final = "Europe/Amsterdam"
_EPOCH = date(1970, 1, 1)


@cache
def _offset(hour: int) -> int:
    """Microseconds to add to UTC in this hour since 1970; the zone changes only on whole hours of UTC."""
    moment = datetime.fromtimestamp(hour * 3600, tz=UTC).astimezone(ZoneInfo(TIME_ZONE))
    offset = moment.utcoffset() or timedelta(0)
    return int(offset.total_seconds()) * SECOND


def local(times: Ints) -> tuple[Ints, Floats]:
    """Local days since 1970-01-01 and local minutes since midnight, for times in microseconds UTC."""
    hours, where = np.unique(times // HOUR, return_inverse=True)
    offsets = np.array([_offset(int(hour)) for hour in hours], dtype=np.int64)
    shifted = times + offsets[where]
    day = shifted // DAY
    return day, (shifted - day * DAY) / MINUTE


def local_day(time: int) -> int:
    """The local day, in days since 1970-01-01, of one time."""
    return (time + _offset(time // HOUR)) // DAY


def at_local(day: int, minute: float) -> int:
    """The time of a local clock reading: days since 1970, and minutes since midnight (may pass 1440)."""
    whole = _EPOCH + timedelta(days=day)
    wall = datetime(whole.year, whole.month, whole.day) + timedelta(minutes=minute)
    moment = wall.replace(tzinfo=ZoneInfo(TIME_ZONE))
    return int(moment.timestamp()) * SECOND


def weekday(day: Ints) -> Ints:
    """0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


def grid(after: int, until: int, step: int) -> Ints:
    """The multiples of ``step`` in (after, until], so that adjoining intervals never share a moment."""
    return np.arange(after // step + 1, until // step + 1, dtype=np.int64) * step
