"""The gate: two rights, duties, consents, records, and refusal whenever it cannot know."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant, SubjectRequest
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import Request
from dmi_agreements.persons import own_look
from dmi_infra import tally
from dmi_infra.errors import Refused
from dmi_infra.gate import COUNTED_OF_A_USE, Permit
from dmi_infra.http.problems import refusal
from dmi_infra.jose import Acting
from dmi_infra.recorder import RecorderFull
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    HOUR,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    PIET,
    SECOND,
    STACK,
    VENDOR,
    Court,
    delay,
    document,
    pay,
)

EVERYONE = "urn:dmi:party:everyone"


@pytest.fixture
def court() -> Court:
    return Court()


def ask(
    court: Court, recipient: str | None = VENDOR, dataset: str = GARAGES, action: str = "dmi:read"
) -> Permit:
    return court.gate.permit("query", action, dataset, recipient=recipient)


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def batch(*subjects: str | None) -> ObservationBatch:
    rows = len(subjects)
    return ObservationBatch(
        BICYCLES, ["bicycle.1.pm2_5"] * rows, [NOW - HOUR] * rows, [1.0] * rows, subject=list(subjects)
    )


def consent(court: Court, person: str, *recipients: str) -> object:
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": list(recipients)}
    return court.agree(EVERYONE, "dmi:read", dataset=BICYCLES, assigner=person, constraints=[test])


def test_layer_and_recipient_both_need_a_right(court: Court) -> None:
    with pytest.raises(Refused) as refused:
        ask(court)
    assert codes(refused) == ["no_agreement"]
    layer = court.agree(STACK, "dmi:read")
    with pytest.raises(Refused):
        ask(court)
    mine = court.agree(VENDOR, "dmi:read")
    assert ask(court).agreements == (layer.id, mine.id)
    assert ask(court, OWNER).agreements == (layer.id,)


def test_open_data_serves_everyone_but_gives_the_layer_no_right(court: Court) -> None:
    court.agree(EVERYONE, "dmi:read")
    with pytest.raises(Refused):
        ask(court)
    layer = court.agree(STACK, "dmi:read")
    assert ask(court).agreements[0] == layer.id
    court.end(layer)
    with pytest.raises(Refused) as refused:
        ask(court)
    assert refused.value.reasons[0].agreement == layer.id


def test_the_duties_of_both_rights_are_carried_out(court: Court) -> None:
    court.agree(STACK, "dmi:read", duties=[delay(60)])
    court.agree(VENDOR, "dmi:read", duties=[delay(600)])
    permit = ask(court)
    ages = [30 * SECOND, 300 * SECOND, 900 * SECOND]
    rows = ObservationBatch(GARAGES, ["a"] * 3, [NOW - age for age in ages], [1.0, 2.0, 3.0])
    assert court.gate.carry(permit, rows).batch.result == [3.0]


def test_an_ended_agreement_refuses_with_its_name_and_moment(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    mine = court.agree(VENDOR, "dmi:read")
    court.clock.at += SECOND
    court.end(mine)
    with pytest.raises(Refused) as refused:
        ask(court)
    problem = refusal(refused.value).body()
    assert (problem["status"], problem["type"]) == (403, "urn:dmi:problem:ended")
    assert problem["agreement"] == mine.id
    assert problem["moment"] == "2027-01-15T08:00:01Z"


@pytest.mark.parametrize("age", [6 * SECOND, -6 * SECOND])
def test_a_law_that_is_too_old_or_from_the_future_refuses_everything_for_a_while(
    court: Court, age: int
) -> None:
    court.agree(STACK, "dmi:read")
    court.clock.at += age
    with pytest.raises(Refused) as refused:
        ask(court, OWNER)
    answer = refusal(refused.value).response()
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert not court.decisions()[-1].allowed


def test_before_the_law_is_heard_everything_is_refused() -> None:
    silent = Court()
    silent.law._heartbeat = None
    with pytest.raises(Refused) as refused:
        ask(silent, OWNER)
    assert codes(refused) == ["law_missing"]


def test_every_decision_is_recorded_allowed_or_refused(court: Court) -> None:
    with pytest.raises(Refused):
        ask(court)
    layer = court.agree(STACK, "dmi:read")
    mine = court.agree(VENDOR, "dmi:read")
    court.gate.permit("query", "dmi:read", GARAGES, recipient=VENDOR, rows=7)
    no, yes = court.decisions()
    assert (no.allowed, no.assignee, no.agreements) == (False, VENDOR, [])
    assert (yes.allowed, yes.assignee, yes.agreements, yes.rows) == (True, VENDOR, [layer.id, mine.id], 7)
    assert yes.purpose == MOBILITY
    assert no.id != yes.id


def test_a_preview_decides_the_same_and_records_nothing(court: Court) -> None:
    assert court.gate.allows("query", "dmi:read", GARAGES, None, VENDOR)[0].code == "no_agreement"
    court.agree(STACK, "dmi:read")
    court.agree(VENDOR, "dmi:read")
    assert court.gate.allows("query", "dmi:read", GARAGES, None, VENDOR) == ()
    assert court.records == []


def test_what_cannot_be_recorded_is_not_let_through(court: Court) -> None:
    court.agree(STACK, "dmi:read")

    def full(_record: object) -> None:
        raise RecorderFull("full")

    court.record = full
    with pytest.raises(RecorderFull):
        ask(court, OWNER)


def test_a_purpose_outside_the_agreement_is_refused(court: Court) -> None:
    court.agree(STACK, "dmi:read", purpose="dmi:purpose:air-quality")
    with pytest.raises(Refused) as refused:
        ask(court, OWNER)
    assert codes(refused) == ["wrong_purpose"]


def test_rows_pass_only_with_consent_to_layer_and_recipient(court: Court) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES)
    both = consent(court, NOOR, STACK, VENDOR)
    consent(court, PIET, STACK)
    permit = ask(court, dataset=BICYCLES)
    passed = court.gate.carry(permit, batch(NOOR, PIET, None, "urn:dmi:person:stranger", NOOR))
    assert passed.batch.subject == [NOOR, NOOR]
    assert passed.withheld == 3
    assert passed.consents == {both.id}  # type: ignore[attr-defined]
    delivered = court.decisions()[-1]
    assert (delivered.subjects, delivered.rows) == ([NOOR], 2)


def test_personal_rows_without_a_subject_never_pass(court: Court) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    consent(court, NOOR, STACK, OWNER)
    permit = ask(court, OWNER, BICYCLES)
    rows = ObservationBatch(BICYCLES, ["a"], [NOW], [1.0])
    assert len(court.gate.carry(permit, rows).batch) == 0


def test_a_person_sees_its_own_rows_and_nobody_elses(court: Court) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    consent(court, NOOR, STACK, VENDOR)
    consent(court, PIET, STACK, VENDOR)
    permit = ask(court, NOOR, BICYCLES)
    assert court.gate.carry(permit, batch(NOOR, PIET, NOOR)).batch.subject == [NOOR, NOOR]
    assert set(court.gate.subjects(permit) or {}) == {NOOR}


def test_who_reads_its_own_rows_waits_for_no_consent_and_everybody_else_does(court: Court) -> None:
    court.agree(STACK, "dmi:read", "dmi:display", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES)
    given = consent(court, NOOR, STACK, VENDOR)
    turn = court.gate.turn(ask(court, NOOR, BICYCLES))
    court.end(given)  # type: ignore[arg-type]
    own = ask(court, NOOR, BICYCLES)
    court.gate.still(own)
    passed = court.gate.carry(own, batch(NOOR, PIET, None, NOOR))
    assert (passed.batch.subject, passed.consents) == ([NOOR, NOOR], frozenset())
    assert court.gate.subjects(own) == {NOOR: frozenset([""])}
    assert court.gate.turn(own) != turn
    for recipient, action in (
        (VENDOR, "dmi:read"),
        (OWNER, "dmi:read"),
        (None, "dmi:read"),
        (NOOR, "dmi:display"),
    ):
        with pytest.raises(Refused) as refused:
            ask(court, recipient, BICYCLES, action)
        assert codes(refused) == ["no_consent"], (recipient, action)
    consent(court, PIET, STACK, VENDOR)
    assert court.gate.carry(ask(court, NOOR, BICYCLES), batch(NOOR, PIET)).batch.subject == [NOOR]
    assert court.gate.carry(ask(court, VENDOR, BICYCLES), batch(NOOR, PIET)).batch.subject == [PIET]
    assert len(court.gate.carry(ask(court, None, BICYCLES), batch(NOOR)).batch) == 0


def test_who_reads_its_own_rows_without_consent_is_kept_to_what_was_not_erased_and_to_the_duties(
    court: Court,
) -> None:
    layer = court.agree(STACK, "dmi:read", dataset=BICYCLES, duties=[delay(600)])
    court.law.apply(asked("erasure", made_at=NOW - HOUR))
    own = ask(court, NOOR, BICYCLES)
    assert len(court.gate.carry(own, batch(NOOR)).batch) == 0
    times = [NOW - HOUR + 1, NOW]
    rows = msgspec.structs.replace(batch(NOOR, NOOR), phenomenon_time=times)
    assert court.gate.carry(own, rows).batch.phenomenon_time == times[:1]
    court.end(layer)
    with pytest.raises(Refused) as refused:
        court.gate.still(own)
    assert codes(refused) == ["ended"]


def by(actor: str, mandate: str = "") -> Request:
    return Request(NOOR, "dmi:read", BICYCLES, MOBILITY, "query", actor=actor, mandate=mandate)


def test_a_representative_reads_a_persons_rows_without_consent_and_who_holds_its_mandate_does_not(
    court: Court,
) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    court.law.apply(Participant(NOOR, NOOR, [], rulebook="1.0.0", representatives=[PIET]))
    own = court.gate.permit("query", "dmi:read", BICYCLES, recipient=NOOR, acting=Acting(PIET))
    assert court.gate.carry(own, batch(NOOR, PIET)).batch.subject == [NOOR]
    with pytest.raises(Refused) as refused:
        court.gate.permit("query", "dmi:read", BICYCLES, recipient=NOOR, acting=Acting(VENDOR))
    assert codes(refused) == ["no_mandate"]
    assert own_look(by(PIET))
    assert not own_look(by(VENDOR, "urn:uuid:mandate"))


def export(court: Court, recipient: str, dataset: str = BICYCLES) -> Permit:
    return court.gate.permit("export", "dmi:export", dataset, recipient=recipient)


def test_a_persons_copy_of_its_own_rows_needs_no_agreement_and_no_consent(court: Court) -> None:
    consent(court, PIET, STACK, NOOR)
    permit = export(court, NOOR)
    passed = court.gate.carry(permit, batch(NOOR, PIET, None, NOOR))
    assert passed.batch.subject == [NOOR, NOOR]
    assert set(court.gate.subjects(permit) or {}) == {NOOR}
    asked, delivered = court.decisions()
    assert (asked.assignee, asked.action, asked.allowed) == (NOOR, "dmi:export", True)
    assert asked.reasons == [f"own_data: {NOOR} asks for its own data"]
    assert (delivered.assignee, delivered.rows, delivered.subjects) == (NOOR, 2, [NOOR])


def test_what_leaves_bit_by_bit_is_told_when_it_is_much_and_at_the_end(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "ROWS", 10)
    court.agree(STACK, "dmi:read")
    counted = tally.Tally(court.gate, ask(court, OWNER))
    court.records.clear()
    for rows in (4, 4, 4, 0, 3):
        counted.add(rows)
    counted.close()
    counted.close()
    told = court.decisions()
    assert [(each.left, each.decides, each.assignee) for each in told] == [
        (12, False, OWNER),
        (3, False, OWNER),
    ]


def test_what_has_left_is_told_before_anything_else_when_the_log_takes_records_again(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    counted = tally.Tally(court.gate, ask(court, OWNER))
    counted.add(7)
    court.records.clear()
    takes = court.record

    def full(_record: object) -> None:
        raise RecorderFull("no room")

    court.record = full
    counted.close()
    with pytest.raises(RecorderFull):
        ask(court, OWNER)
    court.record = takes
    ask(court, OWNER)
    ask(court, OWNER)
    assert [(each.left, each.decides) for each in court.decisions()] == [(7, False), (0, True), (0, True)]


def test_a_persons_copy_does_not_end_with_the_layers_agreement_or_the_catalogues_entry(court: Court) -> None:
    layer = court.agree(STACK, "dmi:process", "dmi:read", "dmi:display", dataset=BICYCLES)
    permit = export(court, NOOR)
    court.end(layer)
    court.gate.still(permit)
    gone = Dataset(BICYCLES, OWNER, {"nl": "Lucht"}, personal=True, purpose=MOBILITY, withdrawn=True)
    court.law.apply(gone)
    court.gate.still(permit)
    assert court.gate.carry(export(court, NOOR), batch(NOOR, PIET)).batch.subject == [NOOR]
    with pytest.raises(Refused):
        export(court, OWNER)


@pytest.mark.parametrize("action", ["dmi:read", "dmi:display"])
def test_a_view_of_ones_own_rows_is_the_layers_work_and_needs_its_right(court: Court, action: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(court, NOOR, BICYCLES, action)
    assert codes(refused) == ["no_agreement"]


def test_a_copy_is_of_a_member_of_a_fresh_law_and_of_personal_data_alone(court: Court) -> None:
    for recipient, dataset in (
        (VENDOR, BICYCLES),
        (STACK, BICYCLES),
        (NOOR, GARAGES),
        (NOOR, "urn:dmi:dataset:a:b"),
    ):
        with pytest.raises(Refused):
            export(court, recipient, dataset)
    court.law.apply(Participant(NOOR, NOOR, [], rulebook="1.0.0", active=False))
    assert export(court, NOOR), "nor does it end with the membership"
    court.law.apply(Participant(NOOR, NOOR, []))
    assert export(court, NOOR), "a right over own data waits for no signature"
    court.clock.at += 6 * SECOND
    with pytest.raises(Refused) as refused:
        export(court, NOOR)
    assert codes(refused) == ["law_stale"]


def test_a_withdrawn_consent_takes_its_rows_out_at_once(court: Court) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    given = consent(court, NOOR, STACK, OWNER)
    consent(court, PIET, STACK, OWNER)
    permit = ask(court, OWNER, BICYCLES)
    assert len(court.gate.carry(permit, batch(NOOR, PIET)).batch) == 2
    court.end(given)  # type: ignore[arg-type]
    assert court.gate.carry(permit, batch(NOOR, PIET)).batch.subject == [PIET]


def test_data_that_is_not_personal_has_no_subjects(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    assert court.gate.subjects(ask(court, OWNER)) is None


def test_an_open_stream_ends_with_the_agreement_and_its_end_is_recorded(court: Court) -> None:
    layer = court.agree(STACK, "dmi:read")
    permit = ask(court, OWNER)
    court.gate.still(permit)
    before = len(court.records)
    court.end(layer)
    with pytest.raises(Refused) as refused:
        court.gate.still(permit)
    assert refused.value.reasons[0].agreement == layer.id
    assert len(court.records) == before + 1


def test_an_open_stream_ends_when_other_duties_take_the_place_of_the_ones_it_carries_out(
    court: Court,
) -> None:
    court.agree(STACK, "dmi:read")
    free = court.agree(VENDOR, "dmi:read")
    permit = ask(court)
    court.agree(VENDOR, "dmi:read", duties=[delay(3600)])
    court.gate.still(permit)
    court.end(free)
    with pytest.raises(Refused) as refused:
        court.gate.still(permit)
    assert (codes(refused), refused.value.reasons[0].agreement) == (["ended"], free.id)
    assert ask(court).duties != permit.duties


@pytest.mark.parametrize("expires", [False, True], ids=["stopped", "expired"])
@pytest.mark.parametrize("counts", [False, True], ids=["free", "counted"])
def test_an_open_stream_does_not_go_on_under_an_agreement_that_it_was_not_opened_under(
    court: Court, expires: bool, counts: bool
) -> None:
    """Else the log would name the one that has ended, and no use of the other one would count."""
    court.agree(STACK, "dmi:read")
    term = [{"leftOperand": "dateTime", "operator": "lteq", "rightOperand": "2027-01-15T08:00:01Z"}]
    mine = court.agree(VENDOR, "dmi:read", constraints=term if expires else [])
    permit = ask(court)
    other = court.agree(VENDOR, "dmi:read", constraints=[at_most(5)] if counts else [])
    court.gate.still(permit)
    court.clock.at += 2 * SECOND
    if not expires:
        court.end(mine)
    with pytest.raises(Refused) as refused:
        court.gate.still(permit)
    assert codes(refused) == ["ended"]
    again = ask(court)
    assert (again.agreements[1:], bool(again.counted)) == ((other.id,), counts)
    court.gate.still(again)


def test_an_open_stream_does_not_go_on_by_another_rule_that_counts(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    term = {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": "2027-01-15T08:00:01Z"}
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"], constraints=[term])
    counted = document(OWNER, VENDOR, GARAGES, ["dmi:read"], constraints=[at_most(5)])
    text["permission"] += counted["permission"]
    court.law.apply(AgreementState(str(text["uid"]), text, "active", concluded_at=court.clock()))
    permit = ask(court)
    assert not permit.counted
    court.gate.still(permit)
    court.clock.at += 2 * SECOND
    with pytest.raises(Refused):
        court.gate.still(permit)
    assert len(ask(court).counted) == 1


def test_a_use_that_more_rules_would_count_than_a_record_tells_is_refused(court: Court) -> None:
    """Each rule that no count forbids stands in the record of every use."""
    court.agree(STACK, "dmi:read")
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    never = {"leftOperand": "count", "operator": "gteq", "rightOperand": 10**9}
    forbidden = {"target": GARAGES, "action": "dmi:read", "constraint": [never]}
    for number, many in ((0, COUNTED_OF_A_USE), (1, 1)):
        text = text | {"uid": f"urn:uuid:{uuid.uuid4()}", "prohibition": [forbidden] * many}
        court.law.apply(AgreementState(text["uid"], text, "active", concluded_at=court.clock()))
        if number == 0:
            assert len(ask(court).counted) == COUNTED_OF_A_USE
    with pytest.raises(Refused) as refused:
        ask(court)
    assert codes(refused) == ["condition_unknown"]


def test_an_open_stream_ends_when_its_data_turns_out_to_be_personal(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    permit = ask(court, OWNER)
    consented = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [STACK, OWNER]}
    court.law.apply(Dataset(GARAGES, OWNER, {"nl": "Garages"}, personal=True, purpose=MOBILITY))
    court.agree(EVERYONE, "dmi:read", assigner=NOOR, constraints=[consented])
    with pytest.raises(Refused):
        court.gate.still(permit)


def test_a_record_names_a_thousand_subjects_at_most(court: Court) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    consent(court, NOOR, STACK, OWNER)
    permit = ask(court, OWNER, BICYCLES)
    court.records.clear()
    court.gate.deliver(permit, batch(*(f"urn:dmi:person:p{n}" for n in range(2500)), "urn:dmi:person:p0"))
    written = court.decisions()
    assert [len(record.subjects) for record in written] == [1000, 1000, 500]
    assert sum(record.rows for record in written) == 2501


def test_a_caller_cannot_blow_up_the_record_with_a_long_name(court: Court) -> None:
    with pytest.raises(Refused):
        ask(court, OWNER, "urn:dmi:dataset:" + "x" * 100_000)
    record = court.decisions()[-1]
    assert len(record.dataset) == 200
    assert all(len(reason) <= 500 for reason in record.reasons)


def test_an_inactive_participant_is_refused_though_its_agreement_stands(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    court.agree(VENDOR, "dmi:read")
    court.law.apply(Participant(VENDOR, VENDOR, [], rulebook="1.0.0", active=False))
    with pytest.raises(Refused) as refused:
        ask(court)
    assert codes(refused) == ["inactive_participant"]


def test_grounds_name_dataset_agreements_and_consents_once(court: Court) -> None:
    layer = court.agree(STACK, "dmi:read")
    grounds = ask(court, OWNER).grounds(["c", "b", "c"])
    assert (grounds.datasets, grounds.agreements, grounds.consents) == ([GARAGES], [layer.id], ["b", "c"])


def test_a_permit_can_be_foreseen_without_a_record(court: Court) -> None:
    assert court.gate.foreseen("query", "dmi:read", GARAGES, None, VENDOR) is None
    court.agree(STACK, "dmi:read")
    court.agree(VENDOR, "dmi:read", duties=[delay(60)])
    foreseen = court.gate.foreseen("query", "dmi:read", GARAGES, None, VENDOR)
    assert court.records == []
    assert foreseen == ask(court)


def test_the_bounds_of_a_permit_are_those_of_time_place_and_consent(court: Court) -> None:
    area = {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": {"dmi:bbox": [4, 52, 5, 53]}}
    term = {
        "action": "dmi:deleteAfter",
        "constraint": [{"leftOperand": "dmi:days", "operator": "eq", "rightOperand": 7}],
    }
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES, duties=[delay(60), term], constraints=[area])
    given = consent(court, NOOR, STACK, VENDOR)
    bounds = court.gate.bounds(ask(court, dataset=BICYCLES))
    assert (bounds.oldest, bounds.newest) == (NOW - 7 * 86_400 * SECOND, NOW - 60 * SECOND)
    assert (bounds.areas, bounds.subjects) == (((4.0, 52.0, 5.0, 53.0),), {NOOR: frozenset({given.id})})  # type: ignore[attr-defined]


def asked(right: str, person: str = NOOR, dataset: str = BICYCLES, **more: Any) -> SubjectRequest:
    made_at = more.pop("made_at", NOW)
    return SubjectRequest(f"urn:uuid:{right}-{person}", person, right, dataset, made_at, **more)


def test_what_a_person_had_erased_passes_nowhere_and_what_came_later_does(court: Court) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    consent(court, NOOR, STACK)
    consent(court, PIET, STACK)
    permit = ask(court, None, BICYCLES)
    court.law.apply(asked("erasure", made_at=NOW - HOUR))
    passed = court.gate.carry(permit, batch(NOOR, PIET))
    assert (passed.batch.subject, passed.left) == ([PIET], (0,))
    later = msgspec.structs.replace(batch(NOOR), phenomenon_time=[NOW - HOUR + 1])
    assert court.gate.carry(permit, later).batch.subject == [NOOR]


def test_who_objects_is_left_out_for_that_purpose_until_the_objection_ends_and_sees_its_own(
    court: Court,
) -> None:
    court.law.apply(
        Dataset(BICYCLES, OWNER, {"nl": "x"}, personal=True, purpose=MOBILITY, basis="dmi:basis:public-task")
    )
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    permit = ask(court, None, BICYCLES)
    assert court.gate.carry(permit, batch(NOOR, PIET, None)).batch.subject == [NOOR, PIET, None]
    told = [one.subjects for one in court.decisions() if one.subjects]
    assert told == [[NOOR, PIET]], "who it is about can read of it, also without consent"
    objection = asked("objection", purpose="dmi:purpose:commercial")
    court.law.apply(objection)
    assert len(court.gate.carry(permit, batch(NOOR)).batch) == 1
    objection = msgspec.structs.replace(objection, purpose=permit.requests[0].purpose)
    court.law.apply(objection)
    passed = court.gate.carry(permit, batch(NOOR, PIET, None))
    assert (passed.batch.subject, passed.withheld) == ([PIET, None], 1)
    for crossing, action in (("export", "dmi:export"), ("query", "dmi:read")):
        own = court.gate.permit(crossing, action, BICYCLES, recipient=NOOR)
        assert court.gate.carry(own, batch(NOOR, PIET)).batch.subject == [NOOR]
        assert court.gate.subjects(own) == {NOOR: frozenset([""])}
    court.law.apply(msgspec.structs.replace(objection, state="ended"))
    court.law.apply(objection)
    assert len(court.gate.carry(permit, batch(NOOR)).batch) == 1


def told(name: str, parameter: str, value: int) -> dict[str, Any]:
    test = {"leftOperand": f"dmi:{parameter}", "operator": "eq", "rightOperand": value}
    return {"action": f"dmi:{name}", "constraint": [test]}


def ride(person: str, *north: float, start: int = NOW - HOUR) -> ObservationBatch:
    """A row a minute, at these latitudes."""
    rows = len(north)
    return ObservationBatch(
        BICYCLES, ["bicycle.1.pm2_5"] * rows, [start + row * 60 * SECOND for row in range(rows)], [1.0] * rows,
        longitude=[5.11] * rows, latitude=list(north), subject=[person] * rows,
    )  # fmt: skip


def test_a_consent_is_carried_out_at_intake_ends_cut_and_places_coarsened_for_that_person_alone(
    court: Court,
) -> None:
    duties = [told("cutEnds", "distance", 500), told("coarsen", "gridSize", 1000)]
    court.agree(STACK, "dmi:process", dataset=BICYCLES)
    for person, own in ((NOOR, duties), (PIET, [])):
        test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [STACK]}
        given = {"assigner": person, "constraints": [test], "duties": own}
        court.agree(EVERYONE, "dmi:process", dataset=BICYCLES, **given)
    permit = court.gate.permit("intake", "dmi:process", BICYCLES)
    # Some 1,100 metres each step, home again in between.
    out_and_back = ride(NOOR, 52.09, 52.0901, 52.10, 52.11, 52.0902, 52.12, 52.1201)
    passed = court.gate.carry(permit, out_and_back)
    assert passed.left == (0, 1, 4, 5, 6)
    assert passed.batch.subject == [NOOR, NOOR]
    assert passed.batch.latitude != [52.10, 52.11]
    assert all(abs(a - b) < 0.01 for a, b in zip(passed.batch.latitude or [], [52.10, 52.11], strict=True))
    other = ride(PIET, 52.09, 52.10, 52.11)
    assert court.gate.carry(permit, other).batch == other
    assert len(court.gate.carry(permit, ride(NOOR, 52.10)).batch) == 0, "a single row is the end of its trip"
    gap = ride(NOOR, 52.10, start=NOW - HOUR + 20 * 60 * SECOND)
    both = msgspec.structs.replace(
        ride(NOOR, 52.09, 52.10, 52.11), phenomenon_time=[NOW - HOUR, *gap.phenomenon_time, NOW - HOUR]
    )
    assert 1 in court.gate.carry(permit, both).left, "after a gap a new trip begins"


def test_what_a_consent_asks_for_a_recipient_is_done_there_and_what_cannot_be_done_keeps_the_rows_back(
    court: Court,
) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES)

    def only(person: str, recipient: str, *duty: dict[str, Any]) -> None:
        test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [recipient]}
        court.agree(
            EVERYONE, "dmi:read", dataset=BICYCLES, assigner=person, constraints=[test], duties=list(duty)
        )

    for person in (NOOR, PIET):
        only(person, STACK)
    only(NOOR, VENDOR, told("suppress", "minimumGroup", 2))
    only(PIET, VENDOR, told("cutEnds", "distance", 500))
    permit = ask(court, VENDOR, BICYCLES)
    alone = msgspec.structs.replace(batch(NOOR), neighbourhood=["BU1"])
    assert len(court.gate.carry(permit, alone).batch) == 0, "one person is no group of two"
    passed = court.gate.carry(permit, batch(PIET))
    assert (len(passed.batch), passed.left) == (0, (0,)), "ends that were not cut at intake keep all back"
    assert len(court.gate.carry(ask(court, None, BICYCLES), batch(NOOR, PIET)).batch) == 2


@pytest.mark.parametrize(
    ("duty", "whose"),
    [
        (None, [[NOOR, PIET]]),
        (told("delay", "seconds", 5400), [[NOOR]]),
        (told("suppress", "minimumGroup", 2), []),
    ],
)
def test_told_as_given_are_the_rows_that_passed_alone(
    court: Court, duty: dict[str, Any] | None, whose: list[list[str]]
) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES, duties=[duty] if duty else [])
    consents = {person: consent(court, person, STACK, VENDOR) for person in (NOOR, PIET)}
    rows = msgspec.structs.replace(
        batch(NOOR, PIET), phenomenon_time=[NOW - 2 * HOUR, NOW - HOUR], neighbourhood=["BU1"] * 2
    )
    passed = court.gate.carry(ask(court, VENDOR, BICYCLES), rows)
    assert [one.subjects for one in court.decisions() if one.subjects] == whose
    rests_on = {consents[person].id for theirs in whose for person in theirs}  # type: ignore[attr-defined]
    assert passed.consents == rests_on, "nor does anything rest on the consents of others"


UNNAMED = {
    "action": "dmi:leaveOut",
    "constraint": [{"leftOperand": "dmi:property", "operator": "isAnyOf", "rightOperand": ["subject"]}],
}


@pytest.mark.parametrize(
    ("duty", "own", "apart"),
    [
        (told("delay", "seconds", 5), None, False),
        (told("suppress", "minimumGroup", 2), None, True),
        (UNNAMED, None, True),
        (None, told("suppress", "minimumGroup", 2), True),
    ],
)
def test_how_many_persons_rows_are_of_is_kept_from_who_must_not_tell_them_apart(
    court: Court, duty: dict[str, Any] | None, own: dict[str, Any] | None, apart: bool
) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES, duties=[duty] if duty else [])
    for person in (NOOR, PIET):
        consent(court, person, STACK)
        to_vendor = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
        asked = {"constraints": [to_vendor], "duties": [own] if own else []}
        court.agree(EVERYONE, "dmi:read", dataset=BICYCLES, assigner=person, **asked)
    rows = msgspec.structs.replace(batch(NOOR, PIET), neighbourhood=["BU1"] * 2)
    assert len(court.gate.carry(ask(court, VENDOR, BICYCLES), rows).batch) == 2
    told_each = court.decisions()[-1]
    assert (told_each.subjects, told_each.rows) == ([NOOR, PIET], 2)
    assert VENDOR not in told_each.asking if apart else told_each.asking[0] == VENDOR


def test_who_has_its_name_left_out_can_still_be_told_and_have_its_rows_erased(court: Court) -> None:
    unnamed = {
        "action": "dmi:leaveOut",
        "constraint": [{"leftOperand": "dmi:property", "operator": "isAnyOf", "rightOperand": ["subject"]}],
    }
    for who in (STACK, VENDOR):
        court.agree(who, "dmi:process", "dmi:read", dataset=BICYCLES)
        for person, duties in ((NOOR, [unnamed]), (PIET, [])):
            test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [who]}
            given = {"assigner": person, "constraints": [test], "duties": duties}
            court.agree(EVERYONE, "dmi:process", "dmi:read", dataset=BICYCLES, **given)
    raw = court.gate.permit("raw", "dmi:process", BICYCLES)
    stored = court.gate.carry(raw, batch(NOOR, PIET, NOOR)).batch
    assert stored.subject == [NOOR, PIET, NOOR], "what is kept says whose it is"
    assert court.gate.carry(ask(court, VENDOR, BICYCLES), stored).batch.subject == [None, PIET, None]
    told = [(one.assignee, one.subjects, one.rows) for one in court.decisions() if one.subjects]
    assert told == [(STACK, [NOOR, PIET], 3), (VENDOR, [NOOR, PIET], 3)]


def test_rows_of_before_ends_were_cut_stay_where_they_are_when_consent_is_given_anew(court: Court) -> None:
    court.agree(STACK, "dmi:process", "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES)

    def give(
        who: str, *duties: dict[str, Any], actions: tuple[str, ...] = ("dmi:process", "dmi:read")
    ) -> Any:
        test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [who]}
        given = {"assigner": NOOR, "constraints": [test], "duties": list(duties)}
        return court.agree(EVERYONE, *actions, dataset=BICYCLES, **given)

    def after(seconds: int) -> None:
        court.clock.at += seconds * SECOND
        court.beat()

    def taken_in(minutes: int) -> ObservationBatch:
        permit = court.gate.permit("intake", "dmi:process", BICYCLES)
        north = (52.09, 52.0901, 52.10, 52.11, 52.12, 52.1201)
        return court.gate.carry(
            permit, ride(NOOR, *north, start=court.clock.at - minutes * 60 * SECOND)
        ).batch

    def given_to(recipient: str | None, rows: ObservationBatch) -> int:
        return len(court.gate.carry(ask(court, recipient, BICYCLES), rows).batch)

    cut = told("cutEnds", "distance", 500)
    whole = give(STACK)
    before = taken_in(10)
    assert len(before) == 6
    after(60)
    court.end(whole)
    after(3600)
    first = give(STACK, cut)
    give(VENDOR, cut)
    assert (given_to(VENDOR, before), given_to(None, before)) == (0, 0), "its home is in them"
    earlier = taken_in(10)
    assert given_to(None, earlier) == len(earlier) == 2, "measured before, and cut when it came"
    assert given_to(VENDOR, earlier) == 0
    after(600)
    ridden = taken_in(8)
    assert given_to(VENDOR, ridden) == given_to(None, ridden) == len(ridden) == 2
    # Given once more: what was cut remains so, and is not cut by more than that.
    court.end(first)
    after(60)
    second = give(STACK, cut)
    assert given_to(VENDOR, ridden) == 2
    court.end(second)
    third = give(STACK, told("cutEnds", "distance", 600))
    assert (given_to(VENDOR, ridden), given_to(None, ridden)) == (0, 0)
    court.end(third)
    give(STACK, cut)
    assert given_to(VENDOR, ridden) == 2
    # Beside it one that asks nothing: rows come in uncut under it, whatever this one says.
    give(STACK)
    assert given_to(VENDOR, ridden) == 0


def test_a_consent_to_read_alone_does_not_tell_what_was_cut_at_intake(court: Court) -> None:
    court.agree(STACK, "dmi:process", "dmi:read", dataset=BICYCLES)
    court.agree(VENDOR, "dmi:read", dataset=BICYCLES)
    for who, action, duties in (
        (STACK, "dmi:process", []),
        (STACK, "dmi:read", [told("cutEnds", "distance", 500)]),
        (VENDOR, "dmi:read", [told("cutEnds", "distance", 500)]),
    ):
        test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [who]}
        given = {"assigner": NOOR, "constraints": [test], "duties": duties}
        court.agree(EVERYONE, action, dataset=BICYCLES, **given)
    rows = court.gate.carry(court.gate.permit("intake", "dmi:process", BICYCLES), ride(NOOR, 52.09, 52.10))
    assert len(rows.batch) == 2
    assert len(court.gate.carry(ask(court, VENDOR, BICYCLES), rows.batch).batch) == 0


def at_most(times: int) -> dict[str, Any]:
    return {"leftOperand": "count", "operator": "lteq", "rightOperand": times}


@pytest.mark.parametrize(
    "limit",
    [
        at_most(1),
        {"leftOperand": "timeInterval", "operator": "gteq", "rightOperand": "PT1H"},
        {"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": "PT1S"},
    ],
    ids=lambda limit: str(limit["leftOperand"]),
)
def test_uses_of_data_that_rests_on_consent_count(court: Court, limit: dict[str, Any]) -> None:
    court.agree(STACK, "dmi:read", dataset=BICYCLES)
    mine = court.agree(VENDOR, "dmi:read", dataset=BICYCLES, constraints=[limit])
    consent(court, NOOR, STACK, VENDOR)
    first = ask(court, dataset=BICYCLES)
    assert (first.personal, first.counted) == (True, ((mine.id, "/permission/0", VENDOR),))
    assert court.decisions()[-1].counted == list(first.counted)
    court.clock.at += 2 * SECOND
    with pytest.raises(Refused) as refused:
        ask(court, dataset=BICYCLES)
    assert codes(refused) == ["condition_unmet"]


def test_a_use_that_costs_is_counted_without_any_limit(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    paid = court.agree(VENDOR, "dmi:read", duties=[pay(5, 1, "use")])
    for _ in range(2):
        assert ask(court).counted == ((paid.id, "/permission/0", VENDOR),)
        assert court.decisions()[-1].counted == [(paid.id, "/permission/0", VENDOR)]


def test_what_is_free_is_taken_before_what_costs(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"], duties=[pay(5, 1, "use")])
    text["permission"].append({**text["permission"][0], "duty": []})
    court.law.apply(AgreementState(str(text["uid"]), text, "active", concluded_at=court.clock()))
    assert ask(court).counted == ()
    assert court.decisions()[-1].counted == []


def test_a_use_that_goes_on_is_decided_and_told_and_is_no_use_of_its_own(court: Court) -> None:
    court.agree(STACK, "dmi:read")
    court.agree(VENDOR, "dmi:read", constraints=[at_most(1)])
    first = ask(court)
    court.gate.permit("query", "dmi:read", GARAGES, MOBILITY, VENDOR, again=first.counted)
    begun, on = court.decisions()[-2:]
    assert (begun.begins, on.begins, on.allowed, on.counted) == (True, False, True, [])
    assert on.reasons[0].startswith("goes_on: ")
    with pytest.raises(Refused):
        ask(court)
    assert court.decisions()[-1].begins
