"""As provider: writes the data of a transfer to the topic of its reader, and goes on behind what stands in it."""

from __future__ import annotations

from typing import Final

from dmi_exchange.flow.feed import further
from dmi_exchange.flow.followers import Run
from dmi_exchange.flow.outlets import Outlets
from dmi_exchange.flow.store import Flows
from dmi_exchange.flow.supply import Supply

WAIT_SECONDS: Final = 0.2


class Publishing:
    """The work of ``Followers`` on the provider's side."""

    def __init__(self, supply: Supply, outlets: Outlets, flows: Flows) -> None:
        self._supply = supply
        self._outlets = outlets
        self._flows = flows

    def __call__(self, run: Run) -> bool:
        """See ``followers.Work``."""
        process = run.process
        # A node that was killed may have written more than it noted.
        noted, written = self._flows.get(process.id).cursor, self._outlets.reached(process)
        marks = self._supply.bookmarks
        reached = further(marks.open(process.id, noted)[0], marks.open(process.id, written)[0])
        cursor = marks.seal(process.id, reached)
        with self._supply.open(process.id, cursor) as delivery, self._outlets.opened(process):
            run.note("")
            while run.goes_on():
                given = delivery.next(WAIT_SECONDS)
                if given is None:
                    continue
                if given.rows or given.places:
                    self._outlets.put(process, given)
                rows = len(given.rows["datastream"]) if given.rows else 0
                self._flows.reached(process.id, given.cursor, rows)
        return False
