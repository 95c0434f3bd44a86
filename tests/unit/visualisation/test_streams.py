"""Live events tell nothing of rows that their reader may not see, and leave room for other readers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast, get_args

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Delay
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.http import problems
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.jose import Acting
from dmi_infra.room import Room
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation import following, routes
from dmi_visualisation.errors import TooManyStreams
from dmi_visualisation.following import Follower, follow
from dmi_visualisation.handlers import Maps
from dmi_visualisation.live import LiveMap
from dmi_visualisation.settings import VisualisationSettings
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    NOOR,
    NOW,
    PIET,
    SECOND,
    STACK,
    VENDOR,
    Court,
    delay,
    never_ended,
)
from tests.unit.visualisation.samples import row
from tests.unit.visualisation.test_duties import MEANS

ACTIONS = ("dmi:process", "dmi:display")
OTHER = "urn:dmi:dataset:gemeente:none"


class Scene:
    """A map with room for three streams, two of them for one reader."""

    def __init__(self, folder: Path, court: Court) -> None:
        engine = open_engine(f"sqlite:///{folder / 'visualisation.db'}", "visualisation")
        migrate(engine, "dmi_visualisation")
        self.court = court
        self.live = LiveMap()
        self.room = Room(3, 2, "live streams", TooManyStreams)
        self.maps = Maps(Store(engine), self.live, court.gate, self.room)
        self.close = engine.dispose

    def door(self, who: str = VENDOR, acting: Acting | None = None) -> Opening:
        reader = Identity(who, "Joris", frozenset(), acting=acting)
        return Opening(self.court.gate, reader, "stream", "dmi:display", None, never_ended)

    def serve(self) -> httpx.AsyncClient:
        """The routes, with the vendor at every door."""
        app = FastAPI()
        problems.install(app)
        app.include_router(routes.router(self.maps, ""))
        for door in (routes.Follow, routes.View):
            app.dependency_overrides[get_args(door)[1].dependency] = self.door
        return httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app)), base_url="http://node")

    def free(self) -> bool:
        return not self.room._taken and not self.live._streams


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    court = Court()
    monkeypatch.setattr(clock, "now", court.clock)
    made = Scene(tmp_path, court)
    yield made
    made.close()


async def until(stream: AsyncIterator[bytes], seconds: float) -> list[tuple[float, bytes]]:
    """What comes in a time, and when."""
    found: list[tuple[float, bytes]] = []
    begun = time.monotonic()

    async def read() -> None:
        async for piece in stream:
            found.append((time.monotonic() - begun, piece))

    reading = asyncio.create_task(read())
    done, _ = await asyncio.wait([reading], timeout=seconds)
    for ended in done:
        ended.result()
    reading.cancel()
    await asyncio.wait([reading])
    return found


def hidden_from_vendor(scene: Scene, how: str) -> str:
    """A right under which not all rows are seen yet; its dataset."""
    if how == "delay":
        scene.court.agree(STACK, *ACTIONS)
        scene.court.agree(VENDOR, *ACTIONS, duties=[delay(3600)])
        return GARAGES
    for recipient in (STACK, VENDOR):
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    return BICYCLES


@pytest.mark.parametrize("how", ["delay", "consent"])
@pytest.mark.parametrize("several", [True, False])
def test_a_row_that_is_not_for_the_reader_moves_no_byte(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, how: str, several: bool
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.3)
    dataset = hidden_from_vendor(scene, how)

    async def read() -> list[tuple[float, bytes]]:
        door = scene.door()
        stream = scene.maps.events_of(door, [dataset]) if several else scene.maps.events(door, dataset)
        await anext(stream)
        reading = asyncio.create_task(until(stream, 0.8))
        for number in range(10):
            await asyncio.sleep(0.07)
            scene.live.update([], [row(1.0, at=NOW + number, dataset=dataset, datastream="x", subject=NOOR)])
        found = await reading
        await stream.aclose()
        return found

    found = asyncio.run(read())
    assert {piece for _, piece in found} == {following.ALIVE}, "its signs of life alone"
    assert len(found) <= 2, "and no more of them"
    assert found[0][0] < 0.6, "nor later ones, though rows came all the time"


def test_events_are_as_long_as_if_there_were_no_rows_of_others(scene: Scene) -> None:
    dataset = hidden_from_vendor(scene, "consent")
    whose = [PIET if number % 3 else NOOR for number in range(3 * following.ROWS)]
    rows = [row(1.0, dataset=dataset, datastream=f"b{n}", subject=who) for n, who in enumerate(whose)]

    async def read() -> list[int]:
        stream = scene.maps.events(scene.door(), dataset)
        await anext(stream)
        scene.live.update([], rows)
        pieces = [piece for _, piece in await until(stream, 0.5) if piece != following.ALIVE]
        return [len(json.loads(piece.splitlines()[1].removeprefix(b"data: "))) for piece in pieces]

    assert asyncio.run(read()) == [following.ROWS, following.ROWS]


@pytest.mark.parametrize("several", [True, False])
def test_who_ends_a_consent_goes_from_the_maps_that_showed_it_and_from_no_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, several: bool
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 30.0)
    for recipient in (STACK, VENDOR):
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    consent = scene.court.agree(STACK, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    shown = scene.court.agree(VENDOR, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    whose = {"n0": NOOR, "n1": NOOR, "p0": PIET}
    # One of them was on the map before the stream began.
    scene.live.update([], [row(1.0, dataset=BICYCLES, datastream="n0", subject=NOOR)])

    async def read() -> list[bytes]:
        door = scene.door()
        stream = scene.maps.events_of(door, [BICYCLES]) if several else scene.maps.events(door, BICYCLES)
        await anext(stream)
        reading = asyncio.create_task(until(stream, 0.6))
        await asyncio.sleep(0.1)
        scene.live.update(
            [], [row(1.0, dataset=BICYCLES, datastream=n, subject=who) for n, who in whose.items()][1:]
        )
        await asyncio.sleep(0.1)
        for ended in (shown, consent):
            scene.court.end(ended)
            scene.live.law_changed()
            await asyncio.sleep(0.1)
        found = [piece for _, piece in await reading]
        await stream.aclose()
        return [piece for piece in found if piece.startswith(b"event: gone")]

    [gone] = asyncio.run(read())
    told = json.loads(gone.splitlines()[1].removeprefix(b"data: "))
    assert told == ({"layer": BICYCLES, "datastreams": ["n0", "n1"]} if several else ["n0", "n1"])


def test_the_id_of_gone_does_not_lie_behind_rows_that_wait(scene: Scene) -> None:
    for recipient in (STACK, VENDOR):
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        for person in (PIET, NOOR):
            consent = scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=person)
    scene.live.update([], [row(1.0, dataset=BICYCLES, datastream="n", subject=NOOR)])

    async def read() -> list[tuple[bytes, bytes]]:
        numbers = iter(range(100))
        right = scene.door().permit(BICYCLES)
        woken = asyncio.Event()
        stream = scene.live.open(BICYCLES, woken)
        one = Follower(right, stream, scene.court.gate, scene.maps._sight, None, scene.live.rows(BICYCLES))
        scene.court.end(consent)
        scene.live.law_changed([BICYCLES])
        scene.live.update([], [row(2.0, dataset=BICYCLES, datastream="p", subject=PIET)])
        await asyncio.sleep(0)
        followed = follow([one], woken, several=False, position=lambda: f"{next(numbers)} {one.position()}")
        pieces = [piece.splitlines() for _, piece in await until(followed, 0.1) if piece.startswith(b"event")]
        return [(piece[0], piece[2].split()[-1]) for piece in pieces]

    (gone, before), (observation, after) = asyncio.run(read())
    assert (gone, observation) == (b"event: gone", b"event: observation")
    assert int(before) < int(after), "whoever comes back behind the first gets the rows of the second"


def test_who_ends_a_consent_between_two_streams_of_a_reader_is_gone_with_the_second(scene: Scene) -> None:
    for recipient in (STACK, VENDOR):
        scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        for person in (PIET, NOOR):
            consent = scene.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=person)
    rows = [row(1.0, dataset=BICYCLES, datastream=n, subject=who) for n, who in (("n", NOOR), ("p", PIET))]

    async def read(last: str) -> tuple[str, list[bytes]]:
        stream = scene.maps.events(scene.door(), BICYCLES, last)
        begun = (await anext(stream)).decode().split("id: ")[1].strip()
        found = [piece for _, piece in await until(stream, 0.1) if piece.startswith(b"event")]
        await stream.aclose()
        return found[-1].decode().split("id: ")[1].strip() if found else begun, found

    async def check() -> None:
        scene.live.update([], rows)
        last, _ = await read("")
        scene.court.end(consent)
        last, found = await read(last)
        assert [json.loads(piece.splitlines()[1].removeprefix(b"data: ")) for piece in found] == [["n"]]
        assert (await read(last))[1] == []

    asyncio.run(check())


def test_what_a_delay_held_comes_at_a_time_that_no_hidden_row_moves(scene: Scene) -> None:
    hidden_from_vendor(scene, "delay")
    right = scene.door().permit(GARAGES)
    (held,) = (duty.seconds for duty in right.duties if isinstance(duty, Delay))

    async def due(*arrivals: int) -> int:
        one = Follower(right, scene.live.open(GARAGES, asyncio.Event()), scene.court.gate, scene.maps._sight)
        for at in arrivals:
            scene.court.clock.at = at
            scene.live.update([], [row(float(at), at=at, datastream=str(at))])
            await asyncio.sleep(0)
            one.waits()
        return next(moment for moment, rows in one._held if str(arrivals[-1]) in rows)

    moments = range(NOW, NOW + 3 * 60 * SECOND, 10 * SECOND)
    for at in moments:
        assert asyncio.run(due(at - 25 * SECOND, at)) == asyncio.run(due(at))
        assert 0 <= asyncio.run(due(at)) - at - held * SECOND <= held * SECOND // following.SLOTS


def test_what_a_delay_held_comes_when_it_is_due_and_waits_for_no_other_row(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 30.0)
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(VENDOR, *ACTIONS, duties=[delay(1)])
    begun = time.monotonic()
    monkeypatch.setattr(clock, "now", lambda: NOW + int((time.monotonic() - begun) * 1_000_000))
    monkeypatch.setattr(scene.court.gate, "_now", clock.now)

    async def read() -> list[tuple[float, bytes]]:
        woken = asyncio.Event()
        right = scene.door().permit(GARAGES)
        one = Follower(right, scene.live.open(GARAGES, woken), scene.court.gate, scene.maps._sight)
        scene.live.update([], [row(5.0, at=NOW)])
        return await until(follow([one], woken, several=False, position=str), 1.4)

    (_, alive), (at, told) = asyncio.run(read())
    assert (alive, told.startswith(b"event: observation")) == (following.ALIVE, True)
    assert 0.9 < at < 1.4


@pytest.mark.parametrize("several", [True, False])
def test_only_an_id_that_was_told_here_to_this_reader_for_these_layers_says_how_far_it_is(
    scene: Scene, several: bool
) -> None:
    scene.court.agree(STACK, *ACTIONS)
    for reader in (VENDOR, PIET):
        once = {"leftOperand": "count", "operator": "lteq", "rightOperand": 20}
        scene.court.agree(reader, *ACTIONS, constraints=[once])

    async def read(last: str, maps: Maps, *layers: str, who: str = VENDOR) -> tuple[str, int, int]:
        """The id that is told first, how many values come, and how many uses are counted by then."""
        door = scene.door(who)
        stream = maps.events_of(door, layers, last) if several else maps.events(door, layers[0], last)
        begun = (await anext(stream)).decode().split("id: ")[1].strip()
        found = [piece for _, piece in await until(stream, 0.05) if piece.startswith(b"event: obs")]
        await stream.aclose()
        return begun, len(found), sum(len(record.counted) for record in scene.court.decisions())

    async def check() -> None:
        scene.live.update([], [row(5.0)])
        last, *beginning = await read("", scene.maps, GARAGES)
        assert beginning == [0, 1]
        again, *going_on = await read(last, scene.maps, GARAGES)
        assert going_on == [0, 1]
        assert (len(again), again == last) == (len(last), False)
        elsewhere = Maps(scene.maps._store, scene.live, scene.court.gate, scene.room)
        assert (await read(again, elsewhere, GARAGES))[1:] == (1, 2)
        assert (await read(again[::-1], scene.maps, GARAGES))[1:] == (1, 3)
        assert (await read(again, scene.maps, GARAGES, who=PIET))[1:] == (1, 4)
        if several:
            assert (await read(again, scene.maps, GARAGES, OTHER))[1:] == (1, 5)

    asyncio.run(check())


@pytest.mark.parametrize("several", [True, False])
def test_means_of_many_sensors_are_refused_at_once_and_not_when_a_row_comes(
    scene: Scene, several: bool
) -> None:
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(VENDOR, *ACTIONS, duties=[MEANS])

    async def read() -> list[bytes]:
        if several:
            return [piece for _, piece in await until(scene.maps.events_of(scene.door(), [GARAGES]), 5.0)]
        with pytest.raises(Refused, match="means"):
            scene.maps.events(scene.door(), GARAGES)
        return [b"", b"event: ended"]

    _, ended = asyncio.run(read())
    assert ended.startswith(b"event: ended")
    assert scene.free()


def test_nobody_takes_all_streams_and_who_finds_none_is_told_before_it_begins_and_uses_nothing(
    scene: Scene,
) -> None:
    scene.court.agree(STACK, *ACTIONS)
    for reader in (VENDOR, PIET):
        scene.court.agree(reader, *ACTIONS)

    machine = f"{VENDOR}:machine"
    scene.court.law.apply(Participant(machine, machine, [], machine_of=VENDOR))

    async def fill() -> None:
        mine = [
            scene.maps.events(scene.door(), GARAGES),
            scene.maps.events_of(scene.door(), [GARAGES, OTHER]),
        ]
        decided = len(scene.court.records)
        async with scene.serve() as client:
            for path in (f"/v1/layers/{GARAGES}/events", f"/v1/events?layer={GARAGES}"):
                answer = await client.get(path)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
                assert answer.headers["content-type"] == "application/problem+json"
                assert "you have 2 live streams open" in answer.json()["detail"]
                dutch = await client.get(path, headers={"Accept-Language": "nl"})
                assert dutch.status_code == 503
        for actor in (VENDOR, machine):
            by = Acting(actor, "urn:dmi:mandate:1")
            with pytest.raises(TooManyStreams, match="you have 2"):
                scene.maps.events(scene.door(PIET, acting=by), GARAGES)
        mine.append(scene.maps.events(scene.door(PIET), GARAGES))
        with pytest.raises(TooManyStreams, match="all 3 live streams"):
            scene.maps.events(scene.door(PIET), GARAGES)
        assert len(scene.court.records) == decided + 1, "of the third stream"
        for stream in mine:
            await stream.aclose()

    asyncio.run(fill())
    assert scene.free()


def test_a_share_is_a_fifth_and_at_least_one_where_none_is_set() -> None:
    shares = [VisualisationSettings(stream_limit=limit).share_of_streams for limit in (200, 3)]
    assert shares == [40, 1]
    assert VisualisationSettings(stream_limit=200, stream_share=7).share_of_streams == 7


def test_a_place_is_given_back_by_who_is_refused_and_by_who_is_gone_before_the_first_piece(
    scene: Scene,
) -> None:
    async def gone(_message: Any) -> None:
        raise OSError

    async def silent() -> Any:
        await asyncio.sleep(60)

    async def check() -> None:
        with pytest.raises(Refused):
            scene.maps.events(scene.door(), GARAGES)
        assert scene.free()
        scene.court.agree(STACK, *ACTIONS)
        scene.court.agree(VENDOR, *ACTIONS)
        for version in ("2.3", "2.4"):
            answer = routes.EventStream(scene.door(), scene.maps.events(scene.door(), GARAGES))
            assert not scene.free()
            with pytest.raises((OSError, ClientDisconnect)):
                await answer({"type": "http", "asgi": {"spec_version": version}}, silent, gone)
            assert scene.free()

    asyncio.run(check())


def test_a_tile_that_does_not_exist_is_no_use(scene: Scene) -> None:
    scene.court.agree(STACK, *ACTIONS)
    scene.court.agree(VENDOR, *ACTIONS)

    async def ask() -> list[int]:
        async with scene.serve() as client:
            paths = [f"/v1/layers/{GARAGES}/tiles/{tile}" for tile in ("99/1/1", "1/2/0", "1/0/0")]
            return [(await client.get(path)).status_code for path in paths]

    assert asyncio.run(ask()) == [400, 400, 200]
    assert len(scene.court.decisions()) == 1
