"""TopoJSON is decoded by the specification: steps, scale, shift, and arcs run backwards."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_ingest.sources.topojson import BadTopology, arcs, geometries, geometry
from dmi_ingest.sources.values import Unreadable


def topology(**changes: Any) -> dict[str, Any]:
    """Two triangles on either side of the line from (0, 0) to (1, 1), which arc 0 is."""
    return {
        "type": "Topology",
        "transform": {"scale": [0.5, 0.5], "translate": [5.0, 52.0]},
        "arcs": [[[0, 0], [2, 2]], [[2, 2], [0, -2], [-2, 0]], [[0, 0], [0, 2], [2, 0]]],
        "objects": {
            "layer": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, 1]]},
                    {"type": "MultiPolygon", "arcs": [[[-1, 2]]]},
                ],
            }
        },
    } | changes


def test_arcs_are_sums_of_steps_scaled_and_shifted() -> None:
    assert arcs(topology())[1] == [(6.0, 53.0), (6.0, 52.0), (5.0, 52.0)]


def test_a_negative_index_runs_an_arc_backwards_and_joints_stand_once() -> None:
    one = topology()
    members = [member for _, _, member in geometries(one)]
    assert geometry(members[0], arcs(one))["coordinates"] == [
        [[5.0, 52.0], [6.0, 53.0], [6.0, 52.0], [5.0, 52.0]]
    ]
    assert geometry(members[1], arcs(one))["coordinates"] == [
        [[[6.0, 53.0], [5.0, 52.0], [5.0, 53.0], [6.0, 53.0]]]
    ]


def test_arcs_without_a_transform_are_absolute() -> None:
    one = topology(arcs=[[[5.0, 52.0], [6.0, 53.0]]])
    del one["transform"]
    assert arcs(one) == [[(5.0, 52.0), (6.0, 53.0)]]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Feature"},
        {"arcs": None},
        {"arcs": [[[0]]]},
        {"arcs": [5]},
        {"transform": {}},
        {"arcs": [[["a", 1]]]},
    ],
)
def test_malformed_arcs_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadTopology):
        arcs(topology(**changes))


@pytest.mark.parametrize("objects", [None, {"a": 1}, {"a": {"type": "GeometryCollection"}}])
def test_malformed_objects_are_refused(objects: Any) -> None:
    with pytest.raises(BadTopology):
        list(geometries(topology(objects=objects)))


@pytest.mark.parametrize(
    "member",
    [
        {},
        {"type": "Polygon", "arcs": [[9]]},
        {"type": "Polygon", "arcs": [["x"]]},
        {"type": "Point", "coordinates": []},
    ],
)
def test_a_member_that_points_at_nothing_is_refused(member: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as caught:
        geometry(member, arcs(topology()))
    assert caught.value.reason == "bad_geometry"
