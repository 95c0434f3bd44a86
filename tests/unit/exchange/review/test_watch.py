"""While agreements run: who left, what ran out and what the rulebook forbids is ended or reported, by the law feed."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange.review import watch
from dmi_infra import clock
from dmi_infra.errors import InputRefused
from tests.unit.exchange.fakes import (
    LIVING,
    OFFICER,
    OPERATING,
    SELLER,
    SELLING,
    Node,
    Who,
    furnish,
    running,
)
from tests.unit.exchange.test_rulebook_versions import EVERYONE_MEETS, signed
from tests.unit.infra.fakes import BICYCLES, GARAGES, NOOR, OWNER, STACK, VENDOR, document, eventually, until


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        yield made


def state(node: Node, uid: str) -> AgreementState:
    """The agreement as the gates of every process hear of it."""
    return node.service.runtime.law.table.agreements[uid]


def ended(node: Node, uid: str) -> AgreementState:
    eventually(lambda: state(node, uid).state == "ended")
    return state(node, uid)


def agree(node: Node, text: dict[str, Any], who: Who = SELLING) -> str:
    node.propose(text)
    assert node.countersign(text, who)["state"] == "active"
    return str(text["uid"])


def test_agreements_of_a_participant_that_left_end_by_themselves_and_no_others(node: Node) -> None:
    other = "urn:dmi:participant:blijft"
    node.admit(other, SELLER)
    gone = agree(node, document(OWNER, VENDOR, GARAGES, ["dmi:read"]))
    stays = agree(node, document(OWNER, other, GARAGES, ["dmi:read"]), Who(other, (SELLER,)))
    assert node.post(f"/v1/participants/{VENDOR}/end", None, OPERATING)["active"] is False
    after = ended(node, gone)
    assert after.ended_by == "urn:dmi:participant:exchange"
    assert "takes part no more" in (after.end_reason or "")
    assert "doet niet meer mee" in (after.end_reason or "")
    assert state(node, stays).state == "active"
    node.refused(node.ask("GET", "/v1/agreements", SELLING), 403, "inactive-participant")


def test_only_the_operator_lets_participants_leave_and_never_the_node_itself(node: Node) -> None:
    node.refused(node.ask("POST", f"/v1/participants/{VENDOR}/end", OFFICER), 403, "wrong-role")
    node.refused(node.ask("POST", f"/v1/participants/{STACK}/end", OPERATING), 409, "conflict")
    node.refused(node.ask("POST", "/v1/participants/urn:dmi:participant:x/end", OPERATING), 404, "not-found")


def test_an_agreement_and_a_consent_end_when_their_term_has_passed(node: Node) -> None:
    soon = {"@value": clock.to_text(clock.now() + 1_500_000), "@type": "xsd:dateTime"}
    ends = {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": soon}
    uid = agree(node, document(OWNER, VENDOR, GARAGES, ["dmi:read"], constraints=[ends]))
    to = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
    consent = document(NOOR, "urn:dmi:party:everyone", BICYCLES, ["dmi:read"], constraints=[to, ends])
    assert node.propose(consent, LIVING)["state"] == "active"
    assert state(node, uid).state == "active"
    assert "expired" in (ended(node, uid).end_reason or "").lower()
    ended(node, consent["uid"])


def change(node: Node, **settings: Any) -> None:
    """The Eco Council adopts a stricter rulebook."""
    node.admit(EVERYONE_MEETS.participant, *EVERYONE_MEETS.roles)
    current = node.get("/v1/rulebook")
    files = copy.deepcopy(node.get(f"/v1/rulebook/versions/{current['version']}")["files"])
    files["rulebook.json"] |= {"version": "2.0.0", "accepted": [current["version"]]}
    next(x for x in files["limits.json"] if x["id"] == "dmi:limit:retention")["maximum"] = 30
    next(x for x in files["rules.json"] if x["id"] == "dmi:rule:limit").update(settings)
    body = {"files": files, "reason": "less", **signed(node, EVERYONE_MEETS, files, "proposes")}
    node.post("/v1/rulebook/versions", body, EVERYONE_MEETS)
    path = "/v1/rulebook/versions/2.0.0/adopt"
    node.post(path, signed(node, EVERYONE_MEETS, files, "adopts"), EVERYONE_MEETS)


def kept(node: Node, days: int, permissions: int = 1) -> str:
    value = {"@value": str(days), "@type": "xsd:integer"}
    test = {"leftOperand": "dmi:days", "operator": "eq", "rightOperand": value, "unit": "d"}
    duty = {"action": "dmi:deleteAfter", "constraint": [test]}
    text = document(OWNER, VENDOR, BICYCLES, ["dmi:read"], duties=[duty], constraints=[until(300)])
    return agree(
        node, {**text, "dmi:legalBasis": "dmi:basis:consent", "permission": text["permission"] * permissions}
    )


def test_a_stricter_rulebook_reports_what_runs_against_it(node: Node) -> None:
    long, short = kept(node, 365), kept(node, 20)
    change(node, running="report")
    eventually(lambda: bool(state(node, long).objections))
    (objection,) = state(node, long).objections
    assert (objection.rule, objection.path) == ("dmi:rule:limit", "/permission/0/duty")
    assert state(node, long).state == "active"
    assert not state(node, short).objections
    node.settle()
    (finding,) = node.get("/v1/review/findings", SELLING)["items"]
    assert finding["agreement"] == long
    assert finding["reasons"][0]["explanation"]["nl"]
    assert node.get("/v1/review/findings", LIVING)["items"] == []
    assert node.get(f"/v1/agreements/{long}")["objections"][0]["rule"] == "dmi:rule:limit"


def test_a_stricter_rulebook_stops_what_runs_against_it_when_it_says_so(node: Node) -> None:
    long, short = kept(node, 365), kept(node, 20)
    change(node, running="stop")
    assert "365" in (ended(node, long).end_reason or "")
    assert state(node, short).state == "active"


def test_an_objection_goes_when_its_reason_goes(node: Node) -> None:
    dataset = "urn:dmi:dataset:gemeente:kort"
    node.publish(dataset)
    uid = agree(node, document(OWNER, VENDOR, dataset, ["dmi:read"]))
    known = state(node, uid)
    node.publish(dataset, commons_cents=300_000)
    eventually(lambda: [one.rule for one in state(node, uid).objections] == ["dmi:rule:commons"])
    node.publish(dataset, commons_cents=100)
    eventually(lambda: not state(node, uid).objections)
    assert state(node, uid) == known


def test_an_agreement_that_cannot_be_judged_keeps_no_other_from_being_stopped(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, other = "urn:dmi:dataset:gemeente:kort", "urn:dmi:participant:blijft"
    node.publish(dataset)
    node.admit(other, SELLER)
    stuck = agree(node, document(OWNER, other, dataset, ["dmi:read"]), Who(other, (SELLER,)))
    gone = agree(node, document(OWNER, VENDOR, GARAGES, ["dmi:read"]))
    exchange = node.service.app.state.exchange
    settle, tried = exchange.settle, []

    def refusing(kind: Any, identifier: str, decide: Any) -> Any:
        if identifier == stuck:
            tried.append(identifier)
            raise InputRefused.of("body", "is too large")
        return settle(kind, identifier, decide)

    monkeypatch.setattr(exchange, "settle", refusing)
    node.publish(dataset, commons_cents=300_000)
    node.post(f"/v1/participants/{VENDOR}/end", None, OPERATING)
    ended(node, gone)
    eventually(lambda: bool(tried))
    # It is judged again in its turn, not over and over.
    time.sleep(0.5)
    assert len(tried) < 4


def test_of_one_agreement_the_first_objections_are_told_alone(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_OBJECTIONS", 1)
    uid = kept(node, 365, permissions=2)
    change(node, running="report")
    eventually(lambda: bool(state(node, uid).objections))
    assert [one.path for one in state(node, uid).objections] == ["/permission/0/duty"]


def test_it_judges_again_what_it_could_not_see_before_it_stopped(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    with running(folder) as first:
        furnish(first)
        uid = agree(first, document(OWNER, VENDOR, GARAGES, ["dmi:read"]))
        watch = next(part for part in first.service.runtime.parts if type(part).__name__ == "Watch")
        watch.stop()
        first.post(f"/v1/participants/{VENDOR}/end", None, OPERATING)
        assert state(first, uid).state == "active"
    with running(folder) as second:
        ended(second, uid)
