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
        """A position (of ``feed``) as text for the other side; the beginning is one too, from which a use goes on."""
        return self._cursors.seal(position, transfer)

    def name(self, transfer: str, piece: str) -> str:
        """The name of a piece, by which nobody learns where it stands."""
        return self._cursors.seal(piece, transfer, "piece")

    def open(self, transfer: str, text: str) -> tuple[str, bool]:
        """The position, and whether it was sealed here; raises ``InputRefused`` for what never was one.

        One in the clear, from before they were sealed, begins anew: what came already is known by its source there.
        """
        try:
            read_cursor(text)
        except InputRefused as refused:
            try:
                found = self._cursors.open(text if len(text) <= LONGEST else "", str, transfer)
            except InputRefused:
                raise refused from None
            return found or "", True
        return "", False
