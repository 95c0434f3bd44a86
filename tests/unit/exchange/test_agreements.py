"""Agreements and consents: signed by whom they bind, ended by their parties, at once and for good."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_infra.errors import Conflict
from dmi_infra.jose import SigningKey
from tests.unit.exchange.fakes import ANALYSING, LIVING, OFFICER, OPERATING, SELLING, Node, Who
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    OWNER,
    PIET,
    STACK,
    VENDOR,
    delay,
    document,
)

EVERYONE = "urn:dmi:party:everyone"


def offer(assignee: str = VENDOR, **more: Any) -> dict[str, Any]:
    return document(more.pop("assigner", OWNER), assignee, more.pop("dataset", GARAGES), ["dmi:read"], **more)


def refuse(
    node: Node, text: dict[str, Any], who: Who = OFFICER, code: str = "invalid-input"
) -> dict[str, Any]:
    jws = node.keys[who.participant].sign_document(text)
    answer = node.ask("POST", "/v1/agreements", who, json={"document": text, "jws": jws})
    return node.refused(answer, 400, code)


def test_an_agreement_is_in_force_when_both_have_signed(node: Node) -> None:
    text = offer()
    first = node.propose(text)
    assert (first["state"], first["waiting_for"], first["concluded_at"]) == ("proposed", [VENDOR], None)
    assert not node.service.runtime.law.table.held(text["uid"]).active  # type: ignore[union-attr]
    both = node.countersign(text, SELLING)
    assert (both["state"], both["waiting_for"]) == ("active", [])
    assert node.service.runtime.law.table.held(text["uid"]).active  # type: ignore[union-attr]
    node.refused(
        node.ask("POST", f"/v1/agreements/{text['uid']}/signature", SELLING, json={"jws": "x..y"}),
        409,
        "conflict",
    )


def test_open_data_needs_its_owner_alone(node: Node) -> None:
    assert node.propose(offer(EVERYONE))["state"] == "active"


def test_a_document_changed_after_signing_is_refused(node: Node) -> None:
    text = offer()
    jws = node.keys[OWNER].sign_document(text)
    changed = copy.deepcopy(text)
    changed["permission"][0]["action"] = ["dmi:export"]
    answer = node.ask("POST", "/v1/agreements", OFFICER, json={"document": changed, "jws": jws})
    node.refused(answer, 400, "invalid-input")
    node.propose(text)
    other = node.keys[VENDOR].sign_document(changed)
    answer = node.ask("POST", f"/v1/agreements/{text['uid']}/signature", SELLING, json={"jws": other})
    node.refused(answer, 400, "invalid-input")


def test_the_signature_of_another_participant_does_not_count(node: Node) -> None:
    text = offer()
    node.propose(text)
    path = f"/v1/agreements/{text['uid']}/signature"
    jws = node.keys[OWNER].sign_document(text)
    node.refused(node.ask("POST", path, SELLING, json={"jws": jws}), 400, "invalid-input")
    node.refused(node.ask("POST", path, OPERATING, json={"hosted": True}), 404, "not-found")


def test_an_attached_signature_is_refused(node: Node) -> None:
    text = offer()
    jws = node.keys[OWNER].sign_document(text).replace("..", ".e30.")
    node.refused(
        node.ask("POST", "/v1/agreements", OFFICER, json={"document": text, "jws": jws}), 400, "invalid-input"
    )


def test_who_does_not_own_a_dataset_cannot_give_rights_to_it(node: Node) -> None:
    assert "own" in refuse(node, offer(STACK, assigner=VENDOR), SELLING)["detail"]
    assert "own" in refuse(node, offer(EVERYONE, assigner=VENDOR), SELLING)["detail"]


@pytest.mark.parametrize("spelling", ["odrl:permission", "http://www.w3.org/ns/odrl/2/permission"])
def test_no_spelling_of_a_rule_slips_past_the_check_of_ownership(node: Node, spelling: str) -> None:
    text = offer(STACK, assigner=VENDOR)
    text[spelling] = text.pop("permission")
    refuse(node, text, SELLING)
    inner = offer(STACK, assigner=VENDOR)
    rule = inner["permission"][0]
    rule["odrl:target"] = rule.pop("target")
    refuse(node, inner, SELLING)


def test_a_party_is_needed_to_propose(node: Node) -> None:
    answer = node.ask("POST", "/v1/agreements", OPERATING, json={"document": offer(), "hosted": True})
    node.refused(answer, 400, "invalid-input")


def test_a_proposal_to_a_person_tells_nothing_of_whether_it_takes_part(node: Node) -> None:
    left, child, nobody = (f"urn:dmi:person:{name}" for name in ("left", "child", "nobody"))
    for person, more in ((left, {}), (child, {"representatives": [NOOR], "of_age_on": "2035-05-01"})):
        key = SigningKey.generate().public
        body = {"id": person, "name": "Secret name", "roles": ["dmi:role:resident"], "keys": [key], **more}
        node.post("/v1/participants", body, OPERATING)
    node.post(f"/v1/participants/{left}/end", {}, OPERATING)
    for person in (NOOR, left, child, nobody):
        text = document(OWNER, person, GARAGES, ["dmi:read"])
        assert node.post("/v1/review", {"document": text})["passes"]
        assert node.propose(text)["state"] == "proposed"
    named = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [OWNER]}
    of_others = [
        document(person, EVERYONE, BICYCLES, ["dmi:read"], constraints=[named])
        for person in (NOOR, left, child, nobody)
    ]
    verdicts = [node.post("/v1/review", {"document": text}) for text in of_others]
    assert all(each == verdicts[0] for each in verdicts)
    assert node.service.app.state.exchange.reasoner.review(of_others[2], {child}).faults, "it signs itself"


def test_an_analyst_binds_nobody(node: Node) -> None:
    text = offer()
    jws = node.keys[OWNER].sign_document(text)
    for path, body in (
        ("/v1/agreements", {"document": text, "jws": jws}),
        (f"/v1/agreements/{text['uid']}/signature", {"jws": jws}),
        (f"/v1/agreements/{text['uid']}/end", {}),
        ("/v1/agreements/draft", {}),
        ("/v1/datasets", {}),
        ("/v1/consents", {}),
    ):
        node.refused(node.ask("POST", path, ANALYSING, json=body), 403, "wrong-role")


@pytest.mark.parametrize(
    "change",
    [
        {"uid": "x"},
        {"assigner": "dmi:participant:gemeente"},
        {"uid": {"@id": "urn:uuid:1"}},
        {"dmi:rulebook": "9.9.9"},
        {"assignee": "urn:dmi:participant:nobody"},
        {"permission": []},
        {"permission": 5},
        {"surprise": True},
        {"dmi:legalBasis": "dmi:basis:none"},
        {"permission": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]},
        {"uid": None},
    ],
)
def test_a_document_outside_the_language_is_refused_with_its_place(
    node: Node, change: dict[str, Any]
) -> None:
    text = {**offer(), **change}
    jws = node.keys[OWNER].sign_document(text)
    answer = node.ask("POST", "/v1/agreements", OFFICER, json={"document": text, "jws": jws})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"].startswith("document")


def test_a_uid_is_used_once(node: Node) -> None:
    text = offer()
    node.propose(text)
    jws = node.keys[OWNER].sign_document(text)
    node.refused(
        node.ask("POST", "/v1/agreements", OFFICER, json={"document": text, "jws": jws}), 409, "conflict"
    )


def test_only_a_party_ends_an_agreement_and_once_for_good(node: Node) -> None:
    text = offer()
    node.propose(text)
    node.countersign(text, SELLING)
    path = f"/v1/agreements/{text['uid']}/end"
    for who in (LIVING, Who("urn:dmi:participant:exchange", OPERATING.roles)):
        node.refused(node.ask("POST", path, who, json={}), 404, "not-found")
    node.refused(node.ask("POST", path, OPERATING, json={}), 404, "not-found")
    ended = node.post(path, {"reason": "genoeg"}, SELLING)
    assert (ended["state"], ended["ended_by"], ended["end_reason"]) == ("ended", VENDOR, "genoeg")
    assert ended["ended_at"]
    node.refused(node.ask("POST", path, OFFICER, json={}), 409, "conflict")
    answer = node.ask("POST", f"/v1/agreements/{text['uid']}/signature", SELLING, json={"jws": "x..y"})
    node.refused(answer, 409, "conflict")
    assert node.service.runtime.law.table.held(text["uid"]).ended  # type: ignore[union-attr]


def test_open_data_can_be_seen_by_all_but_ended_by_its_owner_alone(node: Node) -> None:
    text = offer(EVERYONE)
    node.propose(text)
    assert node.get(f"/v1/agreements/{text['uid']}", SELLING)["state"] == "active"
    node.refused(node.ask("POST", f"/v1/agreements/{text['uid']}/end", SELLING, json={}), 403, "not-a-party")


def test_a_signature_and_an_end_at_the_same_moment_leave_it_ended(node: Node) -> None:
    exchange = node.service.app.state.exchange
    for _ in range(5):
        text = offer()
        node.propose(text)
        jws = node.keys[VENDOR].sign_document(text)
        start = threading.Barrier(2)

        def sign(text: dict[str, Any] = text, jws: str = jws, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                exchange.sign(VENDOR, text["uid"], jws)
            except Conflict:
                return

        thread = threading.Thread(target=sign)
        thread.start()
        start.wait()
        exchange.end(OWNER, text["uid"], "")
        thread.join()
        found = node.store.get(AgreementState, text["uid"])
        assert found is not None
        assert found.state == "ended"


def test_a_list_shows_each_its_own(node: Node) -> None:
    text = offer()
    node.propose(text)
    uid = text["uid"]
    for who, sees in ((OFFICER, True), (SELLING, True), (OPERATING, True), (LIVING, False)):
        assert (uid in {a["id"] for a in node.get("/v1/agreements", who)["items"]}) == sees
        assert (node.ask("GET", f"/v1/agreements/{uid}", who).status_code == 200) == sees
    assert all(a["state"] == "proposed" for a in node.get("/v1/agreements?state=proposed")["items"])
    assert node.get("/v1/agreements?dataset=urn:dmi:dataset:x:y")["items"] == []
    node.refused(node.ask("GET", "/v1/agreements?state=odd", OFFICER), 400, "invalid-input")


def give(node: Node, person: str = NOOR) -> dict[str, Any]:
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
    text = document(person, EVERYONE, BICYCLES, ["dmi:read"], constraints=[test])
    assert node.propose(text, LIVING)["state"] == "active"
    return text


def test_a_consent_is_for_its_giver_alone_to_see(node: Node) -> None:
    uid = give(node)["uid"]
    assert node.get(f"/v1/agreements/{uid}", LIVING)["consent"]
    for who in (OFFICER, SELLING, OPERATING):
        node.refused(node.ask("GET", f"/v1/agreements/{uid}", who), 404, "not-found")
        assert uid not in {a["id"] for a in node.get("/v1/agreements", who)["items"]}
        assert uid not in {a["id"] for a in node.get("/v1/consents", who)["items"]}
        for path in (f"/v1/agreements/{uid}/end", f"/v1/consents/{uid}/withdraw"):
            node.refused(node.ask("POST", path, who, json={}), 404, "not-found")
    assert uid in {a["id"] for a in node.get("/v1/consents", LIVING)["items"]}


def test_a_consent_is_withdrawn_at_once(node: Node) -> None:
    uid = give(node)["uid"]
    assert node.post(f"/v1/consents/{uid}/withdraw", {"reason": "klaar"}, LIVING)["state"] == "ended"
    node.refused(node.ask("POST", f"/v1/consents/{uid}/withdraw", LIVING, json={}), 409, "conflict")


def test_an_agreement_is_not_withdrawn_as_a_consent(node: Node) -> None:
    text = offer()
    node.propose(text)
    node.refused(node.ask("POST", f"/v1/consents/{text['uid']}/withdraw", OFFICER, json={}), 404, "not-found")


def test_nobody_consents_for_another_or_to_data_of_nobody(node: Node) -> None:
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
    refuse(node, document(PIET, EVERYONE, BICYCLES, ["dmi:read"], constraints=[test]), LIVING)
    refuse(node, document(NOOR, EVERYONE, GARAGES, ["dmi:read"], constraints=[test]), LIVING)


def test_consent_in_plain_terms_is_for_persons(node: Node) -> None:
    wish = {"dataset": BICYCLES, "purpose": MOBILITY, "recipients": [VENDOR]}
    node.refused(node.ask("POST", "/v1/consents", OFFICER, json=wish), 400, "invalid-input")
    # Noor keeps her key herself, so this node cannot sign for her.
    node.refused(node.ask("POST", "/v1/consents", LIVING, json=wish), 400, "invalid-input")


@pytest.mark.parametrize(
    "parameters",
    [
        {"name": "x"},
        {"rulebook": "1.0.0"},
        {"self": 1},
        {"uid": 5},
        {},
        {"person": None},
        {"datasets": {"a": [1e308]}},
    ],
)
def test_a_draft_with_odd_parameters_is_refused(node: Node, parameters: dict[str, Any]) -> None:
    answer = node.ask(
        "POST",
        "/v1/agreements/draft",
        OFFICER,
        json={"template": "dmi:template:consent", "parameters": parameters},
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"]


def test_a_draft_is_a_document_that_can_be_signed(node: Node) -> None:
    parameters = {"assigner": OWNER, "datasets": [GARAGES]}
    text = node.post("/v1/agreements/draft", {"template": "dmi:template:open-data", "parameters": parameters})
    assert node.propose(text)["state"] == "active"
    answer = node.ask("POST", "/v1/agreements/draft", OFFICER, json={"template": "x", "parameters": {}})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == "template"
    assert error["rule"].startswith("must be a template of the rulebook: commercial, ")


@pytest.mark.parametrize(
    "uid", ["%00", "x", "..%2f..", "urn:uuid:00000000-0000-4000-8000-000000000000", "y" * 5000]
)
def test_an_unknown_agreement_is_not_found(node: Node, uid: str) -> None:
    node.refused(node.ask("GET", f"/v1/agreements/{uid}", OFFICER), 404, "not-found")


def test_a_delay_on_the_own_right_of_a_layer_is_refused_when_signing(node: Node) -> None:
    text = document(OWNER, STACK, GARAGES, ["dmi:process", "dmi:read"], duties=[delay(60)])
    (error,) = refuse(node, text, code="policy-refused")["errors"]
    assert error["field"] == "document/permission/0/duty/0"
    assert "lost" in error["rule"]
    assert "verloren" in error["rule"]
    text["permission"][0]["action"] = ["dmi:read"]
    node.propose(text)


def owing(**more: Any) -> dict[str, Any]:
    """An agreement that asks the assignee to name the source."""
    text = offer(**more)
    text["permission"][0]["duty"] = [{"action": "attribute"}]
    return text


def test_a_duty_is_fulfilled_when_the_owner_confirms_it_and_only_then(node: Node) -> None:
    text = owing()
    node.propose(text)
    node.countersign(text, SELLING)
    path, duty = f"/v1/agreements/{text['uid']}/performed", {"duty": "/permission/0/duty/0"}
    assert node.ask("POST", path, SELLING, json=duty).status_code == 403
    node.refused(node.ask("POST", path, OFFICER, json={"duty": "/permission/0"}), 400, "invalid-input")
    (done,) = node.ask("POST", path, OFFICER, json=duty).json()["performed"]
    assert (done["duty"], done["by"]) == (duty["duty"], OWNER)
    node.refused(node.ask("POST", path, OFFICER, json=duty), 409, "conflict")
    held = node.service.runtime.law.table.held(text["uid"])
    assert held is not None
    assert [each.rule for each in held.state.performed] == [duty["duty"]]


def constraint(left: str, operator: str, right: object) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def test_what_can_never_be_used_is_refused_with_the_terms_that_clash(node: Node) -> None:
    text = offer()
    text["permission"][0]["constraint"] += [
        constraint("dateTime", "lt", "2027-01-01T00:00:00Z"),
        constraint("dateTime", "gt", "2028-01-01T00:00:00Z"),
    ]
    jws = node.keys[OWNER].sign_document(text)
    answer = node.ask("POST", "/v1/agreements", OFFICER, json={"document": text, "jws": jws})
    problem = node.refused(answer, 422, "never-usable")
    first = problem["errors"][0]
    assert first["field"] == "document/permission/0"
    assert "Nobody can meet" in first["rule"]
    assert "voorwaarden" in first["rule"]
    assert "/permission/0/constraint/1" in first["rule"]
    assert "/permission/0/constraint/2" in first["rule"]


def test_a_prohibition_that_takes_part_of_a_permission_is_told_to_who_proposes_and_who_signs(
    node: Node,
) -> None:
    text = offer(VENDOR)
    text["prohibition"] = [
        {
            "target": GARAGES,
            "action": "dmi:read",
            "constraint": [constraint("purpose", "eq", "dmi:purpose:parking-guidance")],
        }
    ]
    told = node.propose(text)
    assert [warning["kind"] for warning in told["warnings"]] == ["overlap"]
    assert "Een deel" in told["warnings"][0]["message"]["nl"]
    assert told["warnings"][0]["witness"]["request"]["values"]
    node.countersign(text, SELLING)
    later = offer(VENDOR)
    (warning,) = node.propose(later)["warnings"]
    assert (warning["kind"], warning["agreement"]) == ("overlap", text["uid"])
    signed = node.countersign(later, SELLING)
    assert [each["agreement"] for each in signed["warnings"]] == [text["uid"]]


def test_a_prohibition_that_an_agreement_inherits_is_told_as_well(node: Node) -> None:
    text = offer(VENDOR)
    forbidden = {"target": GARAGES, "action": "dmi:analyse"}
    text["inheritFrom"] = [{"@type": "Set", "uid": "urn:x:house-rules", "prohibition": [forbidden]}]
    node.propose(text)
    node.countersign(text, SELLING)
    later = document(OWNER, VENDOR, GARAGES, ["dmi:analyse"])
    told = [each for each in node.propose(later)["warnings"] if each.get("agreement") == text["uid"]]
    assert [each["kind"] for each in told] == ["swallowed"]


def test_what_if_is_answered_with_its_proof_in_both_languages_and_as_report(node: Node) -> None:
    text = offer()
    text["permission"][0]["constraint"].append(constraint("count", "lteq", 1))
    node.propose(text)
    path = f"/v1/agreements/{text['uid']}/trial"
    wish = {"action": "dmi:read", "dataset": GARAGES, "purpose": MOBILITY, "at": "2026-12-01T12:00:00Z"}
    told = node.post(path, wish, SELLING)
    assert (told["verdict"], told["state"]) == ("permit", "proposed")
    assert told["told"]["nl"][0] == "Ja, dit mag."
    assert any("number of times" in line for line in told["told"]["en"])
    assert any("compliance-report#PolicyReport" in str(node_) for node_ in told["report"])
    assert node.post(path, {**wish, "purpose": "dmi:purpose:marketing"}, OFFICER)["verdict"] == "undecided"
    for change, field in (
        ({"at": "yesterday"}, "at"),
        ({"action": "odrl:use"}, "action"),
        ({"assignee": OWNER}, "assignee"),
    ):
        problem = node.refused(node.ask("POST", path, SELLING, json={**wish, **change}), 400, "invalid-input")
        assert problem["errors"][0]["field"] == field
    assert node.ask("POST", path, LIVING, json=wish).status_code == 404


def test_what_if_tells_of_a_person_nothing_that_one_may_not_learn_of_it(node: Node) -> None:
    nobody = "urn:dmi:person:takes-no-part"
    resident = constraint("dmi:role", "isAnyOf", ["dmi:role:resident"])

    def told(text: dict[str, Any], person: str, who: Who) -> dict[str, Any]:
        wish = {"action": "dmi:read", "dataset": GARAGES, "purpose": MOBILITY, "at": "2026-12-01T12:00:00Z"}
        found = node.post(f"/v1/agreements/{text['uid']}/trial", {**wish, "assignee": person}, who)
        whole: dict[str, Any] = json.loads(json.dumps(found).replace(person, "X"))
        return {name: value for name, value in whole.items() if name != "report"}

    text = offer(EVERYONE, constraints=[resident])
    node.propose(text)
    assert told(text, NOOR, OFFICER) == told(text, nobody, OFFICER)
    assert told(text, NOOR, OFFICER)["verdict"] != "permit"
    assert [told(text, NOOR, who)["verdict"] for who in (LIVING, OPERATING)] == ["permit"] * 2
    # A proposal that names a person tells its writer no more; one that both signed does.
    text = offer(NOOR, constraints=[resident])
    node.propose(text)
    assert told(text, NOOR, OFFICER)["verdict"] != "permit"
    node.countersign(text, LIVING)
    assert told(text, NOOR, OFFICER)["verdict"] == "permit"


def test_a_proposal_without_a_uid_gets_one(node: Node) -> None:
    text = {name: value for name, value in offer(STACK).items() if name != "uid"}
    made = node.ask("POST", "/v1/agreements", OPERATING, json={"document": text, "hosted": True})
    assert made.json()["id"].startswith("urn:uuid:"), made.text
