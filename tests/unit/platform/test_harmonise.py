"""From a raw batch to harmonised rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_platform.harmonise import Harmonised, Newest, harmonise, locate, merge, select
from dmi_platform.neighbourhoods import Neighbourhoods
from dmi_platform.registry import Registry, StoredFeature

DATASET = "urn:dmi:dataset:gemeente:air"
NOON = 1_767_268_800_000_000
RING = [[5.0, 52.0], [5.2, 52.0], [5.2, 52.2], [5.0, 52.2], [5.0, 52.0]]
POINT = {"type": "Point", "coordinates": [5.1, 52.1]}


CHANGES = itertools.count(1)


def stored(*features: Feature, dataset: str = DATASET) -> list[StoredFeature]:
    return [
        StoredFeature(feature, dataset, number + 1, next(CHANGES)) for number, feature in enumerate(features)
    ]


def stream(name: str, observed: str, unit: str, thing: str = "fixed", **properties: Any) -> Feature:
    about = {"thing": thing, "observed_property": observed, "unit": unit, **properties}
    return Feature(name, "datastream", name, None, about)


@pytest.fixture
def registry() -> Registry:
    found = Registry(Neighbourhoods(lambda _dataset: True), (3.0, 50.0, 8.0, 54.0), lambda _at: [])
    found.apply(
        stored(
            stream("t", "temperature", "K", maximum_step=2.0),
            stream("pm", "pm2_5", "mg/m3", thing="bike"),
            stream("odd", "pm2_5", "ppm"),
            stream("p", "occupancy", "{vehicle}", capacity=100, thing="fixed"),
            Feature("fixed", "thing", "F", POINT),
            Feature("bike", "thing", "B"),
            Feature("BU1", "neighbourhood", "Centrum", {"type": "Polygon", "coordinates": [RING]}),
        )
    )
    return found


def nothing(_keys: list[int]) -> Mapping[int, Newest]:
    return {}


def run(registry: Registry, names: list[str], values: list[float | None], **columns: Any) -> Harmonised:
    times = columns.pop("times", [NOON + number * 60_000_000 for number in range(len(names))])
    return harmonise(ObservationBatch(DATASET, names, times, values, **columns), registry, nothing)


def test_values_are_converted_and_the_raw_value_is_kept(registry: Registry) -> None:
    found = run(registry, ["t", "pm", "p"], [293.15, 0.025, 7.0])
    assert found.rows.result.tolist() == [20.0, 25.0, 7.0]
    assert found.rows.raw_result.tolist() == [293.15, 0.025, 7.0]
    assert not found.rejected


def test_a_row_may_state_a_unit_of_its_own(registry: Registry) -> None:
    found = run(registry, ["t", "t", "t"], [20.0, 293.15, 1.0], unit=["Cel", "K", "V"])
    assert found.rows.result.tolist() == [20.0, 20.0]
    assert found.rejected == {("unknown_unit", "t"): [2]}


def test_each_bad_row_is_refused_with_its_reason_and_the_good_ones_are_taken(registry: Registry) -> None:
    found = run(
        registry,
        ["t", "who", "odd", "t", "t", "pm", "pm", "pm"],
        [290.0, 1.0, 1.0, 290.0, 290.0, 0.01, 0.01, 0.01],
        times=[NOON, NOON, NOON, 2**80, -(2**62), NOON, NOON + 1, NOON + 2],
        longitude=[None, None, None, None, None, 5.1, 200.0, 5.1],
        latitude=[None, None, None, None, None, None, 52.0, 52.0],
        source_id=["ok", None, None, None, None, None, None, "nul\x00"],
    )
    assert found.numbers.tolist() == [0]
    assert found.rejected == {
        ("unknown_datastream", "who"): [1],
        ("unknown_unit", "odd"): [2],
        ("time_out_of_range", ""): [3, 4],
        ("impossible_position", ""): [5, 6],
        ("bad_source_id", ""): [7],
    }


def test_a_result_beyond_all_that_is_measured_is_refused(registry: Registry) -> None:
    found = run(registry, ["t", "t", "t", "p"], [290.0, 1.7e308, float("-inf"), -1e19])
    assert found.rejected == {("too_large", ""): [1, 2, 3]}
    assert found.rows.result.tolist() == [16.85]


@pytest.mark.parametrize("value", [1e18, 1.7e308])
def test_a_result_that_its_canonical_unit_puts_beyond_all_that_is_measured_is_refused(
    registry: Registry, value: float
) -> None:
    found = run(registry, ["pm", "pm", "p"], [value, 1e15, 1e18])
    assert found.rejected == {("too_large", ""): [0]}
    assert found.rows.result.tolist() == [1e18, 1e18]
    assert found.rows.raw_result.tolist() == [1e15, 1e18]


def test_a_datastream_of_another_dataset_or_property_is_refused(registry: Registry) -> None:
    batch = ObservationBatch("urn:dmi:dataset:vendor:air", ["t"], [NOON], [290.0])
    assert harmonise(batch, registry, nothing).rejected == {("other_dataset", "t"): [0]}
    found = run(registry, ["t", "t"], [290.0, 290.0], observed_property=["temperature", "pressure"])
    assert found.rejected == {("other_property", "t"): [1]}


def test_every_test_has_a_flag_column(registry: Registry) -> None:
    found = run(registry, ["t", "t", "p", "p", "p"], [290.0, 300.0, 120.0, -1.0, None])
    assert {name: column.tolist() for name, column in found.rows.flags.items()} == {
        "range": [1, 1, 3, 4, 9],
        "rate": [2, 3, 2, 2, 9],
        "missing": [1, 1, 1, 1, 9],
        "place": [1, 1, 1, 1, 1],
    }


def test_limits_are_stated_in_the_declared_unit_and_judged_in_the_canonical_one(registry: Registry) -> None:
    registry.apply(stored(stream("cold", "temperature", "K", minimum=270.0, maximum=280.0), dataset=DATASET))
    assert run(registry, ["cold", "cold"], [275.0, 285.0]).rows.flags["range"].tolist() == [1, 4]


def test_a_jump_since_the_stored_value_is_suspect(registry: Registry) -> None:
    plan = registry.stream("t")
    assert plan is not None
    batch = ObservationBatch(DATASET, ["t"], [NOON], [300.0])
    before = {plan.key: Newest(NOON - 60_000_000, NOON - 60_000_000, 10.0)}
    assert harmonise(batch, registry, lambda _keys: before).rows.flags["rate"].tolist() == [3]


def test_a_row_without_position_has_the_place_of_its_thing(registry: Registry) -> None:
    found = run(
        registry, ["t", "pm", "pm", "pm"], [290.0, 0.01, 0.01, 0.01],
        longitude=[None, 5.15, 4.0, None], latitude=[None, 52.15, 51.0, None],
    )  # fmt: skip
    assert found.rows.neighbourhood == ["BU1", "BU1", None, None]
    assert found.rows.longitude.tolist()[:3] == [5.1, 5.15, 4.0]
    assert math.isnan(found.rows.longitude[3]), "its thing has no place"
    assert found.rows.flags["place"].tolist() == [1, 1, 1, 2]


def test_a_position_at_zero_zero_fails_and_one_outside_its_own_area_is_suspect(registry: Registry) -> None:
    registry.apply(stored(stream("pm", "pm2_5", "ug/m3", thing="bike", area=[5.0, 52.0, 5.1, 52.1])))
    found = run(registry, ["pm", "pm"], [1.0, 1.0], longitude=[0.0, 5.5], latitude=[0.0, 52.05])
    assert found.rows.flags["place"].tolist() == [4, 3]


def test_a_neighbourhood_that_changes_in_time_is_looked_up_by_time(registry: Registry) -> None:
    polygon = {"type": "Polygon", "coordinates": [RING]}
    registry.neighbourhoods.put(DATASET, [Feature("BU2", "neighbourhood", "Nieuw", polygon, {}, NOON)])
    assert run(registry, ["t", "t"], [290.0, 290.0], times=[NOON - 1, NOON]).rows.neighbourhood == [
        "BU1",
        "BU2",
    ]


def test_the_outgoing_batch_holds_the_chosen_rows_in_canonical_units(registry: Registry) -> None:
    found = run(registry, ["t", "p", "t"], [293.15, None, 294.15])
    batch = select(found.rows, found.numbers[[0, 1]], DATASET, "b1")
    assert batch.datastream == ["t", "p"]
    assert batch.result == [20.0, None]
    assert batch.raw_result == [293.15, None]
    assert batch.unit == ["Cel", "{vehicle}"]
    assert batch.observed_property == ["temperature", "occupancy"]
    assert batch.longitude == [5.1, 5.1]
    assert batch.source_id is None
    assert batch.batch_id == "b1"


def test_locating_fills_only_what_is_bare(registry: Registry) -> None:
    batch = ObservationBatch(
        DATASET, ["t", "pm", "who"], [NOON] * 3, [1.0] * 3, [None, 4.0, None], [None, 51.0, None]
    )
    located = locate(batch, registry)
    assert (located.longitude, located.latitude) == ([5.1, 4.0, None], [52.1, 51.0, None])


def test_an_empty_batch_is_no_work(registry: Registry) -> None:
    found = run(registry, [], [])
    assert len(found.rows) == 0


NAMES = st.sampled_from(["t", "pm", "p", "odd", "who"])
VALUES = st.none() | st.floats(-1e12, 1e12)


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, VALUES, st.integers(-(2**70), 2**70)), min_size=1, max_size=30))
def test_every_row_is_taken_or_refused_exactly_once(rows: list[tuple[str, float | None, int]]) -> None:
    registry = Registry(Neighbourhoods(lambda _dataset: True), (3.0, 50.0, 8.0, 54.0), lambda _at: [])
    registry.apply(
        stored(stream("t", "temperature", "K"), stream("pm", "pm2_5", "mg/m3"), stream("odd", "pm10", "x"))
    )
    found = run(registry, [r[0] for r in rows], [r[1] for r in rows], times=[r[2] for r in rows])
    refused = [number for numbers in found.rejected.values() for number in numbers]
    assert sorted(refused + found.numbers.tolist()) == list(range(len(rows)))
    for row, number in enumerate(found.numbers.tolist()):
        value = rows[number][1]
        assert (
            math.isnan(found.rows.raw_result[row]) if value is None else found.rows.raw_result[row] == value
        )


def test_merging_keeps_the_order_of_rows() -> None:
    first = ObservationBatch(DATASET, ["a"], [1], [1.0], source_id=["x"])
    second = ObservationBatch(DATASET, ["b", "c"], [2, 3], [None, 3.0], source_id=[None, "y"])
    merged = merge([first, second])
    assert (merged.datastream, merged.result, merged.source_id) == (
        ["a", "b", "c"],
        [1.0, None, 3.0],
        ["x", None, "y"],
    )
