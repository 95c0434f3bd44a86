"""What one request describes holds up nobody: who may not describe it is refused at once, and who may has a bound."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dmi_ingest.routes.entities import WRITERS
from dmi_ingest.sensorthings.planner import ENTITIES
from dmi_ingest.sensorthings.service import SensorThings
from tests.unit.ingest.fakes import (
    BICYCLES,
    GARAGES,
    GEMEENTE,
    OTHER,
    VENDOR,
    Node,
    datastream,
    location,
    statements,
    thing,
)


def full(things: int, streams: int, dataset: str = GARAGES) -> dict[str, Any]:
    """A Location of so many Things with so many Datastreams each, all of one name and with parts of their own."""
    stream = datastream()
    for part in ("Sensor", "ObservedProperty"):
        del stream[part]["@iot.id"]
    one = {
        "name": "a", "description": "", "properties": {"dataset": dataset}, "Datastreams": [stream] * streams,
    }  # fmt: skip
    return {**location(), "Things": [one] * things}


def test_who_may_not_describe_a_dataset_is_refused_before_what_is_nested_is_planned(node: Node) -> None:
    with statements() as asked:
        assert node.call("POST", "/v1.1/Locations", full(2, 40), VENDOR).status_code == 403
    assert len(asked) < 10, asked


def test_a_request_nests_a_bounded_number_of_entities_and_is_told_the_field_and_the_rule(node: Node) -> None:
    # Of each Datastream three: itself, its Sensor and its ObservedProperty.
    most = (ENTITIES - 1) // 3
    assert node.call("POST", "/v1.1/Locations", full(1, most)).status_code == 201
    error = node.refused("/v1.1/Locations", full(1, most + 1))
    assert error["field"].startswith(f"Things.0.Datastreams.{most}")
    assert error["rule"] == (
        f"a request may nest at most {ENTITIES} entities, new ones and others that it names together"
    )


def test_what_describes_a_measurement_is_used_in_another_dataset_than_it_was_made_in(node: Node) -> None:
    node.post("/v1.1/Things", thing())
    elsewhere = node.post("/v1.1/Things", {**thing(dataset=BICYCLES), "Datastreams": []})["@iot.id"]
    node.gate.allowed[GARAGES].clear()
    stream = {**datastream(), "Thing": {"@iot.id": elsewhere}, "Sensor": {"@iot.id": "lus"}}
    del stream["ObservedProperty"]
    assert node.call("POST", "/v1.1/ObservedProperties('occupancy')/Datastreams", stream).status_code == 201


def test_what_many_parts_of_a_request_name_is_looked_up_and_counted_once(node: Node) -> None:
    node.post("/v1.1/Things", thing())
    shared = {"Sensor": {"@iot.id": "lus"}, "ObservedProperty": {"@iot.id": "occupancy"}}
    streams = [{**datastream(), **shared}] * 200
    body = {**thing(), "name": "Veel", "Locations": [], "Datastreams": streams}
    assert node.call("POST", "/v1.1/Things", body).status_code == 201


def test_a_free_id_of_a_name_that_many_have_costs_no_more_questions_than_any_other(node: Node) -> None:
    def asked_for() -> int:
        with statements() as asked:
            node.post("/v1.1/Locations", full(1, 1))
        return len(asked)

    first = asked_for()
    for _ in range(20):
        node.post("/v1.1/Locations", full(1, 1))
    assert asked_for() <= first


def test_who_changes_much_at_a_time_leaves_writers_for_others(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, hold = SensorThings.create, threading.Event()

    begun = threading.Event()

    def held(things: SensorThings, *arguments: Any) -> Any:
        if arguments[-1].participant == GEMEENTE:
            begun.set()
            assert hold.wait(10)
        return create(things, *arguments)

    monkeypatch.setattr(SensorThings, "create", held)

    async def post(who: str, dataset: str) -> int:
        body = {"name": "a", "description": "", "properties": {"dataset": dataset}}
        headers = {"Authorization": f"Bearer {who}"}
        return (await node.client.post("/v1.1/Things", json=body, headers=headers)).status_code

    async def together() -> None:
        mine = [asyncio.create_task(post(GEMEENTE, GARAGES)) for _ in range(WRITERS + 1)]
        # All of them are asked before the other one is, and as many as may are carried out.
        assert await asyncio.to_thread(begun.wait, 5)
        async with asyncio.timeout(5):
            assert await post(VENDOR, OTHER) == 201
        hold.set()
        assert set(await asyncio.gather(*mine)) == {201}

    node.runner.run(together())
