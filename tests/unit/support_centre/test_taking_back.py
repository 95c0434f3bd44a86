"""A person's request takes back what may rest on its rows, by whatever way these have gone, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.contracts.law import Dataset, SubjectRequest
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.exercising import Exercising, Marks
from dmi_infra.gate import Gate
from dmi_support_centre.model import CROWD, Reading, Result
from dmi_support_centre.store import Store
from dmi_support_centre.store.tables import positions
from tests.unit.support_centre.laws import GARAGES, NOOR, OWNER, PIET, withdrawals_of

PUBLIC_TASK = "dmi:basis:public-task"


class Centre:
    """A support centre with data about persons that rests on a public task, and what carries out their requests."""

    def __init__(self, store: Store, law: LawTable, gate: Gate) -> None:
        self.store, self.law = store, law
        self.part = Exercising(
            store.observations, Marks(store.engine, positions), gate, results=withdrawals_of(store, law)
        )
        law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True, basis=PUBLIC_TASK))

    def measured(self, *persons: str, ago: int = 0) -> None:
        at = clock.now() - ago
        rows = [Reading(f"{who}.crowd_count", GARAGES, "crowd_count", at, 5.0, who) for who in persons]
        self.store.observations.save([], rows, {}, {})

    def made(self, identifier: str, at: int | None = None) -> None:
        made_at = clock.now() if at is None else at
        self.store.results.save([Result(identifier, CROWD, "", "a", made_at, Grounds([GARAGES]), {})])

    def asks(self, person: str, right: str = "erasure", until: int = 0) -> int | None:
        now = clock.now()
        request = SubjectRequest(f"urn:uuid:{now}", person, right, GARAGES, now, measured_until=until)
        self.law.apply(request)
        return self.part.carry_out(request)

    def marked(self) -> dict[str, bool]:
        return {one.id: one.withdrawn_ground is not None for one in self.store.results.of_kind(CROWD)}


@pytest.fixture
def centre(store: Store, law: LawTable, gate: Gate) -> Centre:
    return Centre(store, law, gate)


def told(recorded: list[DecisionRecord | Lineage]) -> list[int | None]:
    return [one.taken_back for one in recorded if isinstance(one, DecisionRecord)]


@pytest.mark.parametrize("right", ["erasure", "objection"])
def test_who_never_had_rows_takes_nothing_back_and_who_had_takes_all_back_once(
    centre: Centre, recorded: list[DecisionRecord | Lineage], right: str
) -> None:
    centre.measured(PIET)
    centre.made("first")
    assert centre.asks(NOOR, right) == 0
    assert centre.marked() == {"first": False}
    before = clock.now()
    assert centre.asks(PIET, right) == 2
    assert centre.marked() == {"first": True}
    centre.made("second")
    assert centre.asks(PIET, right) == 0
    assert centre.marked() == {"first": True, "second": False}, "it is of none of his rows"
    nothing, all_, again = told(recorded)
    assert nothing == again == centre.store.seen.since()
    assert all_ is not None
    assert before <= all_ <= clock.now()


def test_results_of_rows_whose_term_ended_are_taken_back(centre: Centre) -> None:
    centre.measured(NOOR)
    centre.made("a")
    assert centre.store.observations.delete_before(GARAGES, clock.now() + 1) > 0
    assert centre.asks(NOOR) == 0
    assert centre.marked() == {"a": True}


def test_rows_of_which_nothing_tells_whose_they_are_may_be_hers(centre: Centre) -> None:
    centre.measured("", PIET)
    for number in range(2):
        centre.made(f"a{number}")
        centre.asks(NOOR)
    assert centre.marked() == {"a0": True, "a1": True}


def test_results_from_before_it_was_noted_may_rest_on_anybodys_rows(centre: Centre) -> None:
    centre.measured(PIET)
    since = centre.store.seen.since()
    centre.made("before", since)
    centre.made("after", since + 1)
    centre.asks(NOOR)
    assert centre.marked() == {"before": True, "after": False}


def test_results_of_rows_that_an_erasure_leaves_are_taken_back_by_the_next_one(centre: Centre) -> None:
    centre.measured(NOOR)
    centre.asks(NOOR, until=clock.now() - 60_000_000)
    centre.made("of what is left")
    assert centre.store.observations.delete_before(GARAGES, clock.now() + 1) > 0
    centre.asks(NOOR)
    assert centre.marked() == {"of what is left": True}


def test_results_of_rows_that_came_in_late_are_taken_back(centre: Centre) -> None:
    centre.measured(NOOR, ago=60_000_000)
    centre.asks(NOOR)
    centre.measured(NOOR, ago=30_000_000)
    centre.made("late")
    (later,) = centre.part._again
    centre.part._swept(later)
    assert centre.marked() == {"late": True}
    assert not centre.store.seen.may_hold(GARAGES, NOOR)


@pytest.mark.parametrize("step", ["marks.withdraw_over", "seen.forget"])
def test_a_stop_before_all_was_done_has_the_next_start_do_it(
    centre: Centre, gate: Gate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def away(*_args: Any) -> None:
        raise Unavailable("the store is away")

    centre.measured(NOOR)
    centre.made("a")
    part, name = step.split(".")
    with monkeypatch.context() as during:
        during.setattr(getattr(centre.store, part), name, away)
        with pytest.raises(Unavailable):
            centre.asks(NOOR)
    assert centre.marked() == {"a": step == "seen.forget"}
    (request,) = centre.law.rights
    again = Centre(centre.store, centre.law, gate)
    assert again.part.carry_out(request) == 0
    assert centre.marked() == {"a": True}
    assert not centre.store.seen.may_hold(GARAGES, NOOR)


def test_what_is_kept_between_the_record_and_the_marks_is_taken_back(
    centre: Centre, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = gate.exercised

    def meanwhile(*args: Any) -> str:
        told = record(*args)
        centre.made("meanwhile")
        return told

    centre.measured(NOOR)
    monkeypatch.setattr(gate, "exercised", meanwhile)
    centre.asks(NOOR)
    assert centre.marked() == {"meanwhile": True}


def test_under_consent_nothing_but_the_consents_takes_results_back(
    centre: Centre, recorded: list[DecisionRecord | Lineage]
) -> None:
    centre.law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True))
    centre.measured(NOOR)
    centre.made("a")
    assert centre.asks(NOOR) == 2
    assert (centre.marked(), told(recorded)) == ({"a": False}, [0])
    assert not centre.store.seen.may_hold(GARAGES, NOOR)
