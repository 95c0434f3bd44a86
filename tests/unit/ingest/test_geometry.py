"""Geometries are checked in the CRS that they declare and kept in WGS84."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from dmi_infra.errors import InputRefused
from dmi_ingest import geometry
from dmi_ingest.sources.places import placed

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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            polygon([[5.1, 52.1], [5.2, 52.2], [5.2, 52.1], [5.1, 52.2], [5.1, 52.1]]),
            "self-intersection at 5.15, 52.15",
        ),
        (
            polygon(SQUARE, [[5.3, 52.3], [5.4, 52.3], [5.4, 52.4], [5.3, 52.3]]),
            "hole lies outside shell at 5.3, 52.3",
        ),
    ],
)
def test_what_makes_a_geometry_invalid_is_told_with_its_place(value: Any, told: str) -> None:
    with pytest.raises(InputRefused) as caught:
        geometry.checked(value, "geometry")
    (error,) = caught.value.errors
    assert (error.field, error.value) == ("geometry", told)


def test_a_valid_surface_in_rd_new_is_valid_in_wgs84_also_where_centimetres_are_too_coarse() -> None:
    x, y = 155_000.0, 463_000.0
    # Two notches whose tips lie millimetres above the lower edge.
    for up in (0.001, 0.002, 0.004):
        tips = [[x + 7, y + up], [x + 5, y + 9], [x + 3, y + up]]
        drawn = polygon([[x, y], [x + 10, y], [x + 10, y + 9], *tips, [x, y + 9], [x, y]])
        handed_in = geometry.checked(drawn, "g", "EPSG:28992")
        read = placed(drawn, "EPSG:28992").geometry
        assert all(shapely.geometry.shape(found).is_valid for found in (handed_in, read)), up
