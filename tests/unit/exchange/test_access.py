"""The evaluation interface of AuthZEN: decisions of the law, for whom they concern, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.decision import EVERYONE
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    OWNER,
    STACK,
    VENDOR,
    delay,
    document,
    eventually,
    pay,
)

ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
UNSIGNED, NOBODY = "urn:dmi:person:unsigned", "urn:dmi:person:nobody"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as made:
        furnish(made)
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One exchange for all questions that are refused before anything is judged."""
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        yield made


def about(subject: str = VENDOR, action: str = "dmi:read", **more: Any) -> dict[str, Any]:
    kind = "person" if ":person:" in subject else "participant"
    return {
        "subject": {"type": kind, "id": subject},
        "action": {"name": action},
        "resource": {"type": "dataset", "id": GARAGES},
        **more,
    }


def agree(node: Node, **more: Any) -> str:
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"], **more)
    node.propose(text)
    node.countersign(text, SELLING)
    uid: str = text["uid"]
    return uid


def test_a_subject_may_what_its_agreement_says_and_the_answer_is_in_the_log(node: Node) -> None:
    refused = node.post(ONE, about(), SELLING)
    assert not refused["decision"]
    assert refused["context"]["reasons"][0]["code"] == "no_agreement"
    uid = agree(node)
    allowed = node.post(ONE, about(), SELLING)
    assert allowed["decision"]
    assert allowed["context"]["reasons"][0]["agreement"] == uid
    assert not node.post(ONE, about(context={"purpose": "dmi:purpose:none"}), SELLING)["decision"]
    assert node.post(ONE, about(context={"purpose": MOBILITY, "ip": "x"}, more=1), SELLING)["decision"]
    node.post(f"/v1/agreements/{uid}/end", {"reason": ""})
    assert not node.post(ONE, about(), SELLING)["decision"]

    def recorded() -> bool:
        items = node.get("/v1/log?newest=true", SELLING)["items"]
        return [item["allowed"] for item in items if item["crossing"] == "evaluation"] == [
            False, True, False, True, False,
        ]  # fmt: skip

    eventually(recorded)


def test_a_permission_with_duties_is_one_for_whoever_carries_them_out(node: Node) -> None:
    agree(node, duties=[delay(60)])
    refused = node.post(ONE, about(), SELLING)
    assert (refused["decision"], refused["context"]["reasons"][0]["code"]) == (False, "duties")
    allowed = node.post(ONE, about(context={"duties": True}), SELLING)
    assert allowed["decision"]
    assert allowed["context"]["duties"] == [{"duty": "Delay", "seconds": 60}]


def test_an_answer_that_permits_is_a_use_and_one_that_refuses_is_none(node: Node) -> None:
    limit = {"leftOperand": "count", "operator": "lteq", "rightOperand": 2}
    agree(node, duties=[delay(60)], constraints=[limit])
    mine = {"duties": True}
    asked = {"evaluations": [about(), *[about(context=mine)] * 3]}
    told = node.post(MANY, asked, SELLING)["evaluations"]
    assert [each["decision"] for each in told] == [False, True, True, False]
    assert told[0]["context"]["reasons"][0]["code"] == "duties"
    assert told[3]["context"]["reasons"][0]["code"] == "condition_unmet"
    assert not node.post(ONE, about(context=mine), SELLING)["decision"]


@pytest.mark.parametrize(("who", "named"), [(SELLING, None), (OFFICER, OWNER), (OPERATING, STACK)])
def test_an_answer_names_who_asked_counts_as_a_use_and_is_billed_to_whom_asked_for_itself_alone(
    node: Node, who: Who, named: str | None
) -> None:
    limit = {"leftOperand": "count", "operator": "lteq", "rightOperand": 2}
    uid = agree(node, duties=[pay(100, 1, "use")], constraints=[limit])
    told = node.post(MANY, {"evaluations": [about()] * 3}, who)["evaluations"]
    assert [each["decision"] for each in told] == [True, True, False]

    def recorded() -> bool:
        return len([one for one in node.get("/v1/log", who)["items"] if one["crossing"] == "evaluation"]) == 3

    eventually(recorded)
    entries = [one for one in node.get("/v1/log", SELLING)["items"] if one["crossing"] == "evaluation"]
    assert {(one["assignee"], one["actor"], one["asked_by"]) for one in entries} == {(VENDOR, None, named)}
    standard = node.get("/v1/log/authorization-decisions", SELLING)["items"][-1]["body"]["adl.core.request"]
    assert standard["subject"]["id"] == VENDOR
    assert standard["context"].get("asked_by") == (
        None if named is None else {"type": "participant", "id": named}
    )
    items = node.get("/v1/transactions/use")["items"]
    assert sum(item["uses"] for item in items if item["agreement"] == uid) == (2 if named is None else 0)


