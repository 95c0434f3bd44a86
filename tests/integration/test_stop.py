"""A stop holds everywhere, in both deployments; what rests on it is marked; a new agreement opens again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dmi_command.client import Client
from dmi_command.errors import AnswerRefused
from tests.stack_plugin import Stack

GARAGES = "urn:dmi:dataset:gemeente:garages"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
STACK = "urn:dmi:participant:stack"
SECOND = 1.0

READS = {
    "query": f"/platform/v1/latest?dataset={GARAGES}",
    "history": "/platform/v1/datastreams/garages.centrum.occupancy/observations",
    "features": f"/visualisation/v1/layers/{GARAGES}/features",
    "tile": f"/visualisation/v1/layers/{GARAGES}/tiles/12/2106/1351",
    "chart": "/visualisation/v1/datastreams/garages.centrum.occupancy/history",
    "export": f"/platform/v1/export?dataset={GARAGES}&format=csv",
}


@pytest.fixture
def stopped(stack: Stack) -> Iterator[dict[str, Any]]:
    """The layer's agreement about the garages, ended; concluded anew afterwards."""
    with stack.demo("officer") as officer, stack.demo("operator") as operator:
        items = officer.get("/exchange/v1/agreements", dataset=GARAGES, state="active")["items"]
        agreement = next(item for item in items if item["assignee"] == STACK)
        ended = officer.post(f"/exchange/v1/agreements/{agreement['id']}/end", {"reason": "proef"})
        yield ended
        document = {name: value for name, value in agreement["document"].items() if name != "uid"}
        again = officer.post("/exchange/v1/agreements", {"document": document, "hosted": True})
        operator.post(f"/exchange/v1/agreements/{again['id']}/signature", {"hosted": True})
        _until(lambda: officer.get(READS["query"]))


def _until(ask: Any, seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while True:
        try:
            ask()
            return
        except AnswerRefused:
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)


def _refusal(client: Client, path: str, seconds: float = SECOND) -> AnswerRefused:
    """The refusal of ``path``, which must come within a second of the stop."""
    limit = time.monotonic() + seconds
    while True:
        try:
            client.get_bytes(path)
        except AnswerRefused as refused:
            return refused
        assert time.monotonic() < limit, f"{path} was still answered a second after the stop"


def test_within_a_second_every_way_out_is_refused_with_the_agreement_and_the_moment(
    stack: Stack, stopped: dict[str, Any]
) -> None:
    with stack.demo("resident") as resident:
        for path in READS.values():
            refused = _refusal(resident, path)
            assert refused.status == 403, path
            assert refused.problem["agreement"] == stopped["id"], path
            assert refused.problem["moment"] == stopped["ended_at"], path


def test_within_a_second_new_batches_are_refused_at_intake(stack: Stack, stopped: dict[str, Any]) -> None:
    with stack.demo("officer") as officer:
        body = {
            "dataset": GARAGES,
            "datastream": ["garages.centrum.occupancy"],
            "phenomenon_time": [time.time_ns() // 1000],
            "result": [1.0],
        }
        limit = time.monotonic() + SECOND
        while True:
            try:
                officer.post("/ingest/v1/batches", body)
            except AnswerRefused as refused:
                assert refused.problem["agreement"] == stopped["id"]
                return
            assert time.monotonic() < limit


def test_an_open_stream_ends_with_the_reason(stack: Stack) -> None:
    lines: list[str] = []

    def follow() -> None:
        path = f"/visualisation/v1/layers/{GARAGES}/events"
        with stack.demo("resident") as client, client.stream(path) as answer:
            lines.extend(answer.iter_lines())

    reader = threading.Thread(target=follow)
    with stack.demo("officer") as officer, stack.demo("operator") as operator:
        items = officer.get("/exchange/v1/agreements", dataset=GARAGES, state="active")["items"]
        agreement = next(item for item in items if item["assignee"] == STACK)
        reader.start()
        time.sleep(1)
        officer.post(f"/exchange/v1/agreements/{agreement['id']}/end", {})
        reader.join(3)
        assert not reader.is_alive(), "the stream was still open three seconds after the stop"
        assert "event: ended" in lines
        assert agreement["id"] in lines[lines.index("event: ended") + 1]
        document = {name: value for name, value in agreement["document"].items() if name != "uid"}
        again = officer.post("/exchange/v1/agreements", {"document": document, "hosted": True})
        operator.post(f"/exchange/v1/agreements/{again['id']}/signature", {"hosted": True})
        _until(lambda: officer.get(READS["query"]))


def test_a_withdrawn_consent_takes_the_persons_rows_from_the_map_within_a_second(stack: Stack) -> None:
    path = f"/visualisation/v1/layers/{BICYCLES}/features"
    with stack.demo("resident") as noor, stack.participant("urn:dmi:participant:gemeente") as city:
        assert noor.get(path)["features"], "Noor's bicycle should be on her own map"
        before = len(city.get(path)["features"])
        consents = [c for c in noor.get("/exchange/v1/consents")["items"] if c["state"] == "active"]
        for consent in consents:
            noor.post(f"/exchange/v1/consents/{consent['id']}/withdraw", {})
        limit = time.monotonic() + SECOND
        while noor.get(path)["features"] or len(city.get(path)["features"]) >= before:
            assert time.monotonic() < limit
        kept = noor.get("/platform/v1/latest", dataset=BICYCLES)["items"]
        assert kept, "who withdrew still reads, and can correct, what is kept of her"
        for consent in consents:
            document = {name: value for name, value in consent["document"].items() if name != "uid"}
            noor.post("/exchange/v1/agreements", {"document": document, "hosted": True})


def test_the_log_of_it_all_verifies_and_holds_the_refusals(stack: Stack) -> None:
    with stack.demo("operator") as operator:
        assert operator.get("/exchange/v1/log/verify")["ok"]
        entries = operator.get("/exchange/v1/log", newest=True, limit=1000, dataset=GARAGES)["items"]
        assert any(not entry["allowed"] and entry["agreements"] for entry in entries)
