"""Bad input of every kind, by hand: each refusal names field and rule, and tells nothing of how this is made."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.newcomer import Newcomer, join, publish
from tests.stack_plugin import EmbeddedStack

NOON = "2026-11-20T12:00:00Z"
STREAM = "clumsy.one.occupancy"
INSIDE = re.compile(
    r"Traceback|sqlalchemy|sqlite|psycopg|SELECT |INSERT |site-packages|\.py\b|/work|/tmp|/root|/home|"
    r"dmi_[a-z]+\.|Error\b|Exception|0x[0-9a-f]{8}|pydantic|starlette|msgspec"
)
LIMIT = 32 * 1024 * 1024


@pytest.fixture(scope="module")
def clumsy(embedded_stack: EmbeddedStack) -> Newcomer:
    """Every role, and a dataset with one sensor."""
    roles = ("municipality", "vendor", "operator", "provider", "analyst")
    made = join(embedded_stack, "clumsy", [f"dmi:role:{role}" for role in roles])
    dataset = publish(embedded_stack, made, "things")
    body = {"dataset": dataset, "features": [_thing(), _stream()]}
    assert made.ask("POST", "/ingest/v1/features", json=body).status_code == 201
    return made


def _thing(**change: Any) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [5.1, 52.1]}
    return {"id": "clumsy.one", "kind": "thing", "name": "One", "geometry": place, **change}


def _stream() -> dict[str, Any]:
    properties = {"thing": "clumsy.one", "observed_property": "occupancy", "unit": "{vehicle}"}
    return {"id": STREAM, "kind": "datastream", "name": "One", "properties": properties}


def _proper(answer: httpx.Response, status: int, field: str | None = None, rule: str = "") -> dict[str, Any]:
    """The problem of an answer, after checking its shape."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert (problem["status"], problem["type"][:16]) == (status, "urn:dmi:problem:")
    assert not INSIDE.search(answer.text), answer.text[:500]
    assert len(answer.content) < 100_000
    if field is not None:
        told = [(error["field"], error["rule"]) for error in problem["errors"]]
        assert any(name == field and rule in text for name, text in told), told[:5]
    return problem


def _batch(owner: Newcomer, **change: Any) -> dict[str, Any]:
    row = {"datastream": [STREAM], "phenomenon_time": [NOON], "result": [1]}
    return {"dataset": owner.dataset("things"), **row, **change}


def _post(owner: Newcomer, path: str, text: str | bytes, media: str = "application/json") -> httpx.Response:
    return owner.ask("POST", path, content=text, headers={"Content-Type": media})


# -- bodies ------------------------------------------------------------------------


def test_a_body_above_the_limit_is_refused_before_it_is_read(clumsy: Newcomer) -> None:
    for path in (
        "/ingest/v1/batches",
        "/exchange/v1/agreements",
        "/support-centre/v1/scenarios",
        "/exchange/token",
    ):
        problem = _proper(_post(clumsy, path, b" " * (LIMIT + 1)), 413)
        assert problem["type"] == "urn:dmi:problem:too-large"
        assert str(LIMIT) in problem["detail"]


def test_a_body_in_chunks_is_counted_while_it_comes_in(clumsy: Newcomer) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(LIMIT // (1 << 20) + 1):
            yield b" " * (1 << 20)

    headers = {"Content-Type": "application/json"}
    _proper(clumsy.ask("POST", "/ingest/v1/batches", content=chunks(), headers=headers), 413)


JSON_DOORS = (
    "/ingest/v1/batches", "/ingest/v1/features", "/ingest/v1.1/Things", "/ingest/v1.1/Observations",
    "/ingest/v1.1/CreateObservations", "/exchange/v1/agreements", "/exchange/v1/datasets",
    "/exchange/v1/participants", "/exchange/v1/demo/token", "/support-centre/v1/scenarios",
    "/support-centre/v1/rules", "/support-centre/v1/subscriptions",
)  # fmt: skip


@pytest.mark.parametrize("path", JSON_DOORS)
@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"{'a': 1}", b"[1,]", b"\xff\xfe{}", b"nul", b'{"a":1}{"b":2}', b'"\xed\xa0\x80"', b"\x00",
        b"[" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"9" * 100_000, b"-", b"0x10",
    ],
    ids=[
        "empty", "open", "quotes", "comma", "utf-16", "word", "two", "surrogate", "nul", "deep array",
        "deep object", "digits", "minus", "hexadecimal",
    ],
)  # fmt: skip
def test_what_is_no_json_is_a_400(clumsy: Newcomer, path: str, text: bytes) -> None:
    _proper(_post(clumsy, path, text), 400)