def test_of_a_person_one_hears_the_same_whether_it_takes_part_or_not_unless_one_has_to_do_with_it(
    node: Node,
) -> None:
    node.admit(UNSIGNED, "dmi:role:resident", sign=False)
    asked = [(NOOR, GARAGES), (NOOR, BICYCLES), (UNSIGNED, GARAGES), (NOBODY, GARAGES), (NOBODY, BICYCLES)]

    def answers(who: Who) -> list[dict[str, Any]]:
        found = []
        for subject, dataset in asked:
            body = about(subject, "dmi:export", resource={"type": "dataset", "id": dataset})
            found.append(node.post(ONE, body, who))
        return found

    for (subject, _), answer in zip(asked, answers(OFFICER), strict=True):
        detail = f"{subject} has no agreement with you, and has given you no consent to this"
        assert answer == {
            "decision": False,
            "context": {"reasons": [{"code": "no_agreement", "detail": detail, "agreement": None}]},
        }
    codes = [each["context"]["reasons"][0]["code"] for each in answers(OPERATING)]
    assert codes == ["no_agreement", "duties", "rulebook_not_signed", *["unknown_participant"] * 2]
    of_noor = about(NOOR, resource={"type": "dataset", "id": BICYCLES}, context={"duties": True})
    assert node.post(ONE, of_noor, OFFICER)["context"]["reasons"][0]["code"] == "no_agreement"
    recipients = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [OWNER]}
    node.propose(document(NOOR, EVERYONE, BICYCLES, ["dmi:read"], constraints=[recipients]), LIVING)
    assert node.post(ONE, of_noor, OFFICER)["context"]["reasons"][0]["code"] == "own_data"


def test_the_explanation_of_such_an_answer_tells_no_more_than_the_answer(node: Node) -> None:
    role = {"leftOperand": "dmi:role", "operator": "isAnyOf", "rightOperand": ["dmi:role:resident"]}
    node.propose(document(OWNER, EVERYONE, GARAGES, ["dmi:read"], constraints=[role]))
    for person in (NOOR, NOBODY):
        node.post(ONE, about(person), OFFICER)

    def explained(who: Who) -> dict[str, list[str]]:
        asked = [one for one in node.get("/v1/log", who)["items"] if one["crossing"] == "evaluation"]
        told = {
            one["assignee"]: node.get(f"/v1/log/{one['sequence']}/explanation", who)["items"] for one in asked
        }
        return {person: [proof["verdict"] for proof in proofs] for person, proofs in told.items()}

    eventually(lambda: {NOOR, NOBODY} <= explained(OFFICER).keys())
    mine = explained(OFFICER)
    assert mine[NOOR] == mine[NOBODY] != ["permit"]
    assert explained(LIVING)[NOOR] == ["permit"]


@pytest.mark.parametrize(
    ("who", "may"), [(SELLING, True), (OFFICER, True), (OPERATING, True), (LIVING, False)]
)
def test_of_another_asks_the_owner_of_the_data_and_the_operator(node: Node, who: Who, may: bool) -> None:
    answer = node.ask("POST", ONE, who, json=about())
    if may:
        assert answer.status_code == 200
    else:
        node.refused(answer, 403, "wrong-role")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "subject"),
        ({**about(), "action": None}, "action"),
        ({**about(), "resource": {"type": "document", "id": "1"}}, "resource.type"),
        ({**about(), "subject": {"type": "group", "id": VENDOR}}, "subject.type"),
        ({**about(), "subject": {"type": "participant"}}, "subject.id"),
        ({**about(), "context": {"duties": "perhaps"}}, "context.duties"),
    ],
)
def test_a_request_that_lacks_something_is_told_what(shared: Node, body: dict[str, Any], field: str) -> None:
    problem = shared.refused(shared.ask("POST", ONE, SELLING, json=body), 400, "invalid-input")
    assert problem["errors"][0]["field"] == field


def test_several_are_answered_in_order_with_what_they_share(node: Node) -> None:
    agree(node)
    each = [{"action": {"name": "dmi:export"}}, {}, {"action": {"name": "dmi:display"}}]
    shared = about(evaluations=each)

    def decisions(semantic: str | None) -> list[bool]:
        options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
        found = node.post(MANY, {**shared, **options}, SELLING)["evaluations"]
        return [one["decision"] for one in found]

    assert decisions(None) == decisions("execute_all") == [False, True, False]
    assert decisions("deny_on_first_deny") == [False]
    assert decisions("permit_on_first_permit") == [False, True]
    assert node.post(MANY, about(), SELLING)["decision"]
    node.refused(
        node.ask("POST", MANY, SELLING, json={**shared, "options": {"evaluations_semantic": "x"}}),
        400, "invalid-input",
    )  # fmt: skip
    wrong = about(evaluations=[{}, {"resource": {"type": "x", "id": "y"}}])
    problem = node.refused(node.ask("POST", MANY, SELLING, json=wrong), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "evaluations.1.resource.type"


def test_the_id_of_a_request_comes_back_and_the_places_are_told(node: Node) -> None:
    headers = {"Authorization": f"Bearer {node.token(LIVING)}", "X-Request-ID": "r-1"}
    answer = node.runner.run(node.client.post(ONE, headers=headers, json=about(NOOR)))
    assert answer.headers["x-request-id"] == "r-1"
    assert "x-request-id" not in node.ask("POST", ONE, LIVING, json=about(NOOR)).headers
    told = node.ask("GET", "/.well-known/authzen-configuration").json()
    assert told["access_evaluation_endpoint"].endswith("/exchange/access/v1/evaluation")
