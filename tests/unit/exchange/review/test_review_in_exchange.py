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
    dataset = "urn:dmi:dataset:gemeente:radar"
    node.publish(dataset, commons_cents=200_000)
    first, second = (document(OWNER, VENDOR, dataset, ["dmi:read"]) for _ in range(2))
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
