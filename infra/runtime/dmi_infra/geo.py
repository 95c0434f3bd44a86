"""Coordinates: WGS84 (longitude first) outside and in store, RD New (EPSG:28992) for metres."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import Transformer

RD_NEW = "EPSG:28992"
WGS84 = "OGC:CRS84"


@cache
def _transformer(source: str, target: str) -> Transformer:
    # Imported here: every service has a gate, and few agreements coarsen.
    from pyproj import Transformer

    # always_xy: both sides in longitude/easting first, whatever axis order the registry states.
    return Transformer.from_crs(source, target, always_xy=True)


class Projection:
    """The projection that duties need (``dmi_agreements.duties.Projection``)."""

    def to_rd(self, lon: Sequence[float], lat: Sequence[float]) -> tuple[list[float], list[float]]:
        """WGS84 degrees to RD New metres."""
        x, y = _transformer(WGS84, RD_NEW).transform(list(lon), list(lat))
        return x, y

    def to_wgs84(self, x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
        """RD New metres to WGS84 degrees."""
        lon, lat = _transformer(RD_NEW, WGS84).transform(list(x), list(y))
        return lon, lat
