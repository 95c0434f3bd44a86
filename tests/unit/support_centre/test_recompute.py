"""Who asks to have forecasts made again has a round go, and no round after round."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from dmi_support_centre import recompute
from dmi_support_centre.recompute import Spaced


class Timers:
    """A clock that is set by hand, and what is to be done later."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.daemon = False

    def monotonic(self) -> float:
        return self.now

    def arrange(self, wait: float, does: Callable[[], None]) -> Timers:
        self.later.append((self.now + wait, does))
        return self

    def start(self) -> None:
        """As a thread is started: it waits for ``pass_``."""

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        due = [does for at, does in self.later if at <= self.now]
        self.later = [one for one in self.later if one[0] > self.now]
        for does in due:
            does()


def test_rounds_that_people_ask_for_have_time_between_them_and_nobody_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timers, rounds = Timers(), list[float]()
    monkeypatch.setattr(recompute, "time", SimpleNamespace(monotonic=timers.monotonic))
    monkeypatch.setattr(recompute, "threading", SimpleNamespace(Timer=timers.arrange, Lock=threading.Lock))
    ask = Spaced(lambda: rounds.append(timers.now), 10.0)
    ask()
    assert rounds == [1_000.0], "the first one is made at once"
    for _ in range(50):
        timers.pass_(0.1)
        ask()
    assert (rounds, len(timers.later)) == ([1_000.0], 1)
    timers.pass_(5.5)
    assert rounds == [1_000.0, pytest.approx(1_010.5)]
    ask()
    assert len(rounds) == 2, "time passes after that one too"
    timers.pass_(30)
    assert (len(rounds), timers.later) == (3, [])
    timers.pass_(30)
    ask()
    assert len(rounds) == 4
