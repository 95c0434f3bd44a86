"""What people see: refused layers say why, duties hold rows back, a stop ends streams, charts keep to the right."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_infra import clock
from dmi_infra.errors import InputRefused, NotFound, Refused, Unauthenticated
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.jose import LEEWAY_SECONDS
from dmi_infra.recorder import RecorderFull
from dmi_infra.room import Room
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation import following, going_on
from dmi_visualisation.errors import TooManyStreams
from dmi_visualisation.handlers import Maps
from dmi_visualisation.live import LiveMap
from dmi_visualisation.routes import _while_trusted
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    PIET,
    SECOND,
    STACK,
    VENDOR,
    Court,
    delay,
    never_ended,
)
from tests.unit.visualisation.samples import CENTRE, place, row

HOUR = 3600 * SECOND
ACTIONS = ("dmi:process", "dmi:display")


@pytest.fixture
def court(monkeypatch: pytest.MonkeyPatch) -> Court:
    """A law whose clock the handlers follow too."""
    made = Court()
    monkeypatch.setattr(clock, "now", made.clock)
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'visualisation.db'}", "visualisation")
    migrate(made, "dmi_visualisation")
    yield made
    made.dispose()


@pytest.fixture
def live() -> LiveMap:
    return LiveMap()


@pytest.fixture
def maps(engine: sa.Engine, live: LiveMap, court: Court) -> Maps:
    return Maps(Store(engine), live, court.gate, Room(10, 10, "live streams", TooManyStreams))


def permit(court: Court, dataset: str = GARAGES, recipient: str = VENDOR) -> Permit:
    """The right of a viewer to a layer, as the route asks for it."""
    return court.gate.permit("stream", "dmi:display", dataset, recipient=recipient)


async def _events(stream: AsyncIterator[bytes], wanted: int) -> list[tuple[str, Any]]:
    """The first ``wanted`` named events; comments that keep the line open are passed over."""
    found: list[tuple[str, Any]] = []
    async for block in stream:
        lines = block.decode().splitlines()
        if lines and lines[0].startswith("event: "):
            found.append((lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))))
        if len(found) == wanted:
            break
    return found


def test_a_new_value_reaches_an_open_stream_as_a_feature(court: Court, live: LiveMap, maps: Maps) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)

    async def follow() -> list[tuple[str, Any]]:
        stream = maps.events(door_of(court), GARAGES)
        await anext(stream)
        live.update([], [row(5.0)])
        return await asyncio.wait_for(_events(stream, 1), 10)

    [(name, [feature])] = asyncio.run(follow())
    assert (name, feature["properties"]["result"]) == ("observation", 5.0)


def test_what_left_is_in_the_record_by_the_end_of_a_stream_and_at_once_of_features(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)

    async def follow() -> None:
        stream = maps.events(door_of(court), GARAGES)
        await anext(stream)
        for result in (5.0, 6.0):
            live.update([], [row(result)])
            await asyncio.wait_for(_events(stream, 1), 10)
        await stream.aclose()

    asyncio.run(follow())
    assert [each.left for each in court.decisions()] == [0, 2]
    maps.features(permit(court))
    assert [each.left for each in court.decisions()] == [0, 2, 0, 1]


def test_several_layers_share_a_stream_and_each_ends_alone(court: Court, live: LiveMap, maps: Maps) -> None:
    court.agree(STACK, *ACTIONS)
    mine = court.agree(VENDOR, *ACTIONS)
    door = Opening(
        court.gate, Identity(VENDOR, "Joris", frozenset()), "stream", "dmi:display", None, never_ended
    )
    forbidden = "urn:dmi:dataset:gemeente:none"

    async def follow() -> tuple[list[tuple[str, Any]], int, int]:
        stream = maps.events_of(door, [GARAGES, forbidden, GARAGES])
        await anext(stream)
        listening = len(live._streams)
        live.update([], [row(5.0)])
        found = await asyncio.wait_for(_events(stream, 2), 10)
        court.end(mine)
        live.law_changed()
        found += await asyncio.wait_for(_events(stream, 9), 10)
        return found, listening, len(live._streams)

    found, listening, left = asyncio.run(follow())
    assert (listening, left) == (1, 0)
    (refused,) = (data for name, data in found if name == "ended" and data["layer"] == forbidden)
    assert refused["type"] == "urn:dmi:problem:unknown-dataset"
    (seen,) = (data for name, data in found if name == "observation")
    assert (seen["layer"], seen["features"][0]["properties"]["result"]) == (GARAGES, 5.0)
    name, ended = found[-1]
    assert (name, ended["layer"], ended["agreement"]) == ("ended", GARAGES, mine.id)


def test_a_reader_who_leaves_a_shared_stream_leaves_nothing_open(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    door = Opening(
        court.gate, Identity(VENDOR, "Joris", frozenset()), "stream", "dmi:display", None, never_ended
    )

    async def leave() -> None:
        stream = maps.events_of(door, [GARAGES])
        await anext(stream)
        assert len(live._streams) == 1
        await stream.aclose()

    asyncio.run(leave())
    assert live._streams == frozenset()


def test_a_stop_ends_an_open_stream_with_the_agreement_and_the_moment(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    layer = court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)

    async def follow() -> list[tuple[str, Any]]:
        stream = maps.events(door_of(court), GARAGES)
        await anext(stream)
        court.end(layer)
        live.law_changed()
        live.update([], [row(5.0)])
        return await asyncio.wait_for(_events(stream, 9), 10)

    [(name, problem)] = asyncio.run(follow())
    assert name == "ended"
    assert (problem["agreement"], problem["moment"]) == (layer.id, clock.to_text(NOW))


def door_of(court: Court, expires: float = math.inf) -> Opening:
    """The door of the route of live events for somebody at the vendor."""
    reader = Identity(VENDOR, "Joris", frozenset(), expires=expires)
    return Opening(court.gate, reader, "stream", "dmi:display", None, never_ended)


def opened(court: Court, maps: Maps, several: bool, dataset: str = GARAGES) -> AsyncIterator[bytes]:
    """The stream of one layer, by either route."""
    return maps.events_of(door_of(court), [dataset]) if several else maps.events(door_of(court), dataset)


def features_of(data: Any) -> list[Any]:
    found: list[Any] = data["features"] if isinstance(data, dict) else data
    return found


@pytest.mark.parametrize("several", [True, False])
def test_nothing_that_waited_for_a_slow_reader_goes_out_after_the_end(
    court: Court, live: LiveMap, maps: Maps, several: bool
) -> None:
    court.agree(STACK, *ACTIONS)
    mine = court.agree(VENDOR, *ACTIONS)

    async def read_late() -> list[tuple[str, Any]]:
        stream = opened(court, maps, several)
        await anext(stream)
        for number in range(50):
            live.update([], [row(float(number), at=NOW + number)])
            # Others have their turn in between; this reader takes nothing.
            await asyncio.sleep(0.001)
        # The server has asked for the next piece, and the reader does not take it.
        await anext(stream)
        court.end(mine)
        live.law_changed()
        return await asyncio.wait_for(_events(stream, 9), 10)

    assert [name for name, _ in asyncio.run(read_late())] == ["ended"]


@pytest.mark.parametrize("several", [True, False])
def test_rows_that_wait_when_their_person_withdraws_do_not_go_out(
    court: Court, live: LiveMap, maps: Maps, several: bool
) -> None:
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
    consents = [court.agree(who, *ACTIONS, dataset=BICYCLES, assigner=NOOR) for who in (STACK, VENDOR)]
    for who in (STACK, VENDOR):
        court.agree(who, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    streams = {NOOR: "bicycle-air.bicycle-1.pm2_5", PIET: "bicycle-air.bicycle-2.pm2_5"}

    async def read_late() -> list[tuple[str, Any]]:
        stream = opened(court, maps, several, BICYCLES)
        await anext(stream)
        live.update([], [row(1.0, dataset=BICYCLES, datastream=s, subject=who) for who, s in streams.items()])
        await anext(stream)
        court.end(consents[1])
        live.law_changed()
        return await asyncio.wait_for(_events(stream, 1), 10)

    [(name, data)] = asyncio.run(read_late())
    assert (name, [feature["id"] for feature in features_of(data)]) == ("observation", [streams[PIET]])


@pytest.mark.parametrize("several", [True, False])
def test_a_slow_reader_gets_the_newest_values_in_events_of_a_bounded_size(
    court: Court, live: LiveMap, maps: Maps, several: bool
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    names = [f"garages.g{number}.occupancy" for number in range(following.ROWS + 10)]

    async def read_late() -> list[tuple[str, Any]]:
        stream = opened(court, maps, several)
        await anext(stream)
        for turn in range(20):
            live.update([], [row(float(turn), at=NOW + turn, datastream=name) for name in names])
            await asyncio.sleep(0.001)
        return await asyncio.wait_for(_events(stream, 2), 10)

    parts = [features_of(data) for _, data in asyncio.run(read_late())]
    assert [len(part) for part in parts] == [following.ROWS, 10]
    assert {feature["properties"]["result"] for part in parts for feature in part} == {19.0}


def test_what_a_delay_holds_is_bounded_too_and_comes_when_it_is_due(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.001)
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS, duties=[delay(60)])

    async def held() -> tuple[int, list[tuple[str, Any]]]:
        woken = asyncio.Event()
        one = following.Follower(permit(court), live.open(GARAGES, woken), court.gate, maps._sight)
        for number in range(600):
            live.update([], [row(float(number), at=court.clock.at)])
            await asyncio.sleep(0)
            assert not one.shows()
            court.clock.at += SECOND // 10
        slots = len(one._held)
        court.clock.at += 61 * SECOND
        court.beat()
        return slots, await _events(following.follow([one], woken, several=False, position=str), 1)

    slots, [(_, [feature])] = asyncio.run(held())
    assert slots <= following.SLOTS + 1
    assert feature["properties"]["result"] == 599.0


def test_a_stream_that_has_ended_makes_room_for_another(court: Court, maps: Maps) -> None:
    layer = court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    single = Maps(maps._store, LiveMap(), court.gate, Room(1, 1, "live streams", TooManyStreams))

    async def follow() -> None:
        stream = single.events(door_of(court), GARAGES)
        with pytest.raises(TooManyStreams):
            single.events(door_of(court), GARAGES)
        court.end(layer)
        assert [name for name, _ in await _events(stream, 9)] == ["ended"]
        court.agree(STACK, *ACTIONS)
        single.events(door_of(court), GARAGES)

    asyncio.run(follow())


def test_a_duty_to_delay_holds_rows_back_until_they_are_old_enough(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.01)
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS, duties=[delay(60)])

    async def follow() -> tuple[bytes, list[tuple[str, Any]]]:
        stream = maps.events(door_of(court), GARAGES)
        await anext(stream)
        live.update([], [row(5.0)])
        early = await anext(stream)
        court.clock.at += 61 * SECOND
        court.beat()
        return early, await asyncio.wait_for(_events(stream, 1), 10)

    early, [(name, features)] = asyncio.run(follow())
    assert early == b": alive\n\n"
    assert (name, features[0]["properties"]["result"]) == ("observation", 5.0)


def test_features_under_a_delay_hold_old_values_only(court: Court, live: LiveMap, maps: Maps) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS, duties=[delay(60)])
    old = row(1.0, at=NOW - 2 * 60 * SECOND, datastream="garages.oud.occupancy")
    live.update([], [row(5.0), old])
    shown = maps.features(permit(court))["features"]
    assert [feature["id"] for feature in shown] == ["garages.oud.occupancy"]


def test_rows_of_persons_without_consent_are_not_on_the_map(court: Court, live: LiveMap, maps: Maps) -> None:
    court.agree(STACK, *ACTIONS, dataset=BICYCLES)
    court.agree(VENDOR, *ACTIONS, dataset=BICYCLES)
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    streams = {NOOR: "bicycle-air.bicycle-1.pm2_5", PIET: "bicycle-air.bicycle-2.pm2_5"}
    rows = [
        row(9.0, at=NOW - HOUR, dataset=BICYCLES, datastream=s, subject=who) for who, s in streams.items()
    ]
    maps._store.save([], rows, {})
    live.update([], rows)
    right = permit(court, BICYCLES)
    assert [feature["id"] for feature in maps.features(right)["features"]] == [streams[PIET]]
    assert len(maps.history(right, streams[PIET], NOW - 2 * HOUR, NOW, 10)["items"]) == 1
    with pytest.raises(NotFound):
        maps.history(right, streams[NOOR], NOW - 2 * HOUR, NOW, 10)
    silent = maps.history(right, streams[PIET], NOW - 9 * HOUR, NOW - 8 * HOUR, 10)
    assert (silent["items"], silent["unit"]) == ([], "{vehicle}"), "it is known, and was silent"


def test_only_the_asked_property_is_shown_and_the_box_is_around_it(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    warm = row(8.0, datastream="garages.x.temperature", observed_property="temperature", longitude=5.2)
    live.update([], [row(5.0), warm])
    shown = maps.features(permit(court), "temperature")
    assert [feature["id"] for feature in shown["features"]] == ["garages.x.temperature"]
    assert shown["bbox"] == [5.2, 52.1, 5.2, 52.1]


def test_a_history_is_merged_to_the_number_of_points_and_keeps_its_extremes(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    rows = [row(float(n), at=NOW - (8 - n) * HOUR // 4) for n in range(8)]
    maps._store.save([], rows, {})
    live.update([], rows)
    found = maps.history(permit(court), CENTRE, NOW - 3 * HOUR, NOW, 2)
    assert [(item["minimum"], item["maximum"]) for item in found["items"]] == [(0.0, 3.0), (4.0, 7.0)]
    assert [item["mean"] for item in found["items"]] == [1.5, 5.5]
    assert (found["unit"], found["observed_property"]) == ("{vehicle}", "occupancy")


def test_a_datastream_that_nobody_has_heard_of_is_not_found_nor_one_that_is_hidden(
    live: LiveMap, maps: Maps
) -> None:
    open_to_all = cast(Opening, SimpleNamespace(hides=lambda _dataset: False))
    live.update([], [row(1.0)])
    assert maps.dataset_of(open_to_all, CENTRE) == GARAGES
    hiding = cast(Opening, SimpleNamespace(hides=lambda dataset: dataset == GARAGES))
    for opening, name in ((open_to_all, "garages.nowhere.occupancy"), (hiding, CENTRE)):
        with pytest.raises(NotFound, match="no datastream with observations"):
            maps.dataset_of(opening, name)


def test_places_are_drawn_as_areas_with_their_own_figures(court: Court, live: LiveMap, maps: Maps) -> None:
    court.law.apply(Dataset(GARAGES, OWNER, {"nl": "Buurten"}, purpose=MOBILITY, layer="areas"))
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    square = {"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52], [5.1, 52.1], [5, 52]]]}
    live.update(
        [
            (GARAGES, Feature("BU1", "neighbourhood", "Molenhoek", square, {"inhabitants": 12})),
            (GARAGES, Feature("x", "thing", "zonder plek")),
        ],
        [],
    )
    [feature] = maps.features(permit(court))["features"]
    assert (feature["properties"]["name"], feature["properties"]["inhabitants"]) == ("Molenhoek", 12)


def test_a_kept_tile_is_made_anew_when_a_value_changes(court: Court, live: LiveMap, maps: Maps) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    live.update([(GARAGES, place(CENTRE, "datastream", "Garage Centrum"))], [row(5.0)])
    right = permit(court)
    first = maps.tile(right, 12, 2106, 1351)
    assert maps.tile(right, 12, 2106, 1351) is first
    live.update([], [row(6.0, at=NOW + 1)])
    assert maps.tile(right, 12, 2106, 1351) != first


def _riders(live: LiveMap) -> None:
    """Noor in the tile of the centre, Piet far away from it."""
    rows = [
        row(dataset=BICYCLES, datastream=f"bike.{who[-4:]}.pm2_5", subject=who, longitude=longitude)
        for who, longitude in ((NOOR, 5.1), (PIET, 6.1))
    ]
    live.update([], rows)


def test_each_time_a_tile_is_given_those_whose_rows_it_shows_are_told(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        for person in (NOOR, PIET):
            court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=person)
    _riders(live)
    right = permit(court, BICYCLES)
    for _ in range(2):
        court.records.clear()
        assert maps.tile(right, 12, 2106, 1351)
        assert [(one.subjects, one.rows) for one in court.decisions()] == [([NOOR], 1)]
    assert maps.kept_tile(right, 12, 2106, 1351) is None, (
        "to tell somebody takes more than a look into memory"
    )
    court.records.clear()
    maps.tile(right, 12, 0, 0)
    assert maps.kept_tile(right, 12, 0, 0) is not None
    assert court.decisions() == [], "a tile of nobody tells nobody"


@pytest.mark.parametrize("owner_first", [True, False])
def test_a_kept_tile_with_places_of_persons_is_their_owners_alone(
    court: Court, live: LiveMap, maps: Maps, owner_first: bool
) -> None:
    gardens = "urn:dmi:dataset:gemeente:gardens"
    about = {"personal": True, "basis": "dmi:basis:public-task", "purpose": MOBILITY, "layer": "areas"}
    court.law.apply(Dataset(gardens, OWNER, {"nl": "Tuinen"}, **about))
    court.agree(STACK, *ACTIONS, dataset=gardens)
    live.update([(gardens, place("gardens.noor", "neighbourhood", "Tuin van Noor"))], [])
    rights = [permit(court, gardens, OWNER), permit(court, gardens, STACK)]
    for right in rights if owner_first else rights[::-1]:
        tile = maps.tile(right, 12, 2106, 1351)
        assert (b"Tuin van Noor" in tile) == (right is rights[0])


class Unwalked(dict[str, Any]):
    """An answer about persons that nobody goes through."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("it goes through all persons")

    keys = values = items = __iter__  # type: ignore[assignment]


