"""Merging two lists of edits: what is shared, what comes from whom, and where a person has to choose."""

from __future__ import annotations

import itertools

import pytest

from dmi_support_centre.models.scenario import (
    Area,
    AreaState,
    Baseline,
    BuildingState,
    Clash,
    Edit,
    Mix,
    Redevelop,
    ScenarioRefused,
    SetCoefficient,
    plan,
    run,
)
from tests.unit.support_centre.test_baseline import square

PLACES = {"BU1": (5.10, 52.10), "BU2": (5.12, 52.10), "BU3": (5.14, 52.10)}
CITY = Baseline(
    [
        AreaState(name, f"Buurt {name[-1]}", square(x, y, 0.01), inhabitants=500, jobs=800, green_m2=900)
        for name, (x, y) in PLACES.items()
    ],
    [
        BuildingState(
            f"{name}-{n}", f"Toren {n}", "office", 10_000, square(x + 0.002 * n, y + 0.002, 0.001), name
        )
        for name, (x, y) in PLACES.items()
        for n in (1, 2)
    ],
    "v1",
)
HOUSING, GREEN = Mix(housing=1.0), Mix(green=1.0)


def whole(name: str, mix: Mix = HOUSING) -> Redevelop:
    return Redevelop(Area(neighbourhood=name), mix)


def drawn(name: str, number: int, mix: Mix = GREEN) -> Redevelop:
    x, y = PLACES[name]
    return Redevelop(Area(geometry=square(x + 0.002 * number, y + 0.002, 0.001)), mix)


def test_edits_in_different_places_come_one_after_the_other_behind_what_is_shared() -> None:
    first = whole("BU1")
    found = plan(CITY, [first, whole("BU2")], [whole("BU1"), whole("BU3")])
    assert (found.shared, found.clashes) == ([first], [])
    assert found.merged({}) == [first, whole("BU2"), whole("BU3")]


def test_an_equal_edit_of_both_counts_once_wherever_it_stands() -> None:
    found = plan(CITY, [whole("BU1"), whole("BU2")], [whole("BU2"), whole("BU1"), whole("BU3")])
    assert found.merged({}) == [whole("BU1"), whole("BU2"), whole("BU3")]
    assert [step.both for step in found.theirs] == [True, True, False]
    run(CITY, found.merged({}))


def test_two_edits_of_the_same_buildings_clash_and_name_them() -> None:
    ours, theirs = whole("BU1", HOUSING), drawn("BU1", 2)
    [clash] = plan(CITY, [ours], [theirs]).clashes
    assert (clash.kind, clash.ours, clash.theirs) == ("area", [ours], [theirs])
    assert [(one.building, one.neighbourhood_name) for one in clash.contested] == [("BU1-2", "Buurt 1")]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("ours", [drawn("BU1", 1)]),
        ("theirs", [whole("BU1", Mix(housing=0.5, office=0.5))]),
        ("both", [drawn("BU1", 1), whole("BU1", Mix(housing=0.5, office=0.5))]),
    ],
)
def test_the_choice_decides_what_stays_and_the_rest_is_not_touched(choice: str, expected: list[Edit]) -> None:
    rest = whole("BU3")
    found = plan(CITY, [drawn("BU1", 1), rest], [whole("BU1", Mix(housing=0.5, office=0.5))])
    [clash] = found.clashes
    merged = found.merged({clash.id: choice})  # type: ignore[dict-item]
    assert [edit for edit in merged if edit != rest] == expected
    assert rest in merged
    run(CITY, merged)


def test_a_clash_without_a_choice_is_not_guessed() -> None:
    found = plan(CITY, [whole("BU1")], [drawn("BU1", 1)])
    with pytest.raises(KeyError, match=found.clashes[0].id):
        found.merged({})


def test_clashes_that_hang_together_are_one_choice_and_others_are_their_own() -> None:
    ours: list[Edit] = [drawn("BU1", 1), drawn("BU1", 2), whole("BU2")]
    theirs: list[Edit] = [whole("BU1"), whole("BU2", GREEN), whole("BU3")]
    found = plan(CITY, ours, theirs)
    assert [(clash.ours, clash.theirs) for clash in found.clashes] == [
        (ours[:2], [theirs[0]]), ([ours[2]], [theirs[1]])
    ]  # fmt: skip
    for one, two in itertools.product(("ours", "theirs"), repeat=2):
        merged = found.merged(dict(zip((c.id for c in found.clashes), (one, two), strict=True)))  # type: ignore[arg-type]
        assert whole("BU3") in merged
        run(CITY, merged)


def test_a_coefficient_clashes_by_the_value_that_each_ends_with() -> None:
    def named(value: float) -> SetCoefficient:
        return SetCoefficient("inhabitants_per_dwelling", value)

    [clash] = plan(CITY, [named(1.8), named(2.0)], [named(2.4)]).clashes
    assert (clash.kind, clash.choices) == ("coefficient", ["ours", "theirs"])
    found = plan(CITY, [named(1.8), named(2.0)], [named(2.4)])
    assert found.merged({clash.id: "theirs"}) == [named(2.4)]
    assert plan(CITY, [named(1.8), named(2.0)], [named(2.0)]).clashes == []


def test_the_name_of_a_clash_changes_with_its_edits_so_that_an_old_choice_does_not_fit() -> None:
    def one(mix: Mix) -> Clash:
        return plan(CITY, [whole("BU1", mix)], [drawn("BU1", 1)]).clashes[0]

    assert one(HOUSING).id == one(HOUSING).id
    assert one(HOUSING).id != one(Mix(housing=0.5, green=0.5)).id


def test_an_edit_on_an_unknown_area_is_refused() -> None:
    with pytest.raises(ScenarioRefused):
        plan(CITY, [whole("BU9")], [whole("BU1")])
