"""Settings of visualisation."""

from __future__ import annotations

from pydantic import Field

from dmi_infra.settings import Settings


class VisualisationSettings(Settings):
    """What visualisation needs beyond the shared settings."""

    stream_limit: int = Field(200, gt=0, description="live streams that one process serves at the same time")
    stream_share: int = Field(
        0,
        ge=0,
        description="of those, how many one participant may have, with its machines and where it acts for others; "
        "0: a fifth, at least one",
    )
    background_url: str = Field(
        "",
        description="style address of an outside background map, for example PDOK's; empty uses own features",
    )

    @property
    def share_of_streams(self) -> int:
        """How many live streams one participant may have."""
        return self.stream_share or max(1, self.stream_limit // 5)
