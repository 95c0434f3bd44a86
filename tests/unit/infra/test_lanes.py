"""Lanes: who asks much waits behind its own requests, also where the work never waits."""

from __future__ import annotations

import asyncio

import pytest

from dmi_infra.errors import Unauthenticated, Unavailable
from dmi_infra.lanes import Asker, Lanes, Turns

MINE, OTHER = Asker.by_nothing("urn:mine"), Asker.by_nothing("urn:other")


def test_between_two_pieces_of_one_participant_others_have_a_turn() -> None:
    """None of these pieces waits for anything, so that each finds its place free."""
    done: list[str] = []
    turns = Turns()

    async def piece(asker: Asker) -> None:
        async with turns.turn(asker):
            done.append(asker.party)

    async def story() -> None:
        many = [asyncio.create_task(piece(MINE)) for _ in range(20)]
        other = asyncio.create_task(piece(OTHER))
        await asyncio.gather(*many, other)

    asyncio.run(story())
    assert done.index(OTHER.party) <= 1
    assert len(done) == 21


def test_a_place_comes_back_from_who_fails_or_goes_away_in_line_or_before_its_turn() -> None:
    turns = Turns(waiting=1, patience=0.05)

    async def holds() -> None:
        async with turns.turn(MINE):
            await asyncio.sleep(1)

    async def story() -> None:
        first, second = asyncio.create_task(holds()), asyncio.create_task(holds())
        await asyncio.sleep(0.01)
        with pytest.raises(Unavailable, match="wait already"):
            await turns.enter(MINE)
        with pytest.raises(Unavailable, match="earlier requests are answered first"):
            await second
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        third = asyncio.create_task(turns.enter(MINE))
        await asyncio.sleep(0)
        third.cancel()
        with pytest.raises(asyncio.CancelledError):
            await third
        (await turns.enter(MINE))()

    asyncio.run(story())


def test_without_patience_a_line_is_stood_in_as_long_as_it_takes() -> None:
    lanes = Lanes(1, patience=None)

    async def story() -> None:
        leave = await lanes.enter(MINE)
        second = asyncio.create_task(lanes.enter(MINE))
        await asyncio.sleep(0.05)
        assert not second.done()
        leave()
        (await second)()

    asyncio.run(story())


def _revoked() -> None:
    raise Unauthenticated("its key was revoked")


@pytest.mark.parametrize("lanes", [Lanes(1), Turns()], ids=["lanes", "turns"])
def test_who_stood_in_line_is_judged_again_and_who_found_its_place_free_is_not(lanes: Lanes) -> None:
    async def story() -> None:
        first = await lanes.enter(Asker("urn:mine", _revoked))
        second = asyncio.create_task(lanes.enter(Asker("urn:mine", _revoked)))
        third = asyncio.create_task(lanes.enter(MINE))
        await asyncio.sleep(0.01)
        first()
        with pytest.raises(Unauthenticated, match="revoked"):
            await second
        (await third)()
        (await lanes.enter(Asker("urn:mine", _revoked)))()

    asyncio.run(story())
    assert not lanes._inside, "whoever was refused left its place"
