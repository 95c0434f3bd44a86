"""Two nodes that know each other by their DIDs alone (Decentralized Claims Protocol 1.0)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange.dcp import messages
from dmi_exchange.dcp.did import of_address
from dmi_infra import claims, passes
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.conformance.dsp.city import City
from tests.conformance.dsp.pair import CITY, KEEPER, OWNER, STACK, Pair, furnished, soon, state
from tests.unit.exchange.issuing import Membership, served


class ClaimsPair(Pair):
    """A and B, each with credentials of one issuer for its participants."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._site = ExitStack()
        self.issuer = Membership(self._site.enter_context(served()), "issuer")
        for city, members in ((self.a, (STACK, CITY)), (self.b, (OWNER, KEEPER))):
            kept = city.folder / "credentials"
            kept.mkdir(parents=True)
            for index, member in enumerate(members):
                token = self.issuer.issue(self.did(city), member, index + 7)
                (kept / f"{index}.jwt").write_text(token)

    @staticmethod
    def did(city: City) -> str:
        return of_address(f"{city.url}/exchange")

    def knowing(self, me: City, other: City) -> dict[str, Any]:
        """By its DID, and by whose credentials count."""
        return {
            "dsp_nodes": ({"url": other.url, "did": self.did(other)},),
            "dcp_issuers": (self.issuer.did,),
            "dcp_credentials": me.folder / "credentials",
        }

    def close(self) -> None:
        super().close()
        self._site.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimsPair]:
    with furnished(tmp_path_factory.mktemp("claims"), ClaimsPair) as made:
        assert isinstance(made, ClaimsPair)
        yield made


def _refused(pair: ClaimsPair, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{pair.b.url}/exchange/dsp/catalog/request", json={}, headers=headers)
    assert answer.status_code == 401, answer.text
    return str(answer.json()["reason"][0])


def test_nodes_negotiate_with_each_other_by_credentials_alone(pair: ClaimsPair) -> None:
    agreement = pair.agreed()
    ours, theirs = (city.law().get(AgreementState, agreement) for city in (pair.a, pair.b))
    assert ours is not None
    assert theirs is not None
    assert ours.signatures.keys() == theirs.signatures.keys() == {OWNER, STACK}
    pair.b.well("POST", f"/v1/agreements/{agreement}/end", OWNER, {"reason": "genoeg"})
    soon(lambda: state(pair.a, agreement) == "ended")


def test_a_node_that_is_known_by_its_did_is_not_let_in_by_its_keys(pair: ClaimsPair) -> None:
    request = ("POST", f"{pair.b.url}/exchange/dsp/catalog/request", b"{}")
    token = passes.sign_node(
        pair.a.key(EXCHANGE_PARTICIPANT), f"{pair.a.url}/exchange", STACK, f"{pair.b.url}/exchange/dsp",
        request, int(time.time()),
    )  # fmt: skip
    assert "keys" in _refused(pair, token)


def test_the_document_shows_public_keys_and_the_service_answers_nobody_without_a_token_of_its_own(
    pair: ClaimsPair,
) -> None:
    answer = httpx.get(f"{pair.a.url}/exchange/did.json")
    document = answer.json()
    assert answer.headers["content-type"] == "application/did+json"
    assert document["id"] == pair.did(pair.a)
    assert set(document["verificationMethod"][0]["publicKeyJwk"]) == {"kty", "crv", "x", "y", "kid"}
    (service,) = document["service"]
    assert service["type"] == "CredentialService"
    address = f"{service['serviceEndpoint']}/presentations/query"
    key = pair.b.key(EXCHANGE_PARTICIPANT)
    body = messages.query([f"{messages.BY_TYPE}MembershipCredential"])
    assert httpx.post(address, json=body).status_code == 401
    for given in ("made up", pair.b.token(OWNER)):
        token = claims.sign_self(key, pair.did(pair.b), pair.did(pair.a), int(time.time()), token=given)
        answer = httpx.post(address, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert "not given by this node" in answer.json()["detail"]
    token = claims.sign_self(key, pair.did(pair.b), pair.did(pair.a), int(time.time()), token="x")
    defined = {**body, "presentationDefinition": {}}
    del defined["scope"]
    answer = httpx.post(address, json=defined, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["title"]) == (501, "Not supported here")


def test_a_credential_that_is_withdrawn_counts_no_more_from_the_next_message_on(pair: ClaimsPair) -> None:
    path = f"/v1/nodes/catalogue?node={pair.b.url}"
    assert pair.a.ask("GET", path, CITY).status_code == 200
    pair.issuer.withdraw(8)
    refused = pair.a.ask("GET", path, CITY)
    assert (refused.status_code, "withdrawn" in refused.json()["detail"]) == (403, True)
    assert pair.a.ask("GET", path, STACK).status_code == 200
    pair.issuer.withdraw()
    assert pair.a.ask("GET", path, CITY).status_code == 200
