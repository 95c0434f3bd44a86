"""The token endpoint and certificates: a name in one opens doors while the operator has bound it to a participant."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from dmi_infra import jose
from tests.unit.exchange.fakes import OFFICER, OPERATING, SELLING, Node, furnish, running
from tests.unit.infra.fakes import OWNER, VENDOR
from tests.unit.infra.test_certificates import EORI, LEAF, MIDDLE, OTHER_ROOT, ROOT, assertion, made


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """An exchange that is told by its environment which root to trust."""
    folder = tmp_path_factory.mktemp("certified")
    roots = folder / "roots.pem"
    roots.write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DMI_TRUST_ROOTS", str(roots))
        with running(folder) as made_node:
            furnish(made_node)
            yield made_node


def proof(node: Node, **change: object) -> str:
    """A client assertion of the holder of the certificate for this exchange, of its own each time."""
    return assertion(aud=f"{node.settings.issuer}/token", jti=str(uuid.uuid4()), **change)


def sent(node: Node, client_assertion: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": client_assertion,
    }
    return node.ask("POST", "/token", data=form)


def bind(node: Node, *names: str, participant: str = VENDOR) -> httpx.Response:
    body = {"identifiers": list(names)}
    return node.ask("PUT", f"/v1/participants/{participant}/identifiers", OPERATING, json=body)


def opened(node: Node, token: str) -> httpx.Response:
    return node.runner.run(node.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}))


def test_a_name_in_a_certificate_opens_doors_from_when_it_is_bound_until_it_is_not(node: Node) -> None:
    problem = node.refused(sent(node, proof(node)), 401, "unauthenticated")
    assert "bound to no participant" in problem["detail"]
    assert bind(node, EORI).json()["identifiers"] == [EORI]
    once = proof(node)
    answer = sent(node, once)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert opened(node, token).json()["participant"] == VENDOR
    assert "before" in node.refused(sent(node, once), 401, "unauthenticated")["detail"]
    assert bind(node).json()["identifiers"] == []
    node.refused(sent(node, proof(node)), 401, "unauthenticated")
    node.refused(opened(node, token), 401, "unknown-key")


def test_a_certificate_under_another_root_or_for_another_audience_opens_nothing(node: Node) -> None:
    bind(node, EORI)
    stranger = made("leaf", OTHER_ROOT, serial=EORI)
    for wrong in (
        proof(node, chain=[stranger.text, OTHER_ROOT.text], key=stranger.key),
        proof(node, chain=[LEAF.text], key=MIDDLE.key),
        assertion(aud="https://other.example/token"),
    ):
        node.refused(sent(node, wrong), 401, "unauthenticated")
    assert sent(node, proof(node)).status_code == 200


def test_the_operator_alone_binds_a_name_and_to_one_participant(node: Node) -> None:
    bind(node, EORI)
    node.refused(bind(node, EORI, participant=OWNER), 409, "conflict")
    for who in (SELLING, OFFICER):
        path, body = f"/v1/participants/{who.participant}/identifiers", {"identifiers": ["EU.EORI.NL1"]}
        assert node.ask("PUT", path, who, json=body).status_code == 403


def test_an_exchange_that_trusts_no_root_takes_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DMI_TRUST_ROOTS", raising=False)
    with running(tmp_path) as node:
        node.admit(VENDOR, "dmi:role:vendor", sign=False)
        assert bind(node, EORI).status_code == 200
        node.refused(sent(node, proof(node)), 401, "unauthenticated")
