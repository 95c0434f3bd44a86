"""Counts the rows that leave bit by bit under one permit, for the log."""

from __future__ import annotations

import time
from typing import Final

from dmi_infra.gate import Gate
from dmi_infra.permit import Permit

ROWS: Final = 100_000
SECONDS: Final = 60.0
"""What has left is told when it is this many rows or this old, so that a killed process leaves little untold."""


class Tally:
    """One flow of rows, by one thread at a time. ``close`` tells what has not been told yet."""

    def __init__(self, gate: Gate, permit: Permit) -> None:
        self._gate = gate
        self._permit = permit
        self._rows = 0
        self._told = time.monotonic()

    def add(self, rows: int) -> None:
        """Count rows, before they leave."""
        self._rows += rows
        if self._rows >= ROWS or time.monotonic() - self._told >= SECONDS:
            self._tell(left=False)

    def close(self) -> None:
        """Tell the log what was counted since it was told last, later when it can take nothing now."""
        self._tell(left=True)

    def _tell(self, left: bool) -> None:
        if self._rows:
            self._gate.given(self._permit, self._rows, left=left)
        self._rows, self._told = 0, time.monotonic()
