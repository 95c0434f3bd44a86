"""Geometries are checked in the CRS that they declare and kept in WGS84."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_infra.errors import InputRefused
from dmi_ingest import geometry

SQUARE = [[5.1, 52.1], [5.2, 52.1], [5.2, 52.2], [5.1, 52.2], [5.1, 52.1]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def test_a_valid_geometry_is_kept() -> None:
    assert geometry.checked({"type": "Point", "coordinates": [5.1, 52.1, 3]}, "g")["coordinates"] == (
        5.1,
        52.1,
    )


def test_rd_new_becomes_wgs84() -> None:
    found = geometry.checked({"type": "Point", "coordinates": [155000, 463000]}, "g", "EPSG:28992")
    assert found["coordinates"] == pytest.approx((5.38720621, 52.15517440), abs=1e-5)


@pytest.mark.parametrize(
    ("value", "crs", "rule"),
    [
        ({"type": "Point", "coordinates": [52.1, 5.1]}, "OGC:CRS84", "axes are swapped"),
        ({"type": "Point", "coordinates": [463000, 155000]}, "EPSG:28992", "axes are swapped"),
        ({"type": "Point", "coordinates": [155000, 463000]}, "OGC:CRS84", "declare crs EPSG:28992"),
        ({"type": "Point", "coordinates": [5.1, 52.1]}, "EPSG:28992", "area of RD New"),
        ({"type": "Point", "coordinates": [5.1]}, "OGC:CRS84", "two or three numbers"),
        ({"type": "Point", "coordinates": [5.1, float("nan")]}, "OGC:CRS84", "finite"),
        ({"type": "Circle", "coordinates": [5.1, 52.1]}, "OGC:CRS84", "must be one of"),
        ({"type": ["Point"], "coordinates": [5.1, 52.1]}, "OGC:CRS84", "must be one of"),
        ({"type": {}, "coordinates": [5.1, 52.1]}, "OGC:CRS84", "must be one of"),
        ({"type": "LineString", "coordinates": [[5.1, 52.1]]}, "OGC:CRS84", "must form a geometry"),
        (polygon(), "OGC:CRS84", "positions"),
        (
            polygon([[5.1, 52.1], [5.2, 52.2], [5.2, 52.1], [5.1, 52.2], [5.1, 52.1]]),
            "OGC:CRS84",
            "must be a valid",
        ),
        ({"type": "Point", "coordinates": {"x": 1}}, "OGC:CRS84", "JSON array"),
    ],
)
def test_a_faulty_geometry_is_refused_by_rule(value: Any, crs: str, rule: str) -> None:
    with pytest.raises(InputRefused) as caught:
        geometry.checked(value, "g", crs)
    assert rule in caught.value.errors[0].rule


def test_an_unknown_crs_is_refused() -> None:
    with pytest.raises(InputRefused):
        geometry.declared("EPSG:3857")
    assert geometry.checked(polygon(SQUARE), "g", geometry.declared(None))["type"] == "Polygon"
