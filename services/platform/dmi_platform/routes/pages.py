"""Pages of a list: where one goes on, as part of the use that the first one was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_infra.cursors import Cursors
from dmi_infra.http.access import Opening

ONE_USE: Final[Micros] = 600_000_000
"""For this long after the first page the others are part of its use; what is read later is another one."""

T = TypeVar("T")


class _Mark(msgspec.Struct, Generic[T], frozen=True, array_like=True):
    """What a cursor holds: the place, and since when of which rules' uses it is part."""

    place: T
    begun: Micros
    used: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """A list that somebody turns the pages of: ``opening`` is the door to ask by, ``place`` where the page begins."""

    cursors: Cursors
    opening: Opening
    about: tuple[str, ...]
    place: T | None
    begun: Micros

    @classmethod
    def turned(
        cls, cursors: Cursors, cursor: str | None, kind: type[T], opening: Opening, *about: str
    ) -> Pages[T]:
        """At a cursor, ``None``: at the beginning. Raises ``InputRefused`` for one of another list or caller."""
        about = (about[0], opening.identity.participant, *about[1:])
        now = clock.now()
        mark = cursors.open(cursor, _Mark[kind], *about)  # type: ignore[valid-type]
        if mark is None:
            return cls(cursors, opening, about, None, now)
        if not 0 <= now - mark.begun < ONE_USE:
            return cls(cursors, opening, about, mark.place, now)
        return cls(cursors, opening.going_on(mark.used), about, mark.place, mark.begun)

    def next(self, place: T | None) -> str | None:
        """The cursor of the page that begins at a place; ``None``: this was the last."""
        if place is None:
            return None
        return self.cursors.seal(_Mark(place, self.begun, tuple(self.opening.used)), *self.about)