@pytest.mark.parametrize("path", JSON_DOORS)
@pytest.mark.parametrize("text", ["null", "1", "true", '"text"', "[[]]", "{}", '{"\\u0000":"\\u0000"}'])
def test_json_of_another_shape_is_a_400_that_names_a_field(clumsy: Newcomer, path: str, text: str) -> None:
    problem = _proper(_post(clumsy, path, text), 400)
    assert problem["errors"]


@pytest.mark.parametrize("path", JSON_DOORS)
def test_another_media_type_is_refused_or_read_as_json(clumsy: Newcomer, path: str) -> None:
    for media in ("text/xml", "multipart/form-data", "application/x-www-form-urlencoded", "x" * 300, ""):
        answer = _post(clumsy, path, "<a/>", media)
        _proper(answer, answer.status_code)
        assert answer.status_code in (400, 415)


def test_a_key_that_stands_twice_is_not_taken_twice(clumsy: Newcomer) -> None:
    text = json.dumps(_batch(clumsy))[:-1] + ', "result": ["x"]}'
    _proper(_post(clumsy, "/ingest/v1/batches", text), 400, "0.result", "number")


# -- observations ------------------------------------------------------------------


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" + "0" * 400])
def test_a_number_that_no_double_holds_is_named_by_its_row(clumsy: Newcomer, value: str) -> None:
    text = json.dumps(_batch(clumsy, result=["?"])).replace('"?"', value)
    _proper(_post(clumsy, "/ingest/v1/batches", text), 400, "0.result")
    single = f'{{"result": {value}, "Datastream": {{"@iot.id": "{STREAM}"}}}}'
    _proper(_post(clumsy, "/ingest/v1.1/Observations", single), 400, "result")


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
    body = _batch(clumsy, phenomenon_time=[time])
    _proper(clumsy.ask("POST", "/ingest/v1/batches", json=body), 400, "0.phenomenon_time")
    if time is not None:
        sensor = {"result": 1, "phenomenonTime": time, "Datastream": {"@iot.id": STREAM}}
        _proper(clumsy.ask("POST", "/ingest/v1.1/Observations", json=sensor), 400, "phenomenonTime")


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
    answer = clumsy.ask("POST", "/ingest/v1/batches", json=_batch(clumsy, **change))
    _proper(answer, 400, field, rule)


def test_of_a_mixed_batch_the_good_rows_are_taken_and_the_bad_ones_told_by_index(clumsy: Newcomer) -> None:
    rows: list[Any] = [1, "2", 3, None, True, 6]
    times: list[Any] = [f"2026-11-19T12:00:0{row}Z" for row in range(6)]
    times[2] = "never"
    body = _batch(clumsy, datastream=[STREAM] * 6, phenomenon_time=times, result=rows)
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
    empty = _batch(clumsy, datastream=[], phenomenon_time=[], result=[])
    answer = clumsy.ask("POST", "/ingest/v1/batches", json=empty)
    assert (answer.status_code, answer.json()["accepted"]) == (201, 0)
    body = _batch(clumsy, datastream=[STREAM] * 10_001)
    _proper(clumsy.ask("POST", "/ingest/v1/batches", json=body), 400, "datastream", "10000")


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
    body = {"dataset": clumsy.dataset("things"), "features": [_thing(**change)]}
    _proper(clumsy.ask("POST", "/ingest/v1/features", json=body), 400, field, rule)


def test_coordinates_are_read_in_the_system_that_is_declared(clumsy: Newcomer) -> None:
    def post(crs: object, x: float, y: float) -> httpx.Response:
        item = _thing(id="clumsy.rd", geometry={"type": "Point", "coordinates": [x, y]})
        body = {"dataset": clumsy.dataset("things"), "crs": crs, "features": [item]}
        return clumsy.ask("POST", "/ingest/v1/features", json=body)

    assert post("EPSG:28992", 121_687, 487_484).status_code == 201
    _proper(post("EPSG:28992", 487_484, 121_687), 400, "0.geometry.coordinates", "swapped")
    _proper(post("EPSG:28992", 4.9, 52.4), 400, "0.geometry.coordinates", "RD New")
    for crs in ("EPSG:3857", "wgs84", 4326, {}, "EPSG:4326\u0000"):
        _proper(post(crs, 4.9, 52.4), 400, "crs", "one of")


def test_free_properties_are_bounded_in_depth(clumsy: Newcomer) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    body = {"dataset": clumsy.dataset("things"), "features": [_thing(properties={"a": deep})]}
    problem = _proper(clumsy.ask("POST", "/ingest/v1/features", json=body), 400)
    assert "deep" in problem["errors"][0]["rule"]


