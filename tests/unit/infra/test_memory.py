"""Memory is given back while somebody serves, and only then."""

from __future__ import annotations

import threading
import time

from dmi_infra.memory import GivesBack


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


def test_where_nobody_can_be_asked_nothing_runs():
    gives = GivesBack(every_s=0.01)
    gives._trim = None
    with gives:
        assert _threads() == []
