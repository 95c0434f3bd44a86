"""Participants: admitted by the operator, nothing before the signature, nobody for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from dmi_agreements.contracts.law import Participant
from dmi_exchange.custody import Custody
from dmi_infra import jose
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.unit.exchange.fakes import (
    ANALYSING,
    ANALYST,
    LIVING,
    OFFICER,
    OPERATING,
    RESIDENT,
    SELLER,
    SELLING,
    Node,
    Who,
    running,
)
from tests.unit.infra.fakes import NOOR, OWNER, STACK, VENDOR

DOORS = [
    ("GET", "/v1/participants"),
    ("GET", f"/v1/participants/{OWNER}"),
    ("POST", "/v1/participants"),
    ("GET", "/v1/datasets"),
    ("POST", "/v1/datasets"),
    ("GET", "/v1/agreements"),
    ("POST", "/v1/agreements"),
    ("POST", "/v1/agreements/draft"),
    ("GET", "/v1/agreements/x"),
    ("POST", "/v1/agreements/x/signature"),
    ("POST", "/v1/agreements/x/end"),
    ("GET", "/v1/consents"),
    ("POST", "/v1/consents"),
    ("POST", "/v1/consents/x/withdraw"),
    ("GET", "/v1/log"),
    ("GET", "/v1/log/evidence"),
    ("GET", "/v1/log/entries/1/proof"),
    ("GET", "/v1/log/authorization-decisions"),
    ("GET", "/v1/log/processing-records"),
    ("POST", "/v1/log/erasure"),
    ("POST", "/access/v1/evaluation"),
    ("POST", "/access/v1/evaluations"),
    ("GET", "/v1/log/verify"),
    ("GET", "/v1/lineage/x"),
    ("GET", "/v1/lineage/x/dependents"),
]


@pytest.fixture(scope="module")
def newcomer(node: Node) -> Who:
    node.admit("urn:dmi:participant:nieuw", SELLER, sign=False)
    return Who("urn:dmi:participant:nieuw", (SELLER,))


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_an_unsigned_participant_can_do_nothing(node: Node, newcomer: Who, method: str, path: str) -> None:
    node.refused(node.ask(method, path, newcomer, json={}), 403, "rulebook-not-signed")


def test_a_person_looks_and_has_its_rights_before_it_signs_and_does_nothing_else(node: Node) -> None:
    node.admit("urn:dmi:person:nieuw", RESIDENT, sign=False)
    person = Who("urn:dmi:person:nieuw", (RESIDENT,))
    assert node.ask("GET", "/v1/my-data/copy", person).status_code == 200
    assert node.ask("GET", "/v1/datasets", person).status_code == 200
    assert node.ask("POST", "/v1/my-data/erasure", person, json={}).status_code == 201
    for path in ("/v1/consents/urn:uuid:x/withdraw", "/v1/my-data/stop", "/v1/log/erasure"):
        told = node.ask("POST", path, person, json={"reason": "x", "person": person.participant})
        assert "rulebook-not-signed" not in told.text, path
    for method, path in DOORS:
        if method == "POST" and "withdraw" not in path and path != "/v1/log/erasure":
            answer = node.ask(method, path, person, json={})
            assert answer.status_code == 403, path
            assert answer.json()["type"].rpartition(":")[2] in ("rulebook-not-signed", "wrong-role"), path


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_without_a_token_no_door_opens(node: Node, method: str, path: str) -> None:
    node.refused(node.ask(method, path, json={}), 401, "unauthenticated")


def test_a_newcomer_can_see_who_it_is_and_what_it_should_sign(node: Node, newcomer: Who) -> None:
    assert node.get("/v1/me", newcomer)["signed"] is None
    statement = node.get(f"/v1/participants/{newcomer.participant}/statement", newcomer)
    digest = node.get("/v1/rulebook")["digest"]
    assert statement == {
        "participant": newcomer.participant,
        "rulebook": "1.0.0",
        "digest": digest,
        "statement": "accepts",
    }


def test_nobody_signs_for_another_participant(node: Node, newcomer: Who) -> None:
    path = f"/v1/participants/{newcomer.participant}"
    jws = node.keys[newcomer.participant].sign_document(node.get(f"{path}/statement", newcomer))
    for who in (OFFICER, OPERATING, Who(newcomer.participant, (ANALYST,))):
        node.refused(node.ask("POST", f"{path}/signature", who, json={"jws": jws}), 403, "not-a-party")


def test_a_signature_with_another_key_or_over_something_else_does_not_count(
    node: Node, newcomer: Who
) -> None:
    path = f"/v1/participants/{newcomer.participant}"
    statement = node.get(f"{path}/statement", newcomer)
    wrong = [
        node.keys[OWNER].sign_document(statement),
        node.keys[newcomer.participant].sign_document({**statement, "rulebook": "0.9.0"}),
        "x",
        "a.b.c",
        "..",
    ]
    for jws in wrong:
        node.refused(node.ask("POST", f"{path}/signature", newcomer, json={"jws": jws}), 400, "invalid-input")
    assert node.get("/v1/me", newcomer)["signed"] is None


@pytest.mark.parametrize(
    "body", [{}, {"hosted": False}, {"jws": "x", "hosted": True}, {"jws": ""}, {"jws": None}]
)
def test_a_hosted_signature_is_asked_for_expressly(node: Node, newcomer: Who, body: object) -> None:
    path = f"/v1/participants/{newcomer.participant}/signature"
    node.refused(node.ask("POST", path, newcomer, json=body), 400, "invalid-input")


def test_this_node_signs_only_with_keys_that_it_keeps(node: Node, newcomer: Who) -> None:
    path = f"/v1/participants/{newcomer.participant}/signature"
    problem = node.refused(node.ask("POST", path, newcomer, json={"hosted": True}), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "hosted"
    assert (
        node.post(f"/v1/participants/{STACK}/signature", {"hosted": True}, OPERATING)["rulebook"] == "1.0.0"
    )


def test_in_production_no_key_is_used_for_another(tmp_path: Path) -> None:
    custody = Custody(tmp_path, hosting=False)
    custody.own(STACK)
    with pytest.raises(Exception, match="keeps no key"):
        custody.sign(STACK, {})


def test_only_the_operator_admits(node: Node) -> None:
    body = {
        "id": "urn:dmi:participant:x",
        "name": "x",
        "roles": [],
        "keys": [jose.SigningKey.generate().public],
    }
    for who in (OFFICER, SELLING, LIVING, ANALYSING):
        node.refused(node.ask("POST", "/v1/participants", who, json=body), 403, "wrong-role")


def test_an_id_is_given_once_and_its_keys_cannot_be_taken_over(node: Node) -> None:
    stolen = jose.SigningKey.generate()
    for identifier in (OWNER, EXCHANGE_PARTICIPANT):
        before = node.store.get(Participant, identifier)
        body = {"id": identifier, "name": "x", "roles": [], "keys": [stolen.public]}
        node.refused(node.ask("POST", "/v1/participants", OPERATING, json=body), 409, "conflict")
        assert node.store.get(Participant, identifier) == before


@pytest.mark.parametrize(
    "change",
    [
        {"id": "urn:dmi:dataset:x:y"},
        {"id": "urn:dmi:participant:É"},
        {"id": "x" * 1000},
        {"id": "urn:dmi:participant:\0"},
        {"roles": ["dmi:role:king"]},
        {"keys": []},
        {"keys": [{"kty": "oct", "k": "AAAA"}]},
        {"name": ""},
        {"keys": [jose.SigningKey.generate()._private]},
        {"extra": 1},
        {"name": "x" * 201},
        {"keys": [{}] * 11},
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(node: Node, change: dict[str, object]) -> None:
    body = {
        "id": "urn:dmi:participant:y",
        "name": "y",
        "roles": [],
        "keys": [jose.SigningKey.generate().public],
    }
    node.refused(node.ask("POST", "/v1/participants", OPERATING, json=body | change), 400, "invalid-input")


def test_a_role_that_there_is_not_is_refused_with_those_that_there_are(node: Node) -> None:
    body = {"id": "urn:dmi:participant:y", "name": "y", "roles": [RESIDENT, "dmi:role:king"]}
    body["keys"] = [jose.SigningKey.generate().public]
    problem = node.refused(node.ask("POST", "/v1/participants", OPERATING, json=body), 400, "invalid-input")
    (error,) = problem["errors"]
    assert error["field"] == "roles.1"
    assert {"dmi:role:vendor", RESIDENT} <= set(error["rule"].removeprefix("must be one of: ").split(", "))


def test_participants_come_page_by_page_and_none_is_a_resident(node: Node) -> None:
    whole = [one["id"] for one in node.get("/v1/participants")["items"]]
    assert whole == sorted(whole)
    assert {OWNER, VENDOR, STACK} <= set(whole)
    paged, cursor = [], ""
    while cursor is not None:
        page = node.get(f"/v1/participants?limit=2&cursor={cursor}")
        assert len(page["items"]) <= 2
        paged += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert paged == whole
    # A position need not be the id of somebody who is there.
    assert node.get("/v1/participants?cursor=urn:dmi:person:")["items"] == []
    node.refused(node.ask("GET", "/v1/participants?limit=1001", OFFICER), 400, "invalid-input")


def test_residents_stand_in_no_list_and_cannot_be_looked_up(node: Node) -> None:
    assert NOOR not in {item["id"] for item in node.get("/v1/participants")["items"]}
    for who in (OFFICER, OPERATING, SELLING):
        node.refused(node.ask("GET", f"/v1/participants/{NOOR}", who), 404, "not-found")
    assert node.get(f"/v1/participants/{NOOR}", LIVING)["roles"] == [RESIDENT]
    assert node.get(f"/v1/participants/{VENDOR}")["name"] == VENDOR


@pytest.mark.parametrize("identifier", ["urn:dmi:participant:nobody", "%00", "..", "x" * 3000, "é"])
def test_an_unknown_id_is_not_found(node: Node, identifier: str) -> None:
    node.refused(node.ask("GET", f"/v1/participants/{identifier}", OFFICER), 404, "not-found")


def test_a_lost_key_of_the_exchange_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        old = first.store.get(Participant, EXCHANGE_PARTICIPANT)
    (tmp_path / "keys" / "participant_exchange.json").unlink()
    with running(tmp_path, first.bus) as second:
        new = second.store.get(Participant, EXCHANGE_PARTICIPANT)
        assert old is not None
        assert new is not None
        assert new.keys != old.keys
        assert second.get("/v1/me", OPERATING)["participant"] == STACK
