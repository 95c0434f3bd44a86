"""Participants, datasets and the agreements between them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import parse_rulebook
from dmi_agreements.versions import Rulebooks
from dmi_command.demo import agreements, participants
from dmi_command.demo.story import (
    BICYCLE_AIR,
    CROWD,
    EVERYONE,
    GARAGES,
    MUNICIPALITY,
    STACK,
    VENDOR,
    datasets,
)
from dmi_exchange.review.case import Facts
from dmi_exchange.review.reasoner import Reasoner
from tests.unit.infra.fakes import rulebook

NOW = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return agreements("1.0.0", NOW)


def granted(document: dict[str, Any], dataset: str) -> set[str]:
    return {a for rule in document["permission"] if rule["target"] == dataset for a in rule["action"]}


def test_every_party_is_a_participant_and_every_target_a_dataset(documents: list[dict[str, Any]]) -> None:
    parties = {participant.id for participant, _, _ in participants()} | {EVERYONE}
    known = {dataset.id: dataset.owner for dataset in datasets()}
    assert set(known.values()) <= parties
    for document in documents:
        assert {document["assigner"], document["assignee"]} <= parties
        for rule in document["permission"]:
            owner = known[rule["target"]]
            assert document["assigner"] == owner or document["assigner"].startswith("urn:dmi:person:")


def test_all_end_two_years_later_and_name_a_purpose(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        assert "uid" not in document
        assert document["dmi:rulebook"] == "1.0.0"
        for rule in document["permission"]:
            operands = {item["leftOperand"]: item["rightOperand"] for item in rule["constraint"]}
            assert operands["dateTime"]["@value"] == "2028-11-20T00:00:00Z"
            assert operands["purpose"].startswith("dmi:purpose:")


def test_every_rider_consents_for_air_quality_only(documents: list[dict[str, Any]]) -> None:
    consents = [d for d in documents if d["assigner"].startswith("urn:dmi:person:")]
    residents = [p.id for p, role, _ in participants() if role == "resident"]
    assert [consent["assigner"] for consent in consents] == [one for one in residents for _ in range(2)]
    asked: dict[str, set[str]] = {}
    assert len(residents) == 40
    assert residents[0] == "urn:dmi:person:noor"
    for consent in consents:
        (rule,) = consent["permission"]
        assert rule["target"] == BICYCLE_AIR
        values = {item["leftOperand"]: item["rightOperand"] for item in rule["constraint"]}
        assert values["purpose"] == "dmi:purpose:air-quality"
        assert consent["dmi:legalBasis"] == "dmi:basis:consent"
        (recipient,) = values["recipient"]
        asked.setdefault(consent["assigner"], set()).add(recipient)
    assert all(recipients == {STACK, MUNICIPALITY} for recipients in asked.values())


def test_bicycles_are_shown_coarse_and_nameless_and_are_not_open(documents: list[dict[str, Any]]) -> None:
    about = [d for d in documents if granted(d, BICYCLE_AIR)]
    assert EVERYONE not in {d["assignee"] for d in about if not d["assigner"].startswith("urn:dmi:person:")}
    (layer,) = (d for d in about if d["assignee"] == STACK)
    for rule in layer["permission"]:
        duties = {duty["action"] for duty in rule.get("duty", [])}
        shown = "dmi:display" in rule["action"]
        assert duties == ({"dmi:coarsen", "dmi:leaveOut"} if shown else {"dmi:deleteAfter"})


def test_the_vendor_reads_garages_late_and_contributes_counts(documents: list[dict[str, Any]]) -> None:
    mine = [d for d in documents if d["assignee"] == VENDOR]
    (late,) = (d for d in mine if "dmi:read" in granted(d, GARAGES))
    assert late["permission"][0]["duty"][0]["constraint"][0]["rightOperand"]["@value"] == "300"
    assert any(granted(d, CROWD) == {"dmi:contribute"} for d in mine)


def test_each_demonstration_identity_acts_for_one_participant() -> None:
    identities = [identity for _, _, identity in participants() if identity]
    assert sorted(identities) == ["analyst", "inspector", "officer", "operator", "resident", "vendor"]
    assert all(participant.keys == [] for participant, _, _ in participants())


def test_the_language_of_the_agreements_framework_reads_every_document(
    documents: list[dict[str, Any]],
) -> None:
    folder = Path(__file__).parents[4] / "agreements" / "rulebook"
    rulebook = parse_rulebook({path.name: path.read_bytes() for path in folder.glob("*.json")})
    for document in documents:
        uid = uuid.uuid5(uuid.NAMESPACE_URL, document["assigner"] + document["assignee"])
        terms = read_agreement({"uid": f"urn:uuid:{uid}", **document}, rulebook)
        assert terms.is_consent == document["assigner"].startswith("urn:dmi:person:")
    roles = {role for participant, _, _ in participants() for role in participant.roles}
    assert roles <= set(rulebook.roles)


def test_law_and_rulebook_allow_every_document(documents: list[dict[str, Any]]) -> None:
    books = Rulebooks(rulebook())
    members = {participant.id: participant for participant, _, _ in participants()}
    data = {dataset.id: dataset for dataset in datasets()}
    reasoner = Reasoner(books, Facts(data.get, members.get, lambda *_: {}), {STACK}, lambda: NOW)
    for document in documents:
        assert reasoner.review({"uid": f"urn:uuid:{uuid.uuid4()}", **document}).faults == ()
    assert all(reasoner.dataset(dataset) == () for dataset in data.values())
