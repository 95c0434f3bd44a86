"""Two threads that decode a type for the first time at once: without ``work_out`` the process dies."""

from __future__ import annotations

import subprocess
import sys

import pytest

RACE = """
from __future__ import annotations
import sys, threading
import msgspec
from dmi_infra.structs import work_out

inside, on = threading.Event(), threading.Event()

def slow():
    # Asked for while the outer type is half worked out.
    inside.set()
    on.wait(2)
    return int

class Inner(msgspec.Struct):
    number: slow()

class Outer(msgspec.Struct):
    first: int
    inner: Inner
    last: str = ""

def read():
    return msgspec.json.decode(b'{"first": 1, "inner": {"number": 2}, "last": "3"}', type=Outer).inner.number

if sys.argv[1] == "prepared":
    on.set()
    work_out()
    inside.clear()
    on.clear()
other = threading.Thread(target=read)
other.start()
inside.wait(0.5)
print(read())
on.set()
other.join()
"""


@pytest.mark.parametrize(("before", "ends"), [("prepared", 0), ("unprepared", -11)])
def test_types_that_were_worked_out_before_can_be_decoded_by_two_threads_at_once(
    before: str, ends: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACE, before], capture_output=True, text=True, timeout=20, check=False
    )
    # When msgspec no longer ends the process, dmi_infra.structs can go.
    assert done.returncode == ends, done.stderr
    assert done.stdout.strip() == ("2" if ends == 0 else "")
