"""Rows become GeoJSON and batches, and back, without loss."""

from __future__ import annotations

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import (
    FLAG_FAIL,
    FLAG_MISSING,
    FLAG_NOT_EVALUATED,
    FLAG_PASS,
    FLAG_SUSPECT,
)
from dmi_visualisation.model import batch_of, bounds, placed, point_feature, rows_of, thing_name, worst
from tests.unit.infra.fakes import GARAGES
from tests.unit.visualisation.samples import CENTRE, place, row


def test_the_gravest_of_several_flags_counts() -> None:
    assert worst([FLAG_PASS, FLAG_SUSPECT, FLAG_FAIL]) == FLAG_FAIL
    assert worst([FLAG_PASS, FLAG_MISSING]) == FLAG_MISSING
    assert worst([FLAG_PASS, FLAG_NOT_EVALUATED]) == FLAG_PASS
    assert worst([]) == FLAG_NOT_EVALUATED


def test_rows_survive_the_way_through_a_batch() -> None:
    rows = [row(1.0), row(None, datastream="garages.b.occupancy", neighbourhood="BU1", source_id="x")]
    assert rows_of(batch_of(GARAGES, rows)) == rows


def test_a_feature_says_value_unit_moment_place_and_agreement() -> None:
    meta = place(CENTRE, "datastream", "Garage Centrum", capacity=480)
    found = point_feature(row(477.0), meta, ["urn:uuid:1"], None)
    assert found["geometry"] == {"type": "Point", "coordinates": [5.1, 52.1]}
    shown = found["properties"]
    assert (shown["name"], shown["result"], shown["unit"]) == ("Garage Centrum", 477.0, "{vehicle}")
    assert (shown["capacity"], shown["agreement"]) == (480, "urn:uuid:1")
    assert shown["phenomenon_time"] == "2027-01-15T08:00:00Z"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Meetfiets 1 pm2_5", "Meetfiets 1"), ("Garage Centrum", "Garage Centrum"), ("pm2_5", "pm2_5")],
)
def test_a_datastream_is_shown_by_the_name_of_its_thing(name: str, shown: str) -> None:
    assert thing_name(name, "pm2_5") == shown


def test_a_row_without_position_stands_where_its_datastream_stands() -> None:
    nowhere = row(longitude=None, latitude=None)
    there = placed(nowhere, place(CENTRE, "datastream", "x", 4.9, 52.3))
    assert (there.longitude, there.latitude) == (4.9, 52.3)
    assert placed(nowhere, Feature(CENTRE, "datastream", "x")) is nowhere
    assert placed(row(), place(CENTRE, "datastream", "x", 4.9, 52.3)) == row()
    assert point_feature(nowhere, None, [], None)["geometry"] is None


def test_bounds_go_around_every_corner_of_every_geometry() -> None:
    area = {"geometry": {"type": "Polygon", "coordinates": [[[5, 52], [5.2, 52], [5.2, 52.3], [5, 52]]]}}
    point = {"geometry": {"type": "Point", "coordinates": [4.9, 52.1]}}
    assert bounds([area, point, {"geometry": None}]) == [4.9, 52, 5.2, 52.3]
    assert bounds([]) is None
