"""The line before runs of scenarios: who has many in hand waits, holds nothing meanwhile, and leaves it when gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from starlette.requests import ClientDisconnect

from dmi_infra.errors import Unauthenticated
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_infra.http.shares import HELD
from dmi_support_centre.desk import Inputs
from dmi_support_centre.routes.running import Line
from dmi_support_centre.runs import RUNS_OF_ONE
from dmi_support_centre.store import Store
from tests.unit.support_centre.laws import AREAS, VENDOR, Agree
from tests.unit.support_centre.test_merging import Desk
from tests.unit.support_centre.test_scenarios import city

Door = Callable[..., Opening]


class Asking:
    """A request, and how its client goes away."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.given_back: list[bool] = []
        self.scope = {HELD: [lambda: self.given_back.append(True)]}

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def desk(store: Store, gate: Gate, agree: Agree, opening: Door) -> Desk:
    agree(1, dataset=AREAS)
    city(store)
    return Desk(store, gate, opening)


def test_a_further_run_waits_for_its_turn_and_others_do_not_wait_for_it(desk: Desk, opening: Door) -> None:
    line, hold, done = Line(desk.scenarios), threading.Event(), list[str]()
    theirs = opening(VENDOR, "scenario-input", "dmi:analyse")

    async def story() -> None:
        asked = cast(Any, Asking())
        running = [asyncio.create_task(line.run(asked, desk.door, hold.wait)) for _ in range(RUNS_OF_ONE)]
        await asyncio.sleep(0)
        fourth = asyncio.create_task(line.run(asked, desk.door, lambda: done.append("fourth")))
        await asyncio.wait_for(line.run(asked, theirs, lambda: done.append("other")), 10)
        assert (done, fourth.done()) == (["other"], False)
        hold.set()
        await asyncio.wait_for(asyncio.gather(*running, fourth), 10)

    asyncio.run(story())
    assert done == ["other", "fourth"]


def test_whose_key_ended_in_line_has_nothing_run(desk: Desk) -> None:
    line, hold, done = Line(desk.scenarios), threading.Event(), list[str]()

    def revoked(_identity: object) -> None:
        raise Unauthenticated("its key was revoked")

    stolen = replace(desk.door, check_keys=revoked)

    async def story() -> None:
        asked = cast(Any, Asking())
        running = [asyncio.create_task(line.run(asked, stolen, hold.wait)) for _ in range(RUNS_OF_ONE)]
        await asyncio.sleep(0.01)
        behind = asyncio.create_task(line.run(asked, stolen, lambda: done.append("run")))
        await asyncio.sleep(0.01)
        hold.set()
        with pytest.raises(Unauthenticated, match="revoked"):
            await asyncio.wait_for(behind, 10)
        await asyncio.gather(*running)

    asyncio.run(story())
    assert not done


def test_who_goes_away_leaves_the_line_and_its_run_is_not_made(desk: Desk) -> None:
    line, hold, done = Line(desk.scenarios), threading.Event(), list[str]()

    async def story() -> None:
        there, leaving = cast(Any, Asking()), Asking()
        running = [asyncio.create_task(line.run(there, desk.door, hold.wait)) for _ in range(RUNS_OF_ONE)]
        await asyncio.sleep(0)
        gone = asyncio.create_task(line.run(cast(Any, leaving), desk.door, lambda: done.append("gone")))
        behind = asyncio.create_task(line.run(there, desk.door, lambda: done.append("behind")))
        await asyncio.sleep(0)
        leaving.left.set()
        with pytest.raises(ClientDisconnect):
            await asyncio.wait_for(gone, 10)
        hold.set()
        await asyncio.wait_for(asyncio.gather(*running, behind), 10)

    asyncio.run(story())
    assert done == ["behind"]


def test_an_outcome_that_is_kept_is_shown_at_once_and_one_that_is_not_waits_in_nobodys_share(
    desk: Desk,
) -> None:
    line, hold = Line(desk.scenarios), threading.Event()
    kept, unkept = desk.ours, desk.theirs
    desk.scenarios.result(kept, None, Inputs(desk.door))

    async def story() -> None:
        there = cast(Any, Asking())
        running = [asyncio.create_task(line.run(there, desk.door, hold.wait)) for _ in range(RUNS_OF_ONE)]
        await asyncio.sleep(0)
        quick, slow = Asking(), Asking()
        shown = line.look(cast(Any, quick), desk.door, [kept.id], None, lambda: "shown")
        assert await asyncio.wait_for(shown, 10) == "shown"
        assert quick.given_back == []
        both = line.look(cast(Any, slow), desk.door, [kept.id, unkept.id], None, lambda: "both")
        waits = asyncio.create_task(both)
        while not slow.given_back:
            await asyncio.sleep(0.01)
        assert not waits.done()
        hold.set()
        assert await asyncio.wait_for(waits, 10) == "both"
        await asyncio.gather(*running)

    asyncio.run(story())
