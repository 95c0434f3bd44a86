"""The law table: every reason, events in any order and twice, consents, freshness, readers beside a writer."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dmi_agreements.consents import HEARD
from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, LawEvent, Participant
from dmi_agreements.decision import REASON_CODES, Coarsen, CutEnds, Decision, Request
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.table import LawTable

GEMEENTE = "urn:dmi:participant:gemeente"
STACK = "urn:dmi:participant:stack"
NOOR = "urn:dmi:person:noor"
GARAGES = "urn:dmi:dataset:gemeente:garages"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
NOW = 1_798_761_600_000_000
Build = Callable[..., AgreementState]


def ask(
    table: LawTable,
    assignee: str = STACK,
    action: str = "dmi:read",
    dataset: str = GARAGES,
    purpose: str = "dmi:purpose:mobility",
    now: int = NOW,
) -> Decision:
    decision = table.decide(Request(assignee, action, dataset, purpose), now)
    assert decision.reasons
    assert all(reason.code in REASON_CODES for reason in decision.reasons)
    return decision


def code(decision: Decision) -> str:
    assert decision.allowed == (decision.reasons[0].code in ("allowed", "owner"))
    return decision.reasons[0].code


def end(state: AgreementState, at: int = NOW - 1) -> AgreementState:
    return msgspec.structs.replace(state, state="ended", ended_at=at)


def test_without_an_agreement_everything_is_refused(table: LawTable) -> None:
    assert code(ask(table)) == "no_agreement"


@pytest.mark.parametrize(
    ("assignee", "expected"),
    [
        ("urn:dmi:participant:nobody", "unknown_participant"),
        ("urn:dmi:party:everyone", "unknown_participant"),
        ("urn:dmi:participant:unsigned", "rulebook_not_signed"),
        ("urn:dmi:participant:old", "rulebook_not_signed"),
        ("urn:dmi:participant:left", "inactive_participant"),
    ],
)
def test_only_an_active_participant_that_signed_may_ask(
    table: LawTable, agreement: Build, assignee: str, expected: str
) -> None:
    table.apply(agreement(assignee="urn:dmi:party:everyone"))
    assert code(ask(table, assignee)) == expected


def test_an_unknown_or_withdrawn_dataset_is_refused(table: LawTable) -> None:
    assert code(ask(table, dataset="urn:dmi:dataset:gemeente:none")) == "unknown_dataset"
    assert code(ask(table, GEMEENTE, dataset="urn:dmi:dataset:gemeente:gone")) == "unknown_dataset"


def test_the_owner_needs_no_agreement_but_a_known_action(table: LawTable) -> None:
    assert code(ask(table, GEMEENTE)) == "owner"
    assert code(ask(table, GEMEENTE, purpose="")) == "owner"
    assert code(ask(table, GEMEENTE, action="dmi:shred")) == "unknown_term"
    assert code(ask(table, GEMEENTE, purpose="dmi:purpose:unheard-of")) == "unknown_term"


def test_an_active_agreement_permits_and_a_proposed_one_does_not(table: LawTable, agreement: Build) -> None:
    proposed = agreement(state="proposed")
    assert table.apply(proposed).started == ()
    assert code(ask(table)) == "no_agreement"
    change = table.apply(agreement())
    assert (change.started, change.datasets) == ((proposed.id,), (GARAGES,))
    decision = ask(table)
    assert (code(decision), decision.agreements) == ("allowed", (proposed.id,))


def test_a_purpose_that_is_not_agreed_is_refused_by_name(table: LawTable, agreement: Build) -> None:
    state = agreement()
    table.apply(state)
    decision = ask(table, purpose="dmi:purpose:marketing")
    assert (code(decision), decision.reasons[0].agreement) == ("wrong_purpose", state.id)


def test_an_ended_agreement_is_named_with_its_moment(table: LawTable, agreement: Build) -> None:
    state = agreement()
    table.apply(state)
    change = table.apply(end(state, NOW - 5))
    assert change.ended == (state.id,)
    reason = ask(table).reasons[0]
    assert (reason.code, reason.agreement, reason.moment) == ("ended", state.id, NOW - 5)
    assert code(ask(table, purpose="dmi:purpose:marketing")) == "no_agreement"


def test_a_proposal_that_was_never_concluded_is_no_stopped_agreement(
    table: LawTable, agreement: Build
) -> None:
    proposal = agreement(state="proposed")
    table.apply(proposal)
    table.apply(end(proposal))
    assert code(ask(table)) == "no_agreement"
    other = agreement(2, purpose="dmi:purpose:marketing")
    table.apply(other)
    assert code(ask(table)) == "wrong_purpose"


def test_of_several_ended_agreements_the_last_is_named(table: LawTable, agreement: Build) -> None:
    for number in (1, 2, 3):
        table.apply(end(agreement(number), NOW - abs(number - 2) - 1))
    assert ask(table).reasons[0].agreement == agreement(2).id


def test_what_has_ended_never_comes_back(table: LawTable, agreement: Build) -> None:
    state = agreement()
    table.apply(end(state))
    assert not table.apply(state).changed
    assert not table.apply(agreement(state="proposed")).changed
    assert code(ask(table)) == "ended"


def test_repeating_an_event_changes_nothing(table: LawTable, agreement: Build) -> None:
    events: list[LawEvent] = [
        Participant("urn:dmi:participant:new", "new", [], rulebook="1.0.0"),
        Dataset("urn:dmi:dataset:gemeente:new", GEMEENTE, {"nl": "Nieuw"}),
        agreement(),
        end(agreement()),
        Heartbeat("heartbeat", NOW),
    ]
    for event in events:
        assert table.apply(event).changed
        assert not table.apply(event).changed


def test_an_expired_agreement_is_named_with_its_moment(table: LawTable, agreement: Build) -> None:
    state = agreement(times=[("lteq", "2027-01-01T00:00:00Z")])
    table.apply(state)
    assert code(ask(table, now=NOW)) == "allowed"
    reason = ask(table, now=NOW + 1).reasons[0]
    assert (reason.code, reason.agreement, reason.moment) == ("expired", state.id, NOW)


def test_an_agreement_that_has_not_begun_is_named(table: LawTable, agreement: Build) -> None:
    table.apply(agreement(times=[("gt", "2027-01-01T00:00:00Z")]))
    assert code(ask(table)) == "not_yet"


def test_open_data_is_for_every_participant_that_signed(table: LawTable, agreement: Build) -> None:
    table.apply(agreement(assignee="urn:dmi:party:everyone", purpose="dmi:purpose:any"))
    assert code(ask(table, "urn:dmi:participant:sensorbedrijf", purpose="dmi:purpose:marketing")) == "allowed"


def test_recipients_limit_open_data(table: LawTable, agreement: Build) -> None:
    table.apply(agreement(assignee="urn:dmi:party:everyone", recipients=[STACK]))
    assert code(ask(table)) == "allowed"
    assert code(ask(table, "urn:dmi:participant:sensorbedrijf")) == "wrong_recipient"


def test_a_live_prohibition_of_one_agreement_wins_over_another(table: LawTable, agreement: Build) -> None:
    table.apply(agreement(1))
    forbidding = agreement(2, prohibit="dmi:purpose:crowd-safety")
    table.apply(forbidding)
    decision = ask(table, purpose="dmi:purpose:crowd-safety")
    assert (code(decision), decision.reasons[0].agreement) == ("prohibited", forbidding.id)
    table.apply(end(forbidding))
    assert code(ask(table, purpose="dmi:purpose:crowd-safety")) == "allowed"


def test_only_the_owner_can_permit_or_prohibit(table: LawTable, agreement: Build) -> None:
    vendor = "urn:dmi:participant:sensorbedrijf"
    table.apply(agreement(1, assigner=vendor))
    assert code(ask(table)) == "no_agreement"
    table.apply(agreement(2))
    table.apply(agreement(3, assigner=vendor, prohibit="dmi:purpose:mobility"))
    assert code(ask(table)) == "allowed"


def test_a_change_of_owner_ends_the_rights_that_the_former_owner_gave(
    table: LawTable, agreement: Build
) -> None:
    table.apply(agreement())
    table.apply(Dataset(GARAGES, "urn:dmi:participant:sensorbedrijf", {"nl": "Garages"}))
    assert code(ask(table)) == "no_agreement"


def test_the_agreement_that_asks_least_is_relied_on(table: LawTable, agreement: Build) -> None:
    delay = {"leftOperand": "dmi:seconds", "operator": "eq", "rightOperand": 60}
    table.apply(agreement(1, duties=[{"action": "dmi:delay", "constraint": [delay]}]))
    assert len(ask(table).duties) == 1
    table.apply(agreement(2, assignee="urn:dmi:party:everyone"))
    assert ask(table).duties == ()
    table.apply(end(agreement(2, assignee="urn:dmi:party:everyone")))
    assert len(ask(table).duties) == 1


@pytest.mark.parametrize("extra", [{"obligation": []}, {"uid": "urn:uuid:" + "0" * 8}])
def test_a_document_that_cannot_be_read_refuses_with_its_place(
    table: LawTable, agreement: Build, extra: dict[str, object]
) -> None:
    table.apply(agreement(1))
    table.apply(agreement(2, extra=extra))
    decision = ask(table)
    assert (code(decision), decision.reasons[0].path) == ("unknown_term", "/" + next(iter(extra)))
    held = table.held(agreement(2).id)
    assert held is not None
    assert held.compiled is None
    assert held.findings
    table.apply(end(agreement(2, extra=extra)))
    assert code(ask(table)) == "allowed"


def test_a_document_under_another_id_is_not_read(table: LawTable, agreement: Build) -> None:
    table.apply(msgspec.structs.replace(agreement(1), id=agreement(2).id))
    assert (code(ask(table)), ask(table).reasons[0].path) == ("unknown_term", "/uid")


def test_an_unknown_state_refuses(table: LawTable, agreement: Build) -> None:
    table.apply(agreement(state="paused"))
    assert (code(ask(table)), ask(table).reasons[0].path) == ("unknown_term", "/state")
    table.apply(agreement())
    assert code(ask(table)) == "allowed"


def test_an_unreadable_document_of_somebody_else_blocks_nobody(table: LawTable, agreement: Build) -> None:
    table.apply(agreement(1))
    table.apply(agreement(2, assigner="urn:dmi:participant:sensorbedrijf", extra={"obligation": []}))
    assert code(ask(table)) == "allowed"


def consent(agreement: Build, number: int = 10, **change: Any) -> AgreementState:
    settings: dict[str, Any] = {
        "assigner": NOOR,
        "assignee": "urn:dmi:party:everyone",
        "recipients": [STACK, GEMEENTE],
        "dataset": BICYCLES,
    }
    return agreement(number, **{**settings, **change})


def test_personal_data_needs_an_agreement_and_a_consent(table: LawTable, agreement: Build) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    table.apply(consent(agreement))
    assert code(ask(table, dataset=BICYCLES)) == "no_agreement"
    table.apply(end(consent(agreement)))
    table.apply(agreement(1, dataset=BICYCLES))
    assert code(ask(table, dataset=BICYCLES)) == "no_consent"
    table.apply(consent(agreement, 11))
    decision = ask(table, dataset=BICYCLES)
    assert (code(decision), decision.personal, decision.agreements) == ("allowed", True, (agreement(1).id,))
    assert table.consenting_subjects(request, NOW) == {NOOR: consent(agreement, 11).id}


def test_even_the_owner_needs_consents_for_personal_data(table: LawTable, agreement: Build) -> None:
    assert code(ask(table, GEMEENTE, dataset=BICYCLES)) == "no_consent"
    table.apply(consent(agreement))
    decision = ask(table, GEMEENTE, dataset=BICYCLES)
    assert (code(decision), decision.personal) == ("owner", True)
    assert code(ask(table, GEMEENTE, dataset=BICYCLES, purpose="")) == "unknown_term"


def test_a_withdrawn_consent_takes_its_subject_away_and_is_named(table: LawTable, agreement: Build) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    table.apply(agreement(1, dataset=BICYCLES))
    table.apply(consent(agreement))
    table.apply(consent(agreement, 11, assigner="urn:dmi:person:sam"))
    assert set(table.consenting_subjects(request, NOW)) == {NOOR, "urn:dmi:person:sam"}
    assert table.apply(end(consent(agreement))).ended == (consent(agreement).id,)
    assert set(table.consenting_subjects(request, NOW)) == {"urn:dmi:person:sam"}
    table.apply(end(consent(agreement, 11, assigner="urn:dmi:person:sam"), NOW - 9))
    reason = ask(table, dataset=BICYCLES).reasons[0]
    assert (reason.code, reason.agreement, reason.moment) == ("no_consent", consent(agreement).id, NOW - 1)


@pytest.mark.parametrize(
    "change",
    [
        {"recipients": [GEMEENTE]},
        {"purpose": "dmi:purpose:noise"},
        {"actions": ["dmi:display"]},
        {"dataset": GARAGES},
        {"prohibit": "dmi:purpose:mobility"},
        {"state": "proposed"},
        {"extra": {"obligation": []}},
        {"assignee": GEMEENTE, "recipients": []},
    ],
)
def test_a_consent_covers_only_what_it_says(
    table: LawTable, agreement: Build, change: dict[str, Any]
) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    table.apply(consent(agreement, **change))
    assert table.consenting_subjects(request, NOW) == {}


def test_a_subject_who_prohibits_is_left_out_whatever_another_consent_says(
    table: LawTable, agreement: Build
) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:crowd-safety")
    table.apply(consent(agreement))
    assert set(table.consenting_subjects(request, NOW)) == {NOOR}
    table.apply(consent(agreement, 11, prohibit="dmi:purpose:crowd-safety"))
    assert table.consenting_subjects(request, NOW) == {}


def limit(duty: str, parameter: str, value: int) -> dict[str, Any]:
    test = {"leftOperand": f"dmi:{parameter}", "operator": "eq", "rightOperand": value}
    return {"action": f"dmi:{duty}", "constraint": [test]}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_several_consents_to_the_same_the_strictest_of_each_limit_holds_in_whatever_order_they_come(
    table: LawTable, agreement: Build, order: tuple[int, ...]
) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:crowd-safety")
    given = [
        consent(agreement, 10),
        consent(agreement, 11, duties=[limit("coarsen", "gridSize", 500), limit("cutEnds", "distance", 100)]),
        consent(
            agreement, 12, purpose="dmi:purpose:crowd-safety",
            duties=[limit("coarsen", "gridSize", 50), limit("cutEnds", "distance", 900)],
        ),
    ]  # fmt: skip
    for place in order:
        table.apply(given[place])
    assert set(table.consent_duties(request, NOW)[NOOR]) == {Coarsen(500), CutEnds(900)}
    assert table.consenting_subjects(request, NOW) == {NOOR: given[0].id}
    wider = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    assert set(table.consent_duties(wider, NOW)[NOOR]) == {Coarsen(500), CutEnds(100)}
    table.apply(end(given[1]))
    assert table.consent_duties(wider, NOW) == {}
    assert set(table.consent_duties(request, NOW)[NOOR]) == {Coarsen(50), CutEnds(900)}


def test_each_rule_of_one_consent_that_permits_adds_its_limits(table: LawTable, agreement: Build) -> None:
    (free,) = consent(agreement).document["permission"]
    coarse = {**free, "duty": [limit("coarsen", "gridSize", 500)]}
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    for number, rules in ((10, [free, coarse]), (11, [coarse, free])):
        table.apply(consent(agreement, number, extra={"permission": rules}))
        assert table.consent_duties(request, NOW) == {NOOR: (Coarsen(500),)}
        table.apply(end(consent(agreement, number)))


@pytest.mark.parametrize("forward", [True, False])
def test_of_ended_consents_to_the_same_the_first_and_the_last_are_weighed_and_the_last_is_named(
    table: LawTable, agreement: Build, forward: bool
) -> None:
    table.apply(agreement(1, dataset=BICYCLES))
    given = [consent(agreement, 100 + number) for number in range(30)]
    other = consent(agreement, 200, purpose="dmi:purpose:noise")
    for place in range(30) if forward else reversed(range(30)):
        table.apply(given[place])
        table.apply(end(given[place], NOW - 100 + place))
    table.apply(end(other, NOW - 1))
    assert table.consents._given[BICYCLES][NOOR].keys() == {given[0].id, given[-1].id, other.id}
    reason = ask(table, dataset=BICYCLES).reasons[0]
    assert (reason.code, reason.agreement, reason.moment) == ("no_consent", given[-1].id, NOW - 71)


def test_the_one_of_ended_consents_that_let_rows_in_last_is_not_forgotten_for_one_that_had_expired(
    table: LawTable, agreement: Build
) -> None:
    def given(number: int, *times: tuple[str, str]) -> AgreementState:
        return consent(agreement, number, actions=["dmi:process"], times=times)

    # One had expired in the year before and was ended last of all; between them one was withdrawn.
    expired = given(103, ("lt", "2020-01-01T00:00:00Z"))
    for state, at in ((given(101), NOW - 300), (given(102), NOW - 100), (expired, NOW - 50)):
        table.apply(state)
        table.apply(end(state, at))
    assert table.consents.cut_from(BICYCLES, NOOR, STACK, 200).after == NOW - 100 + HEARD


def test_until_when_a_consent_let_rows_in_is_not_told_by_its_other_rights(
    table: LawTable, agreement: Build
) -> None:
    def given(number: int, process: str, read: str) -> AgreementState:
        made = consent(agreement, number, actions=["dmi:process"], times=[("lt", process)])
        reads = consent(agreement, number, actions=["dmi:read"], times=[("lt", read)])
        made.document["permission"] += reads.document["permission"]
        return made

    # The one that was ended last took rows in for the shortest time, and gave them for the longest.
    states = (
        given(101, "2019-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        given(102, *["2021-01-01T00:00:00Z"] * 2),
    )
    short = given(103, "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z")
    for number, state in enumerate((*states, short)):
        table.apply(state)
        table.apply(end(state, NOW - 50 + number))
    in_2021 = 1_609_459_200_000_000 - 1
    assert table.consents.cut_from(BICYCLES, NOOR, STACK, 200).after == in_2021 + HEARD


def test_a_consent_that_can_no_longer_be_read_takes_its_subject_away(
    table: LawTable, agreement: Build
) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    table.apply(consent(agreement))
    assert table.consenting_subjects(request, NOW)
    for assigner in (NOOR, "urn:dmi:person:sam", "nobody"):
        table.apply(consent(agreement, extra={"obligation": [], "assigner": assigner}))
        assert table.consenting_subjects(request, NOW) == {}


def test_the_answer_about_consents_changes_at_the_microsecond(table: LawTable, agreement: Build) -> None:
    request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
    limits = [("gteq", "2026-12-31T23:59:59Z"), ("lt", "2027-01-01T00:00:00Z")]
    table.apply(consent(agreement, times=limits))
    for moment, expected in (
        (NOW - 1, 1),
        (NOW, 0),
        (NOW - 1_000_000, 1),
        (NOW - 1_000_001, 0),
        (NOW - 1, 1),
    ):
        assert len(table.consenting_subjects(request, moment)) == expected


def test_the_law_is_missing_then_fresh_then_stale(table: LawTable) -> None:
    missing = table.stale(NOW)
    assert missing is not None
    assert (missing.code, table.age(NOW)) == ("law_missing", None)
    table.apply(Heartbeat("heartbeat", NOW))
    assert table.age(NOW + 7) == 7
    assert table.stale(NOW + 5_000_000) is None
    for moment in (NOW + 5_000_001, NOW - 5_000_001):
        stale = table.stale(moment)
        assert stale is not None
        assert (stale.code, stale.moment) == ("law_stale", NOW)


def test_after_an_event_that_could_not_be_read_the_law_stays_stale(table: LawTable) -> None:
    table.apply(Heartbeat("heartbeat", NOW))
    table.poison("unknown field")
    table.apply(Heartbeat("heartbeat", NOW + 1))
    stale = table.stale(NOW + 1)
    assert stale is not None
    assert (stale.code, "unknown field" in stale.detail) == ("law_stale", True)


def test_views_show_what_the_table_holds(table: LawTable, agreement: Build) -> None:
    state = agreement()
    table.apply(state)
    assert table.agreement(state.id) == table.agreements[state.id] == state
    assert table.agreement("urn:uuid:none") is None
    assert GARAGES in table.datasets
    assert STACK in set(table.participants)
    assert len(table.agreements) == 1


def test_readers_beside_a_writer_see_only_whole_states(table: LawTable, agreement: Build) -> None:
    """A reader may see the state before or after an event, never an error and never a right that nobody gave."""
    table.apply(agreement(1, dataset=BICYCLES))
    stop = threading.Event()
    failures: list[object] = []

    def read() -> None:
        request = Request(STACK, "dmi:read", BICYCLES, "dmi:purpose:mobility")
        while not stop.is_set():
            decision = table.decide(request, NOW)
            if decision.reasons[0].code not in ("allowed", "no_consent"):
                failures.append(decision)
            if set(table.consenting_subjects(request, NOW)) - {f"urn:dmi:person:p{n}" for n in range(200)}:
                failures.append("a subject that nobody knows")
            list(table.agreements)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(200):
        state = consent(agreement, 100 + number, assigner=f"urn:dmi:person:p{number}")
        table.apply(state)
        table.apply(end(state))
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert code(ask(table, dataset=BICYCLES)) == "no_consent"


def test_a_table_built_in_any_order_decides_alike(rulebook: Rulebook, agreement: Build) -> None:
    events: list[LawEvent] = [
        agreement(1),
        Dataset(GARAGES, GEMEENTE, {"nl": "Garages"}),
        Participant(STACK, "stack", [], rulebook="1.0.0"),
        end(agreement(2)),
    ]
    for ordered in (events, events[::-1]):
        law = LawTable(rulebook)
        for event in ordered:
            law.apply(event)
        assert code(ask(law)) == "allowed"
