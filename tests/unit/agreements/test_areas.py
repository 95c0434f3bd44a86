"""Whose neighbourhoods count for everybody."""

from __future__ import annotations

import msgspec
import pytest

from dmi_agreements.areas import not_laid_down
from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.table import LawTable

CITY, AREAS = "urn:dmi:participant:gemeente", "urn:dmi:dataset:gemeente:areas"


def law(rulebook: Rulebook, roles: list[str], layer: str = "areas", **entry: bool) -> LawTable:
    table = LawTable(rulebook)
    table.apply(Participant(CITY, "Gemeente", roles, rulebook="1.0.0"))
    table.apply(Dataset(AREAS, CITY, {"nl": "Buurten"}, layer=layer, **entry))
    return table


@pytest.mark.parametrize("role", ["dmi:role:municipality", "dmi:role:operator"])
def test_areas_of_the_city_count(rulebook: Rulebook, role: str) -> None:
    assert not_laid_down(law(rulebook, [role]), AREAS) is None
    assert not_laid_down(law(rulebook, [role]), AREAS, {AREAS}) is None


def test_no_other_areas_count_and_the_rule_is_told(rulebook: Rulebook) -> None:
    city = ["dmi:role:municipality"]
    vendor = not_laid_down(law(rulebook, ["dmi:role:vendor", "dmi:role:provider"]), AREAS)
    assert vendor is not None
    assert "dmi:role:municipality or dmi:role:operator" in vendor
    points = not_laid_down(law(rulebook, city, "points"), AREAS)
    assert points is not None
    assert "layer: areas" in points
    other = not_laid_down(law(rulebook, city), AREAS, {"urn:dmi:dataset:gemeente:other"})
    assert other is not None
    assert "DMI_AREA_DATASETS" in other
    for unknown in (LawTable(rulebook), law(rulebook, city, withdrawn=True)):
        assert not_laid_down(unknown, AREAS) is not None
    stopped = law(rulebook, city)
    stopped.apply(msgspec.structs.replace(stopped.participants[CITY], active=False))
    assert not_laid_down(stopped, AREAS) is not None
