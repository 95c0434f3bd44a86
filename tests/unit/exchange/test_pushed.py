"""What another node pushes: nothing of it is read, and nothing made of it, but for who has a push that runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest
from fastapi import FastAPI, Request

from dmi_agreements.dsp import states
from dmi_exchange.dsp.door import NodeDoor, Speaker
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.transfer import PULL, PUSH
from dmi_exchange.flow import routes
from dmi_exchange.flow.inflow import Intake
from dmi_exchange.flow.places import Local
from dmi_exchange.flow.pushing import in_bodies
from dmi_exchange.flow.store import Flows
from dmi_exchange.flow.supply import Given, Supply, encoded
from dmi_infra import passes
from dmi_infra.errors import InputRefused, NotFound
from dmi_infra.http.access import place
from dmi_infra.http.limits import LARGE_VALUES, values_of
from dmi_infra.http.problems import install
from dmi_infra.http.shares import Shares
from dmi_infra.lanes import Asker
from tests.unit.mistakes import mistaken

PEER = "urn:dmi:participant:peer"


class Landing:
    """The route that takes pushes, with one transfer; ``taken`` are the documents, ``reading`` the bodies begun."""

    def __init__(self, digest: str | None = None, **changes: Any) -> None:
        self.taken: list[object] = []
        self.threads: set[int] = set()
        self.reading: list[str] = []
        self.most = 0
        process = {
            "kind": "transfer",
            "role": "consumer",
            "peer": PEER,
            "format": PUSH,
            "state": states.STARTED,
        }
        known = SimpleNamespace(**{**process, **changes})

        def get(identifier: str) -> Any:
            if identifier != "mine":
                raise NotFound("no process has this id")
            return known

        async def door(_request: Any) -> str:
            return PEER

        async def unread(request: Request) -> Speaker:
            await place(request, Asker.by_nothing(PEER))
            return Speaker("http://b.example", PEER, digest)

        door.unread = unread  # type: ignore[attr-defined]
        supply = cast(Supply, SimpleNamespace(processes=SimpleNamespace(get=get)))
        intake = cast(Intake, SimpleNamespace(take=self._take))
        self.app = FastAPI()
        self.app.state.shares = Shares()
        install(self.app)
        self.app.include_router(routes.router(cast(NodeDoor, door), cast(Any, None), supply, intake))

    def _take(self, _process: object, document: object) -> str:
        self.threads.add(threading.get_ident())
        self.taken.append(document)
        return "1"

    async def send(
        self, transfer: str, body: bytes, name: str = "", length: int | None = None
    ) -> httpx.Response:
        async def parts() -> AsyncIterator[bytes]:
            self.reading.append(name)
            self.most = max(self.most, len(self.reading))
            await asyncio.sleep(0.05)
            yield body
            self.reading.remove(name)

        client = httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, self.app)), base_url="http://a")
        headers = {} if length is None else {"Content-Length": str(length)}
        async with client:
            return await client.post(f"/dsp/data/{transfer}", content=parts(), headers=headers)


@pytest.mark.parametrize(
    ("changes", "transfer", "status"),
    [
        ({}, "other", 404),
        ({"peer": "urn:dmi:participant:another"}, "mine", 404),
        ({"role": "provider"}, "mine", 404),
        ({"format": PULL}, "mine", 409),
        ({"state": states.SUSPENDED}, "mine", 409),
    ],
)
def test_without_a_push_that_runs_nothing_is_read(
    changes: dict[str, Any], transfer: str, status: int
) -> None:
    landing = Landing(**changes)
    assert asyncio.run(landing.send(transfer, b"{}")).status_code == status
    assert landing.most == 0


def test_large_bodies_of_one_member_are_read_one_after_the_other_and_not_on_the_loop() -> None:
    landing = Landing()

    async def together(length: int | None) -> list[int]:
        sent = (landing.send("mine", b"[1]", str(number), length) for number in range(3))
        return [answer.status_code for answer in await asyncio.gather(*sent)]

    assert asyncio.run(together(None)) == [200] * 3
    assert landing.most == 1
    assert landing.taken == [[1]] * 3
    assert threading.get_ident() not in landing.threads
    asyncio.run(together(3))
    assert landing.most > 1, "small ones need not wait"


def test_another_body_than_the_proof_is_for_is_not_taken() -> None:
    landing = Landing(passes.content_digest(b"[1]"))
    assert asyncio.run(landing.send("mine", b"[1]")).status_code == 200
    assert asyncio.run(landing.send("mine", b"[2]")).status_code == 401
    assert landing.taken == [[1]]


@pytest.mark.parametrize("body", [b"[NaN]", b"[1e999]", b'["\\ud800"]', b"[", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused_by_name(body: bytes) -> None:
    answer = asyncio.run(Landing().send("mine", body))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "body"


def test_places_go_and_come_in_as_many_bodies_as_one_can_hold() -> None:
    line = {"type": "LineString", "coordinates": [[5.1, 52.1]] * 40}
    places = [{"id": f"l{number}", "kind": "line", "name": "l", "geometry": line} for number in range(4000)]
    given = Given(places, {"datastream": ["s"]}, "1")
    bodies = [*in_bodies(given)]
    assert [item for part in bodies for item in part.places] == places
    assert [part.rows for part in bodies] == [None] * (len(bodies) - 1) + [given.rows]
    assert max(values_of(encoded(part)) for part in bodies) < LARGE_VALUES / 2
    assert max(len(encoded(part)) for part in bodies) < 5 * 1024 * 1024
    assert [*in_bodies(Given([], given.rows, "1"))] == [Given([], given.rows, "1")]

    handed: list[list[str]] = []

    def ask(_method: str, _path: str, *_of: object, content: bytes) -> httpx.Response:
        assert values_of(content) < LARGE_VALUES / 2
        handed.append([item["id"] for item in msgspec.json.decode(content)["features"]])
        return httpx.Response(201, json={})

    _taking(ask, {"cursor": "1", "features": places})
    assert sum(map(len, handed)) == len(places)
    assert len(handed) > 1


def _taking(ask: Callable[..., httpx.Response], piece: object) -> None:
    process = Process(
        id="t", kind="transfer", role="consumer", owner="urn:a", peer="urn:b", address="http://b.example",
        begun_at=0, changed_at=0, dataset="d",
    )  # fmt: skip
    flows = SimpleNamespace(reached=lambda *_of: None)
    Intake(cast(Local, SimpleNamespace(ask=ask)), cast(Flows, flows)).take(process, piece)


def test_a_value_of_a_wrong_kind_anywhere_in_a_piece_is_handed_on_or_refused() -> None:
    place = {"id": "p", "kind": "thing", "name": "p", "geometry": None, "properties": {"thing": "t"}}
    rows = {"dataset": "d", "datastream": ["s"], "phenomenon_time": [1], "result": [1], "subject": [None]}
    refused = set()
    for _, body in mistaken({"cursor": "1", "features": [place], "observations": rows}):
        try:
            piece = routes._read(body)
            _taking(lambda *_of, **_more: httpx.Response(201, json={"accepted": 1, "rejected": 0}), piece)
        except InputRefused as exc:
            refused.add(exc.errors[0].field)
    assert {
        "body",
        "cursor",
        "features",
        "features.kind",
        "features.properties",
        "observations.subject",
    } <= refused
