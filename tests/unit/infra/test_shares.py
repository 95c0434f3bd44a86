"""A share of a service for each participant: who asks much waits behind its own requests alone."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, cast

import httpx
import msgspec
import pytest
from fastapi import APIRouter, Body
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import revoked
from dmi_infra import clock
from dmi_infra.errors import NotFound
from dmi_infra.http.access import Caller, placed
from dmi_infra.http.limits import HEAVY_VALUES
from dmi_infra.http.shares import EACH, ENDS, Shares, at_once, let_go, on_thread
from dmi_infra.identity import AUDIENCE, PAPER, Identity
from dmi_infra.jose import Acting, SigningKey, access_claims
from dmi_infra.lanes import Asker
from tests.unit.infra.fakes import NOOR, OWNER, STACK, VENDOR
from tests.unit.infra.test_access import KEY, Door

SECONDS = 5.0


class House(Door):
    """A service whose answers take until they are let go."""

    def __init__(self, folder: Path) -> None:
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.go = threading.Event()
        super().__init__(folder, self._slow())

    def _slow(self) -> APIRouter:
        routes = APIRouter()

        def enter(who: str) -> None:
            self.inside[who] += 1
            self.most[who] = max(self.most[who], self.inside[who])

        @routes.get("/thread")
        def thread(identity: Caller) -> None:
            enter(identity.participant)
            assert self.go.wait(SECONDS)
            self.inside[identity.participant] -= 1

        @routes.get("/loop")
        async def loop(identity: Caller) -> None:
            enter(identity.participant)
            while not self.go.is_set():
                await asyncio.sleep(0.005)
            self.inside[identity.participant] -= 1

        @routes.get("/tile")
        async def tile(identity: Caller) -> None:
            await run_in_threadpool(thread, identity)

        on_thread(tile)

        @routes.post("/end")
        @at_once
        def end(_identity: Caller) -> None:
            """Takes a right away."""

        @routes.post("/loop")
        async def told(identity: Caller, _body: Annotated[list[int], Body()]) -> None:
            await loop(identity)

        @routes.post("/thread")
        def worked(identity: Caller, _body: Annotated[list[int], Body()]) -> None:
            thread(identity)

        @routes.get("/stream")
        def stream(identity: Caller) -> StreamingResponse:
            async def parts() -> AsyncIterator[bytes]:
                enter(identity.participant)
                while not self.go.is_set():
                    await asyncio.sleep(0.005)
                yield b"end"

            return StreamingResponse(parts())

        @routes.get("/missing")
        def missing(_identity: Caller) -> None:
            raise NotFound("nothing is here")

        return routes

    def get(self, path: str, who: str = VENDOR) -> asyncio.Task[httpx.Response]:
        return asyncio.ensure_future(self.client.get(path, headers={"Authorization": self._bearer(who, ())}))

    def post(self, path: str, values: int, who: str = VENDOR) -> asyncio.Task[httpx.Response]:
        headers = {"Authorization": self._bearer(who, ())}
        return asyncio.ensure_future(self.client.post(path, headers=headers, json=[0] * values))

    async def holds(self, who: str, number: int) -> None:
        async with asyncio.timeout(SECONDS):
            while self.inside[who] < number:
                await asyncio.sleep(0.005)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.go.set()
    made.runner.run(made.client.aclose())
    made.runner.close()


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("path", ["/thread", "/tile"])
def test_who_asks_much_has_so_many_threads_and_others_are_answered_meanwhile(house: House, path: str) -> None:
    async def story() -> None:
        many = [house.get(path) for _ in range(EACH * 3)]
        await house.holds(VENDOR, EACH)
        assert statuses([await house.get("/member", OWNER), await house.get("/data", OWNER)]) == [200, 200]
        behind = house.get("/member")
        await asyncio.sleep(0.05)
        assert not behind.done(), "it is behind what this participant asked before"
        house.go.set()
        assert set(statuses(await asyncio.gather(*many, behind))) == {200}

    house.runner.run(story())
    assert house.most[VENDOR] == EACH


def test_what_takes_a_right_away_waits_for_nothing_else_that_was_asked(house: House) -> None:
    async def story() -> None:
        many = [house.get("/thread") for _ in range(EACH * 3)]
        await house.holds(VENDOR, EACH)
        async with asyncio.timeout(SECONDS):
            assert (
                statuses(await asyncio.gather(*(house.post("/end", 1) for _ in range(ENDS * 3))))
                == [200] * ENDS * 3
            )
        house.go.set()
        await asyncio.gather(*many)

    house.runner.run(story())


def test_no_line_is_without_end(house: House) -> None:
    app: Any = cast(Any, house.client._transport).app
    app.state.shares = Shares(each=1, waiting=1, patience=0.2)

    async def story() -> None:
        first = house.get("/thread")
        await house.holds(VENDOR, 1)
        second = house.get("/thread")
        await asyncio.sleep(0)
        third = await house.get("/thread")
        assert not second.done()
        assert (third.status_code, third.headers["retry-after"]) == (503, "2")
        assert "2 requests wait already" in third.json()["detail"]
        tired = await second
        assert tired.status_code == 503
        assert "earlier requests are answered first" in tired.json()["detail"]
        house.go.set()
        assert statuses([await first, await house.get("/member")]) == [200, 200], "places come back"

    house.runner.run(story())


@pytest.mark.parametrize("path", ["/loop", "/stream"])
def test_what_lasts_without_a_thread_holds_no_place(house: House, path: str) -> None:
    async def story() -> None:
        lasting = [house.get(path) for _ in range(EACH * 2)]
        await house.holds(VENDOR, EACH * 2)
        assert (await house.get("/member")).status_code == 200
        house.go.set()
        assert set(statuses(await asyncio.gather(*lasting))) == {200}

    house.runner.run(story())


@pytest.mark.parametrize(
    ("path", "values", "most"),
    [
        ("/loop", HEAVY_VALUES + 10, 1),
        ("/loop", HEAVY_VALUES // 2, EACH + 3),
        ("/thread", HEAVY_VALUES + 10, 1),
        ("/thread", HEAVY_VALUES // 2, EACH),
    ],
)
def test_one_heavy_body_of_a_participant_is_read_at_a_time(
    house: House, path: str, values: int, most: int
) -> None:
    async def story() -> None:
        many = [house.post(path, values) for _ in range(EACH + 3)]
        await house.holds(VENDOR, most)
        await asyncio.sleep(0.05)
        other = house.post(path, values, OWNER)
        await house.holds(OWNER, 1)
        house.go.set()
        assert set(statuses(await asyncio.gather(*many, other))) == {200}

    house.runner.run(story())
    assert house.most[VENDOR] == most


def test_a_heavy_body_that_waited_too_long_is_told_so_and_is_no_fault_of_the_body(house: House) -> None:
    app: Any = cast(Any, house.client._transport).app
    app.state.shares = Shares(each=1, patience=0.2)

    async def story() -> None:
        first = house.post("/loop", HEAVY_VALUES + 10)
        await house.holds(VENDOR, 1)
        answer = await house.post("/thread", HEAVY_VALUES + 10)
        assert answer.status_code == 503
        assert "earlier requests are answered first" in answer.json()["detail"]
        house.go.set()
        assert (await first).status_code == 200

    house.runner.run(story())


def test_a_request_that_fails_or_is_given_up_gives_its_place_back(house: House) -> None:
    async def story() -> None:
        for path, status in (("/missing", 404), ("/operator", 403)):
            for _ in range(EACH + 1):
                assert (await house.get(path)).status_code == status
        many = [house.get("/thread") for _ in range(EACH + 3)]
        await house.holds(VENDOR, EACH)
        for waiting in many[EACH:]:
            waiting.cancel()
        house.go.set()
        assert set(statuses(await asyncio.gather(*many[:EACH]))) == {200}
        assert (await house.get("/member")).status_code == 200

    house.runner.run(story())


@pytest.mark.parametrize(
    ("acting", "party"),
    [(None, OWNER), (Acting("urn:dmi:machine:box", "m"), VENDOR), (Acting(STACK, "m"), STACK)],
)
def test_a_machine_stands_in_the_line_of_its_participant_and_who_has_a_mandate_in_its_own(
    house: House, acting: Acting | None, party: str
) -> None:
    house.law.apply(Participant("urn:dmi:machine:box", "Box", [], machine_of=VENDOR))
    taken: list[str] = []

    async def take(_scope: object, asker: Asker) -> None:
        taken.append(asker.party)

    state = SimpleNamespace(shares=SimpleNamespace(take=take), runtime=house.runtime)
    request: Any = SimpleNamespace(app=SimpleNamespace(state=state), scope={})
    house.runner.run(placed(request, Identity(OWNER, "Ans", frozenset(), acting=acting)))
    assert taken == [party]


@pytest.mark.parametrize(
    ("method", "path", "by"),
    [("GET", "/member", "key"), ("GET", "/member", "letter"), ("POST", "/end", "key")],
)
def test_what_let_a_request_in_and_ended_while_it_stood_in_line_lets_it_in_no_more(
    house: House, method: str, path: str, by: str
) -> None:
    key, at = SigningKey.generate(), clock.now()
    who = NOOR if by == "letter" else VENDOR
    shown: dict[str, Any] = {"client_kid": key.kid}
    before = Participant(VENDOR, VENDOR, [], [key.public], rulebook="1.0.0")
    after = msgspec.structs.replace(before, keys=[revoked(key.public, at // 1_000_000 - 1, "stolen")])
    if by == "letter":
        shown = {"method": PAPER, "client": NOOR, "letter": at}
        before = Participant(NOOR, "Noor", [], letter_at=at)
        after = msgspec.structs.replace(before, letter_at=at + 1)
    claims = access_claims(house.runtime.settings.issuer, AUDIENCE, who, "Noor", [], at // 1_000_000, **shown)
    house.law.apply(before)
    shares: Shares = cast(Any, house.client._transport).app.state.shares
    lanes, each = (shares._ends, ENDS) if path == "/end" else (shares._lanes, EACH)

    async def story() -> list[httpx.Response]:
        held = [await lanes.enter(Asker.by_nothing(who)) for _ in range(each)]
        headers = {"Authorization": f"Bearer {KEY.sign_token(claims)}"}
        line = [asyncio.ensure_future(house.client.request(method, path, headers=headers)) for _ in range(2)]
        async with asyncio.timeout(SECONDS):
            while lanes._inside[who] < each + len(line):
                await asyncio.sleep(0.005)
        house.law.apply(after)
        let_go(held)
        return await asyncio.gather(*line)

    answers = house.runner.run(story())
    assert statuses(answers) == [401, 401]
    assert ("a new letter" if by == "letter" else "does not count any more") in answers[0].json()["detail"]
    assert not lanes._inside
