"""What a layer keeps goes after the term that it promised: under the agreement, after its end, and without consents."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_infra.errors import Unavailable
from dmi_infra.retention import Retention
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    SECOND,
    STACK,
    VENDOR,
    Court,
    eventually,
    until,
)

DAY = 86_400 * SECOND
LAYERS = ("dmi:process", "dmi:analyse")
"""By what right platform and map keep rows, and by what right the support centre does."""
COMMERCE = "dmi:purpose:commercial"


class Shelf:
    """A layer with a row of each age in days, of every dataset; ``faults`` are raised by the next deletions."""

    def __init__(self, *datasets: str) -> None:
        self.rows = {dataset: list(range(1, 61)) for dataset in datasets}
        self.faults: list[Exception] = []

    def kept_datasets(self) -> list[str]:
        return sorted(self.rows)

    def delete_before(self, dataset: str, at: int) -> int:
        if self.faults:
            raise self.faults.pop()
        rows = self.rows[dataset]
        self.rows[dataset] = [age for age in rows if NOW - age * DAY >= at]
        return len(rows) - len(self.rows[dataset])


class Layer:
    """A layer that keeps rows of a dataset by its right to an action."""

    def __init__(self, action: str = "dmi:process", dataset: str = GARAGES) -> None:
        self.court, self.action, self.dataset = Court(), action, dataset
        self.shelf = Shelf(dataset)
        self.retention = Retention(self.shelf, self.court.gate, action, 600, self.court.clock)

    def agree(self, days: int | None = None, **more: Any) -> AgreementState:
        duties = [] if days is None else [term(days)]
        return self.court.agree(STACK, self.action, dataset=self.dataset, duties=duties, **more)

    def ended(self, days: int | None, ago: int, **more: Any) -> None:
        """An agreement that ended so many days ago."""
        state = self.agree(days, **more)
        self.court.clock.at -= ago * DAY
        self.court.end(state)
        self.court.clock.at += ago * DAY

    def oldest(self) -> int:
        """The age in days of the oldest row that a round leaves."""
        self.retention.round()
        return max(self.shelf.rows[self.dataset], default=0)


def term(days: int) -> dict[str, Any]:
    test = {"leftOperand": "dmi:days", "operator": "eq", "rightOperand": days}
    return {"action": "dmi:deleteAfter", "constraint": [test]}


@pytest.mark.parametrize("action", LAYERS)
def test_the_term_holds_in_force_and_after_the_end(action: str) -> None:
    layer = Layer(action)
    state = layer.agree(30)
    assert layer.oldest() == 30
    layer.court.end(state)
    layer.court.clock.at += 10 * DAY
    layer.court.beat()
    assert layer.oldest() == 20, "what was promised is still owed"


@pytest.mark.parametrize("action", LAYERS)
def test_rows_of_persons_go_whether_they_withdrew_or_never_consented(action: str) -> None:
    layer = Layer(action, BICYCLES)
    layer.agree(30)
    assert layer.oldest() == 30, "nobody has consented"
    consent = layer.court.agree(STACK, action, dataset=BICYCLES, assigner=NOOR)
    layer.court.end(consent)
    layer.court.clock.at += 10 * DAY
    layer.court.beat()
    assert layer.oldest() == 20, "the last one has withdrawn; her own rows were kept for her up to the term"


def test_an_agreement_that_ran_out_by_itself_is_followed_too() -> None:
    layer = Layer()
    layer.agree(30, constraints=[until(1)])
    layer.court.clock.at += 5 * DAY
    layer.court.beat()
    assert layer.oldest() == 25


def test_what_keeps_the_right_from_being_used_now_does_not_lift_the_term() -> None:
    layer = Layer()
    limit = {"@value": "0", "@type": "xsd:integer"}
    layer.agree(30, constraints=[{"leftOperand": "count", "operator": "lteq", "rightOperand": limit}])
    entry = layer.court.law.datasets[GARAGES]
    layer.court.law.apply(Dataset(entry.id, entry.owner, entry.title, purpose=MOBILITY, withdrawn=True))
    assert layer.oldest() == 30


@pytest.mark.parametrize(("terms", "left"), [((30, 7), 7), ((7, 30), 7), ((None, 7), 7), ((None, None), 60)])
def test_of_several_in_force_each_promise_is_kept(terms: tuple[int | None, ...], left: int) -> None:
    layer = Layer()
    for days in terms:
        layer.agree(days)
    assert layer.oldest() == left


def test_one_in_force_goes_before_those_that_ended() -> None:
    layer = Layer()
    layer.ended(7, ago=1)
    layer.agree(30)
    assert layer.oldest() == 30, "its owner lets the layer keep the rows for longer now"


@pytest.mark.parametrize(("first", "last", "left"), [(7, 30, 30), (30, 7, 7), (7, None, 60)])
def test_of_those_that_ended_the_last_one_counts(first: int, last: int | None, left: int) -> None:
    layer = Layer()
    layer.ended(first, ago=5)
    layer.ended(last, ago=2)
    assert layer.oldest() == left


def test_one_for_another_purpose_counts_only_where_none_is_for_that_of_the_layer() -> None:
    layer = Layer()
    layer.agree(7, purpose=COMMERCE)
    base = layer.agree(30)
    assert layer.oldest() == 30
    layer.court.end(base)
    assert layer.oldest() == 30
    other = Layer()
    other.agree(7, purpose=COMMERCE)
    assert other.oldest() == 7


def test_nothing_is_deleted_for_what_never_was_agreed_with_this_layer() -> None:
    layer = Layer()
    layer.court.agree(VENDOR, layer.action, duties=[term(1)])
    layer.agree(7, assigner=VENDOR)
    coming = {"leftOperand": "dateTime", "operator": "gteq", "rightOperand": until(3)["rightOperand"]}
    layer.court.end(layer.agree(7, constraints=[coming]))
    assert layer.oldest() == 60, "another's, one of who is not the owner, and one that never began"
    layer.agree(7)
    layer.court.clock.at += 60 * SECOND
    assert layer.oldest() == 60, "the law is too old to delete by"


def test_a_deletion_that_fails_keeps_neither_the_next_dataset_nor_the_next_round_from_it() -> None:
    layer = Layer()
    layer.shelf.rows[BICYCLES] = [40]
    layer.agree(30)
    layer.court.agree(STACK, layer.action, dataset=BICYCLES, duties=[term(30)])
    layer.shelf.faults = [ValueError("a row that cannot be read")]
    assert layer.retention.round() == 30
    assert layer.shelf.rows == {BICYCLES: [40], GARAGES: list(range(1, 31))}
    layer.shelf.faults = [Unavailable("the store is away")]
    with pytest.raises(Unavailable):
        layer.retention.round()
    assert layer.retention.round() == 1


def test_its_thread_outlives_a_round_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer()
    layer.agree(30)
    failing = [ValueError("once"), Unavailable("twice")]
    listing = layer.shelf.kept_datasets

    def listed() -> list[str]:
        if failing:
            raise failing.pop()
        return listing()

    monkeypatch.setattr(layer.shelf, "kept_datasets", listed)
    part = Retention(layer.shelf, layer.court.gate, layer.action, 0.01, layer.court.clock)
    part.start()
    eventually(lambda: max(layer.shelf.rows[GARAGES]) == 30)
    part.stop()


def test_the_owner_keeps_its_own_data_without_a_term() -> None:
    layer = Layer()
    layer.court.law.apply(Dataset(GARAGES, STACK, {"nl": "Garages"}, purpose=MOBILITY))
    layer.court.agree(STACK, layer.action, duties=[term(7)], assigner=OWNER)
    assert layer.oldest() == 60
