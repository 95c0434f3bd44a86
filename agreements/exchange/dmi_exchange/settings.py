"""Settings of the exchange."""

from __future__ import annotations

from pydantic import Field

from dmi_infra.settings import Settings


class ExchangeSettings(Settings):
    """What the exchange needs beyond the shared settings."""

    heartbeat_seconds: float = Field(
        1.0,
        gt=0,
        le=2.0,
        description="seconds between two heartbeats of the law, well under the five after which gates refuse",
    )
