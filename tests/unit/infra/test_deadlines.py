"""What a thread asks is over in its time, also where the other side takes what is sent bit by bit."""

from __future__ import annotations

import time

import httpcore
import pytest

from dmi_infra.deadlines import SLICE, Deadlines, _Stream

BODY = bytes(range(256)) * 256 * 4


class Taking(httpcore.NetworkStream):
    """Another side that needs some time for each part, though never as long as a time-out."""

    def __init__(self, seconds: float) -> None:
        self.taken: list[bytes] = []
        self._seconds = seconds

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        time.sleep(self._seconds)
        self.taken.append(buffer)


def test_who_takes_a_body_bit_by_bit_is_not_waited_for_beyond_the_whole_request() -> None:
    deadlines, other = Deadlines(), Taking(0.05)
    with deadlines.within(0.12), pytest.raises(httpcore.WriteTimeout):
        _Stream(other, deadlines).write(BODY, 60.0)
    assert 0 < len(other.taken) < len(BODY) // SLICE


def test_in_its_time_all_of_it_is_sent() -> None:
    deadlines, other = Deadlines(), Taking(0)
    with deadlines.within(60):
        _Stream(other, deadlines).write(BODY[:-1], 60.0)
    assert b"".join(other.taken) == BODY[:-1]
