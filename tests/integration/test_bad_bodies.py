"""Bodies that are too large, no JSON, of another shape or media type, or hold what no store can keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.clumsy import batch, no_fault, post, proper
from tests.integration.newcomer import Newcomer
from tests.stack_plugin import EmbeddedStack

LIMIT = 32 * 1024 * 1024
MEBIBYTE = 1024 * 1024
LIMITS = {
    "/ingest/v1/batches": LIMIT,
    "/ingest/v1.1/Things": MEBIBYTE,
    "/exchange/v1/agreements": MEBIBYTE,
    "/support-centre/v1/scenarios": MEBIBYTE,
    "/exchange/v1/demo/token": MEBIBYTE // 8,
}


def test_a_body_above_the_limit_is_refused_before_it_is_read(clumsy: Newcomer) -> None:
    for path, limit in LIMITS.items():
        problem = proper(post(clumsy, path, b" " * (limit + 1)), 413)
        assert problem["type"] == "urn:dmi:problem:too-large"
        assert problem["errors"] == [{"field": "body", "rule": f"may hold at most {limit} bytes here"}]


EMPTY = b'{"x":[' + b",".join([b"[]"] * 11_000_000) + b"]}"
"""32 MiB, which took four seconds to read, in which nothing else ran."""


@pytest.mark.parametrize("path", ["/ingest/v1.1/Things", "/ingest/v1/batches", "/exchange/v1/agreements"])
def test_millions_of_values_are_refused_before_anything_is_made_of_them(clumsy: Newcomer, path: str) -> None:
    proper(post(clumsy, path, EMPTY), 413)
    within = EMPTY[: MEBIBYTE - 10] + b"]]}"
    assert post(clumsy, path, within).status_code in (400, 413)


@pytest.mark.parametrize("path", ["/ingest/v1.1/Things", "/ingest/v1/batches", "/exchange/v1/agreements"])
def test_who_shows_no_token_has_nothing_read(clumsy: Newcomer, path: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": ""}
    proper(clumsy.ask("POST", path, content=EMPTY, headers=headers), 401)


def test_a_body_in_chunks_is_counted_while_it_comes_in(clumsy: Newcomer) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(LIMIT // (1 << 20) + 1):
            yield b" " * (1 << 20)

    headers = {"Content-Type": "application/json"}
    proper(clumsy.ask("POST", "/ingest/v1/batches", content=chunks(), headers=headers), 413)


OPEN_DOOR = "/exchange/v1/demo/token"
DEEP = (b"[" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
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
        b"[" * 990, b'{"a":' * 990 + b"1" + b"}" * 990, *DEEP, b"9" * 100_000, b"-", b"0x10",
    ],
    ids=[
        "empty", "open", "quotes", "comma", "utf-16", "word", "two", "surrogate", "nul", "array",
        "object", "deep array", "deep object", "digits", "minus", "hexadecimal",
    ],
)  # fmt: skip
def test_what_is_no_json_is_a_400(clumsy: Newcomer, path: str, text: bytes) -> None:
    # Who proves nothing may send fewer values than these are.
    proper(post(clumsy, path, text), 413 if path == OPEN_DOOR and text in DEEP else 400)


@pytest.mark.parametrize("path", JSON_DOORS)
@pytest.mark.parametrize("text", ["null", "1", "true", '"text"', "[[]]", "{}", '{"\\u0000":"\\u0000"}'])
def test_json_of_another_shape_is_a_400_that_names_a_field(clumsy: Newcomer, path: str, text: str) -> None:
    problem = proper(post(clumsy, path, text), 400)
    assert problem["errors"]


@pytest.mark.parametrize("path", JSON_DOORS)
def test_another_media_type_is_refused_or_read_as_json(clumsy: Newcomer, path: str) -> None:
    for media in ("text/xml", "multipart/form-data", "application/x-www-form-urlencoded", "x" * 300, ""):
        answer = post(clumsy, path, "<a/>", media)
        proper(answer, answer.status_code)
        assert answer.status_code in (400, 415)


def test_a_key_that_stands_twice_is_not_taken_twice(clumsy: Newcomer) -> None:
    text = json.dumps(batch(clumsy))[:-1] + ', "result": ["x"]}'
    proper(post(clumsy, "/ingest/v1/batches", text), 400, "0.result", "number")


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
    problem = proper(post(clumsy, path, json.dumps(body)), 400)
    assert problem["errors"]


def test_none_of_this_was_a_fault_in_the_log(clumsy: Newcomer, embedded_stack: EmbeddedStack) -> None:
    no_fault(embedded_stack)
