"""Level of service from flow and width, on invented and on Amsterdam's own capacities."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_support_centre.models.crowd import (
    PER_METRE,
    Capacities,
    CapacityRefused,
    Level,
    advice,
    flow_per_minute,
    service,
)

SIX_METRES = Capacities.of_width(6.0)


@pytest.mark.parametrize(
    ("flow", "level"),
    [
        (0, "A"),
        (100.8, "A"),
        (101, "B"),
        (194.4, "B"),
        (250, "C"),
        (400, "D"),
        (500, "E"),
        (540, "E"),
        (541, "F"),
    ],
)
def test_each_level_ends_at_its_capacity(flow: float, level: str) -> None:
    assert service(flow, 6.0, SIX_METRES).level == level


@given(st.lists(st.floats(0, 2000), min_size=2, max_size=20))
def test_more_flow_is_never_a_freer_level(flows: list[float]) -> None:
    levels = [service(flow, 6.0, SIX_METRES).level.value for flow in sorted(flows)]
    assert levels == sorted(levels)


def test_a_flow_that_collapses_from_e_is_breakdown_and_one_that_thins_out_is_not() -> None:
    collapsed = service(380, 6.0, SIX_METRES, previous=[450, 530, 520])
    assert (collapsed.level, collapsed.reason) == (Level.F, "flow-collapsed")
    assert service(430, 6.0, SIX_METRES, previous=[530, 480]).level is Level.D
    assert service(200, 6.0, SIX_METRES, previous=[530]).level is Level.C


def test_measured_density_tells_the_two_branches_apart() -> None:
    assert service(380, 6.0, SIX_METRES, density=3.0).level is Level.F
    assert service(380, 6.0, SIX_METRES, previous=[530], density=0.6).level is Level.D


def test_both_directions_are_summed_and_a_missing_one_is_not_zero() -> None:
    assert flow_per_minute([30, 60], interval_s=180) == 30
    assert flow_per_minute([30, None], interval_s=180) is None
    assert flow_per_minute([], interval_s=180) is None


def test_impossible_input_is_refused() -> None:
    with pytest.raises(CapacityRefused):
        Capacities(10, 20, 20, 30, 40)
    with pytest.raises(CapacityRefused):
        Capacities.of_width(0)
    with pytest.raises(CapacityRefused):
        flow_per_minute([-1], 60)
    with pytest.raises(CapacityRefused):
        flow_per_minute([1], 0)
    with pytest.raises(CapacityRefused):
        service(float("nan"), 6.0, SIX_METRES)


def test_load_and_flow_per_metre_stand_beside_the_level() -> None:
    found = service(270, 6.0, SIX_METRES)
    assert found.load == pytest.approx(0.5)
    assert found.flow_per_metre == pytest.approx(45)


def test_advice_waits_for_several_intervals_but_not_for_a_breakdown() -> None:
    assert not advice([Level.B, Level.D]).advise
    assert advice([Level.D, Level.E]).advise
    assert not advice([Level.E, Level.E, Level.C]).advise
    assert advice([Level.A, Level.F]).advise
    assert not advice([]).advise


@pytest.mark.realdata
def test_amsterdams_table_fits_the_usual_flow_a_metre_and_f_equals_d(real_data: Path) -> None:
    with (real_data / "crowd" / "sensor_capacity_los.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 30
    for row in rows:
        ends = [float(row[f"Q_max_pers_per_min_LOS_{level}"]) for level in "ABCDEF"]
        width = float(row["Effectieve_breedte_m"])
        assert ends[5] == ends[3]
        assert Capacities(*ends[:5]).ends() == pytest.approx([f * width for f in PER_METRE], abs=0.06)
