"""Items into the batches of the contracts, in an order in which every batch can be taken at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_ingest.sources.port import Derived, Item, Rejected, Row, datastream_id

Cell = TypeVar("Cell")

REJECTED_BYTES: Final = 4 << 20
"""Memory of the rejected rows that are held together; those of a real table take some hundred bytes each."""
CELL_BYTES: Final = 150
"""Of a cell beside its characters, with its name."""


class DerivedBatch(FeatureBatch, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Derived things and datastreams: encoded like any feature batch, but not to be counted as read."""


Batch = ObservationBatch | FeatureBatch | list[Rejected]


def batches(items: Iterable[Item], dataset: str, prefix: str, size: int = 1000) -> Iterator[Batch]:
    """The items in batches of at most ``size``; all things known so far go before the rows that need them.

    A batch of rejected rows ends also where they hold ``REJECTED_BYTES``.

    The datastreams of rows begin with ``prefix``, as those that the source derived.

    The units of the result are the lengths of all batches but the ``DerivedBatch``es.
    """
    if size < 1:
        raise ValueError("size must be at least 1")
    derived: list[Feature] = []
    features: list[Feature] = []
    rows: list[Row] = []
    rejected: list[Rejected] = []
    held = 0
    for item in items:
        match item:
            case Derived(feature):
                derived.append(feature)
            case Row():
                rows.append(item)
            case Rejected():
                rejected.append(item)
                held += memory(item)
            case Feature():
                features.append(item)
        if len(derived) >= size or (derived and len(rows) >= size):
            yield DerivedBatch(dataset, derived)
            derived = []
        if len(rows) >= size:
            yield in_columns(rows, dataset, prefix)
            rows = []
        if len(features) >= size:
            yield FeatureBatch(dataset, features)
            features = []
        if len(rejected) >= size or held >= REJECTED_BYTES:
            yield rejected
            rejected, held = [], 0
    if derived:
        yield DerivedBatch(dataset, derived)
    if rows:
        yield in_columns(rows, dataset, prefix)
    if features:
        yield FeatureBatch(dataset, features)
    if rejected:
        yield rejected


def memory(item: Rejected) -> int:
    """About how many bytes a rejected row takes."""
    if isinstance(item.raw, str):
        return CELL_BYTES + len(item.raw)
    return sum(CELL_BYTES + len(value) for value in item.raw.values())


def in_columns(rows: Sequence[Row], dataset: str, prefix: str) -> ObservationBatch:
    """Rows as one column batch; an optional column is left out when none of them has a value."""
    return ObservationBatch(
        dataset=dataset,
        datastream=[datastream_id(prefix, row.thing, row.observed_property, row.variant) for row in rows],
        phenomenon_time=[row.phenomenon_time for row in rows],
        result=[row.result for row in rows],
        longitude=_optional([row.longitude for row in rows]),
        latitude=_optional([row.latitude for row in rows]),
        subject=_optional([row.subject for row in rows]),
        source_id=_optional([row.source_id for row in rows]),
        observed_property=[row.observed_property for row in rows],
        unit=[row.unit for row in rows],
    )


def _optional(column: list[Cell | None]) -> list[Cell | None] | None:
    return None if all(value is None for value in column) else column
