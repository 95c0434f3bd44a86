"""The native doors: batches in columns, and features."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from dmi_agreements.contracts.law import Dataset
from dmi_ingest import reading
from dmi_ingest.model import ID_RULE
from dmi_ingest.reading import read_json
from dmi_ingest.store import FeatureStore
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, OTHER, VENDOR, Node, thing

NOOR = "urn:dmi:person:noor"
NOON = "2026-11-21T12:00:00Z"
STREAM = "garages.centrum.occupancy"


@pytest.fixture
def city(node: Node) -> Node:
    node.post("/v1.1/Things", thing())
    return node


def columns(**change: Any) -> dict[str, Any]:
    return {"dataset": GARAGES, "datastream": [STREAM], "phenomenon_time": [NOON], "result": [1], **change}


def feature(**change: Any) -> dict[str, Any]:
    return {"id": "n1", "kind": "area", "name": "Buurt", **change}


def features(*items: Any, **change: Any) -> dict[str, Any]:
    return {"dataset": GARAGES, "features": list(items), **change}


def test_good_rows_are_taken_and_faulty_ones_told_by_index(city: Node) -> None:
    answer = city.post(
        "/v1/batches",
        columns(
            datastream=[STREAM, "nergens", STREAM, STREAM],
            phenomenon_time=[NOON, NOON, 1_795_262_400_000_000, "yesterday"],
            result=[1, 2, None, 4],
            longitude=[5.1, None, None, None],
            latitude=[52.1, None, None, None],
        ),
    )
    assert (answer["read"], answer["accepted"], answer["rejected"]) == (4, 2, 2)
    assert [(e["index"], e["field"]) for e in answer["errors"]] == [(1, "datastream"), (3, "phenomenon_time")]
    batch = city.bus.batches()[0]
    assert batch.result == [1.0, None]
    assert batch.longitude == [5.1, None]
    assert batch.batch_id == answer["batch_id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"result": [1, 2]}, "result"),
        ({"result": None}, "result"),
        ({"colour": [1]}, "colour"),
        ({"result": ["1"]}, "0.result"),
        ({"result": [1.7e308]}, "0.result"),
        ({"longitude": [5.1]}, "0.latitude"),
        ({"longitude": [52.1], "latitude": [5.1]}, "0.longitude"),
        ({"subject": ["noor"]}, "0.subject"),
        ({"source_id": [7]}, "0.source_id"),
        ({"datastream": [["x"]]}, "0.datastream"),
        ({"dataset": 5}, "dataset"),
        ({"datastream": ["x"] * 10_001}, "datastream"),
    ],
)
def test_a_faulty_batch_is_refused_by_field(city: Node, change: dict[str, Any], field: str) -> None:
    assert city.refused("/v1/batches", columns(**change))["field"] == field
    assert city.bus.rows() == []


def test_a_datastream_of_another_dataset_takes_nothing(city: Node) -> None:
    assert city.refused("/v1/batches", columns(dataset=OTHER), who=VENDOR)["field"] == "0.datastream"


def test_an_empty_batch_is_still_asked_at_the_gate(city: Node) -> None:
    empty = columns(datastream=[], phenomenon_time=[], result=[])
    assert city.post("/v1/batches", empty)["accepted"] == 0
    assert city.call("POST", "/v1/batches", empty, VENDOR).status_code == 403


def test_features_are_published_once_and_repeats_are_told(node: Node) -> None:
    area = {"type": "Point", "coordinates": [155000, 463000]}
    body = features(feature(geometry=area), feature(id="n 2"), crs="EPSG:28992")
    first = node.post("/v1/features", body)
    assert (first["read"], first["accepted"], first["duplicate"], first["rejected"]) == (2, 1, 0, 1)
    assert first["errors"][0]["index"] == 1
    second = node.post("/v1/features", body)
    assert (second["accepted"], second["duplicate"]) == (0, 1)
    assert node.bus.features()["n1"].geometry is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "ufo"}, "0.kind"),
        ({"name": ""}, "0.name"),
        ({"geometry": {"type": "Point", "coordinates": [52.1, 5.1]}}, "0.geometry.coordinates"),
        ({"kind": "datastream"}, "0.properties.thing"),
        ({"properties": {"inhabitants": 1.7e308}}, "0.properties.inhabitants"),
        (
            {"properties": {"a": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}},
            "0.properties.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
        ),
        ({"valid_from": NOON, "valid_to": "2026-01-01T00:00:00Z"}, "0.valid_to"),
    ],
)
def test_a_faulty_feature_is_refused_by_field(node: Node, change: dict[str, Any], field: str) -> None:
    assert node.refused("/v1/features", features(feature(**change)))["field"] == field


@pytest.mark.parametrize("kind", ["neighbourhood", "building", "area", "parking"])
def test_a_surface_that_crosses_itself_is_the_fault_of_its_row_whatever_it_is_of(
    node: Node, kind: str
) -> None:
    node.gate.law.apply(Dataset(GARAGES, GEMEENTE, {"nl": "x"}, layer="areas"))
    ring = [[5.1, 52.1], [5.2, 52.2], [5.2, 52.1], [5.1, 52.2], [5.1, 52.1]]
    crossing = {"type": "Polygon", "coordinates": [ring]}
    answer = node.post("/v1/features", features(feature(), feature(id="n2", kind=kind, geometry=crossing)))
    assert answer["accepted"] == 1
    (error,) = answer["errors"]
    assert (error["index"], error["field"], error["value"]) == (
        1,
        "geometry",
        "self-intersection at 5.15, 52.15",
    )
    assert error["rule"] == "must be a valid geometry (OGC Simple Features)"


def test_areas_for_everybody_are_taken_in_a_dataset_of_areas_alone_and_the_refusal_names_the_rule(
    node: Node,
) -> None:
    drawn = feature(id="mine", kind="neighbourhood")
    answer = node.post("/v1/features", features(drawn, feature()))
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    (error,) = answer["errors"]
    assert (error["index"], error["field"]) == (0, "kind")
    assert "layer: areas" in error["rule"]
    assert "mine" not in node.bus.features()
    node.gate.law.apply(Dataset(GARAGES, GEMEENTE, {"nl": "x"}, layer="areas"))
    assert node.post("/v1/features", features(drawn))["accepted"] == 1


def test_an_id_belongs_to_the_dataset_that_named_it_first(city: Node) -> None:
    stolen = features(feature(id="garages.centrum", kind="thing"), dataset=OTHER)
    error = city.refused("/v1/features", stolen, who=VENDOR)
    assert error["rule"] == "names a feature of another dataset already, or its thing does"


def test_a_subject_given_with_a_thing_holds_for_its_datastreams_and_is_not_published(node: Node) -> None:
    noor = "urn:dmi:person:noor"
    node.gate.consenting.add(noor)
    about = {"thing": "fiets", "observed_property": "pm2_5", "unit": "ug/m3"}
    node.post(
        "/v1/features",
        features(
            feature(id="fiets", kind="thing", properties={"subject": noor}),
            feature(id="fiets.pm2_5", kind="datastream", properties=about),
            dataset=BICYCLES,
        ),
    )
    assert node.bus.features()["fiets"].properties == {}
    node.post("/v1/batches", columns(dataset=BICYCLES, datastream=["fiets.pm2_5"]))
    assert node.bus.batches()[0].subject == [noor]


def test_what_the_purpose_header_says_must_be_in_the_rulebook(city: Node) -> None:
    answer = city.call("POST", "/v1/batches", columns(), headers={"DMI-Purpose": "dmi:purpose:fun"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "DMI-Purpose"


def test_every_body_stands_in_the_openapi_document(node: Node) -> None:
    document = node.get("/openapi.json")
    posts = [(path, item["post"]) for path, item in document["paths"].items() if "post" in item]
    assert len(posts) > 10
    bare = [path for path, operation in posts if "requestBody" not in operation]
    assert bare == ["/v1/imports/{import_id}/resume"]


def test_who_may_not_hand_in_does_not_learn_which_datastreams_there_are(node: Node) -> None:
    node.post("/v1.1/Things", thing())
    row = {"dataset": GARAGES, "phenomenon_time": ["2026-11-21T12:00:00Z"], "result": [1]}
    told = [
        node.refused("/v1/batches", {**row, "datastream": [stream]}, 403, who=VENDOR)
        for stream in ("garages.centrum.occupancy", "garages.anders.occupancy")
    ]
    assert told[0]["detail"] == told[1]["detail"]
    assert node.gate.asked[-1][2] == GARAGES, "the refusal is recorded"
    asked = len(node.gate.asked)
    assert (
        node.call("POST", "/v1/batches", {**row, "datastream": ["garages.centrum.occupancy"]}).status_code
        == 201
    )
    assert len(node.gate.asked) == asked + 1, "and one batch is one use"


HEAVY = [[]] * 60_000
"""More values than anybody may send whom the gate has not let in."""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batches", {"dataset": GARAGES, "datastream": HEAVY}),
        ("/v1/features", {"features": HEAVY, "dataset": GARAGES}),
        ("/v1.1/CreateObservations", [{"dataArray": HEAVY, "Datastream": {"@iot.id": STREAM}}]),
    ],
)
def test_nothing_is_made_of_a_heavy_body_of_who_may_not_hand_in(
    city: Node, monkeypatch: pytest.MonkeyPatch, path: str, body: Any
) -> None:
    def never(_body: bytes) -> None:
        raise AssertionError("the body was read")

    for module in ("dmi_ingest.reading", "dmi_ingest.routes.observations"):
        monkeypatch.setattr(f"{module}.read_json", never)
    assert city.refused(path, body, 403, who=VENDOR)["type"] == "urn:dmi:problem:no-agreement"
    assert city.call("POST", path, body).status_code == 500, "of who may, it is read"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batches", {"dataset": 5, "datastream": HEAVY}),
        ("/v1/features", {"features": HEAVY}),
        ("/v1.1/CreateObservations", [{"dataArray": HEAVY}]),
        ("/v1.1/CreateObservations", [{"Datastream": {"@iot.id": STREAM}, "dataArray": HEAVY}] * 1001),
        ("/v1.1/CreateObservations", [{"Datastream": {"@iot.id": "nergens"}, "dataArray": HEAVY}]),
    ],
)
def test_a_heavy_body_that_does_not_say_what_it_is_for_is_refused(city: Node, path: str, body: Any) -> None:
    assert city.refused(path, body if len(body) < 1000 else [{**body[0], "dataArray": []}] * 40_000)["field"]


def test_a_heavy_body_of_who_may_hand_in_is_taken(city: Node) -> None:
    rows = 10_000
    batch = columns(
        datastream=[STREAM] * rows, phenomenon_time=[NOON] * rows, result=[1] * rows,
        source_id=[f"{number}-{'x' * 150}" for number in range(rows)],
    )  # fmt: skip
    assert city.post("/v1/batches", batch)["accepted"] == rows
    group = {
        "Datastream": {"@iot.id": STREAM},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[NOON, 1]] * 10_000,
    }
    assert len(city.post("/v1.1/CreateObservations", [group])) == 10_000


def test_a_data_array_of_more_rows_than_a_batch_may_have_is_refused(city: Node) -> None:
    group = {
        "Datastream": {"@iot.id": STREAM},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[NOON, 1]] * 10_001,
    }
    error = city.refused("/v1.1/CreateObservations", [group])
    assert error["field"] == "0.dataArray"
    assert "10000" in error["rule"]


@pytest.mark.parametrize("door", ["/v1/batches", "/v1.1/CreateObservations"])
def test_who_sends_many_large_bodies_of_rows_keeps_no_observation_waiting(
    city: Node, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """Each takes a tenth of a second to read, on the event loop, where every observation comes in."""
    rows = 5_000
    group = {
        "Datastream": {"@iot.id": STREAM},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[NOON, 1]] * rows,
    }
    columned = columns(datastream=[STREAM] * rows, phenomenon_time=[NOON] * rows, result=[1] * rows)
    large = [group] if door == "/v1.1/CreateObservations" else columned
    single = {"phenomenonTime": NOON, "result": 1, "Datastream": {"@iot.id": STREAM}}
    headers = {"Authorization": f"Bearer {GEMEENTE}"}
    read: list[str] = []

    def reads(body: bytes) -> Any:
        read.append("large" if len(body) > rows else "one")
        return read_json(body)

    for module in ("dmi_ingest.reading", "dmi_ingest.routes.observations"):
        monkeypatch.setattr(f"{module}.read_json", reads)

    async def story() -> list[int]:
        many = [asyncio.create_task(city.client.post(door, json=large, headers=headers)) for _ in range(6)]
        await asyncio.sleep(0)
        one = asyncio.create_task(city.client.post("/v1.1/Observations", json=single, headers=headers))
        return [answer.status_code for answer in await asyncio.gather(*many, one)]

    assert city.runner.run(story()) == [201] * 7
    assert read.index("one") <= 1


def test_an_observation_by_itself_holds_no_more_than_is_read_in_a_moment(city: Node) -> None:
    single = {"phenomenonTime": NOON, "result": 1, "Datastream": {"@iot.id": STREAM}}
    error = city.refused("/v1.1/Observations", {**single, "parameters": {"a": [[]] * 1_000}})
    assert error == {"field": "body", "rule": "an observation may hold at most 1000 values"}
    assert (
        city.call("POST", "/v1.1/Observations", {**single, "parameters": {"a": [[]] * 400}}).status_code
        == 201
    )


def small_groups(*values: Any, count: int = 100, rows: int = 20) -> list[dict[str, Any]]:
    """Groups of rows of one datastream; ``values`` are parameters of each row."""
    more = ["parameters"] if values else []
    group = {
        "Datastream": {"@iot.id": STREAM},
        "components": ["phenomenonTime", "result", *more],
        "dataArray": [[NOON, 1, *values]] * rows,
    }
    return [group] * count


@pytest.mark.parametrize(
    ("door", "body", "most"),
    [
        ("/v1.1/CreateObservations", small_groups(), 500),
        ("/v1.1/CreateObservations", small_groups({"a": [1] * 40}, count=4, rows=100), 25),
        (
            "/v1/batches",
            columns(datastream=[STREAM] * 2000, phenomenon_time=[NOON] * 2000, result=[1] * 2000),
            334,
        ),
    ],
)
def test_others_have_a_turn_after_a_piece_of_what_rows_hold_however_they_are_grouped(
    city: Node, monkeypatch: pytest.MonkeyPatch, door: str, body: Any, most: int
) -> None:
    rows = 0
    quantity = reading.quantity

    def counted(value: object, field: str) -> float:
        nonlocal rows
        rows += field == "result"  # numbers among parameters are read by it too
        return quantity(value, field)

    monkeypatch.setattr(reading, "quantity", counted)

    async def story() -> tuple[int, int]:
        headers = {"Authorization": f"Bearer {GEMEENTE}"}
        sent = asyncio.create_task(city.client.post(door, json=body, headers=headers))
        longest = last = 0
        while not sent.done():
            await asyncio.sleep(0)
            longest, last = max(longest, rows - last), rows
        return (await sent).status_code, longest

    status, longest = city.runner.run(story())
    assert status == 201
    assert 0 < longest <= most


@pytest.mark.parametrize("name", ["parameters", "resultQuality"])
def test_a_row_holds_no_more_than_is_read_in_a_moment_beside_its_result(city: Node, name: str) -> None:
    group = {
        "Datastream": {"@iot.id": STREAM},
        "components": ["result", name],
        "dataArray": [[1, {"a": [[1]] * 24}], [1, {"a": [[1]] * 25}], [1, {"a": 1}]],
    }
    answer = city.call("POST", "/v1.1/CreateObservations", [group])
    assert [link == "error" for link in answer.json()] == [False, True, False]
    (fault,) = json.loads(answer.headers["DMI-Rejected"])
    assert fault == {
        "index": 1, "field": name, "rule": "may hold at most 50 values in a row of a dataArray", "value": "",
    }  # fmt: skip


@pytest.mark.parametrize("given", [[1] * 100, {"@iot.id": "plein"}, True, 1.5])
def test_a_feature_of_interest_of_a_row_is_named_by_text_or_a_whole_number(city: Node, given: object) -> None:
    group = {
        "Datastream": {"@iot.id": STREAM},
        "components": ["result", "FeatureOfInterest/id"],
        "dataArray": [[1, given], [1, None]],
    }
    answer = city.call("POST", "/v1.1/CreateObservations", [group])
    assert answer.json()[0] == "error"
    (fault,) = json.loads(answer.headers["DMI-Rejected"])
    assert fault["field"] == "FeatureOfInterest.@iot.id"
    assert fault["rule"] == ID_RULE


def test_a_body_of_features_keeps_no_rows_of_its_own_participant_waiting(
    city: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, done = threading.Event(), threading.Event()
    put = FeatureStore.put

    def held(*given: Any) -> Any:
        begun.set()
        assert done.wait(10)
        return put(*given)

    monkeypatch.setattr(FeatureStore, "put", held)
    headers = {"Authorization": f"Bearer {GEMEENTE}"}

    async def story() -> list[int]:
        places = asyncio.create_task(
            city.client.post("/v1/features", json=features(feature()), headers=headers)
        )
        assert await asyncio.to_thread(begun.wait, 10)
        try:
            async with asyncio.timeout(5):
                rows = await city.client.post("/v1/batches", json=columns(), headers=headers)
        finally:
            done.set()
        return [rows.status_code, (await places).status_code]

    assert city.runner.run(story()) == [201, 201]


@pytest.mark.parametrize("door", ["/v1/batches", "/v1.1/CreateObservations"])
def test_rows_of_persons_are_judged_in_the_turn_of_their_body(
    node: Node, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    node.gate.consenting.add(NOOR)
    node.post("/v1.1/Things", thing(dataset=BICYCLES, subject=NOOR))
    at_once: list[int] = []
    carry = node.gate.carry

    def slowly(*given: Any) -> Any:
        at_once.append(1)
        assert sum(at_once) == 1, "one body of a participant at a time"
        time.sleep(0.02)
        at_once.append(-1)
        return carry(*given)

    monkeypatch.setattr(node.gate, "carry", slowly)
    rows, stream = 501, "bicycle-air.centrum.occupancy"
    group = {
        "Datastream": {"@iot.id": stream},
        "components": ["phenomenonTime", "result"],
        "dataArray": [[NOON, 1]] * rows,
    }
    columned = columns(
        dataset=BICYCLES, datastream=[stream] * rows, phenomenon_time=[NOON] * rows, result=[1] * rows
    )
    headers = {"Authorization": f"Bearer {GEMEENTE}"}

    async def story() -> list[int]:
        body = columned if door == "/v1/batches" else [group]
        sent = [node.client.post(door, json=body, headers=headers) for _ in range(3)]
        return [answer.status_code for answer in await asyncio.gather(*sent)]

    assert node.runner.run(story()) == [201] * 3
    assert len(at_once) == 6