# -- addresses ---------------------------------------------------------------------

UNKNOWN = "urn:uuid:00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/exchange/v1/agreements/{UNKNOWN}", 404),
        ("POST", f"/exchange/v1/agreements/{UNKNOWN}/end", 404),
        ("POST", f"/exchange/v1/consents/{UNKNOWN}/withdraw", 404),
        ("GET", "/exchange/v1/datasets/urn:dmi:dataset:x:y", 404),
        ("GET", "/exchange/v1/participants/urn:dmi:participant:x", 404),
        ("GET", f"/exchange/v1/lineage/{UNKNOWN}", 404),
        ("GET", f"/ingest/v1/imports/{UNKNOWN}", 404),
        ("GET", f"/ingest/v1/imports/{UNKNOWN}/rejects", 404),
        ("GET", "/ingest/v1.1/Things('x')", 404),
        ("GET", "/ingest/v1.1/Things(%00)", 404),
        ("GET", "/ingest/v1.1/Nothings", 404),
        ("DELETE", "/ingest/v1.1/Things('x')", 404),
        ("GET", "/platform/v1/datastreams/x/observations", 404),
        ("GET", f"/platform/v1/outcomes/{UNKNOWN}", 404),
        ("GET", "/platform/v1/rejects/999999999", 404),
        ("GET", "/visualisation/v1/datastreams/x/history", 404),
        ("GET", f"/support-centre/v1/scenarios/{UNKNOWN}", 404),
        ("GET", f"/support-centre/v1/scenarios/{UNKNOWN}/result", 404),
        ("GET", f"/support-centre/v1/measures/{UNKNOWN}", 404),
        ("DELETE", f"/support-centre/v1/subscriptions/{UNKNOWN}", 404),
        ("GET", "/exchange/v1/nothing", 404),
        ("GET", "/platform/v1/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/ingest/v1/imports/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/exchange/v1/datasets/%00", 404),
        ("GET", "/exchange//v1//me", 404),
        ("GET", "/exchange/v1/datasets/a%0Ab", 404),
        ("GET", "/support-centre/v1/scenarios/%F0%9F%92%A9", 404),
        ("GET", "/support-centre/v1/scenarios/%FF%FE", 404),
        ("PUT", "/exchange/v1/me", 405),
        ("DELETE", "/exchange/v1/datasets", 405),
        ("PATCH", "/platform/v1/latest", 405),
        ("POST", "/visualisation/v1/layers", 405),
        ("GET", "/ingest/v1/batches", 405),
        ("TRACE", "/support-centre/v1/crowd", 405),
    ],
)
def test_an_address_that_names_nothing_is_told_so(
    clumsy: Newcomer, method: str, path: str, status: int
) -> None:
    body: dict[str, Any] = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    answer = clumsy.ask(method, path, **body)
    _proper(answer, status)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/platform/v1/datastreams?limit=-1", "limit"),
        ("/platform/v1/datastreams?limit=0", "limit"),
        ("/platform/v1/datastreams?limit=1e3", "limit"),
        ("/platform/v1/datastreams?limit=99999999999999999999", "limit"),
        ("/platform/v1/datastreams?cursor=broken", "cursor"),
        ("/platform/v1/datastreams?cursor=%00", "cursor"),
        ("/platform/v1/datastreams?cursor=WyJhIl0", "cursor"),
        ("/platform/v1/datastreams?dataset=a%00b", "dataset"),
        ("/platform/v1/datastreams?dataset=" + "x" * 201, "dataset"),
        (f"/platform/v1/datastreams/{STREAM}/observations?cursor=eyJhIjoxfQ", "cursor"),
        (f"/platform/v1/datastreams/{STREAM}/observations?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", "to"),
        (f"/platform/v1/datastreams/{STREAM}/observations?from=yesterday", "from"),
        (f"/platform/v1/datastreams/{STREAM}/observations?from=9999-12-31T23:59:59Z", "from"),
        (f"/platform/v1/datastreams/{STREAM}/observations?limit=ten", "limit"),
        ("/platform/v1/latest", "datastream"),
        ("/platform/v1/rejects?cursor=-1", "cursor"),
        ("/platform/v1/rejects?limit=1001", "limit"),
        ("/platform/v1/rejects?pending=perhaps", "pending"),
        ("/platform/v1/export", "dataset"),
        ("/platform/v1/features?kind=castle&dataset=DATASET", "kind"),
        ("/platform/v1/export?dataset=DATASET&format=xls", "format"),
        (f"/visualisation/v1/datastreams/{STREAM}/history?points=-5", "points"),
        (f"/visualisation/v1/datastreams/{STREAM}/history?from={NOON}&to=2026-11-19T12:00:00Z", "from"),
        (f"/visualisation/v1/datastreams/{STREAM}/history?to=0000-01-01T00:00:00Z", "to"),
        ("/visualisation/v1/layers/DATASET/tiles/99/0/0", "z"),
        ("/visualisation/v1/layers/DATASET/tiles/2/9/0", "x"),
        ("/visualisation/v1/layers/DATASET/tiles/-1/0/0", "z"),
        ("/visualisation/v1/layers/DATASET/tiles/a/0/0", "z"),
        ("/exchange/v1/log?after=-1", "after"),
        ("/exchange/v1/log?limit=0", "limit"),
        ("/exchange/v1/agreements?state=angry", "state"),
        ("/support-centre/v1/measures?state=angry", "state"),
        ("/support-centre/v1/scenarios/compare", "id"),
        ("/ingest/v1/imports?limit=-1", "limit"),
        ("/ingest/v1.1/Things?$top=-1", "$top"),
        ("/ingest/v1.1/Things?$skip=x", "$skip"),
        ("/ingest/v1.1/Things?$filter=name%20eq%20'a'", "$filter"),
        ("/ingest/v1.1/Things?$expand=Nothing", "$expand"),
        ("/ingest/v1.1/Things?$select=nothing", "$select"),
        ("/ingest/v1.1/Things?unknown=1", "unknown"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(clumsy: Newcomer, path: str, field: str) -> None:
    answer = clumsy.ask("GET", path.replace("DATASET", clumsy.dataset("things")))
    problem = _proper(answer, 400)
    assert field in [error["field"] for error in problem["errors"]], problem


def test_a_purpose_outside_the_rulebook_is_named_by_its_header(clumsy: Newcomer) -> None:
    for purpose in ("fun", "dmi:purpose:any", "x" * 300, "dmi:purpose:mobility, dmi:purpose:research"):
        headers = {"DMI-Purpose": purpose}
        answer = clumsy.ask("GET", "/platform/v1/datastreams", headers=headers)
        problem = _proper(answer, 400)
        assert problem["errors"][0]["field"].lower() == "dmi-purpose"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic abc", "Bearer a.b.c", "Bearer " + "x" * 20_000, "Bearer é"]
)
def test_a_token_that_is_none_is_a_401(clumsy: Newcomer, header: str) -> None:
    answer = httpx.get(f"{clumsy.url}/exchange/v1/me", headers={"Authorization": header.encode()})
    _proper(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


# -- texts that a database refuses ---------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/support-centre/v1/scenarios", {"title": "a\u0000b"}),
        ("/support-centre/v1/scenarios", {"title": "\ud800"}),
        ("/support-centre/v1/scenarios", {"title": "x" * 201}),
        ("/support-centre/v1/subscriptions", {"url": "http://example.org/\u0000"}),
        ("/exchange/v1/demo/token", {"identity": "\u0000"}),
        (
            "/exchange/v1/participants",
            {"id": "urn:dmi:participant:a\u0000", "name": "x", "roles": [], "keys": [{}]},
        ),
        (
            "/ingest/v1.1/Sensors",
            {"name": "a\u0000", "description": "b", "encodingType": "c", "metadata": "d"},
        ),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused(clumsy: Newcomer, path: str, body: dict[str, Any]) -> None:
    problem = _proper(_post(clumsy, path, json.dumps(body)), 400)
    assert problem["errors"]


# -- below HTTP ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /ingest/v1/batches HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /ingest/v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["negative length", "broken chunk", "both lengths", "no HTTP", "endless line"],
)
def test_what_is_no_http_ends_without_a_word_of_the_inside(clumsy: Newcomer, text: bytes) -> None:
    address = urlsplit(clumsy.url)
    with socket.create_connection((address.hostname, address.port), 10) as connection:
        connection.settimeout(10)
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := connection.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass  # cut off without an answer is an answer too
    assert b" 500 " not in answer[:20]
    assert b"Traceback" not in answer
    assert httpx.get(f"{clumsy.url}/ingest/health/live").status_code == 200


def test_none_of_this_was_a_fault_in_the_log(clumsy: Newcomer, embedded_stack: EmbeddedStack) -> None:
    assert "unexpected failure" not in embedded_stack.logs()
    assert "Traceback" not in embedded_stack.logs()
