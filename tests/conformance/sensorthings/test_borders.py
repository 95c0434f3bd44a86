"""Beyond OGC 18-088: what is made within one dataset gives no hold on what belongs to another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ingest.fakes import (
    BICYCLES,
    GARAGES,
    GEMEENTE,
    OTHER,
    VENDOR,
    Node,
    datastream,
    location,
    thing,
)

MACHINE = "urn:dmi:participant:gateway"
FOR_CITY = f"{GEMEENTE} {MACHINE}"
PLACE = "/v1.1/Locations('ingang')"


@pytest.fixture
def borders(node: Node) -> Node:
    """A vendor contributes to the city's garages, and a machine has a mandate of the city for these."""
    node.mandate(GEMEENTE, MACHINE, GARAGES)
    node.gate.allowed[GARAGES].add(VENDOR)
    return node


def elsewhere(**change: Any) -> dict[str, Any]:
    """A thing of another dataset at the place of the garage."""
    return {
        "name": "Fiets", "description": "", "properties": {"dataset": BICYCLES},
        "Locations": [{"@iot.id": "ingang"}], **change,
    }  # fmt: skip


@pytest.mark.parametrize(("maker", "other"), [(GEMEENTE, FOR_CITY), (VENDOR, VENDOR)])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_place_is_changed_or_deleted_by_who_made_or_owns_all_that_stands_there(
    borders: Node, method: str, maker: str, other: str
) -> None:
    borders.post("/v1.1/Things", thing(), maker)
    bicycle = borders.post("/v1.1/Things", elsewhere())["@iot.id"]
    told = len(borders.bus.published)
    borders.refused(PLACE, {"name": "x"} if method == "PATCH" else None, 403, method, other)
    histories = f"/v1.1/Things('{bicycle}')/HistoricalLocations"
    assert [len(borders.get(path)["value"]) for path in (histories, f"{PLACE}/Things")] == [1, 2]
    assert (len(borders.bus.published), borders.get(PLACE)["name"]) == (told, "Ingang")
    borders.mandate(GEMEENTE, MACHINE, GARAGES, BICYCLES)
    borders.gate.allowed[BICYCLES].add(VENDOR)
    # Who may only contribute does not move what the owner put there, also not by a place of its own.
    if other == VENDOR:
        body = {"location": {"type": "Point", "coordinates": [4, 51]}} if method == "PATCH" else None
        assert borders.refused(PLACE, body, 403, method, other)["reasons"][0]["code"] == "not_a_party"
        assert borders.bus.features()[bicycle].geometry == location()["location"]
        other = GEMEENTE
    assert borders.call("DELETE", PLACE, who=other).status_code == 200
    assert borders.get("/v1.1/HistoricalLocations")["value"] == []
    assert borders.bus.features()[bicycle].geometry is None


def test_who_lost_its_agreement_deletes_no_history_by_a_place_that_it_made(borders: Node) -> None:
    borders.post("/v1.1/Locations", {**location(), "@iot.id": "ingang"}, VENDOR)
    borders.post("/v1.1/Things", {**elsewhere(), "properties": {"dataset": GARAGES}}, VENDOR)
    borders.gate.allowed[GARAGES].remove(VENDOR)
    borders.refused(PLACE, None, 403, "DELETE", VENDOR)
    assert len(borders.get("/v1.1/HistoricalLocations")["value"]) == 1


def test_a_place_where_a_thing_of_another_dataset_stood_once_is_not_moved_under_its_history(
    borders: Node,
) -> None:
    borders.post("/v1.1/Things", thing())
    bicycle = borders.post("/v1.1/Things", elsewhere())["@iot.id"]
    moved = borders.post(f"/v1.1/Things('{bicycle}')/Locations", {**location(), "name": "Verder"})
    borders.refused(PLACE, {"name": "x"}, 403, "PATCH", FOR_CITY)
    assert len(borders.get(f"{PLACE}/Things")["value"]) == 1
    assert borders.call("PATCH", PLACE, {"name": "Uitgang"}).status_code == 200
    assert borders.get(f"/v1.1/Locations('{moved['@iot.id']}')/name") == {"name": "Verder"}


@pytest.mark.parametrize(
    ("kind", "address"),
    [("Sensor", "Sensors('lus')"), ("ObservedProperty", "ObservedProperties('occupancy')")],
)
@pytest.mark.parametrize(("maker", "other"), [(GEMEENTE, FOR_CITY), (VENDOR, VENDOR)])
def test_what_datastreams_use_is_renamed_or_deleted_by_who_made_or_owns_all_of_them(
    borders: Node, maker: str, other: str, kind: str, address: str
) -> None:
    path = f"/v1.1/{address}"
    borders.post("/v1.1/Things", thing(), maker)
    assert borders.call("PATCH", path, {"description": "first"}, other).status_code == 200
    stream = datastream()
    for name in ("Sensor", "ObservedProperty"):
        stream[name] = {"@iot.id": stream[name]["@iot.id"]}
    borders.post("/v1.1/Things", elsewhere(Locations=[], Datastreams=[stream]))
    for method in ("PATCH", "DELETE"):
        body = {"name": "x", "description": "x"} if method == "PATCH" else None
        error = borders.refused(path, body, 409, method, other)
        assert (error["field"], "may not contribute" in error["rule"]) == ("@iot.id", True)
    assert borders.get(path)["description"] == "first"
    borders.mandate(GEMEENTE, MACHINE, GARAGES, BICYCLES)
    borders.gate.allowed[BICYCLES].add(VENDOR)
    if other == VENDOR:
        for method in ("PATCH", "DELETE"):
            error = borders.refused(path, {"name": "x"} if method == "PATCH" else None, 409, method, other)
            assert "that others made" in error["rule"]
        assert borders.get(path)["description"] == "first"
    else:
        assert borders.call("PATCH", path, {"description": "second"}, other).status_code == 200
        assert [asked[2] for asked in borders.gate.asked[-2:]] == [GARAGES, BICYCLES]


