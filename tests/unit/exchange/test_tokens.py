"""The token endpoint: client assertions once, demonstration identities never in production."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from dmi_agreements.contracts.law import Participant
from dmi_infra import jose
from tests.unit.exchange.fakes import Node, running
from tests.unit.infra.fakes import OWNER, VENDOR


def send(node: Node, assertion: str, **change: str) -> object:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return node.ask("POST", "/token", data=form | change)


def made(node: Node, participant: str = OWNER, key: jose.SigningKey | None = None) -> str:
    return jose.make_assertion(
        key or node.keys[participant], participant, f"{node.settings.issuer}/token", int(time.time())
    )


def test_an_assertion_gives_a_token_that_opens_doors_and_is_not_to_be_stored(node: Node) -> None:
    answer = node.ask(
        "POST",
        "/token",
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": jose.ASSERTION_TYPE,
            "client_assertion": made(node),
        },
    )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 600)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    me = node.runner.run(node.client.get("/v1/me", headers=headers)).json()
    assert (me["participant"], me["roles"]) == (OWNER, ["dmi:role:municipality"])


def test_an_assertion_works_once(node: Node) -> None:
    assertion = made(node)
    assert send(node, assertion).status_code == 200  # type: ignore[attr-defined]
    problem = node.refused(send(node, assertion), 401, "unauthenticated")  # type: ignore[arg-type]
    assert "before" in problem["detail"]


def test_two_participants_may_use_the_same_identifier(node: Node) -> None:
    now = int(time.time())
    for participant in (OWNER, VENDOR):
        claims = {
            "iss": participant,
            "sub": participant,
            "aud": f"{node.settings.issuer}/token",
            "iat": now,
            "exp": now + 60,
            "jti": "same\0and with a NUL",
        }
        answer = send(node, node.keys[participant].sign_token(claims, "JWT"))
        assert answer.status_code == 200  # type: ignore[attr-defined]


def test_the_key_of_another_participant_proves_nothing(node: Node) -> None:
    node.refused(send(node, made(node, OWNER, node.keys[VENDOR])), 401, "unauthenticated")  # type: ignore[arg-type]


def test_an_unknown_participant_gets_no_token(node: Node) -> None:
    assertion = made(node, "urn:dmi:participant:nobody", jose.SigningKey.generate())
    node.refused(send(node, assertion), 401, "unauthenticated")  # type: ignore[arg-type]


def test_a_key_that_was_taken_from_a_participant_and_one_that_left_get_no_token(node: Node) -> None:
    key = node.admit("urn:dmi:participant:leaving", "dmi:role:vendor")
    identifier = "urn:dmi:participant:leaving"
    entry = node.store.get(Participant, identifier)
    assert entry is not None
    for change in ({"keys": []}, {"active": False}):
        node.store.settle(Participant, identifier, lambda _k, c=change: msgspec.structs.replace(entry, **c))  # type: ignore[misc]
        node.refused(send(node, made(node, identifier, key)), 401, "unauthenticated")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"grant_type": "password"},
        {"client_assertion_type": "x"},
        {"client_assertion": "x" * 17_000},
        {"grant_type": ""},
    ],
)
def test_a_form_that_breaks_a_rule_is_refused(node: Node, change: dict[str, str]) -> None:
    node.refused(send(node, made(node), **change), 400, "invalid-input")  # type: ignore[arg-type]


def test_no_form_at_all_is_refused(node: Node) -> None:
    node.refused(node.ask("POST", "/token"), 400, "invalid-input")
    node.refused(node.ask("POST", "/token", json={"grant_type": "client_credentials"}), 400, "invalid-input")


def test_the_public_key_can_be_fetched_and_the_private_one_not(node: Node) -> None:
    (key,) = node.get("/.well-known/jwks.json", None)["keys"]
    assert "d" not in key
    assert key["use"] == "sig"


def test_a_demonstration_identity_signs_in_by_its_name(node: Node) -> None:
    names = [identity["id"] for identity in node.get("/v1/demo/identities", None)]
    assert names == ["officer", "vendor", "analyst", "resident", "operator", "inspector"]
    for name in names:
        assert node.post("/v1/demo/token", {"identity": name}, None)["access_token"]
    node.refused(node.ask("POST", "/v1/demo/token", json={"identity": "king"}), 400, "invalid-input")


def test_in_production_there_are_no_demonstration_identities(tmp_path: Path) -> None:
    with running(tmp_path, env="production", key_passphrase="a horse and a battery") as node:
        assert node.get("/v1/demo/identities", None) == []
        node.refused(node.ask("POST", "/v1/demo/token", json={"identity": "operator"}), 404, "not-found")
