"""The table of terms is whole, and finds what a person meant."""

from __future__ import annotations

import pytest

from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.vocabulary import CORE, DMI, Left, nearest, unit_of

# Section 3.13 of the ODRL vocabulary.
LEFT_OPERANDS = (
    "absolutePosition absoluteSpatialPosition absoluteTemporalPosition absoluteSize count dateTime delayPeriod "
    "deliveryChannel elapsedTime event fileFormat industry language media meteredTime payAmount percentage product "
    "purpose recipient relativePosition relativeSpatialPosition relativeTemporalPosition relativeSize resolution "
    "spatial spatialCoordinates systemDevice timeInterval unitOfCount version virtualLocation"
)


@pytest.mark.parametrize("name", LEFT_OPERANDS.split())
def test_every_left_operand_of_odrl_has_a_type_and_a_source(name: str) -> None:
    left = CORE.lefts[ODRL + name]
    assert left.type
    assert left.source


def test_every_action_is_part_of_use_or_transfer() -> None:
    for action in CORE.actions:
        assert CORE.covers(ODRL + "use", action) != CORE.covers(ODRL + "transfer", action), action


def test_an_action_covers_what_is_part_of_it_and_not_the_other_way() -> None:
    assert CORE.covers(ODRL + "use", ODRL + "display")
    assert CORE.covers(ODRL + "play", ODRL + "display")
    assert not CORE.covers(ODRL + "display", ODRL + "play")
    assert CORE.covers(ODRL + "transfer", ODRL + "sell")
    assert not CORE.covers(ODRL + "use", ODRL + "sell")


def test_a_circle_of_actions_ends() -> None:
    circular = CORE.extended(actions={"urn:a": {"urn:b"}, "urn:b": {"urn:a"}}, implies={"urn:a": {"urn:a"}})
    assert not circular.covers(ODRL + "use", "urn:a")
    assert circular.needs("urn:a") == {"urn:a"}


def test_a_profile_does_not_change_what_a_known_term_means() -> None:
    changed = CORE.extended(
        lefts=[Left(ODRL + "count", "text", None, "request")], actions={ODRL + "sell": {ODRL + "use"}}
    )
    assert changed.lefts[ODRL + "count"] == CORE.lefts[ODRL + "count"]
    assert not changed.covers(ODRL + "use", ODRL + "sell")


def test_the_nearest_term_is_found_by_its_last_part() -> None:
    assert CORE.nearest("http://example.org/datetime", "left") == ODRL + "dateTime"
    assert CORE.nearest("urn:dmi:gridsize", "left") == DMI + "gridSize"
    assert nearest("http://example.org/zzz", CORE.actions) is None


def test_a_unit_is_the_same_by_any_of_its_names() -> None:
    assert (
        unit_of("https://dbpedia.org/resource/Euro") == unit_of("http://dbpedia.org/resource/Euro") == "EUR"
    )
    assert unit_of("http://example.org/unit") == unit_of("https://example.org/unit")
