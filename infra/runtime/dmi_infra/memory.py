"""Giving memory back: the C library keeps what a busy time needed, spread over its arenas, until it is asked for it."""

from __future__ import annotations

import ctypes
import threading
from types import TracebackType
from typing import Final

EVERY_S: Final = 30.0


class GivesBack:
    """While it is entered, asks the C library every ``every_s`` seconds to return what nobody uses.

    Only glibc can be asked (``malloc_trim``); elsewhere this does nothing. One call takes milliseconds, without the
    interpreter's lock.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._leaving = threading.Event()
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def __enter__(self) -> GivesBack:
        if self._trim is not None:
            threading.Thread(target=self._run, name="gives-back", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()

    def _run(self) -> None:
        while not self._leaving.wait(self._every_s):
            if self._trim is not None:
                self._trim(0)
