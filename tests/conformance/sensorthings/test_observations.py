"""OGC 18-088 (SensorThings 1.1 sensing): creating observations, single and as dataArray."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_infra import clock
from tests.unit.ingest.fakes import BICYCLES, VENDOR, Node, datastream, thing

ID = "garages.centrum.occupancy"
NOON = "2026-11-21T12:00:00Z"
MICROS = 1_795_262_400_000_000


@pytest.fixture
def city(node: Node) -> Node:
    node.post("/v1.1/Things", thing())
    return node


def observation(**change: Any) -> dict[str, Any]:
    return {"phenomenonTime": NOON, "result": 231, "Datastream": {"@iot.id": ID}, **change}


def test_an_observation_is_answered_with_201_and_location_once_it_is_on_the_bus(city: Node) -> None:
    """§10.2.1, req/create-update-delete/create-entity."""
    answer = city.call("POST", "/v1.1/Observations", observation())
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.json()["@iot.selfLink"]
    assert city.bus.rows() == [(ID, MICROS, 231.0)]


def test_nothing_is_acknowledged_while_the_bus_is_away(city: Node) -> None:
    city.bus.away = True
    answer = city.call("POST", "/v1.1/Observations", observation())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_an_observation_within_its_datastream_needs_no_reference(city: Node) -> None:
    """§10.2.1: POST to a navigation collection."""
    city.post(f"/v1.1/Datastreams('{ID}')/Observations", {"phenomenonTime": NOON, "result": 1.5})
    assert city.bus.rows() == [(ID, MICROS, 1.5)]
    assert city.call("POST", "/v1.1/Datastreams('x')/Observations", {"result": 1}).status_code == 404


def test_without_phenomenon_time_the_moment_of_arrival_counts(city: Node) -> None:
    """§8.2.7."""
    city.post("/v1.1/Observations", {"result": 1, "Datastream": {"@iot.id": ID}})
    assert abs(city.bus.rows()[0][1] - clock.now()) < 60_000_000


def test_an_interval_counts_at_its_end(city: Node) -> None:
    """§8.2.7: phenomenonTime is a TM_Object, instant or interval."""
    shown = city.post("/v1.1/Observations", observation(phenomenonTime=f"2026-11-21T11:55:00Z/{NOON}"))
    assert city.bus.rows()[0][1] == MICROS
    assert shown["phenomenonTime"] == f"2026-11-21T11:55:00Z/{NOON}"


def test_a_feature_of_interest_gives_the_position(city: Node) -> None:
    """§10.2.1: FeatureOfInterest nested or by reference."""
    interest = {
        "@iot.id": "hier", "name": "hier", "description": "", "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [5.2, 52.2]},
    }  # fmt: skip
    city.post("/v1.1/Observations", observation(FeatureOfInterest=interest))
    city.post("/v1.1/Observations", observation(FeatureOfInterest={"@iot.id": "hier"}))
    for batch in city.bus.batches():
        assert (batch.longitude, batch.latitude) == ([5.2], [52.2])
    error = city.refused("/v1.1/Observations", observation(FeatureOfInterest={"@iot.id": "daar"}))
    assert error["field"] == "FeatureOfInterest.@iot.id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"result": NaN, "Datastream": {"@iot.id": "%s"}}', "result"),
        ('{"result": 1e400, "Datastream": {"@iot.id": "%s"}}', "result"),
        ('{"result": -Infinity, "Datastream": {"@iot.id": "%s"}}', "result"),
        ('{"result": "12", "Datastream": {"@iot.id": "%s"}}', "result"),
        ('{"result": 1.7e308, "Datastream": {"@iot.id": "%s"}}', "result"),
        ('{"result": true, "Datastream": {"@iot.id": "%s"}}', "result"),
        ('{"Datastream": {"@iot.id": "%s"}}', "result"),
        (
            '{"result": 1, "phenomenonTime": "9999-01-01T00:00:00Z", "Datastream": {"@iot.id": "%s"}}',
            "phenomenonTime",
        ),
        (
            '{"result": 1, "phenomenonTime": "2026-11-21T12:00:00", "Datastream": {"@iot.id": "%s"}}',
            "phenomenonTime",
        ),
        ('{"result": 1, "resultTime": "soon", "Datastream": {"@iot.id": "%s"}}', "resultTime"),
        ('{"result": 1, "colour": "red", "Datastream": {"@iot.id": "%s"}}', "colour"),
        ('{"result": 1, "Datastream": {"@iot.id": "no%s"}}', "Datastream.@iot.id"),
        ('{"result": 1} %s', "body"),
    ],
)
def test_a_refused_observation_names_its_field(city: Node, body: str, field: str) -> None:
    answer = city.call("POST", "/v1.1/Observations", content=(body % ID).encode())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert city.bus.rows() == []


def test_deep_nesting_is_refused_without_harm(city: Node) -> None:
    nested = (
        '{"result": 1, "parameters": {"a": ' + "[" * 50 + "]" * 50 + '}, "Datastream": {"@iot.id": "%s"}}'
    )
    answer = city.call("POST", "/v1.1/Observations", content=(nested % ID).encode())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("parameters.a")
    deeper = "[" * 100_000 + "]" * 100_000
    assert city.call("POST", "/v1.1/Observations", content=deeper.encode()).status_code == 400


def group(
    rows: list[Any], stream: str = ID, components: tuple[str, ...] = ("phenomenonTime", "result")
) -> Any:
    return {"Datastream": {"@iot.id": stream}, "components": list(components), "dataArray": rows}


def test_a_data_array_answers_a_link_or_error_for_each_row_in_order(city: Node) -> None:
    """§14.2, req/data-array: CreateObservations."""
    rows = [[NOON, 1], [NOON, None], ["2026-11-21T12:05:00Z", 2], [NOON]]
    answer = city.call("POST", "/v1.1/CreateObservations", [group(rows), group([[NOON, 1]], "nergens")])
    assert answer.status_code == 201
    links = answer.json()
    assert [link == "error" for link in links] == [False, True, False, True, True]
    assert links[0].endswith(f"/Observations('{ID}@{MICROS}')")
    assert [row[2] for row in city.bus.rows()] == [1.0, 2.0]
    assert answer.headers["dmi-rejected-count"] == "3"
    assert '"index":1,"field":"result"' in answer.headers["dmi-rejected"]


def test_a_data_array_without_a_good_row_is_refused_whole(city: Node) -> None:
    error = city.refused("/v1.1/CreateObservations", [group([[NOON, "x"]])])
    assert error == {"field": "0.result", "rule": "must be a number", "value": "x"}


@pytest.mark.parametrize(
    ("components", "field"),
    [
        (("phenomenonTime",), "0.components"),
        (("result", "colour"), "0.components"),
        (("result",) * 2, "0.components"),
    ],
)
def test_components_must_be_known_and_name_the_result(
    city: Node, components: tuple[str, ...], field: str
) -> None:
    assert (
        city.refused("/v1.1/CreateObservations", [group([[1, 2]], components=components)])["field"] == field
    )


def test_the_gate_stands_before_observations_too(city: Node) -> None:
    problem = city.refused("/v1.1/Observations", observation(), 403, who=VENDOR)
    assert problem["type"] == "urn:dmi:problem:no-agreement"
    assert city.refused("/v1.1/CreateObservations", [group([[NOON, 1]])], 403, who=VENDOR)["status"] == 403
    asked = city.gate.asked[-1]
    assert asked[:3] == ("intake", "dmi:contribute", "urn:dmi:dataset:gemeente:garages")
    assert asked[5] == "dmi:process"


def test_personal_data_carries_its_subject_and_waits_for_consent(node: Node) -> None:
    noor = "urn:dmi:person:noor"
    bicycle = {
        **thing(dataset=BICYCLES, subject=noor), "@iot.id": "fiets-1",
        "Datastreams": [{**datastream(), "@iot.id": "fiets-1.pm2_5"}],
    }  # fmt: skip
    assert node.refused("/v1.1/Things", bicycle, 403)["type"] == "urn:dmi:problem:no-consent", "its place too"
    node.post("/v1.1/Things", {**bicycle, "Locations": []})
    assert "subject" not in node.bus.features()["fiets-1"].properties
    body = observation(Datastream={"@iot.id": "fiets-1.pm2_5"})
    assert node.refused("/v1.1/Observations", body, 403)["type"] == "urn:dmi:problem:no-consent"
    node.gate.consenting.add(noor)
    node.post("/v1.1/Observations", body)
    assert node.bus.batches()[-1].subject == [noor]


def test_reading_an_observation_leads_to_the_platform(city: Node) -> None:
    """The service root announces no Observations for reading; what is linked still leads somewhere."""
    link = city.post("/v1.1/Observations", observation())["@iot.selfLink"]
    answer = city.call("GET", link.removeprefix("http://127.0.0.1:8080/ingest"))
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(
        f"http://127.0.0.1:8080/platform/v1/datastreams/{ID}/observations?"
    )
    assert city.call("GET", "/v1.1/Observations").status_code == 405
