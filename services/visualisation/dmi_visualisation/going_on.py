"""Which uses go on with a stream of live events: a stream that ends with its token, and its next, are one use."""

from __future__ import annotations

import time
from typing import Final

from dmi_agreements.uses import Keys
from dmi_infra.http.access import Opening
from dmi_infra.jose import ITSELF
from dmi_infra.permit import Permit

SECONDS: Final = 60.0
"""How long the use of a stream that ended waits for its reader to come back; after that the next stream counts."""

MOST: Final = 50
"""Streams of one reader that are remembered, the last that ended."""

Reader = tuple[str, str, str, str, str]
"""Recipient, who acts for it, its mandate, the layer, the purpose."""


class Counted:
    """What was counted for streams that ended, each for one stream that goes on. For one thread, that of the loop."""

    def __init__(self) -> None:
        self._kept: dict[Reader, list[tuple[float, Keys]]] = {}

    def put(self, permit: Permit) -> None:
        """A stream has ended, or could not begin."""
        self._forget()
        asked = permit.requests[-1]
        reader = asked.assignee, asked.actor, asked.mandate, asked.dataset, asked.purpose
        ended = self._kept.setdefault(reader, [])
        ended.append((time.monotonic(), permit.counted))
        del ended[:-MOST]

    def resume(self, opening: Opening, layer: str) -> Permit:
        """The right to a stream that goes on; it counts where nothing is known of what it goes on with."""
        self._forget()
        reader = _reader(opening, layer)
        kept = self._kept.get(reader)
        if kept is None:
            return opening.permit(layer)
        permit = opening.permit(layer, again=kept[-1][1])
        kept.pop()
        return permit

    def _forget(self) -> None:
        now = time.monotonic()
        kept = ((who, [one for one in ended if now - one[0] < SECONDS]) for who, ended in self._kept.items())
        self._kept = {who: ended for who, ended in kept if ended}


def _reader(opening: Opening, layer: str) -> Reader:
    identity = opening.identity
    by = identity.acting or ITSELF
    purpose = opening.purpose if opening.purpose is not None else opening.gate.law.purpose_of(layer)
    return identity.participant, by.actor, by.mandate, layer, purpose
