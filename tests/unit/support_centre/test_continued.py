"""A consent that is given once more: the city's results go on under it, and fall with it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.contracts.results import Grounds
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.gate import Gate
from dmi_support_centre.grounds import Book
from dmi_support_centre.model import Result
from dmi_support_centre.store import Store
from tests.unit.support_centre.laws import GARAGES, NOOR, OWNER, Agree, withdrawals_of

COARSE = {"action": "dmi:coarsen", "constraint": [
    {"leftOperand": "dmi:gridSize", "operator": "eq", "rightOperand": 500}]}  # fmt: skip


def until(year: int) -> dict[str, Any]:
    right = {"@value": f"{year}-01-01T00:00:00Z", "@type": "xsd:dateTime"}
    return {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": right}


def replace(law: LawTable, old: AgreementState, new: AgreementState) -> None:
    """As the exchange tells it: the new one, then the end of the old one."""
    law.apply(msgspec.structs.replace(new, replaces=old.id))
    law.apply(
        msgspec.structs.replace(old, state="ended", ended_at=clock.now(), ended_by=NOOR, replaced_by=new.id)
    )


@pytest.fixture
def first(store: Store, law: LawTable, agree: Agree) -> AgreementState:
    """A consent, and a result that rests on it."""
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Garages"}, personal=True, basis="dmi:basis:consent"))
    agree(1)
    given = agree(2, assigner=NOOR, limits=[until(2090)])
    made = Result("urn:r", "forecast", "F", "p", clock.now(), Grounds([GARAGES], [], [given.id]), {})
    store.results.save([made])
    return given


def kept(store: Store) -> Result:
    found = store.results.get("urn:r")
    assert found is not None
    return found


def test_what_rests_on_a_consent_goes_on_under_the_same_given_once_more_and_falls_with_that(
    store: Store, gate: Gate, law: LawTable, agree: Agree, first: AgreementState
) -> None:
    book, withdrawals = Book(store, gate), withdrawals_of(store, law)
    second = agree(3, assigner=NOOR, limits=[until(2091)])
    replace(law, first, second)
    third = agree(4, assigner=NOOR, limits=[until(2092)])
    replace(law, msgspec.structs.replace(second, replaces=first.id), third)
    for ended in (first, second):
        assert withdrawals.withdraw(ended.id) == 0
    assert book.withdrawal(kept(store)) is None
    law.apply(msgspec.structs.replace(third, replaces=second.id, state="ended", ended_at=clock.now()))
    found = book.withdrawal(kept(store))
    assert found is not None, "before the mark is written"
    assert withdrawals.withdraw(third.id) == 1
    marked = book.withdrawal(kept(store))
    assert kept(store).withdrawn_at is not None
    assert marked is not None
    assert marked.reason.startswith("a person's consent has been withdrawn")


@pytest.mark.parametrize(
    "other",
    [{"duties": [COARSE]}, {"actions": ["dmi:analyse"]}, {"limits": [until(2090), until(2089)]}],
    ids=["another limit", "fewer actions", "another condition"],
)
def test_a_consent_that_says_something_else_takes_results_back_and_they_say_that_it_was_replaced(
    store: Store, gate: Gate, law: LawTable, agree: Agree, first: AgreementState, other: dict[str, Any]
) -> None:
    replace(law, first, agree(3, **{"assigner": NOOR, "limits": [until(2090)], **other}))
    assert withdrawals_of(store, law).withdraw(first.id) == 1
    found = Book(store, gate).withdrawal(kept(store))
    assert found is not None
    assert found.reason.startswith("a person's consent has been replaced by another one of that person")
    assert found.of_person
