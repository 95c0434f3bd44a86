"""Forecast of occupancy 15 to 120 minutes ahead with an 80 % interval, its baselines and its score."""

from dmi_support_centre.models.forecast.baselines import last_week, persistence
from dmi_support_centre.models.forecast.model import (
    HORIZONS,
    Forecast,
    NotEnoughHistory,
    OccupancyForecaster,
    Quantiles,
)
from dmi_support_centre.models.forecast.score import Score, Scored, score, score_columns, with_actuals
from dmi_support_centre.models.forecast.series import (
    History,
    PlaceHistory,
    Series,
    actual,
    clean,
    estimated_capacity,
    series_of,
)

__all__ = [
    "HORIZONS",
    "Forecast",
    "History",
    "NotEnoughHistory",
    "OccupancyForecaster",
    "PlaceHistory",
    "Quantiles",
    "Score",
    "Scored",
    "Series",
    "actual",
    "clean",
    "estimated_capacity",
    "last_week",
    "persistence",
    "score",
    "score_columns",
    "series_of",
    "with_actuals",
]
