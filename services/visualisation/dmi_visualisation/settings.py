"""Settings of visualisation."""

from __future__ import annotations

from pydantic import Field

from dmi_infra.settings import Settings


class VisualisationSettings(Settings):
    """What visualisation needs beyond the shared settings."""

    stream_limit: int = Field(200, gt=0, description="live streams that one process serves at the same time")
    background_url: str = Field(
        "",
        description="style address of an outside background map, for example PDOK's; empty uses own features",
    )
