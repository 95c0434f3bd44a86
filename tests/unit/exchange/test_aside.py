"""Requests that wait for others: they hold no thread that answers the rest, and no participant has all of theirs."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import anyio.from_thread
import anyio.to_thread
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request

from dmi_exchange.dsp.door import NodeDoor, Speaker
from dmi_exchange.flow import routes
from dmi_exchange.flow.inflow import Intake
from dmi_exchange.flow.routes import Tokens
from dmi_exchange.flow.supply import Supply
from dmi_infra.aside import OF_ONE, Aside
from dmi_infra.errors import Unavailable

REQUEST_THREADS = 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_data_that_asks_this_very_process_for_places_does_not_wait_for_itself(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, made = FastAPI(), APIRouter()

    @made.get("/platform")
    def platform() -> str:
        return "places"

    async def door(_request: Request) -> str:
        return "urn:peer"

    async def unread(_request: Request) -> Speaker:
        return Speaker("http://b", "urn:peer")

    door.unread = unread  # type: ignore[attr-defined]
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")

    def ask(*_of: object) -> Any:
        return anyio.from_thread.run(client.get, "/platform").json().encode()

    monkeypatch.setattr(routes, "_pulled", ask)
    process = SimpleNamespace(peer="urn:peer", kind="transfer", role="consumer", format=routes.PUSH)
    process.state = routes.states.STARTED
    supply = SimpleNamespace(processes=SimpleNamespace(get=lambda _id: process))
    tokens = SimpleNamespace(judge=lambda _token, _id: (process, 0))
    intake = SimpleNamespace(take=lambda *_of: ask().decode())
    app.include_router(made)
    app.include_router(
        routes.router(cast(NodeDoor, door), cast(Tokens, tokens), cast(Supply, supply), cast(Intake, intake))
    )

    async def together() -> list[int]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = REQUEST_THREADS
        bearer = {"Authorization": "Bearer t"}
        asked = [
            client.request(method, "/dsp/data/1", headers=bearer, json={}) for _ in range(REQUEST_THREADS + 2)
        ]
        async with asyncio.timeout(10), client:
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert set(asyncio.run(together())) == {200}


def test_a_burst_of_one_participant_stands_in_line_and_holds_no_thread_of_others() -> None:
    aside = Aside(threads=3, each=2, waiting=50)

    async def burst() -> None:
        mine = [asyncio.create_task(aside.run("urn:mine", lambda: time.sleep(0.01))) for _ in range(50)]
        await asyncio.sleep(0)
        await aside.run("urn:other", lambda: None)
        assert not all(one.done() for one in mine)
        await asyncio.gather(*mine)

    asyncio.run(burst())


def test_a_participant_beyond_its_share_is_refused_at_once_and_others_are_not() -> None:
    aside, hold = Aside(waiting=0), threading.Event()

    async def flood() -> None:
        mine = [asyncio.create_task(aside.run("urn:mine", hold.wait)) for _ in range(OF_ONE)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="wait already"):
            await aside.run("urn:mine", hold.wait)
        assert await aside.run("urn:other", lambda: 1) == 1
        hold.set()
        assert await asyncio.gather(*mine) == [True] * OF_ONE
        assert await aside.run("urn:mine", lambda: 2) == 2

    asyncio.run(flood())


def test_who_stood_in_line_for_too_long_is_told_to_try_again_and_leaves_its_place() -> None:
    aside, hold = Aside(threads=1, each=1, waiting=1, patience=0.02), threading.Event()

    async def wait() -> None:
        first = asyncio.create_task(aside.run("urn:mine", hold.wait))
        await asyncio.sleep(0)
        for party in ("urn:mine", "urn:other", "urn:mine"):
            with pytest.raises(Unavailable, match="served first"):
                await aside.run(party, hold.wait)
        hold.set()
        assert await first
        assert [await aside.run(party, lambda: 1) for party in ("urn:mine", "urn:other")] == [1, 1]

    asyncio.run(wait())