def test_by_a_mandate_one_contributes_with_places_to_a_dataset_that_the_mandator_does_not_own(
    borders: Node,
) -> None:
    for_vendor = borders.mandate(VENDOR, "urn:dmi:participant:supplier", GARAGES)
    borders.post("/v1.1/Things", thing())
    mine = borders.post("/v1.1/Things", {**thing(), "name": "Rand"}, for_vendor)["@iot.id"]
    interest = {
        "name": "Plein", "description": "", "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [5.2, 52.2]},
    }  # fmt: skip
    stream = {"@iot.id": f"{mine}.occupancy"}
    borders.post(
        "/v1.1/Observations", {"Datastream": stream, "result": 1, "FeatureOfInterest": interest}, for_vendor
    )
    rows = {"components": ["result", "FeatureOfInterest/id"], "dataArray": [[2, "plein"]]}
    borders.post("/v1.1/CreateObservations", [{"Datastream": stream, **rows}], for_vendor)
    assert [batch.longitude for batch in borders.bus.batches()] == [[5.2], [5.2]]
    assert [each["@iot.id"] for each in borders.get("/v1.1/Things", for_vendor)["value"]] == [mine]
    changed = borders.call("PATCH", f"/v1.1/Things('{mine}')", {"description": "x"}, for_vendor)
    assert changed.status_code == 200
    assert borders.call("DELETE", "/v1.1/Things('garages.centrum')", who=for_vendor).status_code == 404
    beyond = {"Datastream": stream, "result": 1, "FeatureOfInterest": {"@iot.id": "ingang"}}
    assert (
        borders.refused("/v1.1/Observations", beyond, 400, who=for_vendor)["field"]
        == "FeatureOfInterest.@iot.id"
    )
    borders.mandate(VENDOR, "urn:dmi:participant:supplier", OTHER)
    borders.refused("/v1.1/Things", {**thing(), "name": "Zuid"}, 403, who=for_vendor)


@pytest.mark.parametrize("chosen", [{}, {"@iot.id": "plein"}])
def test_a_feature_of_interest_that_another_named_does_not_stand_in_the_way_of_a_place(
    borders: Node, chosen: dict[str, Any]
) -> None:
    squatted = {
        "@iot.id": "plein", "name": "x", "description": "", "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [4, 51]},
    }  # fmt: skip
    borders.post("/v1.1/FeaturesOfInterest", squatted, VENDOR)
    there = {**location(), "name": "Plein", **chosen}
    garage = borders.post("/v1.1/Things", {**thing(), "Locations": [there]})["@iot.id"]
    (place,) = borders.get(f"/v1.1/Things('{garage}')/Locations")["value"]
    (mine,) = borders.get("/v1.1/FeaturesOfInterest")["value"]
    assert (mine["name"], mine["feature"]) == ("Plein", place["location"])
    assert place["@iot.id"] == (chosen.get("@iot.id") or mine["@iot.id"])
    for name in (place["@iot.id"], mine["@iot.id"]):
        named = {"Datastream": {"@iot.id": f"{garage}.occupancy"}, "result": 1}
        borders.post("/v1.1/Observations", {**named, "FeatureOfInterest": {"@iot.id": name}})
    assert [batch.longitude for batch in borders.bus.batches()] == [[5.1], [5.1]]
    # Placed once more, it has one feature of interest still.
    assert borders.call("PATCH", f"/v1.1/Things('{garage}')", {"Locations": [place]}).status_code == 200
    assert borders.get("/v1.1/FeaturesOfInterest")["value"] == [mine]


def test_a_place_whose_name_others_chose_for_features_has_one_of_its_own_beside_places_of_that_name(
    borders: Node,
) -> None:
    squatted = {
        "@iot.id": "plein", "name": "x", "description": "", "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [4, 51]},
    }  # fmt: skip
    borders.post("/v1.1/FeaturesOfInterest", squatted, VENDOR)
    second, first = ({**location(), "@iot.id": name, "name": name} for name in ("plein-2", "plein"))
    for there in (second, first):
        borders.post("/v1.1/Things", {**thing(), "Datastreams": [], "Locations": [there]})
    found = {each["@iot.id"]: each["name"] for each in borders.get("/v1.1/FeaturesOfInterest")["value"]}
    assert found == {"plein-2": "plein-2", "plein-3": "plein"}
