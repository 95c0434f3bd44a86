"""Rows and features for the tests of visualisation."""

from __future__ import annotations

from typing import Any

from dmi_agreements.contracts.features import Feature
from dmi_visualisation.model import Shown
from tests.unit.infra.fakes import GARAGES, NOW

CENTRE = "garages.centrum.occupancy"


def row(
    result: float | None = 10.0,
    *,
    at: int = NOW,
    datastream: str = CENTRE,
    dataset: str = GARAGES,
    subject: str | None = None,
    **more: Any,
) -> Shown:
    """The newest value of one datastream, in the middle of the city."""
    known: dict[str, Any] = {
        "flag": 1,
        "longitude": 5.1,
        "latitude": 52.1,
        "neighbourhood": None,
        "observed_property": "occupancy",
        "unit": "{vehicle}",
        **more,
    }
    return Shown(datastream, dataset, at, result, subject=subject, **known)


def place(identifier: str, kind: str, name: str, lon: float = 5.1, lat: float = 52.1, **more: Any) -> Feature:
    """A feature at a point."""
    return Feature(identifier, kind, name, {"type": "Point", "coordinates": [lon, lat]}, more)
