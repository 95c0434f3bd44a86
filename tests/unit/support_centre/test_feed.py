"""The public feed of measures: looked up once for all who ask at the same time, since anybody may."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI

from dmi_infra.http.access import law_known
from dmi_support_centre.routes.measures import router

MANY = 60
FEED = {"items": [{"id": "m", "level": 95.5}], "next": None}


def test_a_flood_of_who_proves_nothing_reads_the_feed_twice_at_most() -> None:
    begun, go = 0, threading.Event()

    def feed() -> dict[str, Any]:
        nonlocal begun
        begun += 1
        go.wait(2)
        return FEED

    app, nothing = FastAPI(), cast(Any, None)
    app.include_router(router(nothing, cast(Any, SimpleNamespace(feed=feed)), nothing, nothing))
    app.dependency_overrides[law_known] = lambda: None

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre") as client:
            asking = [asyncio.create_task(client.get("/v1/measures/feed")) for _ in range(MANY)]
            await asyncio.sleep(0.1)
            go.set()
            return await asyncio.gather(*asking)

    answers = asyncio.run(ask())
    assert begun <= 2
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (200, '{"items":[{"id":"m","level":95.5}],"next":null}')
    }
