"""Rows that their source read well and that were rejected behind it: how they are kept, and how they are read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.geo import WGS84
from dmi_ingest import geometry, reading
from dmi_ingest.handlers import read_feature
from dmi_ingest.model import valid_subject
from dmi_ingest.sources.batching import Batch, memory
from dmi_ingest.sources.port import Rejected
from dmi_ingest.store.features import Persons

NATIVE: Final = "(read well)"
"""In the place of the file name: the row was read well and refused only behind the source."""
NO_CONSENT: Final = "no_consent"
ERASED: Final = "erased"
FOREIGN: Final = "id_of_another_dataset"
OTHERS: Final = "made_by_another"
KEPT_ROWS: Final = 10_000
"""Rejected rows of one import that are kept: nobody corrects more of them by hand."""
KEPT_BYTES: Final = 16 << 20
"""What these hold together, about."""


class Keeping:
    """Which rejected rows of an import are kept: the first ones; the others are counted alone."""

    def __init__(self) -> None:
        self._rows = 0
        self._size = 0
        self._left = 0

    def first(self, units: Iterable[Rejected]) -> list[Rejected]:
        """Those of the next rejected rows that are kept."""
        found: list[Rejected] = []
        for unit in units:
            self._size += memory(unit) + _named(unit)
            if self._rows + len(found) < KEPT_ROWS and self._size <= KEPT_BYTES:
                found.append(unit)
            else:
                self._left += 1
        self._rows += len(found)
        return found

    @property
    def note(self) -> str:
        """What the report says of those that are not kept."""
        if not self._left:
            return ""
        return f"of the rejected rows the first {self._rows} are kept; {self._left} more are counted alone"


def foreign(batch: ObservationBatch, row: int) -> Rejected:
    """A row that its source read well and whose datastream is of another dataset; kept as it would be handed over."""
    kept = encode(batch.take([row])).decode()
    return Rejected(NATIVE, None, FOREIGN, "datastream", batch.datastream[row], kept)


def kept_back(batch: ObservationBatch, row: int, erased: Mapping[str, int]) -> Rejected:
    """A row that the gate kept back: what a person did not want to give is kept nowhere, only that it was there."""
    person = batch.subject[row] if batch.subject is not None else None
    gone = person is not None and batch.phenomenon_time[row] <= erased.get(person, -(2**62))
    return Rejected(NATIVE, None, ERASED if gone else NO_CONSENT, "subject", "", "")


def read_native(unit: Rejected, dataset: str) -> tuple[Batch, Persons]:
    """A corrected row that no source reads again, and whom it says that it is about.

    Raises ``ValueError`` or ``InputRefused`` where it breaks a rule.
    """
    text = unit.raw if isinstance(unit.raw, str) else ""
    if unit.field == "id":
        subjects: dict[str, str | None] = {}
        return FeatureBatch(dataset, [read_feature(msgspec.json.decode(text), WGS84, subjects)]), subjects
    batch = msgspec.json.decode(text, type=ObservationBatch)
    if len(batch) != 1 or batch.dataset != dataset:
        raise ValueError("must be one row of the dataset")
    reading.micros(batch.phenomenon_time[0], "phenomenon_time")
    if batch.longitude is not None or batch.latitude is not None:
        place = (batch.longitude or [None])[0], (batch.latitude or [None])[0]
        if place != (None, None):
            geometry.position(*place)
    if batch.flags or batch.raw_result or batch.neighbourhood:
        raise ValueError("flags, raw values and neighbourhoods are given by the platform")
    for subject in batch.subject or ():
        if subject is not None and not valid_subject(subject):
            raise ValueError("must be urn:dmi:person:<name>")
    for name in (*(batch.source_id or ()), *(batch.observed_property or ()), *(batch.unit or ())):
        if name is not None:
            reading.text(name, "text", 200, shortest=0)
    return batch, {}


def _named(unit: Rejected) -> int:
    """Of the names of its columns, which are stored with each row though all share them in memory."""
    return 0 if isinstance(unit.raw, str) else sum(map(len, unit.raw))


def corrected(unit: Rejected, raw: dict[str, str] | str) -> Rejected:
    return Rejected(unit.file, unit.line, unit.reason, unit.field, unit.value, raw, unit.at)
