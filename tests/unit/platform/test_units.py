"""Conversion to canonical units."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmi_platform import units
from dmi_platform.errors import UnknownUnit


@pytest.mark.parametrize(
    ("observed", "unit", "value", "expected"),
    [
        ("temperature", "K", 293.15, 20.0),
        ("temperature", "[degF]", 212.0, 100.0),
        ("temperature", "Cel", -3.5, -3.5),
        ("pressure", "mbar", 1013.25, 1013.25),
        ("pressure", "Pa", 101_325.0, 1013.25),
        ("pressure", "mm[Hg]", 760.0, 1013.2472),
        ("pm2_5", "mg/m3", 0.025, 25.0),
        ("pm10", "ng/m3", 4000.0, 4.0),
        ("relative_humidity", "1", 0.55, 55.0),
        ("voltage", "mV", 3700.0, 3.7),
        ("vehicle_position", "min", 2.0, 120.0),
        ("vehicle_position", "1", 30.0, 30.0),
        ("occupancy", "1", 12.0, 12.0),
        ("pm2_5", "{left_out}", 25.0, 25.0),
        ("left_out", "{left_out}", 25.0, 25.0),
    ],
)
def test_a_value_is_converted_to_the_canonical_unit(
    observed: str, unit: str, value: float, expected: float
) -> None:
    factor, offset = units.conversion(observed, unit, units.canonical(observed, unit))
    assert value * factor + offset == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("observed", "unit"),
    [
        ("temperature", "hPa"),
        ("temperature", "1"),
        ("occupancy", "{person}"),
        ("pm10", "ppm"),
        ("pressure", ""),
    ],
)
def test_a_unit_of_another_kind_is_unknown(observed: str, unit: str) -> None:
    with pytest.raises(UnknownUnit, match=observed):
        units.conversion(observed, unit, units.canonical(observed, unit))


def test_a_property_outside_the_table_keeps_its_declared_unit_and_converts_within_its_kind() -> None:
    assert units.canonical("wind_chill", "K") == "K"
    assert units.bounds("wind_chill") == (None, None)
    assert units.conversion("wind_chill", "Cel", "K") == (1.0, 273.15)


@given(st.floats(-1e6, 1e6), st.sampled_from(["K", "[degF]", "Cel"]), st.sampled_from(["K", "[degF]", "Cel"]))
def test_converting_there_and_back_gives_the_value_again(value: float, unit: str, to: str) -> None:
    factor, offset = units.conversion("temperature", unit, to)
    back_factor, back_offset = units.conversion("temperature", to, unit)
    assert math.isclose(
        (value * factor + offset) * back_factor + back_offset, value, rel_tol=1e-9, abs_tol=1e-6
    )
