"""What gates look at of requests of persons: as much as there are persons, however often each of them asks."""

from __future__ import annotations

from itertools import permutations

import pytest

from dmi_agreements.contracts.law import Correction, SubjectRequest
from dmi_agreements.decision import Request
from dmi_agreements.rights import ALL_ROWS, ERASURE, OBJECTION, RECTIFICATION, Rights

BICYCLES, CAMERAS = (f"urn:dmi:dataset:gemeente:{name}" for name in ("bicycle-air", "cameras"))
NOOR, PIET = "urn:dmi:person:noor", "urn:dmi:person:piet"
MOBILITY = "dmi:purpose:mobility"


def asked(number: int, right: str = ERASURE, person: str = NOOR, dataset: str = BICYCLES) -> SubjectRequest:
    more = {"corrections": [Correction("a", 1, 2.0)]} if right == RECTIFICATION else {}
    return SubjectRequest(f"urn:uuid:{number}", person, right, dataset, number, **more)  # type: ignore[arg-type]


def reading(dataset: str = BICYCLES) -> Request:
    return Request("urn:dmi:participant:stack", "dmi:read", dataset, MOBILITY)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_farthest_reaching_erasure_counts_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    rights, events = Rights(), [asked(1), asked(9), asked(5), asked(7, person=PIET)]
    for place in order:
        assert rights.apply(events[place]).changed
    assert rights.erased(BICYCLES) == {NOOR: 9, PIET: 7}
    assert rights.left_out(reading()) == {NOOR: 9, PIET: 7}
    assert {one.id for one in rights} == {one.id for one in events}, "each is known, and carried out"


def test_what_gates_go_through_does_not_grow_with_repetition() -> None:
    rights = Rights()
    for number in range(1, 1001):
        rights.apply(asked(number))
        rights.apply(asked(10_000 + number, RECTIFICATION))
    assert len(rights._of[BICYCLES]) == 1
    rights.apply(asked(20_000, OBJECTION))
    assert rights.left_out(reading()) == {NOOR: ALL_ROWS}
    assert rights.erased(BICYCLES) == {NOOR: 1000}


def test_an_answer_is_worked_out_anew_for_what_keeps_rows_of_that_dataset_back_alone() -> None:
    rights = Rights()
    rights.apply(asked(1))
    rights.apply(asked(2, person=PIET, dataset=CAMERAS))
    before = rights.left_out(reading())
    for event in (asked(3, dataset=CAMERAS), asked(4, RECTIFICATION)):
        rights.apply(event)
        assert rights.left_out(reading()) is before
    rights.apply(asked(5, person=PIET))
    assert rights.left_out(reading()) == {NOOR: 1, PIET: 5}
    assert rights.left_out(reading(CAMERAS)) == {PIET: 2, NOOR: 3}
