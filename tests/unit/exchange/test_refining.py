"""Negotiation within a node: other terms take the place of a proposal, at once or not at all."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange import refining
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.infra.fakes import BICYCLES, GARAGES, OWNER, STACK, VENDOR, document

MORE = ["dmi:read", "dmi:export"]


def asked(**more: Any) -> dict[str, Any]:
    return document(OWNER, VENDOR, more.pop("dataset", GARAGES), ["dmi:read"], **more)


def refine(node: Node, before: dict[str, Any], text: dict[str, Any], who: Who) -> Any:
    jws = node.keys[who.participant].sign_document(text)
    path = f"/v1/agreements/{before['uid']}/refinement"
    return node.ask("POST", path, who, json={"document": text, "jws": jws})


def test_a_proposal_is_refined_to_and_fro_until_one_is_signed(node: Node) -> None:
    first, second, third = asked(), asked(), asked()
    second["permission"][0]["action"] = MORE
    node.propose(first, SELLING)
    answer = refine(node, first, second, OFFICER)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["waiting_for"], made["replaces"]) == ("proposed", [VENDOR], first["uid"])
    old = node.get(f"/v1/agreements/{first['uid']}")
    assert (old["state"], old["ended_by"], old["replaced_by"]) == ("ended", OWNER, second["uid"])
    assert refine(node, second, third, SELLING).json()["waiting_for"] == [OWNER]
    assert node.countersign(third, OFFICER)["state"] == "active"
    told = node.get(f"/v1/agreements/{third['uid']}/rounds", SELLING)["items"]
    assert [one["id"] for one in told] == [one["uid"] for one in (first, second, third)]
    assert [sorted(one["signatures"]) for one in told] == [[VENDOR], [OWNER], [OWNER, VENDOR]]
    assert told[-1]["replaced_by"] is None


def test_what_is_signed_or_ended_is_refined_no_more(node: Node) -> None:
    for signed in (True, False):
        text = asked()
        node.propose(text)
        end = f"/v1/agreements/{text['uid']}/end"
        before = node.countersign(text, SELLING) if signed else node.post(end, {})
        later = asked()
        node.refused(refine(node, text, later, SELLING), 409, "conflict")
        assert node.get(f"/v1/agreements/{text['uid']}")["state"] == before["state"]
        assert node.store.get(AgreementState, later["uid"]) is None


@pytest.mark.parametrize("who", [LIVING, OPERATING])
def test_nobody_else_refines_a_proposal_or_learns_of_its_rounds(node: Node, who: Who) -> None:
    text = asked()
    node.propose(text)
    answer = refine(node, text, document(OWNER, STACK, GARAGES, ["dmi:read"]), who)
    node.refused(answer, 404, "not-found")
    assert node.get(f"/v1/agreements/{text['uid']}")["state"] == "proposed"
    assert node.ask("GET", f"/v1/agreements/{text['uid']}/rounds", LIVING).status_code == 404


def test_a_refinement_keeps_parties_and_data_and_leaves_the_proposal_when_it_is_refused(node: Node) -> None:
    text = asked()
    node.propose(text)
    elsewhere, taken, forged = asked(dataset=BICYCLES), copy.deepcopy(text), asked()
    other = document(OWNER, STACK, GARAGES, ["dmi:read"])
    for wrong, field in (
        (elsewhere, "document/permission/target"),
        (other, "document/assignee"),
        (taken, "document/uid"),
    ):
        problem = node.refused(refine(node, text, wrong, OFFICER), 400, "invalid-input")
        assert problem["errors"][0]["field"] == field
    body = {"document": forged, "jws": node.keys[VENDOR].sign_document(asked())}
    answer = node.ask("POST", f"/v1/agreements/{text['uid']}/refinement", SELLING, json=body)
    node.refused(answer, 400, "invalid-input")
    assert node.get(f"/v1/agreements/{text['uid']}")["state"] == "proposed"


def test_the_duties_of_a_running_agreement_are_told_with_their_state(node: Node) -> None:
    text = asked()
    coarse = {
        "action": "dmi:coarsen",
        "constraint": [
            {"leftOperand": "dmi:gridSize", "operator": "eq", "rightOperand": 100, "unit": "m"},
        ],
    }
    text["permission"][0]["duty"] = [coarse, {"action": "attribute"}]
    node.propose(text)
    path = f"/v1/duties?agreement={text['uid']}"
    assert node.get(path)["items"] == []
    node.countersign(text, SELLING)
    own, owed = node.get(path, SELLING)["items"]
    assert (own["duty"], own["carried_out"], own["performed"]) == ("/permission/0/duty/0", "node", None)
    assert (owed["duty"], owed["carried_out"], owed["performed"]) == ("/permission/0/duty/1", "party", None)
    node.post(f"/v1/agreements/{text['uid']}/performed", {"duty": owed["duty"]})
    assert node.get(path)["items"][1]["performed"]["by"] == OWNER
    assert node.get(path, OPERATING)["items"] == []


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Node]:
    """A node without proposals of other tests."""
    with running(tmp_path) as made:
        furnish(made)
        yield made


def test_who_has_too_many_proposals_makes_and_refines_none_until_some_are_concluded_or_old(
    alone: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(who: Who = SELLING) -> httpx.Response:
        text = asked()
        body = {"document": text, "jws": alone.keys[who.participant].sign_document(text)}
        return alone.ask("POST", "/v1/agreements", who, json=body)

    monkeypatch.setattr(refining, "MOST_PROPOSALS", 3)
    open_, withdrawn, concluded = asked(), asked(), asked()
    for text in (open_, withdrawn, concluded):
        alone.propose(text, SELLING)
    alone.post(f"/v1/agreements/{withdrawn['uid']}/end", {}, SELLING)
    problem = alone.refused(answer(), 409, "conflict")
    assert "3 proposals" in problem["detail"]
    assert answer(OFFICER).status_code == 201, "what others propose to it does not count"
    alone.refused(refine(alone, open_, asked(), SELLING), 409, "conflict")
    alone.countersign(concluded, OFFICER)
    assert answer().status_code == 201
    alone.refused(answer(), 409, "conflict")
    monkeypatch.setattr(refining, "DAY", 0)
    assert answer().status_code == 201, "what was withdrawn a day ago counts no more"
    alone.refused(answer(), 409, "conflict")
