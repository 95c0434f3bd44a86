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
from dmi_infra.errors import Unauthenticated, Unavailable
from dmi_infra.http.access import place
from dmi_infra.http.shares import Shares
from dmi_infra.identity import Identity
from dmi_infra.lanes import Asker

REQUEST_THREADS = 2
MINE, OTHER = Asker.by_nothing("urn:mine"), Asker.by_nothing("urn:other")


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

    async def unread(request: Request) -> Speaker:
        await place(request, MINE)
        return Speaker("http://b", "urn:peer")

    door.unread = unread  # type: ignore[attr-defined]
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")

    def ask(*_of: object) -> Any:
        return anyio.from_thread.run(client.get, "/platform").json().encode()

    monkeypatch.setattr(routes, "_pulled", ask)
    process = SimpleNamespace(peer="urn:peer", kind="transfer", role="consumer", format=routes.PUSH)
    process.state = routes.states.STARTED
    supply = SimpleNamespace(processes=SimpleNamespace(get=lambda _id: process))
    tokens = SimpleNamespace(judge=lambda _token, _id: (process, Identity("urn:peer", "", frozenset())))
    intake = SimpleNamespace(take=lambda *_of: ask().decode())
    app.state.shares = Shares()
    app.state.runtime = SimpleNamespace(
        law=SimpleNamespace(table=SimpleNamespace(participants={})), authenticate=None
    )
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
        mine = [asyncio.create_task(aside.run(MINE, lambda: time.sleep(0.01))) for _ in range(50)]
        await asyncio.sleep(0)
        await aside.run(OTHER, lambda: None)
        assert not all(one.done() for one in mine)
        await asyncio.gather(*mine)

    asyncio.run(burst())


def test_a_participant_beyond_its_share_is_refused_at_once_and_others_are_not() -> None:
    aside, hold = Aside(waiting=0), threading.Event()

    async def flood() -> None:
        mine = [asyncio.create_task(aside.run(MINE, hold.wait)) for _ in range(OF_ONE)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="wait already"):
            await aside.run(MINE, hold.wait)
        assert await aside.run(OTHER, lambda: 1) == 1
        hold.set()
        assert await asyncio.gather(*mine) == [True] * OF_ONE
        assert await aside.run(MINE, lambda: 2) == 2

    asyncio.run(flood())


def test_who_stood_in_line_for_too_long_is_told_to_try_again_and_leaves_its_place() -> None:
    aside, hold = Aside(threads=1, each=1, waiting=1, patience=0.02), threading.Event()

    async def wait() -> None:
        first = asyncio.create_task(aside.run(MINE, hold.wait))
        await asyncio.sleep(0)
        for party in (MINE, OTHER, MINE):
            with pytest.raises(Unavailable, match="served first"):
                await aside.run(party, hold.wait)
        hold.set()
        assert await first
        assert [await aside.run(party, lambda: 1) for party in (MINE, OTHER)] == [1, 1]

    asyncio.run(wait())


@pytest.mark.parametrize(("each", "holder"), [(1, "urn:mine"), (2, "urn:mine"), (2, "urn:other")])
def test_who_stood_in_line_behind_its_own_or_others_is_judged_again(each: int, holder: str) -> None:
    aside, hold, done = Aside(threads=each if holder == "urn:mine" else 1, each=each), threading.Event(), []

    def revoked() -> None:
        raise Unauthenticated("its key was revoked")

    async def story() -> None:
        free = await aside.run(Asker("urn:mine", revoked), lambda: True)
        before = [
            asyncio.create_task(aside.run(Asker.by_nothing(holder), hold.wait))
            for _ in range(each if holder == "urn:mine" else 1)
        ]
        await asyncio.sleep(0)
        behind = asyncio.create_task(
            aside.run(Asker("urn:mine", revoked), lambda: done.append("carried out"))
        )
        await asyncio.sleep(0.01)
        hold.set()
        with pytest.raises(Unauthenticated, match="revoked"):
            await behind
        assert free
        assert await asyncio.gather(*before) == [True] * len(before)
        assert await asyncio.gather(*(aside.run(MINE, lambda: 1) for _ in range(3))) == [1] * 3

    asyncio.run(story())
    assert not done