def test_a_kept_tile_is_found_without_a_walk_through_all_who_consent(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for in the event loop, where the wait of one is the wait of all."""
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=NOOR, duties=[delay(60)])
    _riders(live)
    right = permit(court, BICYCLES)
    maps.tile(right, 12, 0, 0)
    with monkeypatch.context() as watched:
        for told in (court.law.consents, court.law.rights):
            for name in {"subjects", "duties", "left_out"}.intersection(dir(told)):
                asked = getattr(told, name)
                watched.setattr(told, name, lambda *about, asked=asked: Unwalked(asked(*about)))
        assert maps.kept_tile(right, 12, 0, 0) is not None


@pytest.mark.parametrize("event", ["consent", "withdrawal", "erasure"])
def test_no_kept_tile_outlives_a_change_in_who_is_shown(
    court: Court, live: LiveMap, maps: Maps, event: str
) -> None:
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    hers = court.agree(VENDOR, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    if event != "consent":
        court.agree(STACK, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    _riders(live)
    right = permit(court, BICYCLES)
    before = maps.tile(right, 12, 2106, 1351)
    if event == "consent":
        court.agree(STACK, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    elif event == "withdrawal":
        court.end(hers)
    else:
        court.law.apply(SubjectRequest("urn:uuid:e", NOOR, "erasure", BICYCLES, court.clock()))
    shown = b"noor" in maps.tile(right, 12, 2106, 1351), b"noor" in before
    assert shown == ((True, False) if event == "consent" else (False, True))


def test_a_kept_tile_ends_with_the_term_of_a_consent(court: Court, live: LiveMap, maps: Maps) -> None:
    day = {"leftOperand": "dmi:days", "operator": "eq", "rightOperand": 1}
    term = [{"action": "dmi:deleteAfter", "constraint": [day]}]
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=NOOR, duties=term)
    _riders(live)
    right = permit(court, BICYCLES)
    before = maps.tile(right, 12, 2106, 1351)
    assert len(maps.features(right)["features"]) == 1
    court.clock.at += 25 * HOUR
    assert maps.tile(right, 12, 2106, 1351) != before


def test_the_map_of_a_moment_shows_what_each_sensor_said_last_before_it(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    silent = row(3.0, at=NOW - 5 * HOUR, datastream="garages.silent.occupancy")
    young = row(7.0, at=NOW - SECOND, datastream="garages.young.occupancy")
    rows = [row(1.0, at=NOW - 2 * HOUR), row(2.0, at=NOW - SECOND), silent, young]
    maps._store.save([], rows, {})
    live.update([], rows)
    shown = maps.features(permit(court), at=NOW - HOUR)
    assert {f["id"]: f["properties"]["result"] for f in shown["features"]} == {
        CENTRE: 1.0,
        silent.datastream: 3.0,
    }
    assert shown["at"] == clock.to_text(NOW - HOUR)


@pytest.mark.parametrize(("days", "seen"), [(2, True), (29, True), (31, False)])
def test_a_sensor_that_was_silent_for_long_shows_its_last_value_with_its_time(
    court: Court, live: LiveMap, maps: Maps, days: int, seen: bool
) -> None:
    """Until it is an archive; the pages mark it as late by that time, as they do on the live map."""
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    spoke = NOW - 24 * HOUR - days * 24 * HOUR + HOUR
    for rows in ([row(1.0, at=spoke)], [row(2.0, at=NOW - SECOND)]):
        maps._store.save([], rows, {})
        live.update([], rows)
    found = maps.features(permit(court), at=NOW - 23 * HOUR)["features"]
    told = [(f["properties"]["result"], f["properties"]["phenomenon_time"]) for f in found]
    assert told == ([(1.0, clock.to_text(spoke))] if seen else [])


def test_a_moment_stands_under_the_same_consents_and_duties_as_now(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, duties=[delay(3600)])
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=PIET)
    streams = {NOOR: "bicycle-air.bicycle-1.pm2_5", PIET: "bicycle-air.bicycle-2.pm2_5"}
    rows = [
        row(float(ago), at=NOW - ago * HOUR // 2, dataset=BICYCLES, datastream=s, subject=who)
        for who, s in streams.items()
        for ago in (0, 1, 4)
    ]
    maps._store.save([], rows, {})
    live.update([], rows)
    right = permit(court, BICYCLES)
    early = maps.features(right, at=NOW - HOUR)["features"]
    assert [(f["id"], f["properties"]["result"]) for f in early] == [(streams[PIET], 4.0)]
    assert maps.features(right, at=NOW)["features"] == [], (
        "half an hour ago is younger than the delay of an hour"
    )


def opening(court: Court, participant: str = VENDOR) -> Opening:
    """The door of a gated route for somebody at a participant."""
    reader = Identity(participant, "Joris", frozenset())
    return Opening(court.gate, reader, "tile", "dmi:display", None, never_ended)


def _city(live: LiveMap) -> None:
    stream = Feature(
        CENTRE, "datastream", "Merelgarage occupancy", None, {"thing": "g", "observed_property": "occupancy"}
    )
    rider = Feature("b", "datastream", "Merel van Noor pm2_5", None, {"observed_property": "pm2_5"})
    live.update(
        [
            (GARAGES, place("BU1", "neighbourhood", "Merelhof")),
            (GARAGES, place("a1", "address", "Merelstraat 12", neighbourhood="BU1")),
            (GARAGES, place("a2", "address", "Merelstraat 2", 5.2)),
            (GARAGES, place("g", "thing", "Merelgarage", 5.3)),
            (GARAGES, stream),
            (BICYCLES, rider),
        ],
        [],
    )


def test_a_name_finds_areas_addresses_and_sensors_of_what_the_viewer_may_see(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    _city(live)
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    found = maps.search(opening(court), "mere", 10)
    assert [one["name"] for one in found] == ["Merelhof", "Merelstraat 2", "Merelstraat 12", "Merelgarage"]
    assert found[2]["neighbourhood"] == "Merelhof"
    assert found[1]["bbox"] == [5.2, 52.1, 5.2, 52.1]
    assert (found[3]["observed_property"], found[3]["bbox"]) == ("occupancy", [5.3, 52.1, 5.3, 52.1])
    assert [record.rows for record in court.decisions() if record.assignee == VENDOR] == [4]


@pytest.mark.parametrize("told", [False, True], ids=["at its time", "deleted"])
def test_a_place_that_has_ended_is_neither_found_nor_drawn(
    court: Court, live: LiveMap, maps: Maps, told: bool
) -> None:
    court.law.apply(Dataset(GARAGES, OWNER, {"nl": "x"}, purpose=MOBILITY, layer="areas"))
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    square = {"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52], [5.1, 52.1], [5, 52]]]}
    ends = NOW + SECOND

    def tell(end: int | None) -> None:
        area = Feature("g", "area", "Merelhof", square, valid_to=end)
        live.update([(GARAGES, area), (GARAGES, place("s", "stop", "Merelweg"))], [])

    def seen() -> tuple[list[str], ...]:
        door = opening(court)
        return (
            [one["id"] for one in maps.search(door, "mere", 10)],
            [one["id"] for one in maps.background(door)["features"]],
            [one["id"] for one in maps.features(permit(court))["features"]],
        )

    tell(None if told else ends)
    assert seen() == (["g", "s"],) * 3
    before = maps.tile(permit(court), 10, 526, 337)
    if told:
        tell(NOW)
    else:
        court.clock.at = ends
    assert seen() == (["s"],) * 3
    assert maps.tile(permit(court), 10, 526, 337) != before
    court.clock.at = ends + SECOND
    assert maps.kept_tile(permit(court), 10, 526, 337) is not None, "what has ended ends no tile again"


def test_a_search_finds_nothing_of_a_dataset_whose_agreement_has_ended(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    _city(live)
    layer = court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    court.end(layer)
    assert maps.search(opening(court), "merel", 10) == []
    with pytest.raises(Refused):
        opening(court).permit(GARAGES)


def test_the_bicycle_of_a_person_is_not_found_by_name(court: Court, live: LiveMap, maps: Maps) -> None:
    _city(live)
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES)
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    assert maps.search(opening(court), "merel", 10) == []


def test_places_of_persons_on_another_basis_are_told_to_the_owner_alone(
    court: Court, live: LiveMap, maps: Maps
) -> None:
    """An address or a garden is told by no row; found by name or drawn it would be told without any."""
    court.law.apply(
        Dataset(
            GARAGES,
            OWNER,
            {"nl": "x"},
            personal=True,
            basis="dmi:basis:public-task",
            purpose=MOBILITY,
            layer="areas",
        )
    )
    square = {"type": "Polygon", "coordinates": [[[5, 52], [5.1, 52], [5.1, 52.1], [5, 52]]]}
    live.update(
        [
            (GARAGES, place("a", "address", "Merelstraat 12 van Noor")),
            (GARAGES, Feature("g", "area", "Merelhof van Noor", square)),
        ],
        [],
    )
    for recipient in (STACK, VENDOR):
        court.agree(recipient, *ACTIONS)
    told = []
    for who in (VENDOR, OWNER):
        door = opening(court, who)
        told.append(
            (
                len(maps.search(door, "merel", 10)),
                len(maps.background(door)["features"]),
                len(maps.features(permit(court, recipient=who))["features"]),
            )
        )
    assert told == [(0, 0, 0), (2, 1, 2)]
    assert [record.rows for record in court.decisions() if record.assignee == VENDOR] == [0], (
        "no use but the layer's"
    )


def test_a_stream_gives_nothing_more_once_the_key_of_its_reader_has_ended() -> None:
    revoked = False

    def check(_identity: Identity) -> None:
        if revoked:
            raise Unauthenticated("the key does not count any more")

    async def events() -> AsyncGenerator[bytes]:
        nonlocal revoked
        yield b"one"
        revoked = True
        yield b"two"

    async def read() -> list[bytes]:
        reader = Identity(VENDOR, "Joris", frozenset())
        door = Opening(cast(Gate, None), reader, "stream", "dmi:display", None, check)
        return [piece async for piece in _while_trusted(door, events())]

    first, last = asyncio.run(read())
    assert first == b"one"
    assert last.startswith(b"event: expired\n")
    assert json.loads(last.splitlines()[1].removeprefix(b"data: "))["status"] == 401


async def until_expired(
    opening: Opening, events: AsyncGenerator[bytes], last: str
) -> tuple[list[float], str]:
    """The values that come until the token has expired, and the id behind which to go on."""
    found: list[float] = []
    async for block in _while_trusted(opening, events):
        fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if line)
        last = fields.get("id", last)
        if fields.get("event") == "observation":
            found += [each["properties"]["result"] for each in features_of(json.loads(fields["data"]))]
    assert fields["event"] == "expired"
    return found, last


def test_what_a_delay_holds_outlives_the_token_of_its_reader(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.02)
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS, duties=[delay(60)])

    async def read(last: str, several: bool) -> tuple[list[float], str]:
        opening = door_of(court, time.time() - LEEWAY_SECONDS + 0.2)
        court.beat()
        events = maps.events_of(opening, [GARAGES], last) if several else maps.events(opening, GARAGES, last)
        return await until_expired(opening, events, last)

    async def follow(several: bool) -> list[list[float]]:
        reading = asyncio.create_task(read("", several))
        await asyncio.sleep(0.05)
        live.update([], [row(6.0, at=court.clock.at)])
        found, last = await reading
        parts = [found]
        for value in (7.0, 8.0):
            court.clock.at += 40 * SECOND
            live.update([], [row(value, at=court.clock.at)])
            found, last = await read(last, several)
            parts.append(found)
        return parts

    for several in (True, False):
        assert asyncio.run(follow(several)) == [[], [], [6.0]]


def test_a_stream_ends_with_its_token_and_a_fresh_one_goes_on_behind_the_last_event(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.05)
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)

    async def read(last: str, seconds: float, several: bool) -> tuple[list[float], str]:
        opening = door_of(court, time.time() - LEEWAY_SECONDS + seconds)
        events = maps.events_of(opening, [GARAGES], last) if several else maps.events(opening, GARAGES, last)
        return await until_expired(opening, events, last)

    def say(value: float, name: str = CENTRE) -> None:
        live.update([], [row(value, at=court.clock.at + int(value), datastream=name)])

    async def follow(several: bool) -> list[list[float]]:
        parts = []
        reading = asyncio.create_task(read("", 0.3, several))
        await asyncio.sleep(0.1)
        found, last = await reading  # nothing came at all
        parts.append(found)
        for values in ([1.0, 2.0], [3.0]):
            for number, value in enumerate(values):
                say(value, f"garages.g{number}.occupancy")
            found, last = await read(last, 0.3, several)
            parts.append(found)
        parts.append((await read(last, 0.3, several))[0])
        # Another process knows nothing of these numbers: it begins with what is newest of each.
        parts.append(sorted((await read("0" * 107, 0.3, several))[0]))
        return parts

    for several in (True, False):
        live._newest.clear()
        assert asyncio.run(follow(several)) == [[], [1.0, 2.0], [3.0], [], [2.0, 3.0]]
    for wrong in ("yesterday", "niet-van-hier!", "x" * 1001):
        with pytest.raises(InputRefused, match="Last-Event-ID"):
            maps.events(door_of(court), GARAGES, wrong)


def test_streams_make_room_also_when_what_left_cannot_be_recorded(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch
) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)

    async def follow() -> None:
        stream = maps.events_of(door_of(court), [GARAGES])
        await anext(stream)
        live.update([], [row(5.0)])
        await asyncio.wait_for(_events(stream, 1), 10)

        def full(*_: object) -> None:
            raise RecorderFull("full")

        with monkeypatch.context() as patched:
            patched.setattr(court.gate, "_record", full)
            await stream.aclose()

    asyncio.run(follow())
    assert live._streams == frozenset()
    before = len(court.decisions())
    permit(court)
    told, _asked = court.decisions()[before:]
    assert (told.left, told.decides) == (1, False), "what left is told when it can be"


def test_what_waits_for_readers_that_left_is_bounded_and_the_oldest_goes(court: Court) -> None:
    court.agree(STACK, *ACTIONS)
    court.agree(VENDOR, *ACTIONS)
    right, parked = permit(court), following.Parked()
    for number in range(following.PARKED + 1):
        parked.put(right, str(number), following.Waiting(number))
    assert parked.take(right, "0") is None
    assert parked.take(right, "1") is not None


@pytest.mark.parametrize("several", [True, False])
def test_a_stream_that_goes_on_is_one_use_and_whatever_is_not_known_to_go_on_another(
    court: Court, live: LiveMap, maps: Maps, monkeypatch: pytest.MonkeyPatch, several: bool
) -> None:
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.02)
    court.agree(STACK, *ACTIONS)
    rare = {"leftOperand": "timeInterval", "operator": "gteq", "rightOperand": "PT1H"}
    once = {"leftOperand": "count", "operator": "lteq", "rightOperand": 1}
    court.agree(VENDOR, *ACTIONS, constraints=[rare, once])
    court.agree(PIET, *ACTIONS, constraints=[rare])

    async def read(last: str, who: str = VENDOR) -> str:
        """The id behind which the stream of a reader goes on; empty when it is refused."""
        reader = Identity(who, "Joris", frozenset(), expires=time.time() - LEEWAY_SECONDS + 0.05)
        opening = Opening(court.gate, reader, "stream", "dmi:display", None, never_ended)
        try:
            events = (
                maps.events_of(opening, [GARAGES], last) if several else maps.events(opening, GARAGES, last)
            )
        except Refused:
            return ""
        first, *others = [block async for block in _while_trusted(opening, events)]
        refused = any(block.startswith(b"event: ended") for block in others)
        return "" if refused else first.decode().split("id: ")[1].strip()

    def counted() -> int:
        return sum(len(record.counted) for record in court.decisions())

    async def follow() -> None:
        last = await read("")
        for _ in range(3):
            last = await read(last)
        assert (bool(last), counted()) == (True, 1)
        assert sum(record.begins for record in court.decisions()) == 1, "nor in the figures of the log"
        assert not await read("")
        assert not await read("0" * len(last)), "another process"
        assert await read(last, PIET)
        assert counted() == 2
        begun = maps.events(door_of(court), GARAGES, last)
        await anext(begun)
        assert not await read(last), "a stream goes on already"
        await begun.aclose()
        monkeypatch.setattr(going_on, "SECONDS", 0.0)
        assert not await read(last)

    asyncio.run(follow())
