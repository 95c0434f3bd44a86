"""The JSON sources on small cases: garages, parking facilities, neighbourhoods and CBS areas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources import SOURCES
from dmi_ingest.sources.port import Derived, Item, Rejected, Row, SourceError

PREFIX = "test"
SQUARE = [[[5.0, 52.0], [5.1, 52.0], [5.1, 52.1], [5.0, 52.0]]]


def read(kind: str, folder: Path, *documents: dict[str, Any]) -> list[Item]:
    paths = []
    for index, content in enumerate(documents):
        path = folder / f"{index}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        paths.append(path)
    return list(SOURCES[kind].read(paths, PREFIX))


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **more}


def garage(coordinates: Sequence[float] = (4.89, 52.36), **changes: Any) -> dict[str, Any]:
    properties = {
        "PubDate": "2023-02-23T13:44:48Z", "Name": "CE-P30 Heinekenplein", "State": "ok", "Status": "GETAL",
        "FreeSpaceShort": "19", "ShortCapacity": "168", "FreeSpaceLong": "19", "LongCapacity": "46",
    }  # fmt: skip
    geometry = {"type": "Point", "coordinates": list(coordinates)}
    return {"type": "Feature", "Id": "AB-1", "geometry": geometry, "properties": properties | changes}


def facility(identifier: str = "rdw_1_A", **changes: Any) -> dict[str, Any]:
    properties = {
        "id": identifier, "rdw_id": identifier[4:], "name": "P+R", "usage_type": "PARKRIDE", "operator": "Assen",
        "municipality": "Assen", "capacity": {"total": 18, "ev_charging": 0, "disabled": 2},
    }  # fmt: skip
    geometry = {"type": "Point", "coordinates": [6.56, 52.99]}
    return {"type": "Feature", "geometry": geometry, "properties": properties | changes}


def area(code: str | None = "BU0363AA01", **changes: Any) -> dict[str, Any]:
    properties = {
        "identificatie": "0363098", "naam": "Noord", "code": "AA01", "cbsCode": code, "volgnummer": 1,
        "beginGeldigheid": "2022-03-24T00:00:00", "eindGeldigheid": None,
    }  # fmt: skip
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": SQUARE},
        "properties": properties | changes,
    }


def topology(*members: dict[str, Any], scale: float = 0.001) -> dict[str, Any]:
    """Arc 0 is a triangle of 0.1 degree; arc 1 has collapsed to a line."""
    return {
        "type": "Topology",
        "transform": {"scale": [scale, scale], "translate": [5.0, 52.0]},
        "arcs": [[[0, 0], [100, 0], [0, 100], [-100, -100]], [[0, 0], [100, 0], [-100, 0], [0, 0]]],
        "objects": {"layer": {"type": "GeometryCollection", "geometries": list(members)}},
    }


def of(kind: type[Any], items: Sequence[Item]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def results(items: Sequence[Item]) -> list[tuple[str, str, float | None]]:
    return [(row.observed_property, row.variant, row.result) for row in of(Row, items)]


def test_garage_texts_become_numbers_and_occupancy_follows_from_capacity(tmp_path: Path) -> None:
    items = read("amsterdam-garages", tmp_path, collection(garage()))
    assert results(items) == [
        ("free_spaces", "", 19.0), ("occupancy", "", 149.0), ("free_spaces", "long", 19.0), ("occupancy", "long", 27.0),
    ]  # fmt: skip
    assert of(Row, items)[0].phenomenon_time == 1_677_159_888_000_000
    names = [item.feature.id for item in of(Derived, items)]
    assert names == [
        "test.ab-1", "test.ab-1.free_spaces", "test.ab-1.occupancy",
        "test.ab-1.free_spaces-long", "test.ab-1.occupancy-long",
    ]  # fmt: skip


def test_the_zeros_of_a_garage_in_error_are_no_counts(tmp_path: Path) -> None:
    items = read("amsterdam-garages", tmp_path, collection(garage(State="error", FreeSpaceShort="0")))
    assert results(items) == []
    assert [(item.reason, item.field, item.line) for item in of(Rejected, items)] == [
        ("source_error", "State", 0)
    ] * 2


def test_an_empty_field_is_missing_and_a_negative_one_is_passed_on_without_occupancy(tmp_path: Path) -> None:
    items = read(
        "amsterdam-garages",
        tmp_path,
        collection(garage(FreeSpaceShort="", FreeSpaceLong="-13", LongCapacity="0")),
    )
    assert results(items) == [("free_spaces", "long", -13.0)]
    (item,) = of(Rejected, items)
    assert (item.reason, item.at) == ("missing_value", "/features/0/properties/FreeSpaceShort")


def test_a_garage_in_rd_new_is_converted_and_one_with_swapped_axes_refused(tmp_path: Path) -> None:
    converted = of(Row, read("amsterdam-garages", tmp_path, collection(garage((121_000, 487_000)))))
    assert converted[0].longitude == pytest.approx(4.886, abs=0.01)
    swapped = read("amsterdam-garages", tmp_path, collection(garage((52.36, 4.89))))
    assert [item.reason for item in of(Rejected, swapped)] == ["swapped_axes"] * 2


def test_a_corrected_garage_gives_the_stay_that_was_rejected(tmp_path: Path) -> None:
    items = read("amsterdam-garages", tmp_path, collection(garage(FreeSpaceShort="")))
    (item,) = of(Rejected, items)
    corrected = replace(item, raw=item.raw.replace('"FreeSpaceShort": ""', '"FreeSpaceShort": "8"'))
    source = SOURCES["amsterdam-garages"]
    assert results(list(source.replay([corrected], PREFIX))) == [
        ("free_spaces", "", 8.0),
        ("occupancy", "", 160.0),
    ]
    broken = replace(item, raw="{")
    assert list(source.replay([broken], PREFIX)) == [broken]


def test_a_feature_that_is_no_object_is_rejected_with_its_index(tmp_path: Path) -> None:
    items = read("rdw-parking", tmp_path, collection(facility(), 7))
    assert [(item.line, item.reason) for item in of(Rejected, items)] == [(1, "missing_value")]


def test_a_capacity_of_0_or_none_is_left_out_with_a_note(tmp_path: Path) -> None:
    zero = {"total": 0, "ev_charging": 0, "disabled": 0}
    items = read(
        "rdw-parking",
        tmp_path,
        collection(
            facility(),
            facility("rdw_1_B", capacity=zero, usage_type=None),
            facility("rdw_1_C", capacity=None),
        ),
    )
    known, without, none = of(Feature, items)
    assert (known.properties["capacity"], known.properties["capacity_disabled"]) == (18.0, 2.0)
    assert "capacity" not in without.properties
    assert "given as 0" in without.properties["note"]
    assert "type of use" in without.properties["note"]
    assert none.properties["note"] == "the capacity is not given"
    assert known.kind == "parking"


def test_the_index_adds_the_source_of_live_data(tmp_path: Path) -> None:
    live = {"name": "Assen", "has_dynamic_data": True, "dynamic_data_url": "https://example.org/live"}
    (found,) = of(Feature, read("rdw-parking", tmp_path, {"organizations": [live]}, collection(facility())))
    assert found.properties["realtime_url"] == "https://example.org/live"
    with pytest.raises(SourceError, match="missing_role"):
        read("rdw-parking", tmp_path, {"organizations": [live]})


def test_registrations_of_one_facility_keep_their_own_ids(tmp_path: Path) -> None:
    items = read("rdw-parking", tmp_path, collection(facility(), facility(operator="Q-Park BV"), facility()))
    assert [feature.id for feature in of(Feature, items)] == [
        "test.rdw_1_A.assen", "test.rdw_1_A.q-park-bv", "test.rdw_1_A.assen.2",
    ]  # fmt: skip
    assert of(Feature, items)[0].properties["registrations"] == 3


@pytest.mark.parametrize("total", [-5, "many", True])
def test_a_capacity_that_is_none_is_rejected(tmp_path: Path, total: object) -> None:
    items = read("rdw-parking", tmp_path, collection(facility(capacity={"total": total})))
    assert [item.field for item in of(Rejected, items)] == ["capacity/total"]


@pytest.mark.parametrize("value", [1.7e308, -1e19, 10**400])
def test_a_property_that_nothing_can_be_counted_as_is_rejected_by_name(tmp_path: Path, value: float) -> None:
    cbs = {"type": "Polygon", "arcs": [[0]], "properties": {"statcode": "BU1", "people": value}}
    for kind, document, field in (
        ("cbs-buurten", topology(cbs), "people"),
        ("rdw-parking", collection(facility(opening_hours=[{"from": value}])), "opening_hours/0/from"),
        ("amsterdam-buurten", collection(area(documentnummer=value)), "documentnummer"),
    ):
        [item] = read(kind, tmp_path, document)
        assert isinstance(item, Rejected), kind
        assert (item.reason, item.field, item.line) == ("too_large", field, 0)
        corrected = replace(item, raw=str(item.raw).replace(json.dumps(value), "5"))
        [taken] = SOURCES[kind].replay([corrected], PREFIX)
        assert isinstance(taken, Feature), kind


def test_every_version_of_a_neighbourhood_is_kept_under_an_id_of_its_own(tmp_path: Path) -> None:
    old = area(eindGeldigheid="2023-10-25T00:00:00")
    new = area(volgnummer=2, beginGeldigheid="2023-10-25T00:00:00", naam="Nieuw  Noord")
    own = area(code=None)
    found = {
        item.id: item for item in of(Feature, read("amsterdam-buurten", tmp_path, collection(new, old, own)))
    }
    assert sorted(found) == ["0363098", "BU0363AA01", "BU0363AA01@v1"]
    assert found["BU0363AA01"].name == "Nieuw Noord"
    assert found["BU0363AA01"].valid_to is None
    assert found["BU0363AA01"].valid_from == found["BU0363AA01@v1"].valid_to == 1_698_184_800_000_000
    assert found["BU0363AA01"].kind == "neighbourhood"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"beginGeldigheid": "yesterday"}, "beginGeldigheid"),
        ({"eindGeldigheid": "2020-01-01T00:00:00"}, "eindGeldigheid"),
        ({"cbsCode": None, "identificatie": ""}, "identificatie"),
    ],
)
def test_a_version_without_clear_validity_or_id_is_rejected_and_replayed(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    (item,) = read("amsterdam-buurten", tmp_path, collection(area(**changes)))
    assert isinstance(item, Rejected)
    assert item.field == field
    corrected = replace(item, raw=json.dumps(area()))
    (found,) = SOURCES["amsterdam-buurten"].replay([corrected], PREFIX)
    assert isinstance(found, Feature)


def test_cbs_land_water_and_levels_are_told_apart(tmp_path: Path) -> None:
    land = {"gemeentecode": "GM0010", "gemeentenaam": "Delfzijl", "water": "NEE", "aantal_inwoners": 25_000}
    water = land | {"water": "JA", "aantal_inwoners": -99999999}
    near = {"statcode": "BU00100001", "statnaam": "Centrum", "rubriek": "buurt"}
    members = [{"type": "Polygon", "arcs": [[0]], "properties": one} for one in (land, water, near)]
    found = of(Feature, read("cbs-buurten", tmp_path, topology(*members)))
    assert [(one.id, one.kind, one.properties["level"], one.properties["water"]) for one in found] == [
        ("GM0010", "area", "municipality", False),
        ("GM0010-water", "area", "municipality", True),
        ("BU00100001", "neighbourhood", "neighbourhood", False),
    ]
    assert found[0].properties["aantal_inwoners"] == 25_000
    assert found[1].properties["aantal_inwoners"] is None
    assert found[0].geometry is not None
    assert found[0].geometry["coordinates"][0][1] == [5.1, 52.0]


def test_an_area_that_collapsed_on_the_grid_is_rejected_and_can_be_replayed(tmp_path: Path) -> None:
    about = {"statcode": "BU00100001", "statnaam": "Centrum"}
    lost, pointless = read(
        "cbs-buurten",
        tmp_path,
        topology(
            {"type": "Polygon", "arcs": [[1]], "properties": about}, {"type": None, "properties": about}
        ),
    )
    assert isinstance(lost, Rejected)
    assert isinstance(pointless, Rejected)
    assert (lost.reason, lost.line, lost.at) == ("bad_geometry", 0, "/objects/layer/geometries/0")
    assert (pointless.reason, pointless.field) == ("bad_geometry", "arcs")
    corrected = json.dumps({"properties": about, "geometry": {"type": "Polygon", "coordinates": SQUARE}})
    (found,) = SOURCES["cbs-buurten"].replay([replace(lost, raw=corrected)], PREFIX)
    assert isinstance(found, Feature)


def test_an_area_of_a_topology_is_rejected_at_its_own_place_in_the_file_and_again_there(
    tmp_path: Path,
) -> None:
    lost = {"type": "Polygon", "arcs": [[1]], "properties": {"statcode": "BU1"}}
    whole = lost | {"arcs": [[0]]}
    file = topology(whole, lost)
    file["objects"] = {"a/b~": lost, **file["objects"]}
    rejected = of(Rejected, read("cbs-buurten", tmp_path, file))
    assert [(one.line, one.at) for one in rejected] == [
        (0, "/objects/a~1b~0"), (1, "/objects/layer/geometries/1"),
    ]  # fmt: skip
    for one in rejected:
        [again] = SOURCES["cbs-buurten"].replay([one], PREFIX)
        assert isinstance(again, Rejected)
        assert (again.line, again.at) == (one.line, one.at)
        # What an earlier version rejected names its place as that did.
        [before] = SOURCES["cbs-buurten"].replay([replace(one, at="/features/7", line=7)], PREFIX)
        assert isinstance(before, Rejected)
        assert (before.line, before.at) == (7, "/features/7")


def test_a_topology_without_cbs_codes_is_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="other_kind"):
        read("cbs-buurten", tmp_path, topology({"type": "Polygon", "arcs": [[0]], "properties": {"a": 1}}))


def test_a_topology_in_rd_new_is_converted(tmp_path: Path) -> None:
    one = topology({"type": "Polygon", "arcs": [[0]], "properties": {"statcode": "WK1"}}, scale=10)
    one["transform"]["translate"] = [155_000, 463_000]
    (found,) = read("cbs-buurten", tmp_path, one)
    assert isinstance(found, Feature)
    assert found.geometry is not None
    assert found.geometry["coordinates"][0][0] == pytest.approx([5.38720621, 52.15517440], abs=2e-5)
    assert found.properties["source_crs"] == "EPSG:28992"


def test_a_document_cut_off_anywhere_is_refused_and_nothing_else_is_raised(tmp_path: Path) -> None:
    whole = json.dumps(collection(garage()))
    path = tmp_path / "cut.json"
    for end in range(len(whole) - 1):
        path.write_text(whole[:end], encoding="utf-8")
        with pytest.raises(SourceError):
            list(SOURCES["amsterdam-garages"].read([path], PREFIX))


@pytest.mark.parametrize("value", [None, True, -1, 1e308, 10**30, "", "x", [], {}, [[]], {"a": 1}])
@pytest.mark.parametrize("kind", ["amsterdam-garages", "rdw-parking", "amsterdam-buurten"])
def test_any_value_in_any_place_ends_as_a_unit_or_a_clear_refusal(
    tmp_path: Path, kind: str, value: object
) -> None:
    for place in (
        "geometry",
        "Id",
        *garage()["properties"],
        *facility()["properties"],
        *area()["properties"],
    ):
        one = {"amsterdam-garages": garage, "rdw-parking": facility, "amsterdam-buurten": area}[kind]()
        spoiled = json.loads(json.dumps(one))
        (spoiled if place in ("geometry", "Id") else spoiled["properties"])[place] = value
        items = read(kind, tmp_path, collection(one, spoiled))
        units = [item for item in items if not isinstance(item, Derived)]
        assert len(units) >= (4 if kind == "amsterdam-garages" else 2)
