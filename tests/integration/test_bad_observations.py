"""Bad numbers, times, rows, features and coordinates: each refusal names field and rule, good rows are taken."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.clumsy import NOON, STREAM, batch, no_fault, post, proper, thing
from tests.integration.newcomer import Newcomer
from tests.stack_plugin import EmbeddedStack


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 399])
def test_a_number_that_no_double_holds_is_named_by_its_row(clumsy: Newcomer, value: str) -> None:
    text = json.dumps(batch(clumsy, result=["?"])).replace('"?"', value)
    proper(post(clumsy, "/ingest/v1/batches", text), 400, "0.result")
    single = f'{{"result": {value}, "Datastream": {{"@iot.id": "{STREAM}"}}}}'
    proper(post(clumsy, "/ingest/v1.1/Observations", single), 400, "result")


@pytest.mark.parametrize(
    "time",
    [
        "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-11-20T25:00:00Z", "2026-11-20T12:00:00", "2026-11-20", "yesterday", "",
        "2026-11-20T12:00:00+99:00", "٢٠٢٦-11-20T12:00:00Z", "2026-11-20T12:00:00Z\u0000", 10**30, -(10**30), 2**63,
        1.5, True, None, [], {},
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_named_by_its_row(clumsy: Newcomer, time: object) -> None:
    body = batch(clumsy, phenomenon_time=[time])
    proper(clumsy.ask("POST", "/ingest/v1/batches", json=body), 400, "0.phenomenon_time")
    if time is not None:
        sensor = {"result": 1, "phenomenonTime": time, "Datastream": {"@iot.id": STREAM}}
        proper(clumsy.ask("POST", "/ingest/v1.1/Observations", json=sensor), 400, "phenomenonTime")


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"result": [1, 2]}, "result", "as many rows"),
        ({"phenomenon_time": []}, "phenomenon_time", "as many rows"),
        ({"longitude": [5.1]}, "0.latitude", "number"),
        ({"longitude": [52.1], "latitude": [5.1]}, "0.longitude", "swapped"),
        ({"longitude": [121_000], "latitude": [487_000]}, "0.longitude", "EPSG:28992"),
        ({"longitude": [181], "latitude": [52]}, "0.longitude", "WGS84"),
        ({"longitude": [5], "latitude": [-91]}, "0.longitude", "WGS84"),
        ({"datastream": ["nowhere"]}, "0.datastream", "datastream of this dataset"),
        ({"datastream": ["x\u0000y"]}, "0.datastream", "datastream of this dataset"),
        ({"datastream": ["x" * 100_000]}, "0.datastream", "datastream of this dataset"),
        ({"datastream": [7]}, "0.datastream", "datastream of this dataset"),
        ({"datastream": "all"}, "datastream", "array"),
        ({"subject": ["Noor"]}, "0.subject", "urn:dmi:person:"),
        ({"source_id": ["x" * 201]}, "0.source_id", "200 characters"),
        ({"source_id": ["a\u0000b"]}, "0.source_id", "Unicode"),
        ({"colour": ["red"]}, "colour", "unknown"),
        ({"dataset": 7}, "dataset", "text"),
        ({"dataset": ""}, "dataset", "characters"),
    ],
)
def test_a_batch_names_the_row_the_field_and_the_rule(
    clumsy: Newcomer, change: dict[str, Any], field: str, rule: str
) -> None:
    answer = clumsy.ask("POST", "/ingest/v1/batches", json=batch(clumsy, **change))
    proper(answer, 400, field, rule)


def test_of_a_mixed_batch_the_good_rows_are_taken_and_the_bad_ones_told_by_index(clumsy: Newcomer) -> None:
    rows: list[Any] = [1, "2", 3, None, True, 6]
    times: list[Any] = [f"2026-11-19T12:00:0{row}Z" for row in range(6)]
    times[2] = "never"
    body = batch(clumsy, datastream=[STREAM] * 6, phenomenon_time=times, result=rows)
    answer = clumsy.ask("POST", "/ingest/v1/batches", json=body)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["read"], told["accepted"], told["rejected"]) == (6, 3, 3)
    assert [(error["index"], error["field"]) for error in told["errors"]] == [
        (1, "result"), (2, "phenomenon_time"), (4, "result"),
    ]  # fmt: skip
    data = [[times[0], 1], [times[1], "x"], [times[2], 3]]
    group = {"Datastream": {"@iot.id": STREAM}, "components": ["phenomenonTime", "result"], "dataArray": data}
    links = clumsy.ask("POST", "/ingest/v1.1/CreateObservations", json=[group]).json()
    assert [link == "error" for link in links] == [False, True, True]


def test_an_observation_is_found_where_its_address_leads(clumsy: Newcomer) -> None:
    sensor = {"result": 7, "phenomenonTime": "2026-11-18T12:00:00Z", "Datastream": {"@iot.id": STREAM}}
    answer = clumsy.ask("POST", "/ingest/v1.1/Observations", json=sensor)
    assert answer.status_code == 201
    path = urlsplit(answer.headers["location"]).path
    until = time.monotonic() + 10
    while True:
        found = clumsy.ask("GET", path, follow_redirects=True)
        assert found.status_code == 200, found.text
        if found.json()["items"]:
            break
        assert time.monotonic() < until
    assert [item["result"] for item in found.json()["items"]] == [7]


def test_an_empty_batch_is_answered_and_one_of_too_many_rows_refused(clumsy: Newcomer) -> None:
    empty = batch(clumsy, datastream=[], phenomenon_time=[], result=[])
    answer = clumsy.ask("POST", "/ingest/v1/batches", json=empty)
    assert (answer.status_code, answer.json()["accepted"]) == (201, 0)
    body = batch(clumsy, datastream=[STREAM] * 10_001)
    proper(clumsy.ask("POST", "/ingest/v1/batches", json=body), 400, "datastream", "10000")


# -- features ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"geometry": {"type": "Point", "coordinates": [52.1, 5.1]}}, "0.geometry.coordinates", "swapped"),
        ({"geometry": {"type": "Point", "coordinates": [121_000, 487_000]}}, "0.geometry.coordinates", "28992"),
        ({"geometry": {"type": "Point", "coordinates": []}}, "0.geometry.coordinates", "two or three"),
        ({"geometry": {"type": "Point", "coordinates": [None, 1]}}, "0.geometry.coordinates", "number"),
        ({"geometry": {"type": "Circle", "coordinates": [5, 52]}}, "0.geometry.type", "one of"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[5, 52], [5, 53]]]}}, "0.geometry.coordinates", "geometry"),
        (
            {"geometry": {"type": "Polygon", "coordinates": [[[5, 52], [6, 53], [6, 52], [5, 53], [5, 52]]]}},
            "0.geometry", "valid geometry",
        ),
        ({"geometry": "POINT(5 52)"}, "0.geometry", "JSON object"),
        ({"id": "../etc"}, "0.id", "letters"),
        ({"id": "a b"}, "0.id", "letters"),
        ({"id": "=cmd()"}, "0.id", "letters"),
        ({"id": "gаrage"}, "0.id", "letters"),
        ({"id": "a\u202eb"}, "0.id", "letters"),
        ({"id": "a\n"}, "0.id", "letters"),
        ({"id": "x" * 201}, "0.id", "200"),
        ({"kind": "castle"}, "0.kind", "one of"),
        ({"name": ""}, "0.name", "characters"),
        ({"name": "x" * 501}, "0.name", "500"),
        ({"name": "a\u0000b"}, "0.name", "Unicode"),
        ({"properties": {"a": "b\u0000"}}, "0.properties.a", "Unicode"),
        ({"properties": {"a": "x" * 20_001}}, "0.properties.a", "20000"),
        ({"properties": []}, "0.properties", "JSON object"),
        ({"valid_from": NOON, "valid_to": "2026-11-19T12:00:00Z"}, "0.valid_to", "before"),
    ],
)  # fmt: skip
def test_a_feature_names_its_field_and_rule(
    clumsy: Newcomer, change: dict[str, Any], field: str, rule: str
) -> None:
    body = {"dataset": clumsy.dataset("things"), "features": [thing(**change)]}
    proper(clumsy.ask("POST", "/ingest/v1/features", json=body), 400, field, rule)


def test_coordinates_are_read_in_the_system_that_is_declared(clumsy: Newcomer) -> None:
    def post(crs: object, x: float, y: float) -> httpx.Response:
        item = thing(id="clumsy.rd", geometry={"type": "Point", "coordinates": [x, y]})
        body = {"dataset": clumsy.dataset("things"), "crs": crs, "features": [item]}
        return clumsy.ask("POST", "/ingest/v1/features", json=body)

    assert post("EPSG:28992", 121_687, 487_484).status_code == 201
    proper(post("EPSG:28992", 487_484, 121_687), 400, "0.geometry.coordinates", "swapped")
    proper(post("EPSG:28992", 4.9, 52.4), 400, "0.geometry.coordinates", "RD New")
    for crs in ("EPSG:3857", "wgs84", 4326, {}, "EPSG:4326\u0000"):
        proper(post(crs, 4.9, 52.4), 400, "crs", "one of")


def test_free_properties_are_bounded_in_depth(clumsy: Newcomer) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    body = {"dataset": clumsy.dataset("things"), "features": [thing(properties={"a": deep})]}
    problem = proper(clumsy.ask("POST", "/ingest/v1/features", json=body), 400)
    assert "deep" in problem["errors"][0]["rule"]


def test_none_of_this_was_a_fault_in_the_log(clumsy: Newcomer, embedded_stack: EmbeddedStack) -> None:
    no_fault(embedded_stack)
