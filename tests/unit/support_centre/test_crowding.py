"""Levels of service from counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.gate import Gate
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.crowding import Crowding, capacities_of, flows, services
from dmi_support_centre.forgetting import Forgotten
from dmi_support_centre.grounds import Book, Workshop
from dmi_support_centre.model import CROWD, MINUTE, Place, Reading
from dmi_support_centre.store import Store
from tests.unit.support_centre.laws import GARAGES, NOOR, OWNER, PIET, Agree, take_back, withdrawals_of

TABLE = {"A": 20.0, "B": 40.0, "C": 60.0, "D": 80.0, "E": 100.0}


def place(stream: str = "c.s.crowd_count", **properties: Any) -> Place:
    return Place("c.s", "c", "Straat", stream, {"interval_s": 60, **properties})


def count(at: int, value: float, stream: str = "c.s.crowd_count") -> Reading:
    return Reading(stream, "c", "crowd_count", at * MINUTE, value)


def test_counts_of_an_interval_become_persons_a_minute() -> None:
    rows = {"c.s.crowd_count": [count(1, 90.0), count(4, 30.0)]}
    assert flows([place(interval_s=180)], rows) == [(MINUTE, 30.0), (4 * MINUTE, 10.0)]


def test_directions_are_added_up_and_half_a_stream_gives_no_figure() -> None:
    both = [place("in"), place("out")]
    rows = {"in": [count(1, 5.0, "in"), count(2, 6.0, "in")], "out": [count(1, 7.0, "out")]}
    assert flows(both, rows) == [(MINUTE, 12.0)]


def test_a_negative_count_is_no_count() -> None:
    assert flows([place()], {"c.s.crowd_count": [count(1, -4.0)]}) == []


def test_both_ways_of_naming_width_and_capacities_are_understood() -> None:
    own = capacities_of(place(effective_width=4.0, los_capacity=TABLE))
    imported = capacities_of(place(effective_width_m=4.0, levels_of_service_per_minute=TABLE))
    assert own == imported
    assert own is not None
    assert own[1].e == 100.0


def test_a_place_without_width_or_with_an_impossible_table_has_no_level() -> None:
    assert capacities_of(place()) is None
    assert capacities_of(place(effective_width=4.0, los_capacity={**TABLE, "B": 10.0})) is None
    assert capacities_of(place(effective_width=4.0, los_capacity={"A": 1.0})) is None


def test_levels_follow_the_flow() -> None:
    found = services(place(effective_width=4.0, los_capacity=TABLE), [(MINUTE, 15.0), (2 * MINUTE, 95.0)])
    assert [one.level.value for _, one in found] == ["A", "E"]


REQUEST = "urn:uuid:asked"


@pytest.fixture
def forgotten() -> Forgotten:
    return Forgotten()


@pytest.fixture
def crowding(store: Store, gate: Gate, law: LawTable, agree: Agree, forgotten: Forgotten) -> Crowding:
    """Two streets, each counted by a person, on another basis than consent."""
    agree(1)
    basis = "dmi:basis:public-task"
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True, basis=basis))
    at = clock.now() // MINUTE * MINUTE
    for name, who in (("noor", NOOR), ("piet", PIET)):
        about = {"thing": name, "observed_property": "crowd_count", "interval_s": 60}
        stream = Feature(f"{name}.crowd_count", "datastream", "telling", None, about)
        row = Reading(stream.id, GARAGES, "crowd_count", at, 5.0, who)
        store.observations.save([(GARAGES, stream)], [row], {}, {})
    atlas, book = Atlas(store.observations, law), Book(store, gate)
    made = Crowding(Workshop(store, atlas, gate, book, withdrawals_of(store, law), forgotten))
    made.round(GARAGES)
    assert marks(store) == {"noor": None, "piet": None}
    return made


@pytest.fixture
def erased(store: Store, law: LawTable, forgotten: Forgotten) -> Callable[[], None]:
    """Carries out the erasure of one of them, of whose street no count is left."""

    def forget(dataset: str, person: str | None) -> None:
        with forgotten.forgetting(dataset, person):
            pass

    withdrawals = withdrawals_of(store, law, forget=forget)

    def carry_out() -> None:
        request = SubjectRequest(REQUEST, NOOR, "erasure", GARAGES, clock.now())
        law.apply(request)
        assert store.observations.erase(GARAGES, NOOR, request.until) > 0
        take_back(withdrawals, request)

    return carry_out


@pytest.mark.usefixtures("crowding")
def test_the_lineage_of_a_level_says_that_it_is_made_of_counts(
    recorded: list[DecisionRecord | Lineage],
) -> None:
    told = [(one.result, one.kind) for one in recorded if isinstance(one, Lineage)]
    assert told == [("crowd:noor", CROWD), ("crowd:piet", CROWD)]


def marks(store: Store) -> dict[str, str | None]:
    """By what the level of each street is marked."""
    return {one.place: one.withdrawn_ground for one in store.results.of_kind(CROWD)}


def test_levels_that_are_made_while_a_person_is_erased_leave_the_marks_also_where_no_count_is_left(
    crowding: Crowding, store: Store, erased: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = store.observations.recent

    def meanwhile(*asked: Any) -> list[Reading]:
        found = recent(*asked)
        erased()
        return found

    with monkeypatch.context() as during:
        during.setattr(store.observations, "recent", meanwhile)
        crowding.round(GARAGES)
    assert marks(store) == {"noor": REQUEST, "piet": REQUEST}, "what was being made holds a row that has gone"
    crowding.round(GARAGES)
    assert marks(store) == {"noor": REQUEST, "piet": None}


def test_levels_that_are_being_kept_when_a_person_is_erased_are_marked_after_that(
    crowding: Crowding, store: Store, erased: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    save, erasing = store.results.save, threading.Thread(target=erased)

    def meanwhile(*kept: Any) -> None:
        erasing.start()
        erasing.join(0.3)
        assert erasing.is_alive(), "it waits for what is being kept"
        save(*kept)

    monkeypatch.setattr(store.results, "save", meanwhile)
    crowding.round(GARAGES)
    erasing.join(10)
    assert marks(store) == {"noor": REQUEST, "piet": REQUEST}
