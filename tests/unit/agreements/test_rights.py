"""What gates look at of requests of persons: as much as there are persons, however often each of them asks."""

from __future__ import annotations

import copy
import time
from itertools import permutations
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import Correction, SubjectRequest
from dmi_agreements.decision import Request
from dmi_agreements.rights import ALL_ROWS, ERASURE, OBJECTION, RECTIFICATION, Rights
from dmi_agreements.rulebook import Rulebook, rulebook_of
from dmi_agreements.versions import Rulebooks

BICYCLES, CAMERAS = (f"urn:dmi:dataset:gemeente:{name}" for name in ("bicycle-air", "cameras"))
NOOR, PIET = "urn:dmi:person:noor", "urn:dmi:person:piet"
MOBILITY = "dmi:purpose:mobility"


@pytest.fixture
def rights(rulebook: Rulebook) -> Rights:
    return Rights(Rulebooks(rulebook))


def asked(
    number: int, right: str = ERASURE, person: str = NOOR, dataset: str = BICYCLES, **more: Any
) -> SubjectRequest:
    more |= {"corrections": [Correction("a", 1, 2.0)]} if right == RECTIFICATION else {}
    return SubjectRequest(f"urn:uuid:{number}", person, right, dataset, number, **more)


def reading(dataset: str = BICYCLES, purpose: str = MOBILITY) -> Request:
    return Request("urn:dmi:participant:stack", "dmi:read", dataset, purpose)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_farthest_reaching_erasure_counts_in_whatever_order_they_come(
    order: tuple[int, ...], rights: Rights
) -> None:
    events = [asked(1), asked(9), asked(5), asked(7, person=PIET)]
    for place in order:
        assert rights.apply(events[place]).changed
    assert rights.erased(BICYCLES) == {NOOR: 9, PIET: 7}
    assert rights.left_out(reading()) == {NOOR: 9, PIET: 7}
    assert {one.id for one in rights} == {one.id for one in events}, "each is known, and carried out"


def test_what_gates_go_through_does_not_grow_with_repetition(rights: Rights) -> None:
    for number in range(1, 1001):
        rights.apply(asked(number))
        rights.apply(asked(10_000 + number, RECTIFICATION))
    assert len(rights._of[BICYCLES]) == 1
    rights.apply(asked(20_000, OBJECTION))
    assert rights.left_out(reading()) == {NOOR: ALL_ROWS}
    assert rights.erased(BICYCLES) == {NOOR: 1000}


def test_taking_in_a_request_costs_as_much_whoever_else_asked(rights: Rights) -> None:
    began = time.perf_counter()
    for number in range(20_000):
        rights.apply(asked(number, (ERASURE, OBJECTION)[number % 2], person=f"urn:dmi:person:{number // 2}"))
    # A tenth of a second where each costs the same; half a minute where each goes through those before.
    assert time.perf_counter() - began < 5
    assert len(rights.left_out(reading())) == 10_000


def test_one_of_two_objections_of_a_person_ends_alone(rights: Rights) -> None:
    first, second = asked(1, OBJECTION), asked(2, OBJECTION, purpose=MOBILITY)
    for one in (first, second, msgspec.structs.replace(first, state="ended")):
        rights.apply(one)
    assert rights.left_out(reading()) == {NOOR: ALL_ROWS}
    rights.apply(msgspec.structs.replace(second, state="ended"))
    assert rights.left_out(reading()) == {}


def test_an_answer_is_worked_out_anew_for_what_keeps_rows_of_that_dataset_back_alone(
    rights: Rights,
) -> None:
    rights.apply(asked(1))
    rights.apply(asked(2, person=PIET, dataset=CAMERAS))
    before = rights.left_out(reading())
    for event in (asked(3, dataset=CAMERAS), asked(4, RECTIFICATION)):
        rights.apply(event)
        assert rights.left_out(reading()) is before
    rights.apply(asked(5, person=PIET))
    assert rights.left_out(reading()) == {NOOR: 1, PIET: 5}
    assert rights.left_out(reading(CAMERAS)) == {PIET: 2, NOOR: 3}


@pytest.mark.parametrize(
    ("objection", "back", "given"),
    [
        ("commercial", ["commercial", "marketing", "commercial-research"], ["mobility", "public-task"]),
        ("marketing", ["marketing", "commercial"], ["commercial-research", "mobility"]),
        ("public-task", ["public-task", "mobility", "parking-guidance", "noise"], ["commercial"]),
        ("mobility", ["public-task", "mobility", "parking-guidance"], ["noise", "environment", "commercial"]),
        ("unheard-of", ["mobility", "marketing"], []),
        ("", ["mobility", "marketing"], []),
    ],
)
def test_an_objection_is_to_its_purpose_and_all_below_and_above_it(
    objection: str, back: list[str], given: list[str], rights: Rights
) -> None:
    rights.apply(asked(1, OBJECTION, purpose=objection and f"dmi:purpose:{objection}"))
    for names, kept in ((back, {NOOR: ALL_ROWS}), (given, {})):
        for name in names:
            assert rights.left_out(reading(purpose=f"dmi:purpose:{name}")) == kept, name


def test_an_objection_reaches_what_a_later_version_of_the_rulebook_puts_below_its_purpose(
    rulebook: Rulebook,
) -> None:
    rulebooks = Rulebooks(rulebook)
    rights, new = Rights(rulebooks), "dmi:purpose:bicycle-routes"
    rights.apply(asked(1, OBJECTION, purpose=MOBILITY))
    assert rights.left_out(reading(purpose=new)) == {}
    files = copy.deepcopy(dict(rulebook.files))
    files["rulebook.json"] |= {"version": "1.1.0", "accepted": ["1.0.0"]}
    parking = next(one for one in files["purposes.json"] if one["id"] == "dmi:purpose:parking-guidance")
    files["purposes.json"].append({**parking, "id": new})
    rulebooks.adopt(rulebook_of(files))
    assert rights.left_out(reading(purpose=new)) == {NOOR: ALL_ROWS}
