"""What a mandate may say is judged before it is signed; each refusal names the member and its own rule."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from dmi_agreements.contracts.law import Mandate, Participant
from dmi_agreements.keys import revoked
from dmi_agreements.mandates import read_mandate
from dmi_exchange import ishare, mandating
from dmi_exchange.counting import usage_id
from dmi_infra import clock, jose
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.unit.exchange.fakes import OFFICER, SELLER, SELLING, Node
from tests.unit.infra.fakes import GARAGES, NOOR, OWNER, VENDOR

DAY = 86_400_000_000


def wanted(**change: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "mandatary": VENDOR, "actions": ["dmi:read"], "datasets": [GARAGES], "purposes": ["dmi:purpose:any"],
        "from": clock.to_text(now), "until": clock.to_text(now + 30 * DAY), **change,
    }  # fmt: skip


def test_a_mandate_from_now_on_may_last_as_long_as_the_rulebook_says(node: Node) -> None:
    late = clock.to_text(clock.now() + 365 * DAY)
    assert node.post("/v1/mandates/draft", wanted(until=late))["until"] == late


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"mandatary": "urn:dmi:participant:nobody"}, "mandatary", "must be a participant that takes part here"),
        ({"mandatary": OWNER}, "mandatary", "must be another participant than who gives the mandate"),
        ({"mandatary": NOOR}, "mandatary", "must be an organisation: .*"),
        ({"from": "2020-01-01T00:00:00Z"}, "until", "must lie at most 366 days after from"),
        ({"from": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00Z"}, "until", "must lie ahead"),
        ({"until": "2027-03-01"}, "until", "must be RFC 3339 with an offset.*"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_names_the_member_and_the_rule(
    node: Node, change: dict[str, Any], field: str, rule: str
) -> None:
    answer = node.ask("POST", "/v1/mandates/draft", OFFICER, json=wanted(**change))
    (error,) = node.refused(answer, 400, "invalid-input")["errors"]
    assert error["field"] == f"document/{field}"
    assert re.fullmatch(rule, error["rule"]), error["rule"]


def test_a_mandate_has_an_id_of_its_own_form_and_none_of_something_else(node: Node) -> None:
    """Under the id of a count of uses it would stand in the way of everything that is counted."""
    document = node.post("/v1/mandates/draft", wanted())
    document["uid"] = usage_id(document["uid"], "/permission/0", VENDOR)
    body = {"document": document, "jws": node.keys[OWNER].sign_document(document)}
    answer = node.ask("POST", "/v1/mandates", OFFICER, json=body)
    (error,) = node.refused(answer, 400, "invalid-input")["errors"]
    assert error["field"] == "document/uid"
    assert node.store.get(Mandate, document["uid"]) is None


def evidence(mandator: str, key: jose.SigningKey) -> str:
    """Evidence that somebody signed itself: the vendor may read the garages for it."""
    document = {
        "uid": f"urn:uuid:{uuid.uuid4()}", "type": "dmi:Mandate", "mandator": mandator, "dmi:rulebook": "1.0.0",
        **wanted(),
    }  # fmt: skip
    claims = ishare.claims_of(read_mandate(document), mandator, EXCHANGE_PARTICIPANT, int(clock.seconds()))
    return key.sign_token(claims, "JWT")


@pytest.mark.parametrize(
    ("home", "ended", "status"),
    [("", False, 201), ("", True, 400), ("https://b.example/exchange", False, 400)],
)
def test_evidence_is_taken_of_members_of_this_node_by_keys_that_count(
    node: Node, home: str, ended: bool, status: int
) -> None:
    giver, key = "urn:dmi:participant:giver", jose.SigningKey.generate()
    kept = revoked(key.public, int(clock.seconds()), "stolen") if ended else key.public
    member = Participant(giver, "Giver", [SELLER], [kept], "1.0.0", home=home)
    node.service.app.state.exchange.settle(Participant, giver, lambda _: member)
    body = {"evidence": evidence(giver, key)}
    assert node.ask("POST", "/v1/mandates/evidence", SELLING, json=body).status_code == status


def test_who_has_given_too_many_gives_no_more_until_some_end_and_a_day_has_passed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give() -> httpx.Response:
        document = node.post("/v1/mandates/draft", wanted())
        body = {"document": document, "jws": node.keys[OWNER].sign_document(document)}
        return node.ask("POST", "/v1/mandates", OFFICER, json=body)

    before = len([one for one in node.store.find(Mandate, OWNER) if one.document["mandator"] == OWNER])
    monkeypatch.setattr(mandating, "MOST", before + 2)
    given = [give().json()["id"] for _ in range(2)]
    node.refused(give(), 409, "conflict")
    node.post(f"/v1/mandates/{given[0]}/end", {})
    node.refused(give(), 409, "conflict")
    monkeypatch.setattr(mandating, "DAY", 0)
    assert give().status_code == 201
    node.refused(give(), 409, "conflict")
