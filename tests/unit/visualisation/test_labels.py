"""The sentence for a vehicle: where and when it stops next."""

from __future__ import annotations

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_visualisation.labels import Timetables
from tests.unit.infra.fakes import BICYCLES, GARAGES
from tests.unit.visualisation.samples import place, row

TIMETABLE = {"stops": ["a", "b", "c"], "minutes": {"out": [0, 7, 15], "back": [0, 9, 16]}}


@pytest.fixture
def timetables() -> Timetables:
    made = Timetables()
    for identifier, name in (("a", "Station"), ("b", "Nachtwachtlaan"), ("c", "Noord")):
        made.add(GARAGES, place(identifier, "stop", name))
    made.add(GARAGES, Feature("line-5", "line", "Lijn 5", None, {"line": 5, "timetable": TIMETABLE}))
    return made


def test_a_vehicle_says_its_line_and_its_next_stop_in_both_languages(timetables: Timetables) -> None:
    assert timetables.label(row(0.0, source_id="5:out:1453:2")) == {
        "nl": "lijn 5, stopt om 15:00 bij Nachtwachtlaan",
        "en": "line 5, stops at 15:00 at Nachtwachtlaan",
    }


def test_the_way_back_passes_the_stops_in_reverse(timetables: Timetables) -> None:
    label = timetables.label(row(0.0, source_id="5:back:0800:3"))
    assert label is not None
    assert label["en"] == "line 5, stops at 08:16 at Station"


@pytest.mark.parametrize(
    ("delay", "words"),
    [(29.0, ""), (60.0, " (1 minuut te laat)"), (185.0, " (3 minuten te laat)"), (-90.0, "")],
)
def test_a_late_vehicle_says_how_late_and_an_early_one_does_not(
    timetables: Timetables, delay: float, words: str
) -> None:
    label = timetables.label(row(delay, source_id="5:out:1453:2"))
    assert label is not None
    assert label["nl"] == f"lijn 5, stopt om 15:00 bij Nachtwachtlaan{words}"


def test_a_trip_that_passes_midnight_stops_on_the_next_day(timetables: Timetables) -> None:
    label = timetables.label(row(0.0, source_id="5:out:2355:2"))
    assert label is not None
    assert "00:02" in label["nl"]


@pytest.mark.parametrize("trip", [None, "", "5", "9:out:1453:2", "5:out:1453:9", "5:up:1453:1", "5:out:xx:1"])
def test_what_the_timetable_does_not_hold_has_no_sentence(timetables: Timetables, trip: str | None) -> None:
    assert timetables.label(row(0.0, source_id=trip)) is None


def test_nobody_writes_in_the_timetable_of_another_dataset(timetables: Timetables) -> None:
    before = timetables.label(row(0.0, source_id="5:out:1453:2"))
    timetables.add(BICYCLES, place("b", "stop", "Gratis"))
    forged = {"stops": ["b", "b", "b"], "minutes": {"out": [0, 1, 2], "back": [0, 1, 2]}}
    timetables.add(BICYCLES, Feature("line-x", "line", "Lijn 5", None, {"line": 5, "timetable": forged}))
    assert timetables.label(row(0.0, source_id="5:out:1453:2")) == before
    other = timetables.label(row(0.0, source_id="5:out:1453:2", dataset=BICYCLES))
    assert other is not None
    assert "Gratis" in other["nl"]
