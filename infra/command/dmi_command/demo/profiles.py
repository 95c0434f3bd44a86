"""Patterns of a day and of a week, and the occasions that break them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from dmi_command.demo import noise
from dmi_command.demo.moments import weekday
from dmi_command.demo.noise import Bools, Floats, Ints

Curve = tuple[tuple[float, float], ...]
"""Points (local hour, level) from hour 0 to hour 24, straight lines in between."""
Profile = Mapping[str, Curve]
"""A curve for ``day`` (any day without its own) and for the named days ``mon`` to ``sun``."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MARKET_DAYS: Final = (2, 5)
"""The market stands on the square on Wednesday and Saturday."""
_EVENT_CHANCE: Final = 0.12


def level(profile: Profile, day: Ints, minute: Floats) -> Floats:
    """The profile's level at local days (since 1970) and minutes (since midnight)."""
    result = np.empty(len(minute))
    numbers = weekday(day)
    for number in np.unique(numbers).tolist():
        hours, levels = np.array(profile.get(DAYS[number], profile["day"])).T
        chosen = numbers == number
        result[chosen] = np.interp(minute[chosen] / 60.0, hours, levels)
    return result


def between(minute: Floats, start: float, end: float, ramp: float = 45.0) -> Floats:
    """1 from ``start`` to ``end`` (minutes since midnight), with slopes of ``ramp`` minutes outside it."""
    return np.asarray(np.interp(minute, [start - ramp, start, end, end + ramp], [0.0, 1.0, 1.0, 0.0]))


def is_market(day: Ints) -> Bools:
    """Whether it is market day."""
    return np.isin(weekday(day), MARKET_DAYS)


def is_event(seed: int, day: Ints) -> Bools:
    """Whether there is a concert at the harbour quay that evening (about one day in eight)."""
    return np.asarray(noise.uniform(noise.key(seed, "event"), day) < _EVENT_CHANCE)
