"""As provider: pushes the data of a transfer to where the consumer wants it, and goes on behind what it has taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.flow.followers import Run
from dmi_exchange.flow.places import in_parts
from dmi_exchange.flow.store import Flows
from dmi_exchange.flow.supply import Given, Supply, encoded

WAIT_SECONDS: Final = 0.2


def in_bodies(given: Given) -> Iterator[Given]:
    """What leaves, in as many bodies as its places take; the last has the rows."""
    *first, last = [*in_parts(given.places)] or [[]]
    for places in first:
        yield Given(places, None, given.cursor)
    yield replace(given, places=last)


class Pushing:
    """The work of ``Followers`` on the provider's side."""

    def __init__(self, supply: Supply, client: Client, flows: Flows) -> None:
        self._supply = supply
        self._client = client
        self._flows = flows

    def __call__(self, run: Run) -> bool:
        """See ``followers.Work``."""
        process = run.process
        endpoint = str(process.data_address.get("endpoint", ""))
        with self._supply.open(process.id, self._flows.get(process.id).cursor) as delivery:
            while run.goes_on():
                given = delivery.next(WAIT_SECONDS)
                if given is None:
                    continue
                for number, part in enumerate(in_bodies(given)):
                    if number:
                        # The other side took its time for the one before: it may have ended meanwhile.
                        delivery.runs()
                    answer = self._client.push(
                        process.address, endpoint, encoded(part), process.owner, process.peer
                    )
                    if not answer.well:
                        raise Unreachable(f"the consumer answered {answer.why}")
                run.note("")
                rows = len(given.rows["datastream"]) if given.rows else 0
                self._flows.reached(process.id, given.cursor, rows)
        return False
