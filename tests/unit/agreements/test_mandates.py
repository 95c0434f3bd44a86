"""Mandates: each link of a chain must cover the request, and every doubt refuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import Dataset, Heartbeat, Mandate, Participant
from dmi_agreements.decision import Request
from dmi_agreements.mandates import MandateUnreadable, longest_chain, read_mandate
from dmi_agreements.table import LawTable
from tests.unit.infra.fakes import rulebook

CITY, VENDOR, SUPPLIER, OWN = (
    f"urn:dmi:participant:{n}" for n in ("gemeente", "sensorbedrijf", "toeleverancier", "stack")
)
DATA = "urn:dmi:dataset:gemeente:garages"
NOW = 1_800_000_000_000_000
M1, M2, M3 = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def mandate(uid: str = M1, state: str = "active", **change: Any) -> Mandate:
    document = {
        "uid": uid, "type": "dmi:Mandate", "mandator": CITY, "mandatary": VENDOR, "actions": ["dmi:read"],
        "datasets": [DATA], "purposes": ["dmi:purpose:mobility"], "from": "2026-01-01T00:00:00Z",
        "until": "2028-01-01T00:00:00+01:00", "onward": 1, "dmi:rulebook": "1.0.0",
    }  # fmt: skip
    return Mandate(uid, {**document, **change}, "a..b", state, 0)


@pytest.fixture
def law() -> LawTable:
    table = LawTable(rulebook(), [OWN])
    for each in (CITY, VENDOR, SUPPLIER, OWN):
        table.apply(Participant(each, each, [], [], rulebook="1.0.0"))
    table.apply(Dataset(DATA, CITY, {"nl": "x"}, purpose="dmi:purpose:mobility"))
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))
    return table


def asked(**change: Any) -> Request:
    request = Request(CITY, "dmi:read", DATA, "dmi:purpose:mobility", "query", False, VENDOR, M1)
    return Request(**{name: getattr(request, name) for name in request.__slots__} | change)


def outcome(law: LawTable, request: Request, now: int = NOW) -> str:
    decision = law.decide(request, now)
    return "allowed" if decision.allowed else decision.reasons[0].code


def test_the_owners_mandatary_may_what_the_mandate_says(law: LawTable) -> None:
    assert outcome(law, asked()) == "no_mandate"
    law.apply(mandate())
    assert outcome(law, asked()) == "allowed"
    assert outcome(law, asked(actor="", mandate="")) == "allowed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"action": "dmi:export"}, "outside_mandate"),
        ({"dataset": "urn:dmi:dataset:gemeente:other"}, "outside_mandate"),
        ({"purpose": "dmi:purpose:research"}, "outside_mandate"),
        ({"purpose": ""}, "outside_mandate"),
        ({"actor": SUPPLIER}, "no_mandate"),
        ({"actor": ""}, "no_mandate"),
        ({"mandate": ""}, "no_mandate"),
        ({"mandate": M2}, "no_mandate"),
        ({"assignee": SUPPLIER}, "no_mandate"),
        ({"assignee": OWN}, "no_mandate"),
    ],
)
def test_a_request_outside_of_it_is_refused(law: LawTable, change: dict[str, str], code: str) -> None:
    law.apply(mandate())
    assert outcome(law, asked(**change)) == code


@pytest.mark.parametrize(
    "change",
    [
        {"actions": []}, {"surprise": 1}, {"type": "dmi:Other"}, {"until": "2027-01-01T00:00:00"}, {"onward": -1},
        {"onward": "1"}, {"from": "2029-01-01T00:00:00Z"}, {"datasets": "all"}, {"purposes": [1]}, {"mandator": None},
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_refuses(law: LawTable, change: dict[str, Any]) -> None:
    law.apply(mandate(**change))
    assert outcome(law, asked()) == "no_mandate"


def test_time_and_membership_count_at_each_request(law: LawTable) -> None:
    law.apply(mandate())
    assert outcome(law, asked(), 1_000_000_000_000_000) == "not_yet"
    # 23:00 UTC: the end is stated in another zone, and excluded.
    assert outcome(law, asked(), 1_830_294_000_000_000 - 1) == "allowed"
    assert outcome(law, asked(), 1_830_294_000_000_000) == "expired"
    vendor = law.participants[VENDOR]
    for change in ({"active": False}, {"rulebook": None}):
        law.apply(msgspec.structs.replace(vendor, **change))
        assert outcome(law, asked()) == "inactive_participant"


def test_an_ended_mandate_stays_ended_and_tells_whom_it_concerned(law: LawTable) -> None:
    law.apply(mandate())
    change = law.apply(mandate(state="ended"))
    assert (change.ended, change.datasets) == ((M1,), (DATA,))
    assert not law.apply(mandate()).changed
    assert outcome(law, asked()) == "ended"


def test_a_chain_holds_while_each_of_its_links_covers_the_request(law: LawTable) -> None:
    last = asked(actor=SUPPLIER, mandate=M2)
    passed = {"mandator": VENDOR, "mandatary": SUPPLIER, "onward": 0, "parent": M1}
    law.apply(mandate())
    law.apply(mandate(M2, **passed))
    assert outcome(law, last) == "allowed"
    for broken, code in (
        (mandate(onward=0), "no_mandate"), (mandate(mandatary=SUPPLIER), "no_mandate"),
        (mandate(actions=["dmi:export"]), "outside_mandate"), (mandate(state="ended"), "ended"),
    ):  # fmt: skip
        law.apply(broken)
        assert outcome(law, last) == code


def test_a_chain_is_no_longer_than_the_rulebook_says_and_a_circle_ends(law: LawTable) -> None:
    assert longest_chain(law.rulebook) == 2
    law.apply(mandate(onward=9))
    law.apply(mandate(M2, mandator=VENDOR, mandatary=SUPPLIER, onward=9, parent=M1))
    law.apply(mandate(M3, mandator=SUPPLIER, mandatary=OWN, onward=9, parent=M2))
    assert outcome(law, asked(actor=OWN, mandate=M3)) == "no_mandate"
    law.apply(mandate("round", mandator=VENDOR, mandatary=VENDOR, onward=9, parent="round"))
    assert outcome(law, asked(mandate="round")) == "no_mandate"


def test_a_machine_that_signed_nothing_acts_for_its_own_participant_while_it_is_active(law: LawTable) -> None:
    gateway = "urn:dmi:machine:gemeente:gateway"
    law.apply(mandate(mandatary=gateway, onward=0))
    request = asked(actor=gateway)
    for owner, active, expected in (
        (CITY, True, "allowed"), (VENDOR, True, "inactive_participant"), (CITY, False, "inactive_participant"),
    ):  # fmt: skip
        law.apply(Participant(gateway, "Gateway", [], [], active=active, machine_of=owner))
        assert outcome(law, request) == expected


def test_a_person_gives_no_mandate(law: LawTable) -> None:
    """Its consents, and what it asks for its data, would not reach whoever acts by it."""
    person = "urn:dmi:person:noor"
    law.apply(Participant(person, "Noor", [], [], rulebook="1.0.0"))
    law.apply(Dataset(DATA, CITY, {"nl": "x"}, purpose="dmi:purpose:mobility", personal=True))
    law.apply(mandate(mandator=person))
    assert outcome(law, asked(assignee=person)) == "no_mandate"
    assert outcome(law, asked(assignee=person, actor="", mandate="")) == "allowed"


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"until": "2027-03-01"}, "until", "must be RFC 3339 with an offset"),
        ({"from": "tomorrow"}, "from", "must be RFC 3339 with an offset"),
        ({"until": "2025-01-01T00:00:00Z"}, "until", "must lie after from"),
        ({"actions": []}, "actions", "must have 1 to 200 items"),
        ({"onward": -1}, "onward", "must be 0 or more"),
        ({"until": 3}, "", "Expected `str`"),
    ],
)
def test_what_cannot_be_read_names_its_field_and_the_rule(
    change: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(MandateUnreadable) as refused:
        read_mandate(mandate(**change).document)
    assert refused.value.field == field
    assert refused.value.rule.startswith(rule)
