"""The ground under results: withdrawn at once when an agreement ends, and never shown to whom it is refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest

from dmi_agreements.changes import Change
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import (
    AgreementState,
    Correction,
    Dataset,
    Participant,
    SubjectRequest,
)
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_agreements.decision import EVERYONE
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.desk import Desk, undutied
from dmi_support_centre.grounds import Book, joined
from dmi_support_centre.model import Place, Result
from dmi_support_centre.store import Store
from tests.unit.support_centre.laws import (
    GARAGES,
    NOOR,
    OWNER,
    PIET,
    VENDOR,
    Agree,
    take_back,
    withdrawals_of,
)

Door = Callable[..., Opening]
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
DELAY = {
    "action": "dmi:delay",
    "constraint": [
        {
            "leftOperand": "dmi:seconds",
            "operator": "eq",
            "rightOperand": {"@value": "300", "@type": "xsd:integer"},
            "unit": "s",
        }
    ],
}


def result(ground: AgreementState, identifier: str = "forecast:a") -> Result:
    return Result(identifier, "forecast", "Verwachting", "a", 1, Grounds([GARAGES], [ground.id]), {})


@pytest.fixture
def book(store: Store, gate: Gate) -> Book:
    return Book(store, gate)


def test_a_result_is_withdrawn_the_moment_the_law_says_so_before_any_mark_is_written(
    book: Book, agree: Agree
) -> None:
    made = result(agree(1))
    assert book.withdrawal(made) is None
    ended = agree(1, state="ended")
    found = book.withdrawal(made)
    assert found is not None
    assert (found.ground, found.moment) == (ended.id, ended.ended_at)


def test_a_dataset_that_left_the_catalogue_withdraws_what_rested_on_it(
    book: Book, agree: Agree, law: LawTable
) -> None:
    made = result(agree(1))
    law.apply(Dataset(GARAGES, OWNER, {}, withdrawn=True))
    found = book.withdrawal(made)
    assert found is not None
    assert found.ground == GARAGES


def test_marking_tells_of_each_result_once_and_forgets_the_basis(
    store: Store, law: LawTable, agree: Agree
) -> None:
    first, second = agree(1), agree(2)
    store.results.save([result(first), result(second, "forecast:b")])
    store.observations.save([], [], {GARAGES: {first.id, second.id}}, {})
    told: list[Result] = []
    withdrawals = withdrawals_of(store, law, told)
    ended = agree(1, state="ended")
    assert withdrawals.withdraw(ended.id) == 1
    assert withdrawals.withdraw(ended.id) == 0
    assert [(one.id, one.withdrawn_at) for one in told] == [("forecast:a", ended.ended_at)]
    assert store.observations.basis(GARAGES) == {second.id}
    kept = store.results.get("forecast:a")
    assert kept is not None
    assert kept.withdrawn_ground == ended.id


@pytest.mark.parametrize(("basis", "marked"), [("", ["mine"]), ("dmi:basis:public-task", ["mine", "others"])])
def test_what_was_made_of_a_value_that_a_person_corrected_is_marked_and_made_again(
    store: Store, law: LawTable, agree: Agree, basis: str, marked: list[str]
) -> None:
    law.apply(Dataset(BICYCLES, OWNER, {}, personal=True, basis=basis))
    hers, theirs = agree(1, dataset=BICYCLES, assigner=NOOR).id, agree(2, dataset=BICYCLES, assigner=PIET).id
    mine = Result("mine", "crowd", "", "a", 1, Grounds([BICYCLES], [], [hers, theirs]), {})
    others = Result("others", "crowd", "", "b", 1, Grounds([BICYCLES], [], [theirs]), {})
    elsewhere = Result("elsewhere", "crowd", "", "c", 1, Grounds([GARAGES], [], [hers]), {})
    store.results.save([mine, others, elsewhere])
    told: list[Result] = []
    withdrawals = withdrawals_of(store, law, told)
    request = SubjectRequest(
        "urn:uuid:asked", NOOR, "rectification", BICYCLES, 5,
        corrections=[Correction("x", 1, 2.0)],
    )  # fmt: skip
    law.apply(request)
    withdrawals.start()
    withdrawals.corrected(request.id)
    for _ in range(100):
        if told:
            break
        withdrawals._thread.join(0.05)
    withdrawals.stop()
    assert sorted(one.id for one in told) == marked
    assert {one.withdrawn_ground for one in told} == {request.id}


def test_a_correction_finds_what_rests_on_a_consent_that_was_given_once_more_many_times(
    store: Store, law: LawTable, agree: Agree
) -> None:
    law.apply(Dataset(BICYCLES, OWNER, {}, personal=True))
    given = [agree(number, dataset=BICYCLES, assigner=NOOR) for number in range(1, 8)]
    for old, new in pairwise(given):
        law.apply(msgspec.structs.replace(old, state="ended", ended_at=clock.now(), replaced_by=new.id))
    store.results.save([Result("old", "crowd", "", "a", 1, Grounds([BICYCLES], [], [given[2].id]), {})])
    request = SubjectRequest("urn:uuid:asked", NOOR, "rectification", BICYCLES, 5)
    law.apply(request)
    assert withdrawals_of(store, law).withdraw(request.id) == 1


def test_what_ended_while_the_service_was_away_is_found_at_the_start(
    store: Store, law: LawTable, agree: Agree
) -> None:
    store.results.save([result(agree(1))])
    agree(1, state="ended")
    told: list[Result] = []
    withdrawals = withdrawals_of(store, law, told)
    withdrawals.start()
    for _ in range(100):
        if told:
            break
        withdrawals._thread.join(0.05)
    withdrawals.stop()
    assert [one.id for one in told] == ["forecast:a"]


def test_what_is_made_now_rests_on_the_permit_and_on_what_its_data_came_in_under(
    book: Book, store: Store, gate: Gate, agree: Agree
) -> None:
    old, gone, now = agree(1), agree(2), agree(3, actions=["dmi:analyse"])
    store.observations.save([], [], {GARAGES: {old.id, gone.id}}, {})
    agree(2, state="ended")
    grounds = book.ground_of(gate.permit("indicators", "dmi:analyse", GARAGES))
    assert set(grounds.agreements) <= {old.id, now.id}
    assert old.id in grounds.agreements
    assert gone.id not in grounds.agreements


def test_lineage_is_told_once_as_long_as_the_ground_stays(
    book: Book, agree: Agree, recorded: list[DecisionRecord | Lineage]
) -> None:
    made = result(agree(1))
    book.tell(made, "forecast", ["a", "b"])
    book.tell(made, "forecast", ["a", "b"])
    book.tell(result(agree(2)), "forecast", ["a", "b"])
    told = [one for one in recorded if isinstance(one, Lineage)]
    assert [(one.result, one.transformations) for one in told] == [("forecast:a", ["a", "b"])] * 2


def test_a_desk_asks_the_gate_once_per_dataset_and_names_what_was_refused(
    opening: Door, agree: Agree, recorded: list[DecisionRecord | Lineage]
) -> None:
    agree(1)
    desk = Desk(opening(VENDOR))
    assert [desk.may(Grounds([GARAGES])), desk.may(Grounds([GARAGES]))] == [False, False]
    assert len(recorded) == 1
    [problem] = desk.problems()
    assert (problem["status"], problem["dataset"]) == (403, GARAGES)
    with pytest.raises(Refused):
        desk.insist(Grounds([GARAGES]))


def test_open_data_lets_every_member_see_what_rests_on_it(opening: Door, agree: Agree) -> None:
    agree(1)
    agree(2, assignee=EVERYONE, actions=["dmi:read"])
    assert Desk(opening(VENDOR)).may(Grounds([GARAGES]))


def test_a_duty_that_cannot_be_done_to_a_result_refuses_it(gate: Gate, agree: Agree, opening: Door) -> None:
    agree(1)
    agree(2, assignee=VENDOR, actions=["dmi:read"], duties=[DELAY])
    permit = opening(VENDOR).permit(GARAGES)
    with pytest.raises(Refused) as refused:
        undutied(permit)
    assert refused.value.reasons[0].code == "duty_not_possible"
    assert not Desk(opening(VENDOR)).may(Grounds([GARAGES]))


def test_joined_grounds_hold_each_id_once() -> None:
    both = joined([Grounds(["d"], ["a", "b"]), Grounds(["d", "e"], ["b"], ["c"])])
    assert both == Grounds(["d", "e"], ["a", "b"], ["c"])


def test_a_persons_own_rows_are_no_right_to_a_conclusion_about_others(
    law: LawTable, agree: Agree, opening: Door
) -> None:
    noor = "urn:dmi:person:noor"
    law.apply(Participant(noor, noor, [], rulebook="1.0.0"))
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True, basis="dmi:basis:public-task"))
    agree(1)
    for door, code in (
        (opening(noor, "export", "dmi:export"), "duty_not_possible"),
        (opening(noor, "indicators", "dmi:read"), "no_agreement"),
    ):
        with pytest.raises(Refused) as refused:
            Desk(door).insist(Grounds([GARAGES]))
        assert [reason.code for reason in refused.value.reasons] == [code]


@pytest.mark.parametrize("basis", ["", "dmi:basis:public-task"])
def test_results_of_persons_rows_bear_no_name_and_place_of_their_sensors(
    store: Store, law: LawTable, basis: str
) -> None:
    about = {"thing": "bike.1", "observed_property": "crowd_count", "capacity": 3}
    bike = Feature("bike.1", "thing", "Fiets van Noor", {"type": "Point", "coordinates": [5.1, 52.1]})
    stream = Feature("bike.1.count", "datastream", "Fiets van Noor", None, about)
    store.observations.save([(GARAGES, bike), (GARAGES, stream)], [], {}, {})
    atlas = Atlas(store.observations, law)
    [open_] = atlas.places("crowd_count")
    assert (open_.name, open_.geometry) == ("Fiets van Noor", bike.geometry)
    law.apply(Dataset(GARAGES, OWNER, {}, personal=True, basis=basis))
    assert atlas.places("crowd_count") == [Place("bike.1", GARAGES, "bike.1", "bike.1.count", about)]
    assert atlas.name("bike.1") == "bike.1"


@pytest.mark.parametrize("change", ["started", "ended", "marked", "erasure", "objection", "rectification"])
def test_what_changes_a_ground_has_all_made_again_at_once_not_with_the_next_data(
    store: Store, law: LawTable, agree: Agree, change: str
) -> None:
    again: list[str] = []
    withdrawals = withdrawals_of(store, law, on_changed=lambda: again.append(change))
    if change == "started":
        withdrawals.listen(Change("agreement", "urn:uuid:g", True, started=("urn:uuid:g",)))
    elif change == "ended":
        withdrawals.listen(Change("agreement", "urn:uuid:g", True, ended=("urn:uuid:g",)))
    elif change == "marked":
        store.results.save([result(agree(1))])
        assert withdrawals.withdraw(agree(1, state="ended").id) == 1
    else:
        law.apply(Dataset(GARAGES, OWNER, {}, personal=True, basis="dmi:basis:public-task"))
        request = SubjectRequest("urn:uuid:asked", NOOR, change, GARAGES, clock.now())
        law.apply(request)
        if change == "rectification":
            assert withdrawals.withdraw(request.id) == 0, "also where nothing was marked"
        else:
            take_back(withdrawals, request)
    assert again


def test_a_place_ends_with_its_thing_or_its_datastream(
    store: Store, law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    features = []
    for name, thing_until, stream_until in (
        ("a", now - 1, None),
        ("b", None, now - 1),
        ("c", None, now + 1000),
    ):
        about = {"thing": name, "observed_property": "occupancy"}
        features.append((GARAGES, Feature(name, "parking", name, valid_to=thing_until)))
        stream = Feature(f"{name}.occupancy", "datastream", name, None, about, valid_to=stream_until)
        features.append((GARAGES, stream))
    store.observations.save(features, [], {}, {})
    atlas = Atlas(store.observations, law)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert [place.id for place in atlas.places("occupancy")] == ["c"]
    monkeypatch.setattr(clock, "now", lambda: now + 1000)
    assert atlas.places("occupancy") == []
