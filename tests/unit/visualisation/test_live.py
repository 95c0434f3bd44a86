"""The map in memory: newest values, places of things, and streams that follow."""

from __future__ import annotations

import asyncio

import msgspec

from dmi_agreements.contracts.features import Feature
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import Shown
from tests.unit.infra.fakes import GARAGES, NOW, SECOND
from tests.unit.visualisation.samples import CENTRE, place, row


def test_an_older_value_does_not_replace_a_newer_one() -> None:
    live = LiveMap()
    live.update([], [row(2.0, at=NOW)])
    version = live.version(GARAGES)
    live.update([], [row(1.0, at=NOW - SECOND)])
    assert [known.result for known in live.rows(GARAGES)] == [2.0]
    assert live.version(GARAGES) == version


def test_a_value_of_the_same_moment_corrects_and_changes_the_version() -> None:
    live = LiveMap()
    live.load([], [row(2.0)])
    live.update([], [row(3.0)])
    assert live.row(CENTRE) == row(3.0)
    assert live.version(GARAGES) == 1


def test_a_datastream_without_a_place_stands_at_its_thing() -> None:
    live = LiveMap()
    thing = place("garages.centrum", "thing", "Garage Centrum", 5.2, 52.2)
    stream = Feature(
        CENTRE, "datastream", "Garage Centrum", None, {"thing": "garages.centrum", "capacity": 9}
    )
    live.update([(GARAGES, thing), (GARAGES, stream)], [])
    found = live.place(GARAGES, CENTRE)
    assert found is not None
    assert (found.geometry, found.properties["capacity"]) == (thing.geometry, 9)


def test_what_was_erased_is_shown_no_more_whatever_moment_it_was_told_of() -> None:
    live = LiveMap()
    jan = place("a", "stop", "Thuis bij Jan")
    live.update([(GARAGES, msgspec.structs.replace(jan, valid_from=NOW))], [])
    live.update([(GARAGES, Feature("a", "stop", "erased", valid_to=1, replaces_all=True))], [])
    assert live.places(GARAGES, "stop") == live.named("thuis", [GARAGES]) == []
    live.update([(GARAGES, jan)], [])
    assert live.places(GARAGES, "stop") == [jan], "what comes anew after it is shown again"


def test_an_older_version_of_a_place_is_left_out() -> None:
    live = LiveMap()
    live.update([(GARAGES, Feature("a", "area", "nieuw", valid_from=2))], [])
    live.update([(GARAGES, Feature("a", "area", "oud", valid_from=1))], [])
    assert [known.name for known in live.places(GARAGES)] == ["nieuw"]
    assert live.places(GARAGES, "stop") == []


def test_streams_get_the_rows_of_their_own_dataset_only() -> None:
    async def follow() -> dict[str, Shown]:
        live = LiveMap()
        woken = asyncio.Event()
        stream = live.open(GARAGES, woken)
        live.update([], [row(1.0, dataset="urn:dmi:dataset:x:other", datastream="other.a.b")])
        live.update([], [row(5.0)])
        await asyncio.wait_for(woken.wait(), 5)
        return {name: found for name, (_, found) in stream.take().items()}

    assert asyncio.run(follow()) == {CENTRE: row(5.0)}


def test_a_change_of_the_law_wakes_a_waiting_stream() -> None:
    async def follow() -> bool:
        live = LiveMap()
        woken = asyncio.Event()
        stream = live.open(GARAGES, woken)
        live.law_changed()
        await asyncio.wait_for(woken.wait(), 5)
        return stream.law_changed

    assert asyncio.run(follow())


def test_for_a_slow_reader_the_newest_of_each_datastream_waits_and_no_backlog() -> None:
    async def follow() -> list[float | None]:
        live = LiveMap()
        stream = live.open(GARAGES, asyncio.Event())
        for number in range(1000):
            live.update([], [row(float(number), at=NOW + number)])
        live.update([], [row(-1.0, datastream="garages.other.occupancy")])
        await asyncio.sleep(0)
        found = [one.result for _, one in stream.take().values()]
        assert stream.take() == {}
        return found

    assert asyncio.run(follow()) == [999.0, -1.0]
