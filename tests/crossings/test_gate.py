"""The gate at every crossing of the table: allowed, refused for each reason, stopped midway, recorded."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant, Usage
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.crossings import CROSSINGS, Crossing
from dmi_agreements.policy.situation import Use
from dmi_agreements.rulebook import parse_rulebook
from dmi_agreements.table import LawTable
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate
from dmi_infra.geo import Projection
from dmi_infra.http.problems import refusal
from dmi_infra.permit import Permit
from dmi_infra.telemetry import Metrics

ROOT = Path(__file__).resolve().parents[2]
RULEBOOK = parse_rulebook({f.name: f.read_bytes() for f in (ROOT / "agreements" / "rulebook").glob("*.json")})
OWNER, STACK, USER = (f"urn:dmi:participant:{name}" for name in ("gemeente", "stack", "vendor"))
DATASET = "urn:dmi:dataset:gemeente:garages"
NOW = 1_800_000_000_000_000
HOUR = 3_600_000_000
MOBILITY = "dmi:purpose:mobility"


class Courtroom:
    """A law table with one dataset, a gate before it, and what the gate recorded."""

    def __init__(self) -> None:
        self.records: list[DecisionRecord | Lineage] = []
        self.law = LawTable(RULEBOOK)
        self.now = NOW
        for identifier in (OWNER, STACK, USER):
            self.law.apply(Participant(identifier, identifier, ["dmi:role:user"], rulebook=RULEBOOK.version))
        self.law.apply(Dataset(DATASET, OWNER, {"nl": "Garages"}, purpose=MOBILITY))
        self.law.apply(Heartbeat("urn:dmi:heartbeat", NOW))
        self.gate = Gate(
            "platform",
            STACK,
            self.law,
            self.records.append,
            Projection(),
            Metrics("platform"),
            lambda: self.now,
        )

    def agree(
        self,
        assignee: str,
        action: str,
        *constraints: dict[str, Any],
        purpose: str = MOBILITY,
        unless: Sequence[dict[str, Any]] = (),
    ) -> AgreementState:
        document = {
            "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
            "@type": "Agreement", "uid": f"urn:uuid:{uuid.uuid4()}", "profile": "urn:dmi:profile:1",
            "dmi:rulebook": RULEBOOK.version, "dmi:legalBasis": "dmi:basis:public-task",
            "assigner": OWNER, "assignee": assignee,
            "permission": [{
                "target": DATASET, "action": action,
                "constraint": [
                    {"leftOperand": "purpose", "operator": "isA", "rightOperand": purpose}, *constraints,
                ],
            }],
        }  # fmt: skip
        if unless:
            document["prohibition"] = [{"target": DATASET, "action": action, "constraint": list(unless)}]
        agreement = AgreementState(str(document["uid"]), document, "active", concluded_at=NOW)
        self.law.apply(agreement)
        return agreement

    def end(self, agreement: AgreementState) -> None:
        self.law.apply(msgspec.structs.replace(agreement, state="ended", ended_at=self.now, ended_by=OWNER))


@pytest.fixture
def court() -> Courtroom:
    return Courtroom()


crossings = pytest.mark.parametrize("crossing", CROSSINGS, ids=lambda c: c.name)


@crossings
def test_an_agreement_for_the_action_opens_the_crossing_and_names_itself(
    court: Courtroom, crossing: Crossing
) -> None:
    agreement = court.agree(STACK, crossing.action)
    permit = court.gate.permit(crossing.name, crossing.action, DATASET)
    assert permit.agreements == (agreement.id,)


@crossings
def test_without_an_agreement_the_crossing_is_shut(court: Courtroom, crossing: Crossing) -> None:
    with pytest.raises(Refused) as refused:
        court.gate.permit(crossing.name, crossing.action, DATASET)
    assert refused.value.reasons[0].code == "no_agreement"


@crossings
def test_an_expired_agreement_shuts_the_crossing(court: Courtroom, crossing: Crossing) -> None:
    until = {
        "leftOperand": "dateTime",
        "operator": "lteq",
        "rightOperand": {"@value": "2027-01-01T00:00:00Z", "@type": "xsd:dateTime"},
    }
    court.agree(STACK, crossing.action, until)
    court.now = 1_830_000_000_000_000
    court.law.apply(Heartbeat("urn:dmi:heartbeat", court.now))
    with pytest.raises(Refused) as refused:
        court.gate.permit(crossing.name, crossing.action, DATASET)
    assert refused.value.reasons[0].code == "expired"


@crossings
def test_an_agreement_for_another_purpose_shuts_the_crossing(court: Courtroom, crossing: Crossing) -> None:
    court.agree(STACK, crossing.action, purpose="dmi:purpose:research")
    with pytest.raises(Refused) as refused:
        court.gate.permit(crossing.name, crossing.action, DATASET)
    assert refused.value.reasons[0].code == "wrong_purpose"


@crossings
def test_an_agreement_with_an_unknown_term_shuts_the_crossing(court: Courtroom, crossing: Crossing) -> None:
    odd = {"leftOperand": "dmi:moonPhase", "operator": "eq", "rightOperand": "full"}
    court.agree(STACK, crossing.action, odd)
    court.agree(STACK, crossing.action)
    with pytest.raises(Refused) as refused:
        court.gate.permit(crossing.name, crossing.action, DATASET)
    assert refused.value.reasons[0].code == "unknown_term"


@crossings
def test_a_stop_midway_shuts_the_crossing_and_open_permits(court: Courtroom, crossing: Crossing) -> None:
    agreement = court.agree(STACK, crossing.action)
    permit = court.gate.permit(crossing.name, crossing.action, DATASET)
    court.gate.still(permit)
    court.end(agreement)
    with pytest.raises(Refused):
        court.gate.still(permit)
    with pytest.raises(Refused) as refused:
        court.gate.permit(crossing.name, crossing.action, DATASET)
    problem = refusal(refused.value).body()
    assert (problem["status"], problem["agreement"]) == (403, agreement.id)
    assert problem["moment"].startswith("2027-01-15T08:00:00")


@crossings
def test_a_stale_law_shuts_every_crossing(court: Courtroom, crossing: Crossing) -> None:
    court.agree(STACK, crossing.action)
    court.now = NOW + 5_000_001
    with pytest.raises(Refused) as refused:
        court.gate.permit(crossing.name, crossing.action, DATASET)
    assert refusal(refused.value).status == 503


@crossings
def test_the_recipient_needs_a_right_of_its_own(court: Courtroom, crossing: Crossing) -> None:
    court.agree(STACK, crossing.action)
    with pytest.raises(Refused):
        court.gate.permit(crossing.name, crossing.action, DATASET, recipient=USER)
    own = court.agree(USER, crossing.action)
    assert own.id in court.gate.permit(crossing.name, crossing.action, DATASET, recipient=USER).agreements


@crossings
def test_open_data_gives_the_recipient_a_right_but_not_the_layer(
    court: Courtroom, crossing: Crossing
) -> None:
    court.agree("urn:dmi:party:everyone", crossing.action)
    with pytest.raises(Refused):
        court.gate.permit(crossing.name, crossing.action, DATASET, recipient=USER)
    court.agree(STACK, crossing.action)
    court.gate.permit(crossing.name, crossing.action, DATASET, recipient=USER)


@crossings
def test_every_decision_is_recorded_with_its_reason(court: Courtroom, crossing: Crossing) -> None:
    with pytest.raises(Refused):
        court.gate.permit(crossing.name, crossing.action, DATASET)
    court.agree(STACK, crossing.action)
    court.gate.permit(crossing.name, crossing.action, DATASET)
    found = [
        (r.crossing, r.allowed, r.reasons[0].split(":")[0])
        for r in court.records
        if isinstance(r, DecisionRecord)
    ]
    assert found == [(crossing.name, False, "no_agreement"), (crossing.name, True, "allowed")]


def at_most(times: int) -> dict[str, Any]:
    return {"leftOperand": "count", "operator": "lteq", "rightOperand": times}


def test_a_use_beyond_the_number_agreed_is_refused_and_an_open_one_goes_on(court: Courtroom) -> None:
    court.agree(STACK, "dmi:read")
    agreed = court.agree(USER, "dmi:read", at_most(2))
    assert court.gate.foreseen("query", "dmi:read", DATASET, MOBILITY, USER), "a preview uses nothing up"
    court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    second = court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    with pytest.raises(Refused) as caught:
        court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    assert [reason.code for reason in caught.value.reasons] == ["condition_unmet"]
    court.gate.still(second)
    uses = [
        record.counted for record in court.records if isinstance(record, DecisionRecord) and record.allowed
    ]
    assert uses == [[(agreed.id, "/permission/0", USER)]] * 2


def test_uses_at_other_gates_count_and_none_counts_twice(court: Courtroom) -> None:
    court.agree(STACK, "dmi:read")
    agreed = court.agree(USER, "dmi:read", at_most(3))

    def told(**counts: int) -> bool:
        usage = Usage("urn:dmi:usage:x", agreed.id, "/permission/0", USER, counts, NOW - HOUR)
        return court.law.apply(usage).changed

    court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    assert told(platform=1, visualisation=1)
    court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    assert not told(platform=1), "an earlier sum is no news"
    with pytest.raises(Refused):
        court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    assert court.law.uses.of((agreed.id, "/permission/0", USER)) == Use(3, NOW - HOUR, NOW)


def test_of_many_uses_at_once_no_more_than_agreed_pass(court: Courtroom) -> None:
    court.agree(STACK, "dmi:read")
    court.agree(USER, "dmi:read", at_most(5))
    outcomes: list[bool] = []

    def use() -> None:
        try:
            court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
        except Refused:
            outcomes.append(False)
        else:
            outcomes.append(True)

    threads = [threading.Thread(target=use) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 35 + [True] * 5


def test_a_time_from_the_first_use_begins_with_the_first_use(court: Courtroom) -> None:
    court.agree(STACK, "dmi:read")
    court.agree(USER, "dmi:read", {"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": "PT2S"})
    court.now += 3_000_000
    court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    court.now += 1_900_000
    court.law.apply(Heartbeat("urn:dmi:heartbeat", court.now))
    court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    court.now += 200_000
    with pytest.raises(Refused):
        court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)


def test_between_two_uses_passes_the_time_agreed_and_an_open_one_goes_on(court: Courtroom) -> None:
    court.agree(STACK, "dmi:read")
    spaced = {"leftOperand": "timeInterval", "operator": "gteq", "rightOperand": "PT2S"}
    agreed = court.agree(USER, "dmi:read", spaced)

    def use() -> Permit:
        return court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)

    def later(by: int) -> None:
        court.now += by
        court.law.apply(Heartbeat("urn:dmi:heartbeat", court.now))

    opened = use()
    later(1_900_000)
    with pytest.raises(Refused) as caught:
        use()
    assert [reason.code for reason in caught.value.reasons] == ["condition_unmet"]
    court.gate.still(opened)
    later(100_000)
    use()
    later(2_000_000)
    key = (agreed.id, "/permission/0", USER)
    elsewhere = Usage("urn:dmi:usage:x", *key, {"platform": 2, "visualisation": 1}, NOW, court.now - 1)
    assert court.law.apply(elsewhere).changed
    with pytest.raises(Refused):
        use()
    court.gate.still(opened)


MORE_THAN_TWO = {"leftOperand": "count", "operator": "gt", "rightOperand": 2}


def test_a_prohibition_counts_what_was_done_before_it_forbids(court: Courtroom) -> None:
    court.agree(STACK, "dmi:read")
    court.agree(USER, "dmi:read", unless=[MORE_THAN_TWO])
    for _ in range(2):
        court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    with pytest.raises(Refused) as caught:
        court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    assert [reason.code for reason in caught.value.reasons] == ["prohibited"]


@pytest.mark.parametrize(
    ("edge", "counts"),
    [
        (("purpose", "isA", "dmi:purpose:research"), False),
        (("purpose", "isA", MOBILITY), True),
        (("recipient", "isAnyOf", [STACK]), False),
        (("recipient", "isAnyOf", [USER]), True),
    ],
    ids=str,
)
def test_what_a_prohibition_is_not_about_uses_nothing_of_it_up(
    court: Courtroom, edge: tuple[str, str, object], counts: bool
) -> None:
    court.agree(STACK, "dmi:read")
    test = dict(zip(("leftOperand", "operator", "rightOperand"), edge, strict=True))
    agreed = court.agree(USER, "dmi:read", unless=[test, MORE_THAN_TWO])
    for _ in range(2):
        court.gate.permit("query", "dmi:read", DATASET, MOBILITY, USER)
    assert court.law.uses.of((agreed.id, "/prohibition/0", USER)).count == 2 * counts
