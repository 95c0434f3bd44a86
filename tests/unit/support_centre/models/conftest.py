"""A small invented city of garages, with patterns of day and week, for the tests of the models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dmi_support_centre.models.forecast import PlaceHistory, series_of
from dmi_support_centre.models.forecast.series import DAY, MINUTE

MONDAY = 1_700_438_400_000_000 // DAY * DAY
"""2023-11-20T00:00:00Z."""

MakeHistory = Callable[..., dict[str, PlaceHistory]]


@pytest.fixture
def monday() -> int:
    """The first moment of the invented data, µs UTC."""
    return MONDAY


@pytest.fixture
def make_history() -> MakeHistory:
    """Makes a history: days, minutes between observations, opening hours, seed."""

    def make(
        days: int = 28, step_min: int = 30, hours: tuple[int, int] = (8, 18), seed: int = 1, places: int = 3
    ) -> dict[str, PlaceHistory]:
        draw = np.random.default_rng(seed)
        history = {}
        for number in range(places):
            capacity = 200.0 + 150 * number
            times, values = [], []
            for day in range(days):
                busy = (0.8 if day % 7 < 5 else 0.4) * draw.normal(1, 0.12)
                wobble = 0.0
                for minute in range(hours[0] * 60, hours[1] * 60, step_min):
                    wobble = 0.9 * wobble + draw.normal(0, 0.006)
                    shape = np.sin(np.pi * (minute / 60 - 5) / 16) ** 2
                    late = int(draw.integers(0, max(1, step_min // 6))) * MINUTE
                    times.append(MONDAY + day * DAY + minute * MINUTE + late)
                    values.append(round(capacity * min(1.0, max(0.0, busy * shape + wobble))))
            history[f"garage-{number}"] = PlaceHistory(series_of(times, values), capacity)
        return history

    return make
