"""The review stands before every agreement: entries, offers, proposals, signatures and consents."""

from __future__ import annotations

from typing import Any

from tests.unit.exchange.fakes import HERE, LIVING, OFFICER, SELLING, Node
from tests.unit.infra.fakes import BICYCLES, GARAGES, MOBILITY, NOOR, OWNER, VENDOR, document, until

EVERYONE = "urn:dmi:party:everyone"


def personal(assignee: str = VENDOR, **more: Any) -> dict[str, Any]:
    text = document(OWNER, assignee, BICYCLES, ["dmi:read"], **more)
    return {**text, "dmi:legalBasis": "dmi:basis:consent"}


def test_a_proposal_that_breaks_a_rule_is_refused_with_rule_place_and_what_would_do(node: Node) -> None:
    text = personal(constraints=[until(300)])
    answer = node.ask(
        "POST",
        "/v1/agreements",
        OFFICER,
        json={"document": text, "jws": node.keys[OWNER].sign_document(text)},
    )
    problem = node.refused(answer, 400, "review-refused")
    (error,) = problem["errors"]
    assert error["field"] == "document/permission/0/duty"
    assert "dmi:rule:retention" in error["rule"]
    assert problem["detail"].endswith("Smallest change that would do: retention of personal data: 1096 d.")


def test_the_smallest_change_that_the_review_tells_is_accepted_when_it_is_proposed(node: Node) -> None:
    verdict = node.post("/v1/review", {"document": personal(purpose="dmi:purpose:any")})
    assert not verdict["passes"]
    assert {reason["rule"] for reason in verdict["reasons"]} == {
        "dmi:rule:broad-purpose", "dmi:rule:retention", "dmi:rule:term",
    }  # fmt: skip
    for reason in verdict["reasons"]:
        assert set(reason["explanation"]) == {"nl", "en"}
        assert reason["law"].startswith("GDPR")
    mended = verdict["change"]["document"]
    assert node.post("/v1/review", {"document": mended})["passes"]
    assert node.propose(mended)["state"] == "proposed"
    assert node.countersign(mended, SELLING)["state"] == "active"


def test_what_came_to_break_a_rule_since_it_was_proposed_is_not_signed(node: Node) -> None:
    names = [f"urn:dmi:dataset:gemeente:{name}" for name in ("radar", "sonar")]
    for name in names:
        node.publish(name, commons_cents=200_000)
    first, second = (document(OWNER, VENDOR, name, ["dmi:read"]) for name in names)
    node.propose(first)
    node.propose(second)
    node.countersign(first, SELLING)
    jws = node.keys[VENDOR].sign_document(second)
    answer = node.ask("POST", f"/v1/agreements/{second['uid']}/signature", SELLING, json={"jws": jws})
    assert "dmi:rule:commons" in node.refused(answer, 400, "review-refused")["detail"]
    assert node.get(f"/v1/agreements/{second['uid']}")["state"] == "proposed"


def test_a_consent_for_several_recipients_at_once_is_refused(node: Node) -> None:
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR, OWNER]}
    text = document(NOOR, EVERYONE, BICYCLES, ["dmi:read"], constraints=[test])
    jws = node.keys[NOOR].sign_document(text)
    answer = node.ask("POST", "/v1/agreements", LIVING, json={"document": text, "jws": jws})
    assert "dmi:rule:bundled" in node.refused(answer, 400, "review-refused")["detail"]


def test_an_offer_is_reviewed_before_anybody_can_accept_it(node: Node) -> None:
    parameters = {"actions": ["dmi:read"], "purpose": MOBILITY, "until": until(300)["rightOperand"]["@value"]}
    offer = {
        "dataset": BICYCLES,
        "template": "dmi:template:personal-data",
        "parameters": {**parameters, "days": 5000},
    }
    assert "dmi:rule:limit" in node.refused(
        node.ask("POST", "/v1/offers", OFFICER, json=offer), 400, "review-refused"
    )["detail"]  # fmt: skip
    made = node.post("/v1/offers", {**offer, "parameters": {**parameters, "days": 100}})
    assert made["owner"] == OWNER
    (seen,) = node.get(f"/v1/offers?dataset={BICYCLES}", SELLING)["items"]
    assert (seen["id"], seen["parameters"]["days"]) == (made["id"], 100)
    assert node.get(f"/v1/offers?dataset={GARAGES}", SELLING)["items"] == []
    assert node.get("/v1/offers", SELLING)["items"] == []
    node.ask("POST", f"/v1/offers/{made['id']}/end", OFFICER)
    assert node.get(f"/v1/offers?dataset={BICYCLES}", SELLING)["items"] == []


