"""Addresses, parameters, purposes and tokens that name nothing, and what is no HTTP at all."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.clumsy import NOON, STREAM, no_fault, proper
from tests.integration.newcomer import Newcomer
from tests.stack_plugin import EmbeddedStack

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
    proper(answer, status)
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
    problem = proper(answer, 400)
    assert field in [error["field"] for error in problem["errors"]], problem


def test_a_purpose_outside_the_rulebook_is_named_by_its_header(clumsy: Newcomer) -> None:
    for purpose in ("fun", "dmi:purpose:any", "x" * 300, "dmi:purpose:mobility, dmi:purpose:research"):
        headers = {"DMI-Purpose": purpose}
        answer = clumsy.ask("GET", "/platform/v1/datastreams", headers=headers)
        problem = proper(answer, 400)
        assert problem["errors"][0]["field"].lower() == "dmi-purpose"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Basic abc", "Bearer a.b.c", "Bearer " + "x" * 20_000, "Bearer é"]
)
def test_a_token_that_is_none_is_a_401(clumsy: Newcomer, header: str) -> None:
    answer = httpx.get(f"{clumsy.url}/exchange/v1/me", headers={"Authorization": header.encode()})
    proper(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


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
    no_fault(embedded_stack)
