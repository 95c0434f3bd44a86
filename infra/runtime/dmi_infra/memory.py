"""Memory of a process that serves for long: what stays is set aside, and what a busy time needed is given back."""

from __future__ import annotations

import ctypes
import gc
import threading
from types import TracebackType
from typing import Final

EVERY_S: Final = 30.0
SETTLING: Final = 4
"""Turns after which a process has read what it keeps for good: the law, the catalogue, what first requests need."""


class GivesBack:
    """While it is entered, asks the C library every ``every_s`` seconds to return what nobody uses.

    The library keeps it spread over its arenas else. Only glibc can be asked (``malloc_trim``). One call takes
    milliseconds, without the interpreter's lock.

    In its first turns it also takes what is alive out of what is searched for cycles of garbage: a body of 50,000 lists
    set off a search of everything, in which no other thread runs for up to 0.7 s.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._leaving = threading.Event()
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def __enter__(self) -> GivesBack:
        _set_aside()
        threading.Thread(target=self._run, name="gives-back", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()

    def _run(self) -> None:
        turns = 0
        while not self._leaving.wait(self._every_s):
            turns += 1
            if turns <= SETTLING:
                _set_aside()
            if self._trim is not None:
                self._trim(0)


def _set_aside() -> None:
    gc.collect()
    gc.freeze()
