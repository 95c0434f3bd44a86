"""The two forecasts that need no model: it stays as it is; it is as a week ago."""

from __future__ import annotations

import numpy as np

from dmi_support_centre.models.forecast.series import DAY, MINUTE, Series, Times, Values, interpolate, last_at

LAST_WEEK_GAP = 100 * MINUTE


def persistence(series: Series, issued_at: Times) -> Values:
    """The last observation at or before each issue time; NaN where there is none."""
    if not len(series):
        return np.full(issued_at.shape, np.nan)
    index = last_at(series, issued_at)
    return np.where(index >= 0, series.values[np.maximum(index, 0)], np.nan)


def last_week(series: Series, valid_at: Times) -> Values:
    """The value seven days before each target, linear between observations; NaN over a gap of 100 minutes."""
    return interpolate(series, valid_at - 7 * DAY, LAST_WEEK_GAP)
