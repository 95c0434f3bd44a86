"""Every coefficient is named, sourced, bounded and changeable."""

from __future__ import annotations

import pytest

from dmi_support_centre.models.coefficients import COEFFICIENTS, CoefficientRefused, changed, defaults


@pytest.mark.parametrize("name", list(COEFFICIENTS))
def test_a_coefficient_has_range_unit_source_and_year(name: str) -> None:
    one = COEFFICIENTS[name]
    assert one.minimum <= one.low < one.default < one.high <= one.maximum
    assert set(one.unit) == set(one.label) == {"nl", "en"}
    assert set(one.source) == {"nl", "en"}
    assert 2000 <= one.year <= 2026
    assert (
        one.assumption == one.source["en"].startswith("Assumption") == one.source["nl"].startswith("Aanname")
    )


def test_a_dwelling_has_the_floor_of_the_vacancy_figures() -> None:
    assert COEFFICIENTS["floor_m2_per_dwelling"].default == 26_000_000 / 400_000
    assert COEFFICIENTS["office_vacancy"].default == 0.16


def test_a_changed_value_is_marked_and_its_range_holds_it() -> None:
    settings = changed(defaults(), "floor_m2_per_dwelling", 120)
    one = settings["floor_m2_per_dwelling"]
    assert one.changed
    assert (one.low, one.value, one.high) == (50, 120, 120)
    assert not settings["office_vacancy"].changed


def test_unknown_names_and_impossible_values_are_refused_by_field() -> None:
    with pytest.raises(CoefficientRefused, match="name: unknown"):
        changed(defaults(), "luck", 1)
    for value in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(CoefficientRefused, match="value: must lie between 15 and 500"):
            changed(defaults(), "floor_m2_per_dwelling", value)
