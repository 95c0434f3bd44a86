"""Ids of live events: how far each layer of a stream has come, sealed: that tells of rows that others see alone."""

from __future__ import annotations

import re
import secrets
import struct
from collections.abc import Sequence
from typing import Final

from dmi_infra.cursors import Cursors, new_key
from dmi_infra.errors import InputRefused

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{10,1000}")
"""Of any id, also of those that earlier versions told: whoever still holds one goes on, as behind an unknown one."""

_ONCE_BYTES: Final = 16


class Ids:
    """Tells and reads ids. Each is another text, as long as all for so many layers, and opens in this process alone.

    A reader who could compare ids, or choose one, would count the rows of datasets and persons that it may not see.
    """

    def __init__(self) -> None:
        self._cursors = Cursors(new_key())

    def tell(self, numbers: Sequence[int], *about: str) -> str:
        """The id of an event up to which each layer of a stream has come so far, ``about`` its reader and layers."""
        place = secrets.token_bytes(_ONCE_BYTES), struct.pack(f">{len(numbers)}q", *numbers)
        return self._cursors.seal(place, *about)

    def read(self, text: str, *about: str) -> tuple[int, ...] | None:
        """The numbers that were told in an id ``about`` the same; ``None``: none were, by this process.

        Raises ``InputRefused`` for what was never an id.
        """
        if not _FORM.fullmatch(text):
            raise InputRefused.of("Last-Event-ID", "must be the id of an event of this stream", text)
        try:
            place = self._cursors.open(text, tuple[bytes, bytes], *about)
        except InputRefused:
            return None
        return None if place is None else struct.unpack(f">{len(place[1]) // 8}q", place[1])
