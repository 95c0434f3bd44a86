"""What time it is in a city whose data runs with the clock, ahead of it, or behind; and when rounds go on."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from dmi_support_centre import rounds as module
from dmi_support_centre.model import DAY, MINUTE
from dmi_support_centre.patience import Patience
from dmi_support_centre.rounds import CityClock, Rounds


def test_with_live_data_the_clock_counts() -> None:
    wall = [DAY]
    city = CityClock(lambda: wall[0])
    city.heard("garages", DAY - MINUTE)
    wall[0] += 3 * MINUTE
    assert city.now(["garages"]) == DAY + 3 * MINUTE


def test_with_data_of_another_time_that_time_counts_and_goes_on_by_the_clock() -> None:
    wall = [100 * DAY]
    city = CityClock(lambda: wall[0])
    city.heard("garages", DAY)
    wall[0] += 5 * MINUTE
    city.heard("garages", DAY)
    assert city.now(["unknown", "garages"]) == DAY + 5 * MINUTE
    city.heard("garages", DAY + MINUTE)
    assert city.now(["garages"]) == DAY + MINUTE


def test_without_data_the_clock_counts() -> None:
    assert CityClock(lambda: 7).now(["garages"]) == 7


def test_what_never_comes_to_rest_is_waited_for_no_longer_than_so_long() -> None:
    wall, calm = [0.0], [False]
    patience = Patience(lambda: calm[0], 300.0, lambda: wall[0])
    assert not patience()
    wall[0] = 299.0
    assert not patience()
    wall[0] = 301.0
    assert patience()
    calm[0] = True
    assert patience()
    calm[0] = False
    assert not patience(), "from rest it is waited anew"


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_rounds_go_on_while_one_contributor_hands_in_without_end(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    made, ticks = threading.Event(), threading.Event()
    asked: list[bool] = []

    def behind() -> bool:
        asked.append(True)
        if len(asked) > 20:
            ticks.set()
        return False

    measures: Any = SimpleNamespace(expire=lambda: None, evaluate_all=made.set)
    atlas: Any = SimpleNamespace(datasets=lambda _property: [])
    analysis: Any = SimpleNamespace(round=lambda _dataset: None)
    rounds = Rounds(
        atlas, analysis, analysis, measures, CityClock(), 1.0, Patience(behind, seconds), lambda: None
    )
    rounds.start()
    try:
        assert ticks.wait(10)
        assert made.is_set() == (seconds == 0.0)
    finally:
        rounds.stop()
