"""What a person asks reaches the node that received its rows, and from nobody but the node that gave them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.record import DecisionRecord
from dmi_infra import clock, jose, passes
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.conformance.dsp.city import City
from tests.conformance.dsp.pair import (
    CAMERAS,
    GARAGES,
    KEEPER,
    MOBILITY,
    OWNER,
    STACK,
    Pair,
    furnished,
    offer_cameras,
    soon,
    state,
)

BRAM = "urn:dmi:person:bram"
MINE = "/v1/my-data"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with furnished(tmp_path_factory.mktemp("pair")) as made:
        yield made


@pytest.fixture(scope="module")
def cameras(pair: Pair) -> tuple[str, str]:
    """A negotiation about B's cameras in A, and its agreement; Bram was seen and A's layers received it."""
    pair.b.admit(BRAM, KEEPER)
    offer_cameras(pair.b)
    mine = pair.begin(dataset=CAMERAS)
    agreement = str(pair.a.until(f"/v1/negotiations/{mine}", STACK, "FINALIZED")["agreement"])
    soon(lambda: state(pair.a, agreement) == "active")
    _record(pair.b, "delivery", STACK, ["delivered: 3 rows of 1 persons"], [BRAM], [agreement])
    return mine, agreement


def _record(
    city: City, crossing: str, assignee: str, reasons: list[str], subjects: list[str], agreements: list[str]
) -> None:
    """A gate of a node tells of a decision."""
    record = DecisionRecord(
        str(uuid.uuid4()), clock.now(), "platform", crossing, assignee, "dmi:read", CAMERAS, MOBILITY,
        True, reasons=reasons, subjects=subjects, agreements=agreements, rows=3,
    )  # fmt: skip
    if crossing == "store":
        service = reasons[0].rsplit(" ", 1)[1]
        record = msgspec.structs.replace(record, service=service)
    city.law().append([record], [], {})


def _told(pair: Pair, request: str) -> dict[str, Any]:
    """What Bram reads of who was told."""
    items = pair.b.well("GET", f"{MINE}/told", BRAM)["items"]
    return next((one for one in items if one["request"] == request), {})


def test_a_node_that_received_rows_of_a_person_hears_of_an_erasure_and_tells_what_it_did(
    pair: Pair, cameras: tuple[str, str]
) -> None:
    pair.down("a")
    (asked,) = pair.b.well("POST", f"{MINE}/erasure", BRAM, {"datasets": [CAMERAS]})["items"]
    soon(lambda: "goes on trying" in (_told(pair, asked["id"]).get("reason") or ""))
    away = _told(pair, asked["id"])
    assert (away["recipient"], away["told_at"], away["outcome"]) == (STACK, None, None)
    pair.up("a")
    soon(lambda: bool(_told(pair, asked["id"])["told_at"]), 20)
    (heard,) = pair.a.law().find(SubjectRequest)
    assert (heard.right, heard.dataset, clock.to_text(heard.until)) == ("erasure", CAMERAS, asked["made_at"])
    assert "bram" not in heard.person, "the other node learns no name"
    (notice,) = pair.a.well("GET", "/v1/notices", STACK)["items"]
    assert (notice["person"], notice["agreements"]) == (heard.person, [cameras[1]])
    for layer in ("ingest", "platform", "visualisation", "support-centre"):
        assert _told(pair, asked["id"])["outcome"] is None
        said = f"exercised: {heard.id}: 3 rows in {layer}"
        _record(pair.a, "store", STACK, [said], [heard.person], [])
    soon(lambda: _told(pair, asked["id"])["outcome"] == "done", 20)
    done = _told(pair, asked["id"])
    assert {(one["service"], one["rows"]) for one in done["carried_out"]} == {
        ("ingest", 3), ("platform", 3), ("visualisation", 3), ("support-centre", 3),
    }  # fmt: skip
    assert done["reason"] is None
    assert pair.a.law().find(SubjectRequest) == [heard], "what was told again made nothing anew"


NOTICE = {
    "id": "urn:uuid:forged",
    "right": "erasure",
    "dataset": CAMERAS,
    "person": f"urn:dmi:person:alias-{'0' * 40}",
    "until": "2026-11-22T00:00:00Z",
}


@pytest.mark.parametrize(
    ("changes", "told", "status"),
    [
        ({"key": jose.SigningKey.generate()}, {}, 401),
        ({"who": KEEPER}, {}, 404),
        ({"agreement": "urn:uuid:another"}, {}, 404),
        ({"agreement": None}, {}, 404),
        ({"pid": "urn:uuid:another"}, {}, 404),
        ({}, {"dataset": GARAGES}, 404),
        ({}, {"dataset": "urn:dmi:dataset:gemeente:bicycles"}, 404),
        ({}, {"person": BRAM}, 400),
        ({}, {"until": "2099-01-01T00:00:00Z"}, 400),
        ({}, {"until": "2026-11-22"}, 400),
        ({}, {"right": "portability"}, 400),
        ({}, {"state": "ended"}, 400),
        ({}, {"right": "rectification"}, 400),
        ({}, {"corrections": [{"datastream": "x", "time": "2026-11-22T00:00:00Z", "result": 1}]}, 400),
        (
            {},
            {
                "right": "rectification",
                "corrections": [{"datastream": "x", "time": "2026-11-22T00:00:00Z", "result": 1.7e308}],
            },
            400,
        ),
        ({}, {"person": 1}, 400),
    ],
)
def test_a_notice_counts_only_from_the_node_that_the_data_came_from_and_for_data_under_that_agreement(
    pair: Pair, cameras: tuple[str, str], changes: dict[str, Any], told: dict[str, Any], status: int
) -> None:
    before = pair.a.law().find(SubjectRequest)
    answer = _noticed(pair, cameras, {**NOTICE, **told}, **changes)
    assert answer.status_code == status, answer.text
    assert pair.a.law().find(SubjectRequest) == before


def test_a_notice_that_comes_twice_counts_once_and_its_id_cannot_be_used_for_another_person(
    pair: Pair, cameras: tuple[str, str]
) -> None:
    notice = {**NOTICE, "id": "urn:uuid:twice", "right": "objection"}
    for _ in range(2):
        answer = _noticed(pair, cameras, notice)
        assert answer.json()["complete"] is False
    (kept,) = [one for one in pair.a.law().find(SubjectRequest) if one.right == "objection"]
    other = _noticed(pair, cameras, {**notice, "person": f"urn:dmi:person:alias-{'1' * 40}"})
    assert other.status_code == 409, other.text
    ended = _noticed(pair, cameras, {**notice, "state": "ended"})
    assert ended.json()["complete"] is True
    after = pair.a.law().get(SubjectRequest, kept.id)
    assert after is not None
    assert (after.state, after.ended_by) == ("ended", OWNER)
    _noticed(pair, cameras, notice)
    assert pair.a.law().get(SubjectRequest, kept.id) == after, "what has ended does not begin again"


def _noticed(
    pair: Pair, cameras: tuple[str, str], notice: dict[str, Any], who: str = OWNER, **changes: Any
) -> httpx.Response:
    """B's node tells A's of what a person asked, but for ``changes``."""
    pid, agreement = changes.get("pid", cameras[0]), changes.get("agreement", cameras[1])
    url = f"{pair.a.url}/exchange/dsp/negotiations/{pid}/notice"
    content = httpx.Request("POST", url, json={"agreementId": agreement, "notice": notice}).content
    token = passes.sign_node(
        changes.get("key", pair.b.key(EXCHANGE_PARTICIPANT)), f"{pair.b.url}/exchange", who,
        f"{pair.a.url}/exchange/dsp", ("POST", url, content), int(time.time()),
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return httpx.post(url, content=content, headers=headers)
