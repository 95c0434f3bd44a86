"""Names of places: each word of the text begins a word of the name, accents and case aside."""

from __future__ import annotations

import pytest

from dmi_visualisation.search import Gazetteer, folded, rank
from tests.unit.infra.fakes import BICYCLES, GARAGES
from tests.unit.visualisation.samples import place

NAMES = {"a": "Merelstraat 12", "b": "Merelstraat 2", "c": "Lange Merelbrug", "d": "Curaçaokade 1"}


@pytest.fixture
def gazetteer() -> Gazetteer:
    made = Gazetteer()
    for identifier, name in NAMES.items():
        made.add(GARAGES, place(identifier, "address", name))
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("merel", {"a", "b", "c"}),
        ("MERELSTRAAT 1", {"a"}),
        ("12 merel", {"a"}),
        ("l m", {"c"}),
        ("curacao", {"d"}),
        ("straat", set()),
        ("2", {"b"}),
        ("  ", set()),
        ("%_';--", set()),
    ],
)
def test_words_of_the_text_begin_words_of_the_name(gazetteer: Gazetteer, text: str, found: set[str]) -> None:
    assert {identifier for _, identifier in gazetteer.find(text, {GARAGES})} == found


def test_only_the_asked_datasets_are_searched(gazetteer: Gazetteer) -> None:
    assert gazetteer.find("merel", {BICYCLES}) == []


def test_a_place_is_found_by_its_new_name_and_no_longer_by_the_old_one(gazetteer: Gazetteer) -> None:
    gazetteer.add(GARAGES, place("a", "address", "Vinkenhof 3"))
    assert {i for _, i in gazetteer.find("merelstraat", {GARAGES})} == {"b"}
    assert gazetteer.find("vinkenhof", {GARAGES}) == [(GARAGES, "a")]


def test_what_is_no_place_for_people_is_not_found(gazetteer: Gazetteer) -> None:
    gazetteer.add(GARAGES, place("x", "building", "Merelblok"))
    assert gazetteer.find("merelblok", {GARAGES}) == []


def test_whole_names_come_first_then_beginnings_and_numbers_count_as_numbers() -> None:
    places = [
        place("1", "address", "Hof 10"),
        place("2", "address", "Hof 9"),
        place("3", "neighbourhood", "Hof"),
        place("4", "neighbourhood", "Oude Hof"),
    ]
    assert [p.id for p in sorted(places, key=lambda p: rank("hof", p))] == ["3", "2", "1", "4"]
    assert folded("Coöperatie ÉÉN") == "cooperatie een"
