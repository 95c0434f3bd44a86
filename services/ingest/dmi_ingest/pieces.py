"""Rows are read in pieces: on the event loop, which takes in everybody's, others have a turn after each."""

from __future__ import annotations

import asyncio
from typing import Final

AT_A_TIME: Final = 1_000
"""Values that are read while nothing else on the event loop is: of a few milliseconds, of a second a whole body."""


class Pieces:
    """The rows of one body, however they are grouped, counted by what they hold."""

    def __init__(self) -> None:
        self._read = 0

    async def took(self, values: int) -> None:
        """So many values were read: give others a turn once they make a piece."""
        self._read += values
        if self._read >= AT_A_TIME:
            self._read = 0
            await asyncio.sleep(0)
