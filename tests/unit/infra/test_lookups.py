"""Host names that outsiders choose: none is waited for without end, and none keeps others from theirs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dmi_infra.internet import KEPT, LOOKUPS, NAMES_OF_ONE, WAITING_OF_ONE, Lookups
from tests.unit.infra.fakes import eventually

WAIT_SECONDS = 0.2
LATE_SECONDS = 5.0


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names below ``silent.example`` are not answered; the names that were asked."""
    asked: list[str] = []
    hold = threading.Event()

    def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        if host.endswith("silent.example"):
            hold.wait(LATE_SECONDS)
        if host.startswith("no"):
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    hold.set()


def test_a_name_is_waited_for_until_the_deadline_and_then_not_again(silent: list[str]) -> None:
    lookups = Lookups()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        lookups.addresses("a.silent.example", 443, WAIT_SECONDS)
    assert WAIT_SECONDS * 0.9 < time.monotonic() - begun < LATE_SECONDS
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match="already"):
        lookups.addresses("A.silent.example", 443, WAIT_SECONDS)
    assert time.monotonic() - begun < WAIT_SECONDS / 2
    assert silent == ["a.silent.example"]


def test_names_of_one_site_leave_others_theirs(silent: list[str]) -> None:
    lookups = Lookups()
    with ThreadPoolExecutor(50) as pool:
        waiting = [
            pool.submit(lookups.addresses, f"{number}.silent.example", 443, LATE_SECONDS / 5)
            for number in range(NAMES_OF_ONE)
        ]
        same = [
            pool.submit(lookups.addresses, "0.silent.example", 443, LATE_SECONDS / 5)
            for _ in range(2 * WAITING_OF_ONE)
        ]
        time.sleep(WAIT_SECONDS)
        with pytest.raises(TimeoutError, match="too many"):
            lookups.addresses("another.silent.example", 443, WAIT_SECONDS)
        # Those beyond the share did not wait.
        assert sum(one.done() for one in same) >= WAITING_OF_ONE
        assert lookups.addresses("quick.example", 443, WAIT_SECONDS) == ["93.184.216.34"]
        assert all(isinstance(one.exception(), TimeoutError) for one in (*waiting, *same))


def test_names_of_many_sites_leave_places_to_those_that_are_known(silent: list[str]) -> None:
    lookups = Lookups(["node.city.example"])
    with ThreadPoolExecutor(LOOKUPS) as pool:
        for number in range(LOOKUPS):
            pool.submit(lookups.addresses, f"a.{number}-silent.example", 443, LATE_SECONDS / 5)
        eventually(lambda: len(silent) == LOOKUPS - KEPT)
        with pytest.raises(TimeoutError, match="too many"):
            lookups.addresses("quick.example", 443, WAIT_SECONDS)
        assert lookups.addresses("data.city.example", 443, WAIT_SECONDS) == ["93.184.216.34"]


def test_a_name_that_is_not_known_is_told_and_asked_again(silent: list[str]) -> None:
    lookups = Lookups()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            lookups.addresses("no.example", 443, WAIT_SECONDS)
    assert silent == ["no.example"] * 2
