"""Settings of the support centre."""

from __future__ import annotations

from pydantic import Field

from dmi_infra.settings import Settings


class SupportCentreSettings(Settings):
    """What the support centre needs beyond the shared settings."""

    forecast_seconds: float = Field(
        60.0, ge=1, description="seconds between two rounds of forecasts while new data arrives"
    )
    refit_seconds: float = Field(
        3600.0, ge=60, description="seconds between two times that the forecast learns from its whole history"
    )
    score_days: float = Field(
        2.0, ge=0.25, le=14, description="days of past forecasts that the shown score rests on"
    )
    zone: str = Field(
        "Europe/Amsterdam", description="time zone of the city: people park and travel by its wall clock"
    )
    webhook_seconds: float = Field(
        10.0, gt=0, le=60, description="seconds that a subscriber's address has to answer a webhook"
    )
