"""What anybody may ask for, and what costs: it is made once for all who ask, and keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest

from dmi_infra.errors import Unavailable
from dmi_infra.together import Together
from tests.unit.infra.fakes import VENDOR
from tests.unit.infra.test_access import Door

SECONDS = 2.0
MANY = 60


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.002)


class Held:
    """Stands in the place of what takes long; goes on when it is let go."""

    def __init__(self, gives: Callable[[], Any]) -> None:
        self.begun = 0
        self.go = threading.Event()
        self._gives = gives

    def __call__(self, *_of: object) -> Any:
        self.begun += 1
        self.go.wait(SECONDS)
        # Where everything waits for this, it waits once.
        self.go.set()
        return self._gives()


def test_what_many_ask_for_is_made_once_for_all_who_came_meanwhile() -> None:
    numbers = count(1)
    making = Held(lambda: next(numbers))

    async def asked() -> list[int]:
        shared = Together(making)
        first = asyncio.create_task(shared.get())
        await until(lambda: making.begun == 1)
        later = [asyncio.create_task(shared.get()) for _ in range(MANY)]
        await asyncio.sleep(0)
        making.go.set()
        return [await first, *await asyncio.gather(*later), await shared.get()]

    assert asyncio.run(asked()) == [1, *[2] * MANY, 3]


def test_who_goes_away_takes_it_from_nobody_and_a_failure_is_told_to_all() -> None:
    def failing() -> None:
        raise Unavailable("the store is away")

    making = Held(failing)

    async def asked() -> list[object]:
        shared = Together(making)
        waiting = [asyncio.create_task(shared.get()) for _ in range(3)]
        await until(lambda: making.begun == 1)
        waiting[0].cancel()
        making.go.set()
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    gone, *told = asyncio.run(asked())
    assert isinstance(gone, asyncio.CancelledError)
    assert [str(each) for each in told] == ["the store is away"] * 2
    assert making.begun == 1


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    yield made
    made.runner.run(made.client.aclose())
    made.runner.close()


async def _asked_by_many(door: Door, path: str, slow: Held) -> tuple[bool, list[httpx.Response]]:
    """Whether a member was answered while many waited for ``path``, and what these got."""
    # Fewer threads than a service has: the test needs no thousand requests then.
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2
    asking = asyncio.gather(*(door.client.get(path) for _ in range(MANY)))
    await until(lambda: slow.begun > 0)
    answered = True
    try:
        async with asyncio.timeout(SECONDS / 2):
            await door.client.post("/member", headers={"Authorization": door._bearer(VENDOR, ())})
    except TimeoutError:
        answered = False
    answered = answered and not slow.go.is_set()
    slow.go.set()
    return answered, await asking


@pytest.mark.parametrize("path", ["/openapi.json", "/health/ready", "/metrics"])
def test_what_anybody_may_ask_for_keeps_no_member_waiting(
    path: str, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Held(dict)
    if path == "/openapi.json":
        monkeypatch.setattr(door.app, "openapi", slow)
    elif path == "/health/ready":
        door.runtime.checks["store"] = lambda: slow() or None
    else:
        monkeypatch.setattr(door.runtime.metrics.registry, "collect", lambda: slow() or [])

    answered, answers = door.runner.run(_asked_by_many(door, path, slow))
    assert answered
    assert len(answers) == MANY
    assert slow.begun <= 2