def test_who_offers_what_rests_on_consent_is_told_that_it_stays_on_this_node(node: Node) -> None:
    parameters = {"actions": ["dmi:read"], "purpose": MOBILITY}
    until_then = {"until": until(300)["rightOperand"]["@value"], "days": 100}
    cases = (
        (BICYCLES, "dmi:template:personal-data", {**parameters, **until_then}, ["stays here"]),
        (GARAGES, "dmi:template:sensor-data", parameters, []),
    )
    for dataset, template, filled, kinds in cases:
        offered = {"dataset": dataset, "template": template, "parameters": filled}
        warnings = node.post("/v1/offers", offered)["warnings"]
        assert [each["kind"] for each in warnings] == kinds
        for said in (each["message"] for each in warnings):
            assert said["nl"].startswith("Gegevens met toestemming gaan niet naar een andere stad")
            assert said["en"].startswith("Data that rests on consent does not go to another city")


def test_an_entry_for_personal_data_says_exactly_what_it_is_for(node: Node) -> None:
    body = {"id": "urn:dmi:dataset:gemeente:ritten", "title": {"nl": "x"}, "spatial": HERE, "personal": True}
    problem = node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=body), 400, "review-refused")
    assert problem["errors"][0]["field"] == "dataset/purpose"
    for wrong in ({"data": "dmi:data:fun"}, {"data": "dmi:data:high-value"}, {"basis": "dmi:basis:wish"}):
        body |= {"purpose": MOBILITY}
        node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=body | wrong), 400, "invalid-input")


def test_a_document_outside_the_language_is_no_case_for_the_review(node: Node) -> None:
    text = document(OWNER, VENDOR, GARAGES, ["dmi:raed"])
    node.refused(node.ask("POST", "/v1/review", OFFICER, json={"document": text}), 400, "policy-refused")
    assert node.ask("POST", "/v1/review", None, json={"document": text}).status_code == 401


def test_conditions_of_data_that_is_not_there_yet_are_judged_as_when_they_are_offered(node: Node) -> None:
    dataset = "urn:dmi:dataset:gemeente:parkeerrechten"
    entry = {
        "id": dataset, "title": {"nl": "x"}, "purpose": MOBILITY, "spatial": HERE, "personal": True,
        "basis": "dmi:basis:public-task",
    }  # fmt: skip
    parameters = {"actions": ["dmi:read"], "purpose": "dmi:purpose:any"}
    parties = {"assigner": OWNER, "assignee": "urn:dmi:participant:assignee", "datasets": [dataset]}
    draft = {"template": "dmi:template:sensor-data", "parameters": {**parameters, **parties}}
    text = node.post("/v1/agreements/draft", draft)
    assert node.post("/v1/review", {"document": text})["passes"]
    verdict = node.post("/v1/review", {"document": text, "entry": entry})
    told = {reason["rule"] for reason in verdict["reasons"]}
    assert not verdict["passes"]
    assert {"dmi:rule:broad-purpose", "dmi:rule:retention", "dmi:rule:term"} <= told
    node.post("/v1/datasets", entry)
    offer = {"dataset": dataset, "template": draft["template"], "parameters": parameters}
    problem = node.refused(node.ask("POST", "/v1/offers", OFFICER, json=offer), 400, "review-refused")
    assert all(any(rule in error["rule"] for error in problem["errors"]) for rule in told)


def test_an_entry_that_would_be_refused_does_not_pass_with_its_conditions(node: Node) -> None:
    entry = {
        "id": "urn:dmi:dataset:gemeente:parkeerrechten", "title": {"nl": "x"}, "spatial": HERE, "personal": True,
        "purpose": "dmi:purpose:research", "basis": "dmi:basis:public-task",
    }  # fmt: skip
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    verdict = node.post("/v1/review", {"document": text, "entry": entry})
    assert (verdict["passes"], verdict["reasons"]) == (False, [])
    assert [(one["rule"], one["path"]) for one in verdict["entry"]] == [
        ("dmi:rule:broad-purpose", "/purpose")
    ]
    answer = node.ask(
        "POST", "/v1/review", OFFICER, json={"document": text, "entry": {**entry, "basis": "none"}}
    )
    assert node.refused(answer, 400, "invalid-input")["errors"][0]["field"] == "basis"
