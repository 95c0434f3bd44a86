"""A change of the rulebook: proposed by a body, adopted by the one that may; the old goes on under its own version."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest

from dmi_agreements.decision import Request
from dmi_agreements.rulebook import rulebook_of
from dmi_exchange.revisions import Revisions
from dmi_infra import clock
from dmi_infra.errors import Conflict
from tests.unit.exchange.fakes import OFFICER, OPERATING, SELLING, Node, Who
from tests.unit.infra.fakes import GARAGES, MOBILITY, OWNER, VENDOR, document, eventually

COUNCIL, GROUP, ECO = (f"urn:dmi:participant:{name}" for name in ("beheerraad", "werkgroep", "ecoraad"))
MANAGING = Who(COUNCIL, ("dmi:role:management-council",))
WORKING = Who(GROUP, ("dmi:role:working-group",))
EVERYONE_MEETS = Who(ECO, ("dmi:role:eco-council",))


@pytest.fixture(scope="module", autouse=True)
def bodies(node: Node) -> None:
    for who in (MANAGING, WORKING, EVERYONE_MEETS):
        node.admit(who.participant, *who.roles)


def files(node: Node) -> dict[str, Any]:
    current = node.get("/v1/rulebook")["version"]
    found: dict[str, Any] = copy.deepcopy(node.get(f"/v1/rulebook/versions/{current}")["files"])
    return found


def with_scooters(node: Node, version: str) -> dict[str, Any]:
    changed = files(node)
    changed["rulebook.json"]["accepted"].append(changed["rulebook.json"]["version"])
    changed["rulebook.json"]["version"] = version
    purpose = copy.deepcopy(
        next(p for p in changed["purposes.json"] if p["id"] == "dmi:purpose:parking-guidance")
    )
    purpose |= {
        "id": f"dmi:purpose:scooters-{version.replace('.', '-')}",
        "label": {"nl": "Deelscooters", "en": "Scooters"},
    }
    changed["purposes.json"].append(purpose)
    return changed


def signed(node: Node, who: Who, changed: dict[str, Any], act: str) -> dict[str, Any]:
    base = node.get("/v1/rulebook")["version"]
    text = {
        "rulebook": changed["rulebook.json"]["version"],
        "base": base,
        "digest": rulebook_of(changed).digest,
        "statement": act,
    }
    return {"jws": node.keys[who.participant].sign_document(text)}


def propose(node: Node, changed: dict[str, Any], who: Who = WORKING) -> Any:
    body = {"files": changed, "reason": "scooters are everywhere", **signed(node, who, changed, "proposes")}
    return node.post("/v1/rulebook/versions", body, who)


def adopt(node: Node, changed: dict[str, Any], who: Who = MANAGING) -> Any:
    path = f"/v1/rulebook/versions/{changed['rulebook.json']['version']}/adopt"
    return node.post(path, {"reason": "agreed", **signed(node, who, changed, "adopts")}, who)


def test_a_proposal_is_told_in_words_and_changes_nothing_before_it_is_adopted(node: Node) -> None:
    before = node.get("/v1/rulebook")
    changed = with_scooters(node, "1.1.0")
    made = propose(node, changed)
    assert (made["state"], made["base"], made["proposed_by"]) == ("proposed", "1.0.0", GROUP)
    assert made["difference"]["weight"] == "minor"
    told = [item["text"] for item in made["difference"]["items"]]
    assert {"nl": "doel “Deelscooters” komt erbij", "en": "purpose “Scooters” is added"} in told
    assert node.get("/v1/rulebook") == before
    path = "/v1/rulebook/versions/1.1.0/reject"
    body = {"reason": "later", **signed(node, MANAGING, changed, "rejects")}
    assert node.post(path, body, MANAGING)["state"] == "rejected"


def test_only_bodies_propose_and_only_the_body_that_may_adopts(node: Node) -> None:
    changed = with_scooters(node, "1.2.0")
    body = {"files": changed, "reason": "mine", **signed(node, OFFICER, changed, "proposes")}
    node.refused(node.ask("POST", "/v1/rulebook/versions", OFFICER, json=body), 403, "wrong-role")
    propose(node, changed)
    path = "/v1/rulebook/versions/1.2.0/adopt"
    alone = signed(node, WORKING, changed, "adopts")
    node.refused(node.ask("POST", path, WORKING, json=alone), 403, "wrong-role")
    forged = signed(node, WORKING, changed, "adopts")
    node.refused(node.ask("POST", path, MANAGING, json=forged), 400, "invalid-input")
    as_proposal = signed(node, MANAGING, changed, "proposes")
    node.refused(node.ask("POST", path, MANAGING, json=as_proposal), 400, "invalid-input")
    reject = {"reason": "no", **signed(node, MANAGING, changed, "rejects")}
    node.post("/v1/rulebook/versions/1.2.0/reject", reject, MANAGING)


def test_only_who_may_propose_looks_at_what_files_would_change(node: Node) -> None:
    changed = with_scooters(node, "1.8.0")
    node.refused(node.ask("POST", "/v1/rulebook/difference", OFFICER, json=changed), 403, "wrong-role")
    told = node.post("/v1/rulebook/difference", changed, WORKING)
    assert "purposes.json#/dmi:purpose:scooters-1-8-0" in [item["path"] for item in told["items"]]


def test_what_takes_something_away_is_for_the_eco_council_and_a_new_first_number(node: Node) -> None:
    changed = files(node)
    changed["rulebook.json"]["version"] = "1.3.0"
    changed["purposes.json"] = [p for p in changed["purposes.json"] if p["id"] != "dmi:purpose:marketing"]
    body = {"files": changed, "reason": "no ads", **signed(node, WORKING, changed, "proposes")}
    problem = node.refused(
        node.ask("POST", "/v1/rulebook/versions", WORKING, json=body), 400, "invalid-input"
    )
    assert "major" in problem["detail"]
    changed["rulebook.json"]["version"] = "2.0.0"
    propose(node, changed)
    answer = node.ask(
        "POST", "/v1/rulebook/versions/2.0.0/adopt", MANAGING, json=signed(node, MANAGING, changed, "adopts")
    )
    node.refused(answer, 403, "wrong-role")
    reject = {"reason": "no", **signed(node, EVERYONE_MEETS, changed, "rejects")}
    assert node.post("/v1/rulebook/versions/2.0.0/reject", reject, EVERYONE_MEETS)["state"] == "rejected"


def test_an_invalid_or_older_version_is_refused_with_its_place(node: Node) -> None:
    changed = with_scooters(node, "0.9.0")
    body = {"files": changed, "reason": "back", **signed(node, WORKING, changed, "proposes")}
    problem = node.refused(
        node.ask("POST", "/v1/rulebook/versions", WORKING, json=body), 400, "invalid-input"
    )
    assert problem["errors"][0]["field"] == "files/rulebook.json#/version"
    changed["purposes.json"][1]["parent"] = "dmi:purpose:nowhere"
    body = {"files": changed, "reason": "x", "jws": "a..b"}
    problem = node.refused(
        node.ask("POST", "/v1/rulebook/versions", WORKING, json=body), 400, "invalid-input"
    )
    assert "files/purposes.json#/1/parent" in {error["field"] for error in problem["errors"]}


def test_an_adopted_version_holds_everywhere_and_what_was_agreed_before_stays_valid_under_its_own(
    node: Node,
) -> None:
    old = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    node.propose(old)
    node.countersign(old, SELLING)
    changed = with_scooters(node, "1.4.0")
    scooters = "dmi:purpose:scooters-1-4-0"
    propose(node, changed)
    assert adopt(node, changed)["state"] == "adopted"
    table = node.service.runtime.law.table
    eventually(lambda: table.rulebook.version == "1.4.0")
    assert node.get("/v1/rulebook")["version"] == "1.4.0"

    def may(purpose: str) -> bool:
        return table.decide(Request(VENDOR, "dmi:read", GARAGES, purpose), clock.now()).allowed

    assert may(MOBILITY)
    # Below mobility in the new tree, but nobody agreed to it: no purpose creeps into an old agreement.
    assert scooters in table.rulebook.below(MOBILITY)
    assert not may(scooters)
    new = document(OWNER, VENDOR, GARAGES, ["dmi:read"], version="1.4.0")
    jws = node.keys[OWNER].sign_document(new)
    problem = node.refused(
        node.ask("POST", "/v1/agreements", OFFICER, json={"document": new, "jws": jws}), 400, "invalid-input"
    )
    assert "that you signed" in problem["detail"]
    for who in (OFFICER, SELLING):
        path = f"/v1/participants/{who.participant}"
        text = node.get(f"{path}/statement", who)
        assert text["rulebook"] == "1.4.0"
        node.post(f"{path}/signature", {"jws": node.keys[who.participant].sign_document(text)}, who)
    node.propose(new)
    node.countersign(new, SELLING)
    assert may(scooters)
    assert table.agreements[old["uid"]].state == "active"


def test_a_proposal_that_another_overtook_is_to_be_made_anew(node: Node) -> None:
    first, second = with_scooters(node, "1.5.0"), with_scooters(node, "1.6.0")
    propose(node, first)
    propose(node, second)
    later = signed(node, MANAGING, second, "adopts")
    adopt(node, first)
    answer = node.ask("POST", "/v1/rulebook/versions/1.6.0/adopt", MANAGING, json=later)
    assert "propose it anew" in node.refused(answer, 409, "conflict")["detail"]


def test_of_two_changes_of_one_version_that_are_adopted_at_once_the_second_is_refused(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = with_scooters(node, "1.7.0"), with_scooters(node, "1.8.0")
    propose(node, first)
    propose(node, second)
    exchange = node.service.app.state.exchange
    revisions = Revisions(exchange)
    store = exchange.settle
    refused: list[Conflict] = []

    def adopting(changed: dict[str, Any]) -> None:
        jws = signed(node, MANAGING, changed, "adopts")["jws"]
        try:
            revisions.adopt(COUNCIL, MANAGING.roles, changed["rulebook.json"]["version"], "agreed", jws)
        except Conflict as exc:
            refused.append(exc)

    # The second is asked for while the first is stored and not yet in force.
    other = threading.Thread(target=adopting, args=(second,))

    def slow(*given: Any) -> Any:
        stored = store(*given)
        if not other.ident:
            other.start()
            other.join(0.5)
        return stored

    monkeypatch.setattr(exchange, "settle", slow)
    adopting(first)
    other.join(10)
    assert ["propose it anew" in str(one) for one in refused] == [True]


def test_a_version_that_accepts_no_earlier_one_asks_everyone_but_the_node_itself_to_sign(node: Node) -> None:
    changed = files(node)
    changed["rulebook.json"] |= {"version": "9.0.0", "accepted": []}
    propose(node, changed)
    adopt(node, changed, EVERYONE_MEETS)
    eventually(lambda: node.service.runtime.law.table.rulebook.version == "9.0.0")
    node.refused(node.ask("GET", "/v1/agreements", OFFICER), 403, "rulebook-not-signed")
    eventually(lambda: node.ask("GET", "/v1/participants", OPERATING).status_code == 200)
    assert all(paper["state"] != "ended" for paper in node.get("/v1/agreements", OPERATING)["items"])
    findings = node.get("/v1/review/findings", OPERATING)["items"]
    assert {reason["rule"] for item in findings for reason in item["reasons"]} <= {"dmi:rule:version"}


def test_an_agreement_of_a_version_that_is_accepted_no_more_is_read_under_its_own(node: Node) -> None:
    """The gates go on by it, and so do its duties, its proof, and what it forbids."""

    def all_sign() -> None:
        for who in (WORKING, EVERYONE_MEETS, OFFICER, SELLING):
            path = f"/v1/participants/{who.participant}"
            text = node.get(f"{path}/statement", who)
            node.post(f"{path}/signature", {"jws": node.keys[who.participant].sign_document(text)}, who)

    def replaced(version: str) -> None:
        changed = with_scooters(node, version)
        changed["rulebook.json"]["accepted"] = []
        propose(node, changed)
        adopt(node, changed, EVERYONE_MEETS)
        eventually(lambda: node.service.runtime.law.table.rulebook.version == version)
        all_sign()

    all_sign()
    replaced("10.0.0")
    old = document(OWNER, VENDOR, GARAGES, ["dmi:read"], version="10.0.0")
    old["permission"][0]["duty"] = [{"action": "attribute"}]
    old["prohibition"] = [{"target": GARAGES, "action": "dmi:export"}]
    node.propose(old)
    node.countersign(old, SELLING)
    replaced("11.0.0")
    path = f"/v1/agreements/{old['uid']}"
    owed = {"duty": "/permission/0/duty/0"}
    wish = {"action": "dmi:read", "dataset": GARAGES, "purpose": MOBILITY, "at": "2026-12-01T12:00:00Z"}
    assert node.post(f"{path}/trial", wish, SELLING)["agreement"] == old["uid"]
    listed = [each for each in node.get("/v1/duties", SELLING)["items"] if each["agreement"] == old["uid"]]
    assert [each["duty"] for each in listed] == [owed["duty"]]
    assert node.post(f"{path}/performed", owed)["performed"]
    later = document(OWNER, VENDOR, GARAGES, ["dmi:export"], version="11.0.0")
    (warning,) = [each for each in node.propose(later)["warnings"] if each.get("agreement") == old["uid"]]
    assert warning["kind"] == "swallowed"
