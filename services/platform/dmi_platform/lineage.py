"""Tells the exchange where the platform's figures come from, once for each change of their ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version

from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_infra import clock
from dmi_infra.gate import Permit
from dmi_platform.harmonise import TRANSFORMATIONS


@cache
def code_version() -> str:
    """Package and version that harmonise."""
    return f"dmi-platform {version('dmi-platform')}"


class LineageBook:
    """Remembers which grounds were told, so that the way of the data is not held up by repeating them."""

    def __init__(self, record: Callable[[Lineage], None]) -> None:
        self._record = record
        self._told: dict[str, Grounds] = {}

    def note(
        self,
        permit: Permit,
        title: str,
        streams: Mapping[str, str],
        consents: Mapping[str, frozenset[str]],
    ) -> None:
        """The dataset of ``permit`` and these datastreams (name by id) rest on its agreements.

        ``consents`` are those of each datastream's subjects; the dataset keeps all that were ever told.
        """
        told = self._told.get(permit.dataset)
        every = set(told.consents if told else ()).union(*consents.values())
        self._tell(permit.dataset, title or permit.dataset, permit.grounds(every))
        for stream, name in streams.items():
            grounds = permit.grounds(consents.get(stream, frozenset()))
            self._tell(
                stream,
                name or stream,
                Grounds(grounds.datasets, grounds.agreements, grounds.consents, [permit.dataset]),
            )

    def _tell(self, result: str, title: str, grounds: Grounds) -> None:
        if self._told.get(result) == grounds:
            return
        transformations = list(TRANSFORMATIONS)
        self._record(Lineage(result, "figure", title, clock.now(), grounds, transformations, code_version()))
        self._told[result] = grounds
