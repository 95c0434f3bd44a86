"""Results made of persons' rows: for recipients to whom all of these persons consent, and told to each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.contracts.record import DELIVERED, DecisionRecord
from dmi_agreements.contracts.results import Grounds, Lineage, Measure
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.crowding import Crowding
from dmi_support_centre.desk import Desk, consented
from dmi_support_centre.grounds import Book, Workshop
from dmi_support_centre.handlers import Views
from dmi_support_centre.model import CROWD, MINUTE, Reading, Result
from dmi_support_centre.scoring import Scores
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import MeasureRow
from dmi_support_centre.store.results import Tracked
from tests.unit.support_centre.laws import GARAGES, NOOR, OWNER, PIET, STACK, VENDOR, Agree, withdrawals_of

Door = Callable[..., Opening]
Recorded = list[DecisionRecord | Lineage]
GROUP = {
    "action": "dmi:suppress",
    "constraint": [
        {
            "leftOperand": "dmi:minimumGroup",
            "operator": "eq",
            "rightOperand": {"@value": "5", "@type": "xsd:integer"},
        }
    ],
}


@pytest.fixture
def consents(law: LawTable, agree: Agree) -> dict[str, AgreementState]:
    """Noor and Piet consent to the layer, Piet to the vendor as well; both have agreements."""
    law.apply(Dataset(GARAGES, OWNER, {"nl": "Van bewoners"}, personal=True))
    for person in (NOOR, PIET):
        law.apply(Participant(person, person, [], rulebook="1.0.0"))
    agree(1)
    agree(2, assignee=VENDOR, actions=["dmi:read"])
    return {
        "noor": agree(3, assigner=NOOR),
        "piet": agree(4, assigner=PIET),
        "piet to vendor": agree(5, assigner=PIET, assignee=VENDOR, actions=["dmi:read"]),
    }


@pytest.fixture
def crowding(store: Store, gate: Gate) -> Crowding:
    atlas = Atlas(store.observations, gate.law)
    book = Book(store, gate)
    withdrawals = withdrawals_of(store, gate.law)
    for name in ("noor", "piet"):
        about = {"thing": name, "observed_property": "crowd_count", "interval_s": 60}
        stream = Feature(f"{name}.crowd_count", "datastream", "telling", None, about)
        at = clock.now() // MINUTE * MINUTE
        row = Reading(stream.id, GARAGES, "crowd_count", at, 5.0, f"urn:dmi:person:{name}")
        store.observations.save([(GARAGES, stream)], [row], {}, {})
    return Crowding(Workshop(store, atlas, gate, book, withdrawals))


def shown(store: Store, gate: Gate, opening: Opening) -> dict[str, Any]:
    return Views(store, Atlas(store.observations, gate.law), Book(store, gate)).crowd(opening)


def told(recorded: Recorded) -> list[tuple[str, list[str], int]]:
    return [
        (one.assignee, one.subjects, one.rows)
        for one in recorded
        if isinstance(one, DecisionRecord) and one.reasons[0].startswith(DELIVERED)
    ]


def test_a_result_is_shown_to_whom_everyone_behind_it_consents_and_they_are_told(
    consents: dict[str, AgreementState], crowding: Crowding, store: Store, gate: Gate, opening: Door,
    recorded: Recorded,
) -> None:  # fmt: skip
    crowding.round(GARAGES)
    answer = shown(store, gate, opening(VENDOR))
    assert [item["place"] for item in answer["items"]] == ["piet"]
    assert [one["reasons"][0]["code"] for one in answer["refused"]] == ["no_consent"]
    assert NOOR not in str(answer)
    assert told(recorded) == [(VENDOR, [PIET], 1)]


def test_a_result_of_several_persons_waits_for_each_of_them(
    consents: dict[str, AgreementState], agree: Agree, opening: Door, recorded: Recorded
) -> None:
    both = Grounds([GARAGES], [], [consents["noor"].id, consents["piet"].id])
    with pytest.raises(Refused) as refused:
        Desk(opening(VENDOR)).insist(both)
    assert [reason.code for reason in refused.value.reasons] == ["no_consent"]
    assert recorded == []
    agree(6, assigner=NOOR, assignee=VENDOR, actions=["dmi:read"])
    Desk(opening(VENDOR)).insist(both)
    assert told(recorded) == [(VENDOR, [NOOR, PIET], 2)]


def test_who_consents_is_worked_out_once_for_all_results_of_a_request(
    consents: dict[str, AgreementState], gate: Gate, opening: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    subjects = gate.subjects

    def noted(permit: Permit) -> Any:
        asked.append(permit.dataset)
        return subjects(permit)

    monkeypatch.setattr(gate, "subjects", noted)
    desk = Desk(opening(VENDOR))
    seen = [desk.may(Grounds([GARAGES], [], [consents[who].id])) for who in ("noor", "piet", "noor", "piet")]
    assert (seen, asked) == ([False, True, False, True], [GARAGES])


def test_a_duty_of_a_persons_own_consent_keeps_results_back(
    consents: dict[str, AgreementState], agree: Agree, opening: Door
) -> None:
    mine = Grounds([GARAGES], [], [consents["noor"].id])
    agree(6, assigner=NOOR, assignee=VENDOR, actions=["dmi:read"], duties=[GROUP])
    with pytest.raises(Refused) as refused:
        Desk(opening(VENDOR)).insist(mine)
    [reason] = refused.value.reasons
    assert (reason.code, reason.agreement) == ("duty_not_possible", None)


def test_a_ground_that_tells_no_person_lets_nobody_see(
    consents: dict[str, AgreementState], opening: Door
) -> None:
    assert not Desk(opening(VENDOR)).may(Grounds([GARAGES], [], ["urn:uuid:unheard-of"]))
    assert Desk(opening(VENDOR)).may(Grounds([GARAGES]))


def test_publishing_too_asks_everyone_whose_data_it_rests_on(
    consents: dict[str, AgreementState], gate: Gate
) -> None:
    permit = gate.permit("measures", "dmi:read", GARAGES, recipient=VENDOR)
    consented(gate, permit, Grounds([GARAGES], [], [consents["piet"].id]))
    with pytest.raises(Refused):
        consented(gate, permit, Grounds([GARAGES], [], [consents["noor"].id]))


def test_scores_rest_on_the_same_persons_and_use_no_row_whose_consent_has_ended(
    consents: dict[str, AgreementState], store: Store, gate: Gate, opening: Door
) -> None:
    about = {"thing": "a", "observed_property": "occupancy", "capacity": 100}
    stream = Feature("a.occupancy", "datastream", "bezetting", None, about)
    at = clock.now() // MINUTE * MINUTE - 60 * MINUTE
    rows = [Reading(stream.id, GARAGES, "occupancy", at + n * MINUTE, 50.0, NOOR) for n in range(-180, 20)]
    store.observations.save([(GARAGES, stream)], rows, {}, {})
    atlas, book = Atlas(store.observations, gate.law), Book(store, gate)
    store.results.add_track([Tracked("a", at - 15 * MINUTE, at, GARAGES, 40.0, 50.0, 60.0)])
    scores, views = Scores(store, atlas, 2.0), Views(store, atlas, book)
    grounds = Grounds([GARAGES], [], [consents["noor"].id])
    scores.renew(grounds, clock.now(), {PIET})
    assert store.results.scores()[GARAGES]["items"] == []
    scores.renew(grounds, clock.now(), {NOOR})
    assert [one["place"] for one in store.results.scores()[GARAGES]["items"]] == ["a"]
    assert views.scores(opening(VENDOR))["items"] == []
    assert [one["place"] for one in views.scores(opening(STACK))["items"]] == ["a"]
    scores.forget(GARAGES)
    assert views.scores(opening(STACK))["items"] == []
    assert store.results.track(GARAGES, 0, clock.now(), known=None) == []


def test_what_a_person_took_back_while_a_result_was_made_is_a_ground_that_has_fallen(
    consents: dict[str, AgreementState], crowding: Crowding, store: Store, gate: Gate, agree: Agree
) -> None:
    book = Book(store, gate)
    permit = gate.permit("indicators", "dmi:analyse", GARAGES)
    given = gate.subjects(permit)
    agree(3, assigner=NOOR, state="ended")
    assert book.fallen(book.ground_of(permit, [NOOR], given)) is not None
    crowding.round(GARAGES)
    assert [one.place for one in store.results.of_kind(CROWD)] == ["piet"]


def test_one_measure_tells_those_it_was_made_of_and_nobody_how_many_they_are(
    consents: dict[str, AgreementState], store: Store, gate: Gate, opening: Door, recorded: Recorded
) -> None:
    grounds = Grounds([GARAGES], [], [consents["piet"].id])
    views = Views(store, Atlas(store.observations, gate.law), Book(store, gate))
    shown = views.measure(MeasureRow(measure(grounds)), opening(VENDOR))
    assert (shown["id"], shown["grounds"]) == ("m", {"datasets": [GARAGES], "agreements": [], "results": []})
    assert told(recorded) == [(VENDOR, [PIET], 1)]


def measure(grounds: Grounds) -> Measure:
    text = {"nl": "Advies", "en": "Advice"}
    return Measure("m", "r", "proposed", "a", text, text, 1, 1, 2, grounds=grounds)


def test_a_result_that_fell_is_told_to_parties_owners_and_who_has_a_right_of_its_own(
    store: Store, gate: Gate, law: LawTable, agree: Agree, opening: Door
) -> None:
    stranger = "urn:dmi:participant:stranger"
    law.apply(Participant(stranger, stranger, ["dmi:role:vendor"], rulebook="1.0.0"))
    grounds = Grounds([GARAGES], [agree(1).id])
    agree(2, assignee=VENDOR, actions=["dmi:read"])
    agree(1, state="ended")
    body = dict.fromkeys(("level", "flow", "flow_per_metre", "load", "reason", "capacity"))
    body |= {"name": "Straat", "effective_width": 2.0, "capacities": None, "geometry": None}
    store.results.save([Result("crowd:a", CROWD, "Drukte", "a", 1, grounds, body)])
    views = Views(store, Atlas(store.observations, law), Book(store, gate))
    for who in (OWNER, STACK, VENDOR):
        [item] = views.crowd(opening(who))["items"]
        assert item["withdrawal"]["agreement"] == grounds.agreements[0]
        assert views.measure(MeasureRow(measure(grounds)), opening(who))["state"] == "withdrawn"
    answer = views.crowd(opening(stranger))
    assert answer["items"] == []
    assert [one["dataset"] for one in answer["refused"]] == [GARAGES]
    with pytest.raises(Refused):
        views.measure(MeasureRow(measure(grounds)), opening(stranger))


def test_of_a_persons_consent_that_ended_nothing_tells_which_and_when(
    consents: dict[str, AgreementState],
    crowding: Crowding,
    store: Store,
    gate: Gate,
    agree: Agree,
    opening: Door,
) -> None:
    crowding.round(GARAGES)
    ended = agree(3, assigner=NOOR, state="ended")
    item = shown(store, gate, opening(OWNER))["items"][0]
    assert (item["withdrawn"], item["place"]) == (True, "noor")
    assert (item["withdrawal"]["agreement"], item["withdrawal"]["moment"]) == (None, None)
    assert ended.id not in str(item)
    assert [one["place"] for one in shown(store, gate, opening(VENDOR))["items"]] == ["piet"]
    assert [one["place"] for one in shown(store, gate, opening(NOOR))["items"]] == ["noor"]
