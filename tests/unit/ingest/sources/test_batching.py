"""Items become batches of the contracts; everything a row needs goes before it and nothing is lost."""

from __future__ import annotations

import pytest

from dmi_agreements.contracts.envelope import decode, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_ingest.sources.batching import REJECTED_BYTES, DerivedBatch, batches
from dmi_ingest.sources.port import Derived, Item, Rejected, Row

DATASET = "urn:dmi:dataset:gemeente:garages"


def row(at: int, **extra: str) -> Row:
    return Row("f", at, "centrum", "occupancy", "{vehicle}", at, float(at), **extra)  # type: ignore[arg-type]


def test_things_go_before_the_rows_that_need_them_also_when_a_batch_fills_up() -> None:
    items: list[Item] = []
    for at in range(5):
        items += [Derived(Feature(f"garages.t{at}", "thing", "t")), row(at)]
    known: set[str] = set()
    seen = 0
    for batch in batches(items, DATASET, "garages", size=2):
        if isinstance(batch, DerivedBatch):
            known |= {feature.id for feature in batch.features}
        elif isinstance(batch, ObservationBatch):
            assert {f"garages.t{int(result or 0)}" for result in batch.result} <= known
            assert len(batch) <= 2
            seen += len(batch)
    assert seen == 5


def test_the_units_are_the_batches_that_are_not_derived() -> None:
    items: list[Item] = [
        Derived(Feature("a", "thing", "a")),
        row(1),
        Feature("b", "parking", "b"),
        Rejected("f", 2, "missing_value", None, "", {}),
    ]
    sizes = [
        (len(batch.features) if isinstance(batch, FeatureBatch) else len(batch))
        for batch in batches(items, DATASET, "garages")
        if not isinstance(batch, DerivedBatch)
    ]
    assert sizes == [1, 1, 1]


def test_columns_are_filled_and_left_out_when_nothing_is_in_them() -> None:
    found = next(iter(batches([row(1), row(2, variant="long")], DATASET, "garages")))
    assert isinstance(found, ObservationBatch)
    assert found.datastream == ["garages.centrum.occupancy", "garages.centrum.occupancy-long"]
    assert found.unit == ["{vehicle}", "{vehicle}"]
    assert found.longitude is None
    assert found.subject is None


def test_a_derived_batch_is_read_as_a_feature_batch() -> None:
    batch = DerivedBatch(DATASET, [Feature("a", "thing", "a")])
    assert decode(encode(batch), FeatureBatch).features == batch.features


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(batches([], DATASET, "garages", size=0))


def test_a_rejected_value_is_cut_but_its_row_kept_whole() -> None:
    long = "x" * 1000
    item = Rejected("f", 1, "not_a_number", "a", long, {"a": long})
    assert len(item.value) == 200
    assert item.raw == {"a": long}


@pytest.mark.parametrize("raw", ["x" * 100_000, {f"+{number}": "" for number in range(700)}])
def test_rejected_rows_that_hold_much_are_not_held_together(raw: str | dict[str, str]) -> None:
    items: list[Item] = [Rejected("f", at, "wrong_columns", None, "", raw) for at in range(100)]
    found = list(batches(items, DATASET, "garages", size=2000))
    assert sum(len(batch) for batch in found) == 100
    assert max(len(batch) for batch in found) * 100_000 <= REJECTED_BYTES + 200_000
