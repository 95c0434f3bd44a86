"""Memory is given back while somebody serves, and only then."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from dmi_infra.memory import SETTLING, GivesBack


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "gives-back"]


def test_the_library_is_asked_again_and_again_until_the_end():
    asked: list[int] = []
    gives = GivesBack(every_s=0.01)
    gives._trim = asked.append
    with gives:
        until = time.monotonic() + 10
        while len(asked) < 3 and time.monotonic() < until:
            time.sleep(0.01)
    assert asked[:3] == [0, 0, 0]
    until = time.monotonic() + 10
    while _threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert _threads() == []


def test_what_lives_when_it_begins_and_settles_is_not_searched_for_garbage_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[str] = []
    monkeypatch.setattr(gc, "collect", lambda: called.append("collect"))
    monkeypatch.setattr(gc, "freeze", lambda: called.append("freeze"))
    turns: list[int] = []
    gives = GivesBack(every_s=0.01)
    gives._trim = turns.append
    with gives:
        assert called == ["collect", "freeze"], "before the first request"
        until = time.monotonic() + 10
        while len(turns) < SETTLING + 3 and time.monotonic() < until:
            time.sleep(0.01)
    assert called == ["collect", "freeze"] * (SETTLING + 1)


def test_where_the_library_cannot_be_asked_what_lives_is_set_aside_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: called.append("freeze"))
    gives = GivesBack(every_s=0.01)
    gives._trim = None
    with gives:
        until = time.monotonic() + 10
        while len(called) < 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert len(called) >= 2
