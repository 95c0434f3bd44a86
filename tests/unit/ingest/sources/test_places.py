"""Positions come out in WGS84, longitude first, or are refused."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_ingest.sources.places import RD_NEW, WGS84, declared_crs, placed, position
from dmi_ingest.sources.values import Unreadable


def test_the_origin_of_rd_new_lies_at_the_tower_of_amersfoort() -> None:
    longitude, latitude = position(155_000, 463_000)
    assert longitude == pytest.approx(5.38720621, abs=2e-5)
    assert latitude == pytest.approx(52.15517440, abs=2e-5)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (52.1, 5.1, "swapped_axes"),
        (463_000, 155_000, "swapped_axes"),
        (0.0, 0.0, "outside_netherlands"),
        (-1.9, 52.5, "outside_netherlands"),
        (float("nan"), 52.0, "bad_geometry"),
        (float("inf"), 52.0, "bad_geometry"),
    ],
)
def test_a_position_that_is_wrong_is_refused_with_its_reason(x: float, y: float, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        position(x, y)
    assert caught.value.reason == reason


def test_a_polygon_in_rd_new_is_converted_whether_declared_or_not() -> None:
    square = [[155_000, 463_000], [155_100, 463_000], [155_100, 463_100], [155_000, 463_000]]
    geometry = {"type": "Polygon", "coordinates": [square]}
    for declared in (RD_NEW, WGS84):
        found = placed(geometry, declared)
        assert found.crs == RD_NEW
        assert found.geometry["coordinates"][0][0] == pytest.approx([5.38720621, 52.15517440], abs=2e-5)


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (None, "bad_geometry"),
        ({"type": ["Point"], "coordinates": [5, 52]}, "bad_geometry"),
        ({"type": "Circle", "coordinates": [5, 52]}, "bad_geometry"),
        ({"type": "Point", "coordinates": ["5", "52"]}, "bad_geometry"),
        ({"type": "Point", "coordinates": [5]}, "bad_geometry"),
        ({"type": "Point", "coordinates": [10**400, 52]}, "bad_geometry"),
        ({"type": "Point", "coordinates": [True, 52]}, "bad_geometry"),
        ({"type": "Point", "coordinates": 5}, "bad_geometry"),
        ({"type": "Polygon", "coordinates": []}, "bad_geometry"),
        ({"type": "Polygon", "coordinates": [[]]}, "bad_geometry"),
        ({"type": "LineString", "coordinates": [[5.0, 52.0]]}, "bad_geometry"),
        ({"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52], [5, 52]]]}, "bad_geometry"),
        ({"type": "LineString", "coordinates": [[5, 52], [155_000, 463_000]]}, "mixed_crs"),
    ],
)
def test_a_geometry_that_is_none_is_refused(geometry: Any, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        placed(geometry, WGS84)
    assert caught.value.reason == reason


def test_degrees_are_refused_where_rd_new_was_declared() -> None:
    with pytest.raises(Unreadable) as caught:
        placed({"type": "Point", "coordinates": [5.1, 52.1]}, RD_NEW)
    assert caught.value.reason == "wrong_crs"


def test_a_bow_tie_is_mended_and_an_unclosed_ring_closed() -> None:
    bow = {"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52.1], [5.1, 52], [5, 52.1], [5, 52]]]}
    assert placed(bow, WGS84).repair == "self-crossings mended"
    assert placed(bow, WGS84).geometry["type"] == "MultiPolygon"
    unclosed = {"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52], [5.1, 52.1]]]}
    ring = placed(unclosed, WGS84).geometry["coordinates"][0]
    assert ring[0] == ring[-1]


def test_a_hole_without_area_is_left_out_with_a_note() -> None:
    outer = [[5, 52], [5.1, 52], [5.1, 52.1], [5, 52]]
    found = placed({"type": "Polygon", "coordinates": [outer, [[5.05, 52.01]] * 4]}, WGS84)
    assert found.repair == "1 rings without area left out"
    assert len(found.geometry["coordinates"]) == 1


def test_a_height_is_dropped() -> None:
    assert placed({"type": "Point", "coordinates": [5.1, 52.1, 3]}, WGS84).geometry["coordinates"] == [
        5.1,
        52.1,
    ]


def test_the_declared_crs_is_read_from_the_document() -> None:
    name = "urn:ogc:def:crs:EPSG::28992"
    assert declared_crs({"crs": {"type": "name", "properties": {"name": name}}}) == RD_NEW
    assert declared_crs({}) == WGS84
    with pytest.raises(Unreadable):
        declared_crs({"crs": "Rijksdriehoek"})
