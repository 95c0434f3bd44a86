"""Positions of a transfer as the other side holds them: sealed, so that it can neither read nor make one.

An offset of the topic tells how much all datasets of this node give; and who could name any position would have what it
names taken for the use that it goes on with.
"""

from __future__ import annotations

from dmi_exchange.flow.feed import read_cursor
from dmi_infra.cursors import Cursors
from dmi_infra.errors import InputRefused

LONGEST = 2000


class Bookmarks:
    """Seals and opens positions; one opens for the transfer alone that it was sealed for."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    def seal(self, transfer: str, position: str) -> str:
        """A position (of ``feed``), or the name of a piece, as text for the other side; empty at the beginning."""
        return self._cursors.seal(position, transfer) if position else ""

    def open(self, transfer: str, text: str) -> tuple[str, bool]:
        """The position, and whether it was sealed here; raises ``InputRefused`` for what never was one.

        One in the clear, from before they were sealed, still says where to go on.
        """
        try:
            read_cursor(text)
        except InputRefused as refused:
            try:
                found = self._cursors.open(text if len(text) <= LONGEST else "", str, transfer)
            except InputRefused:
                raise refused from None
            return found or "", True
        return text, False
