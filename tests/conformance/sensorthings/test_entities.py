"""OGC 18-088 (SensorThings 1.1 sensing): entities, resource paths, query options, create, update, delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ingest.fakes import (
    BICYCLES,
    GARAGES,
    GEMEENTE,
    OTHER,
    POINT,
    STACK,
    VENDOR,
    Node,
    datastream,
    location,
    thing,
)

BASE = "http://127.0.0.1:8080/ingest/v1.1"
CENTRUM = "/v1.1/Things('garages.centrum')"
STREAM = "/v1.1/Datastreams('garages.centrum.occupancy')"


def test_service_root_lists_the_collections_and_the_conformance(node: Node) -> None:
    """§9.2.1, req/resource-path/resource-path-to-entities; §8.2 serverSettings."""
    root = node.get("/v1.1")
    names = {entry["name"] for entry in root["value"]}
    assert names == {
        "Things", "Locations", "HistoricalLocations", "Sensors", "ObservedProperties", "Datastreams",
        "FeaturesOfInterest",
    }  # fmt: skip
    assert all(entry["url"] == f"{BASE}/{entry['name']}" for entry in root["value"])
    array = "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array"
    assert array in root["serverSettings"]["conformance"]
    assert root["serverSettings"][array]["endpoints"] == [f"{BASE}/CreateObservations"]


@pytest.mark.parametrize(
    "name",
    [
        "Things",
        "Locations",
        "HistoricalLocations",
        "Sensors",
        "ObservedProperties",
        "Datastreams",
        "FeaturesOfInterest",
    ],
)
def test_every_entity_carries_control_information_and_the_links_of_its_relations(
    node: Node, name: str
) -> None:
    """req/datamodel/entity-control-information/common-control-information and /relations."""
    node.post("/v1.1/Things", thing())
    item = node.get(f"/v1.1/{name}")["value"][0]
    assert item["@iot.selfLink"] == f"{BASE}/{name}('{item['@iot.id']}')"
    assert node.get(item["@iot.selfLink"].removeprefix(BASE.removesuffix("/v1.1"))) == item
    for key, link in item.items():
        if key.endswith("@iot.navigationLink") and not key.startswith("Observations"):
            node.get(link.removeprefix(BASE.removesuffix("/v1.1")))


def test_creating_answers_201_with_location_and_the_entity(node: Node) -> None:
    """§10.2.1, req/create-update-delete/create-entity."""
    answer = node.call("POST", "/v1.1/Things", {**thing(), "@iot.id": "mijn-garage"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{BASE}/Things('mijn-garage')"
    assert answer.json()["@iot.id"] == "mijn-garage"
    assert node.refused("/v1.1/Things", {**thing(), "@iot.id": "mijn-garage"}, 409)["field"] == "@iot.id"


def test_deep_insert_makes_and_links_everything_at_once_or_nothing(node: Node) -> None:
    """req/create-update-delete/deep-insert and deep-insert-status-code."""
    broken = thing()
    broken["Datastreams"][0]["unitOfMeasurement"].pop("symbol")
    error = node.refused("/v1.1/Things", broken)
    assert error["field"] == "Datastreams.0.unitOfMeasurement.symbol"
    assert node.get("/v1.1/Locations")["value"] == []
    node.post("/v1.1/Things", thing())
    shown = node.get(f"{STREAM}?$expand=Thing,Sensor,ObservedProperty")
    assert shown["Thing"]["@iot.id"] == "garages.centrum"
    assert shown["Sensor"]["@iot.id"] == "lus"
    assert shown["ObservedProperty"]["@iot.id"] == "occupancy"


def test_links_to_existing_entities_also_when_the_client_sends_the_whole_entity(node: Node) -> None:
    """req/create-update-delete/link-to-existing-entities."""
    node.post("/v1.1/Things", {**thing(), "Datastreams": []})
    first = node.post(f"{CENTRUM}/Datastreams", datastream())
    again = {**datastream(), "@iot.id": "tweede", "Thing": node.get(CENTRUM)}
    assert node.post("/v1.1/Datastreams", again)["@iot.id"] == "tweede"
    assert first["@iot.id"] == "garages.centrum.occupancy"
    assert len(node.get("/v1.1/Sensors('lus')/Datastreams")["value"]) == 2
    assert len(node.get("/v1.1/Sensors")["value"]) == 1
    dangling = {**datastream(), "Thing": {"@iot.id": "nergens"}}
    assert node.refused("/v1.1/Datastreams", dangling)["field"] == "Thing.@iot.id"


def test_a_new_location_writes_history_and_the_feature_of_interest(node: Node) -> None:
    """req/create-update-delete/historical-location-auto-creation; §10.2.1 create-observations FeatureOfInterest."""
    node.post("/v1.1/Things", thing())
    moved = {**location(), "name": "Verhuisd", "location": {"type": "Point", "coordinates": [5.2, 52.2]}}
    node.post(f"{CENTRUM}/Locations", moved)
    assert [item["name"] for item in node.get(f"{CENTRUM}/Locations")["value"]] == ["Verhuisd"]
    assert len(node.get(f"{CENTRUM}/HistoricalLocations")["value"]) == 2
    assert len(node.get("/v1.1/FeaturesOfInterest")["value"]) == 2
    assert node.bus.features()["garages.centrum"].geometry == {"type": "Point", "coordinates": [5.2, 52.2]}


def test_paths_reach_properties_values_relations_and_references(node: Node) -> None:
    """§9.2.4 to §9.2.8, req/resource-path/resource-path-to-entities."""
    node.post("/v1.1/Things", thing())
    assert node.get(f"{CENTRUM}/name") == {"name": "Centrum"}
    assert node.call("GET", f"{CENTRUM}/name/$value").text == "Centrum"
    assert node.get(f"{CENTRUM}/Datastreams('garages.centrum.occupancy')/Sensor/name") == {"name": "Lus"}
    references = node.get(f"{CENTRUM}/Datastreams/$ref")["value"]
    assert references == [{"@iot.selfLink": f"{BASE}/Datastreams('garages.centrum.occupancy')"}]
    for wrong in (
        f"{CENTRUM}/nothing",
        f"{CENTRUM}/Datastreams('x')",
        "/v1.1/Things('x')",
        f"{CENTRUM}/name/x",
    ):
        assert node.call("GET", wrong).status_code == 404


def test_pages_follow_one_another_by_next_link(node: Node) -> None:
    """req/request-data/top, /skip, /count, /pagination."""
    for number in range(5):
        node.post(
            "/v1.1/Things", {"name": f"T{number}", "description": "", "properties": {"dataset": GARAGES}}
        )
    seen: list[str] = []
    path = "/v1.1/Things?$top=2&$count=true"
    while path:
        page = node.get(path)
        assert page["@iot.count"] == 5
        seen += [item["name"] for item in page["value"]]
        path = page.get("@iot.nextLink", "").removeprefix(BASE.removesuffix("/v1.1"))
    assert seen == [f"T{number}" for number in range(5)]
    assert node.get("/v1.1/Things?$skip=4")["value"][0]["name"] == "T4"
    assert node.get("/v1.1/Things?$top=0")["value"] == []


def test_select_keeps_only_what_is_named(node: Node) -> None:
    """req/request-data/select."""
    node.post("/v1.1/Things", thing())
    shown = node.get(f"{CENTRUM}?$select=name,Locations")
    assert set(shown) == {"@iot.id", "@iot.selfLink", "name", "Locations@iot.navigationLink"}


@pytest.mark.parametrize(
    "option",
    ["$filter=name eq 'x'", "$top=-1", "$select=nothing", "$expand=nothing", "$expand=Datastreams/Sensor"],
)
def test_an_option_that_cannot_be_honoured_is_refused_by_name(node: Node, option: str) -> None:
    """req/request-data/status-codes: 400 where an option is not valid or not known here."""
    answer = node.call("GET", f"/v1.1/Things?{option}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == option.split("=")[0]


def test_patch_changes_what_it_names_and_nothing_else(node: Node) -> None:
    """req/create-update-delete/update-entity."""
    node.post("/v1.1/Things", thing())
    answer = node.call("PATCH", STREAM, {"description": "nieuw", "properties": {"capacity": 500}})
    assert answer.status_code == 200
    shown = node.get(STREAM)
    assert (shown["description"], shown["name"]) == ("nieuw", "Bezetting")
    assert node.bus.features()["garages.centrum.occupancy"].properties["capacity"] == 500
    assert node.refused(CENTRUM, {"name": None}, method="PATCH")["field"] == "name"
    other = {"properties": {"dataset": OTHER}}
    assert node.refused(CENTRUM, other, method="PATCH")["field"] == "properties.dataset"


@pytest.mark.parametrize(
    "subject", [{"of": "Noor"}, 5, "geen persoon", "urn:dmi:participant:stack", True, []]
)
def test_whom_a_thing_is_about_is_checked_when_it_changes_as_when_it_is_made(
    node: Node, subject: Any
) -> None:
    whole = thing(subject=subject)
    error = {"field": "properties.subject", "rule": "must be urn:dmi:person:<name>"}
    assert error.items() <= node.refused("/v1.1/Things", whole).items()
    node.post("/v1.1/Things", thing())
    change = {"properties": whole["properties"]}
    assert error.items() <= node.refused(CENTRUM, change, method="PATCH").items()
    assert node.get(CENTRUM)["properties"] == {"dataset": GARAGES}
    named = {"properties": {"subject": "urn:dmi:person:noor"}}
    assert node.call("PATCH", CENTRUM, named).status_code == 200


def test_deleting_takes_along_what_cannot_be_alone(node: Node) -> None:
    """req/create-update-delete/delete-entity; table 25."""
    node.post("/v1.1/Things", thing())
    assert node.call("DELETE", CENTRUM).status_code == 200
    for path in (CENTRUM, STREAM):
        assert node.call("GET", path).status_code == 404
    assert node.get("/v1.1/HistoricalLocations")["value"] == []
    assert len(node.get("/v1.1/Locations")["value"]) == 1
    ended = node.bus.features()
    assert ended["garages.centrum"].valid_to is not None
    assert ended["garages.centrum.occupancy"].valid_to is not None


def test_what_observations_rest_on_stays(node: Node) -> None:
    """§10.4, with the deviation that stored observations are never deleted along."""
    node.post("/v1.1/Things", thing())
    node.post(f"{STREAM}/Observations", {"result": 3})
    for path in (CENTRUM, STREAM, "/v1.1/Sensors('lus')"):
        assert node.refused(path, None, 409, "DELETE")["rule"].startswith("observations rest on it")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"properties": {}}, "properties.dataset"),
        ({"properties": {"dataset": GARAGES, "subject": "Noor"}}, "properties.subject"),
        ({"colour": "red"}, "colour"),
        ({"@iot.id": "a/b"}, "@iot.id"),
        ({"Locations": [{**location(), "encodingType": "text/plain"}]}, "Locations.0.encodingType"),
        (
            {"Locations": [{**location(), "location": {"type": "Point", "coordinates": [52.1, 5.1]}}]},
            "Locations.0.location.coordinates",
        ),
        (
            {"Datastreams": [{**datastream(), "observationType": "OM_TruthObservation"}]},
            "Datastreams.0.observationType",
        ),
    ],
)
def test_a_refusal_names_the_field(node: Node, change: dict[str, Any], field: str) -> None:
    """req/datamodel: mandatory properties and their types."""
    assert node.refused("/v1.1/Things", {**thing(), **change})["field"] == field


def test_another_participant_neither_sees_nor_changes_what_is_not_its_own(node: Node) -> None:
    """Beyond the standard: the gate stands at this border too."""
    node.post("/v1.1/Things", thing())
    assert node.get("/v1.1/Things", who=VENDOR)["value"] == []
    assert node.call("PATCH", CENTRUM, {"name": "x"}, VENDOR).status_code == 404
    assert node.refused("/v1.1/Things", thing(), 403, who=VENDOR)["type"] == "urn:dmi:problem:no-agreement"
    assert node.call("PATCH", "/v1.1/Sensors('lus')", {"name": "x"}, VENDOR).status_code == 403
    assert node.call("GET", "/v1.1/Things", who="urn:dmi:participant:nobody").status_code == 403


FOREIGN = "sensorbedrijf:mine"
ALONE = {
    "Locations": location(),
    "Sensors": {**datastream()["Sensor"], "@iot.id": "lus"},
    "ObservedProperties": datastream()["ObservedProperty"],
    "FeaturesOfInterest": {
        "name": "Plein", "description": "", "encodingType": "application/geo+json", "feature": POINT,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(ALONE))
def test_an_id_in_the_name_of_another_participant_cannot_be_taken_for_any_kind(node: Node, kind: str) -> None:
    """Beyond the standard: who finds an id may rely on the name that it begins with."""
    error = node.refused(f"/v1.1/{kind}", {**ALONE[kind], "@iot.id": FOREIGN})
    assert (error["field"], "another participant" in error["rule"]) == ("@iot.id", True)
    assert node.get(f"/v1.1/{kind}", who=VENDOR)["value"] == []
    assert node.post(f"/v1.1/{kind}", {**ALONE[kind], "@iot.id": FOREIGN}, VENDOR)["@iot.id"] == FOREIGN
    for own in ("gemeente:mine", "urn:ngsi-ld:thing:1"):
        assert node.post(f"/v1.1/{kind}", {**ALONE[kind], "@iot.id": own})["@iot.id"] == own


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (["Locations", 0], "Locations.0.@iot.id"),
        (["Datastreams", 0], "Datastreams.0.@iot.id"),
        (["Datastreams", 0, "Sensor"], "Datastreams.0.Sensor.@iot.id"),
        (["Datastreams", 0, "ObservedProperty"], "Datastreams.0.ObservedProperty.@iot.id"),
    ],
)
def test_a_borrowed_id_deep_in_a_body_is_refused_at_its_place_and_nothing_is_made(
    node: Node, path: list[Any], field: str
) -> None:
    body = thing()
    part: Any = body
    for step in path:
        part = part[step]
    part["@iot.id"] = FOREIGN
    assert node.refused("/v1.1/Things", body)["field"] == field
    assert node.get("/v1.1/Sensors")["value"] == []


def test_a_borrowed_id_of_a_feature_of_interest_is_refused_with_its_observation(node: Node) -> None:
    node.post("/v1.1/Things", thing())
    interest = {**ALONE["FeaturesOfInterest"], "@iot.id": FOREIGN}
    body = {"phenomenonTime": "2026-03-01T10:00:00Z", "result": 3, "FeatureOfInterest": interest}
    error = node.refused(f"{STREAM}/Observations", body)
    assert error["field"] == "FeatureOfInterest.@iot.id"
    assert node.bus.rows() == []


def test_shared_vocabulary_is_referenced_by_all_and_overwritten_by_none_but_its_maker(node: Node) -> None:
    shared = {**ALONE["ObservedProperties"], "@iot.id": "gemeente:occupancy"}
    node.post("/v1.1/ObservedProperties", shared)
    theirs = {
        "name": "G", "description": "", "properties": {"dataset": OTHER},
        "Datastreams": [{**datastream(), "ObservedProperty": {"@iot.id": "gemeente:occupancy"}}],
    }  # fmt: skip
    node.post("/v1.1/Things", theirs, VENDOR)
    address = "/v1.1/ObservedProperties('gemeente:occupancy')"
    assert node.refused("/v1.1/ObservedProperties", shared, 400, who=VENDOR)["field"] == "@iot.id"
    plain = {**ALONE["ObservedProperties"], "@iot.id": "druk"}
    node.post("/v1.1/ObservedProperties", plain)
    assert node.refused("/v1.1/ObservedProperties", plain, 409, who=VENDOR)["field"] == "@iot.id"
    for method in ("PATCH", "DELETE"):
        node.refused(address, {"name": "x"}, 403, method, VENDOR)
    assert node.get(address)["name"] == shared["name"]


def seen(node: Node, who: str) -> list[str]:
    return [item["@iot.id"] for item in node.get("/v1.1/Sensors", who)["value"]]


def test_a_sensor_described_within_data_of_persons_is_told_to_the_owner_alone(node: Node) -> None:
    stream = datastream()
    stream["Sensor"] |= {"@iot.id": "noor-sds011", "name": "SDS011 van Noor"}
    node.post("/v1.1/Things", {**thing(dataset=BICYCLES), "Datastreams": [stream]})
    node.post("/v1.1/Things", {**thing(), "name": "Rand"})

    assert (seen(node, GEMEENTE), seen(node, VENDOR)) == (["noor-sds011", "lus"], ["lus"])
    assert node.call("GET", "/v1.1/Sensors('noor-sds011')", who=VENDOR).status_code == 404


def test_a_sensor_that_data_of_persons_uses_is_told_to_its_maker_and_to_owners_that_use_it(
    node: Node,
) -> None:
    sensor = {**ALONE["Sensors"], "@iot.id": "noor", "name": "Sensor van Noor"}
    node.post("/v1.1/Sensors", sensor, VENDOR)
    node.post("/v1.1/Sensors", {**sensor, "@iot.id": "lus"}, STACK)
    everybody = (GEMEENTE, VENDOR, STACK)
    assert [seen(node, who) for who in everybody] == [[], ["noor"], ["lus"]], "nobody knows yet of whom"
    for who, dataset, name in ((VENDOR, BICYCLES, "noor"), (STACK, OTHER, "lus")):
        node.gate.allowed[dataset].add(who)
        part = {**datastream(), "Sensor": {"@iot.id": name}}
        node.post("/v1.1/Things", {**thing(dataset=dataset), "Datastreams": [part]}, who)
    used = {**datastream(), "Sensor": {"@iot.id": "noor"}}
    assert [seen(node, who) for who in everybody] == [["noor", "lus"], ["noor", "lus"], ["lus"]]
    page = node.get("/v1.1/Sensors?$top=1&$count=true", STACK)
    assert (page["@iot.count"], len(page["value"]), "@iot.nextLink" in page) == (1, 1, False)
    assert node.call("GET", "/v1.1/Sensors('noor')", who=STACK).status_code == 404
    other = {**thing(dataset=OTHER), "Datastreams": [used]}
    assert node.refused("/v1.1/Things", other, who=STACK)["field"] == "Datastreams.0.Sensor.@iot.id"
    for_city = node.mandate(GEMEENTE, "urn:dmi:participant:gateway", GARAGES)
    assert seen(node, for_city) == ["lus"], "no dataset of the mandate uses it"
    assert seen(node, node.mandate(GEMEENTE, "urn:dmi:participant:gateway", BICYCLES)) == ["noor", "lus"]


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_a_sensor_that_data_of_persons_no_longer_uses_is_told_to_its_maker_alone(
    node: Node, method: str
) -> None:
    node.gate.allowed[BICYCLES].add(VENDOR)
    for name in ("noor", "later"):
        node.post("/v1.1/Sensors", {**ALONE["Sensors"], "@iot.id": name}, VENDOR)
    used = {**datastream(), "Sensor": {"@iot.id": "noor"}}
    made = node.post("/v1.1/Things", {**thing(dataset=BICYCLES), "Datastreams": [used]}, VENDOR)["@iot.id"]
    assert seen(node, GEMEENTE) == ["noor"]
    body = {"Sensor": {"@iot.id": "later"}} if method == "PATCH" else None
    assert node.call(method, f"/v1.1/Datastreams('{made}.occupancy')", body, VENDOR).status_code == 200
    assert [seen(node, who) for who in (VENDOR, STACK)] == [["noor", "later"], []]
    assert seen(node, GEMEENTE) == (["later"] if method == "PATCH" else [])
