"""Turns in which rows are read: on the event loop, which takes in everybody's."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from dmi_agreements.table import LawTable
from dmi_infra.lanes import Asker, Turns
from dmi_infra.room import behind
from dmi_ingest.intake import Contributor


class ReadingTurns:
    """One body of rows of each participant at a time, with those of its machines; then they go to the bus together."""

    def __init__(self, law: LawTable) -> None:
        self._law = law
        self._turns = Turns()

    def turn(self, contributor: Contributor) -> AbstractAsyncContextManager[None]:
        """Hold the turn of who hands in meanwhile.

        Raises ``Unavailable`` where too much of it waits, or too long, and as ``still`` of who hands in does.
        """
        return self._turns.turn(Asker(behind(self._law, contributor.who), contributor.still))
