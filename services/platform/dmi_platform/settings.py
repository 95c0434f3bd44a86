"""Settings of the platform."""

from __future__ import annotations

from pydantic import Field

from dmi_infra.settings import Settings


class PlatformSettings(Settings):
    """What the platform needs beyond the shared settings."""

    export_limit: int = Field(20, gt=0, description="exports that one process makes at the same time")
    export_share: int = Field(
        0,
        ge=0,
        description="of those, how many one participant may have, with its machines and where it acts for others; "
        "0: a fifth, at least one",
    )
    quality_seconds: float = Field(
        300.0,
        gt=0,
        le=86_400,
        description="seconds between two looks at how complete and plausible the data of the last hour is, "
        "which the catalogue tells",
    )
    plausible_area: tuple[float, float, float, float] = Field(
        (3.0, 50.6, 7.4, 53.8),
        description="west, south, east, north in WGS84: positions outside are flagged as suspect, unless the "
        "datastream or its thing states an area of its own; the default surrounds the Netherlands",
    )

    @property
    def share_of_exports(self) -> int:
        """How many exports one participant may have at the same time."""
        return self.export_share or max(1, self.export_limit // 5)
