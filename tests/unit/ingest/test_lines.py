"""Who hands in may stand in line: what ended meanwhile lets nothing in when the place is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmi_infra.aside import Aside
from dmi_infra.lanes import Asker, Turns
from dmi_ingest import reading_turns
from dmi_ingest.routes import entities
from tests.unit.ingest.fakes import GARAGES, GEMEENTE, POINT, Node, running, thing

NOON = "2026-11-21T12:00:00Z"
SECONDS = 5.0


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Turns | Aside]:
    """The lines of the node that is started behind this."""
    made: list[Turns | Aside] = []

    def keep(line: type, *given: Any) -> Any:
        made.append(line(*given))
        return made[-1]

    monkeypatch.setattr(reading_turns, "Turns", partial(keep, Turns))
    monkeypatch.setattr(entities, "Aside", partial(keep, Aside))
    return made


@pytest.fixture
def city(lines: list[Turns | Aside], tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as node:
        assert len(lines) >= 2
        node.post("/v1.1/Things", {**thing(), "@iot.id": "garage"})
        yield node


def standing(lines: list[Turns | Aside]) -> int:
    """How many of the city hold a place or wait for one, in the longest line."""
    return max((one._lanes if isinstance(one, Aside) else one)._inside[GEMEENTE] for one in lines)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/batches"),
        ("POST", "/v1/features"),
        ("POST", "/v1.1/CreateObservations"),
        ("POST", "/v1.1/Things"),
        ("POST", "/v1.1/Things('garage')/Datastreams"),
        ("PATCH", "/v1.1/Things('garage')"),
        ("DELETE", "/v1.1/Things('garage')"),
    ],
)
def test_whose_key_ended_in_line_changes_nothing(
    city: Node, lines: list[Turns | Aside], method: str, path: str
) -> None:
    stream = city.get("/v1.1/Datastreams")["value"][0]["@iot.id"]
    kinds = {
        "batches": {"dataset": GARAGES, "datastream": [stream], "phenomenon_time": [NOON], "result": [1]},
        "features": {
            "dataset": GARAGES,
            "features": [{"id": "gemeente.paal", "kind": "parking", "name": "Paal", "geometry": POINT}],
        },
        "CreateObservations": [
            {
                "Datastream": {"@iot.id": stream},
                "components": ["phenomenonTime", "result"],
                "dataArray": [[NOON, 1]],
            }
        ],
    }
    body = kinds.get(path.rsplit("/", 1)[1], {"description": "anders"})
    published = len(city.bus.published)

    async def story() -> httpx.Response:
        headers = {"Authorization": f"Bearer {GEMEENTE}", "Content-Type": "application/json"}
        async with AsyncExitStack() as held:
            for line in lines:
                await held.enter_async_context(line.turn(Asker.by_nothing(GEMEENTE)))
            asked = asyncio.ensure_future(
                city.client.request(method, path, content=json.dumps(body), headers=headers)
            )
            async with asyncio.timeout(SECONDS):
                while standing(lines) < 2:
                    await asyncio.sleep(0.005)
            city.names.ended.add(GEMEENTE)
        return await asked

    answer = city.runner.run(story())
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:dmi:problem:unauthenticated")
    assert len(city.bus.published) == published
