"""Values of a wrong kind anywhere in a body are refused, by the protocol's documents too, and never a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.dsp.messages import CONTEXT
from dmi_infra import jose
from tests.unit.exchange.fakes import GARAGES, OFFICER, OWNER, SELLING, VENDOR, Node
from tests.unit.mistakes import mistaken

NOON = "2026-11-21T12:00:00Z"
TEST = {"leftOperand": "purpose", "operator": "eq", "rightOperand": "dmi:purpose:any"}
OFFER = {
    "@type": "Offer", "@id": "urn:x", "target": GARAGES, "profile": "x",
    "permission": [{"action": "use", "constraint": [TEST, {"or": [TEST]}]}],
}  # fmt: skip
BACK = {"callbackAddress": "https://a.example/dsp"}
PIDS = {"consumerPid": "urn:uuid:1", "providerPid": "urn:uuid:2"}
DRAFT = {
    "assigner": OWNER, "assignee": VENDOR, "datasets": [GARAGES], "purpose": "dmi:purpose:any",
    "actions": ["dmi:read"],
}  # fmt: skip


def message(kind: str, **members: Any) -> dict[str, Any]:
    return {"@context": [CONTEXT], "@type": kind, **members}


BODIES: dict[str, Any] = {
    "/v1/agreements/draft": {"template": "sensor-data", "parameters": DRAFT},
    "/v1/offers": {"dataset": GARAGES, "template": "sensor-data", "parameters": DRAFT},
    "/v1/negotiations": {"provider": OWNER, "dataset": GARAGES, "offer": OFFER, "address": "https://a.example/dsp"},
    "/v1/transfers": {"provider": OWNER, "agreement": "urn:x", "format": "HttpData-PULL", "own": True},
    "/dsp/catalog/request": message("CatalogRequestMessage", filter=[{"keyword": "x"}]),
    "/dsp/negotiations/request": message("ContractRequestMessage", consumerPid="urn:uuid:1", offer=OFFER, **BACK),
    "/dsp/negotiations/urn:uuid:1/agreement": message(
        "ContractAgreementMessage", **PIDS,
        agreement={**OFFER, "@type": "Agreement", "assigner": OWNER, "assignee": VENDOR, "timestamp": NOON},
    ),
    "/dsp/transfers/request": message(
        "TransferRequestMessage", agreementId="x", format="HttpData-PUSH", consumerPid="urn:uuid:1", **BACK,
        dataAddress={
            "@type": "DataAddress", "endpointType": "x", "endpoint": "https://a.example",
            "endpointProperties": [{"@type": "EndpointProperty", "name": "a", "value": "b"}],
        },
    ),
    "/dsp/transfers/urn:uuid:1/start": message("TransferStartMessage", **PIDS),
    "/dsp/transfers/urn:uuid:1/termination": message("TransferTerminationMessage", **PIDS, code="x", reason=["y"]),
}  # fmt: skip


@pytest.mark.parametrize("path", BODIES)
def test_a_value_of_a_wrong_kind_anywhere_is_no_fault_of_ours(node: Node, path: str) -> None:
    who = OFFICER if path in ("/v1/offers", "/v1/agreements/draft") else SELLING
    headers = {"Authorization": f"Bearer {node.token(who)}", "Content-Type": "application/json"}

    async def send() -> list[str]:
        found = []
        for place, body in mistaken(BODIES[path]):
            answer = await node.client.post(path, content=body, headers=headers)
            if answer.status_code >= 500:
                found.append(f"{place}: {answer.status_code}")
        return found

    assert node.runner.run(send()) == []


@pytest.mark.parametrize("wrong", [["eq"], {"a": 1}, None, 1, "around"])
def test_an_operator_of_a_wrong_kind_is_named_by_its_place(node: Node, wrong: object) -> None:
    offer = {**OFFER, "permission": [{"action": "use", "constraint": [{**TEST, "operator": wrong}]}]}
    answer = node.ask(
        "POST", "/v1/negotiations", SELLING, json={**BODIES["/v1/negotiations"], "offer": offer}
    )
    (error,) = node.refused(answer, 400, "invalid-input")["errors"]
    assert error["field"].endswith("/permission/0/constraint/0/operator")
    assert error["rule"] == "an operator of ODRL"


def test_an_error_document_leaves_out_a_pid_that_no_answer_can_hold(node: Node) -> None:
    headers = {"Authorization": f"Bearer {node.token(SELLING)}", "Content-Type": "application/json"}
    body = b'{"@type": "ContractRequestMessage", "consumerPid": "\\ud800", "providerPid": "urn:x"}'
    answer = node.runner.run(node.client.post("/dsp/negotiations/request", content=body, headers=headers))
    assert answer.status_code == 400
    told = answer.json()
    assert (told["@type"], told["consumerPid"], told["providerPid"]) == (
        "ContractNegotiationError",
        "",
        "urn:x",
    )
    assert "valid Unicode" in told["reason"][0]


def test_an_assertion_in_a_name_that_no_store_can_look_for_gives_no_token(node: Node) -> None:
    assertion = jose.make_assertion(node.keys[OWNER], "\ud800", f"{node.settings.issuer}/token", 0)
    form = {
        "grant_type": "client_credentials", "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion,
    }  # fmt: skip
    node.refused(node.ask("POST", "/token", data=form), 401, "unauthenticated")
