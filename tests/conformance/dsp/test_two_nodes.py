"""Two nodes that know each other: who may speak for whom, one agreement in the law of both, and its end in both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.dsp import states
from dmi_agreements.dsp.messages import Message
from dmi_agreements.dsp.states import Kind
from dmi_exchange.dsp import courier
from dmi_exchange.dsp.endings import Endings
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.steps import AGREEMENT_END, Accept, Steps
from dmi_infra import jose, passes
from dmi_infra.errors import NotFound, Unauthenticated
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.conformance.dsp.city import City
from tests.conformance.dsp.counterpart import CONTEXT
from tests.conformance.dsp.pair import CITY, GARAGES, KEEPER, OWNER, STACK, Pair, furnished, soon, state
from tests.conformance.dsp.published import Schemas
from tests.unit.infra.fakes import PAY

BRAM = "urn:dmi:person:bram"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with furnished(tmp_path_factory.mktemp("pair")) as made:
        yield made


def test_a_negotiation_between_nodes_ends_in_one_agreement_in_the_law_of_both(pair: Pair) -> None:
    agreement = pair.agreed()
    ours, theirs = (city.law().get(AgreementState, agreement) for city in (pair.a, pair.b))
    assert ours is not None
    assert theirs is not None
    assert (ours.document, ours.signatures) == (theirs.document, theirs.signatures)
    assert ours.signatures.keys() == {OWNER, STACK}
    entry = pair.a.law().get(Dataset, GARAGES)
    assert entry == pair.b.law().get(Dataset, GARAGES)
    member = pair.a.well("GET", f"/v1/participants/{OWNER}", CITY)
    assert member["home"] == f"{pair.b.url}/exchange"


@pytest.mark.parametrize("who", ["provider", "consumer"])
def test_an_agreement_that_either_side_ends_is_ended_at_the_other_within_a_second(
    pair: Pair, who: str
) -> None:
    agreement = pair.agreed()
    here, party, there = (pair.b, OWNER, pair.a) if who == "provider" else (pair.a, STACK, pair.b)
    here.well("POST", f"/v1/agreements/{agreement}/end", party, {"reason": "genoeg"})
    assert soon(lambda: state(there, agreement) == "ended") < 1.0
    found = there.law().get(AgreementState, agreement)
    assert found is not None
    assert (found.ended_by, found.end_reason) == (party, "genoeg")


def test_an_end_that_the_other_node_could_not_hear_is_told_when_it_is_up_again(pair: Pair) -> None:
    agreement = pair.agreed()
    pair.down("a")
    pair.b.well("POST", f"/v1/agreements/{agreement}/end", OWNER, {"reason": "genoeg"})
    pair.up("a")
    soon(lambda: state(pair.a, agreement) == "ended")


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often from now on a message of each type is refused by whom it goes to; waits are short."""
    times: dict[str, int] = {}

    def refused(name: str) -> bool:
        times[name] = times.get(name, 0) - 1
        return times[name] >= 0

    received, ended = Steps.receive, Endings.ended

    def receive(
        self: Steps, kind: Kind, identifier: str, came: Message, peer: str, accept: Accept
    ) -> Process:
        if refused(came.type):
            raise NotFound("not now")
        return received(self, kind, identifier, came, peer, accept)

    def end(self: Endings, identifier: str, peer: str, body: Any) -> Process:
        if refused(AGREEMENT_END):
            raise Unauthenticated("not now")
        return ended(self, identifier, peer, body)

    monkeypatch.setattr(courier, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(Steps, "receive", receive)
    monkeypatch.setattr(Endings, "ended", end)
    return times


def test_an_end_that_is_refused_for_a_while_is_told_until_it_is_heard(
    pair: Pair, refusing: dict[str, int]
) -> None:
    agreement = pair.agreed()
    refusing[AGREEMENT_END] = 6
    pair.b.well("POST", f"/v1/agreements/{agreement}/end", OWNER, {"reason": "genoeg"})
    soon(lambda: state(pair.a, agreement) == "ended")
    soon(lambda: _asked(pair.b, agreement)["pending"] == 0)
    assert _asked(pair.b, agreement)["reason"] is None


def test_a_conclusion_that_is_refused_for_a_while_holds_in_both_nodes_in_the_end(
    pair: Pair, refusing: dict[str, int]
) -> None:
    refusing[states.EVENT_FINALIZED] = 6
    agreement = pair.agreed()
    assert refusing[states.EVENT_FINALIZED] < 0
    assert state(pair.b, agreement) == "active"


def test_an_end_that_crosses_the_conclusion_ends_the_agreement(pair: Pair, refusing: dict[str, int]) -> None:
    refusing[states.EVENT_FINALIZED] = 1_000_000
    path = f"/v1/negotiations/{pair.begin()}"
    agreement = pair.a.until(path, STACK, "VERIFIED")["agreement"]
    soon(lambda: state(pair.b, agreement) == "active")
    pair.a.well("POST", f"{path}/end", STACK, {"reason": "toch niet"})
    soon(lambda: state(pair.b, agreement) == "ended")
    found = pair.b.law().get(AgreementState, agreement)
    assert found is not None
    assert (found.ended_by, found.end_reason) == (STACK, "toch niet")
    # Nothing goes on being told that nobody waits for.
    soon(lambda: _asked(pair.b, agreement)["pending"] == 0)
    assert state(pair.a, agreement) is None


def test_an_end_overtakes_a_conclusion_that_was_not_heard(pair: Pair, refusing: dict[str, int]) -> None:
    refusing[states.EVENT_FINALIZED] = 1_000_000
    path = f"/v1/negotiations/{pair.begin()}"
    agreement = pair.a.until(path, STACK, "VERIFIED")["agreement"]
    soon(lambda: state(pair.b, agreement) == "active")
    pair.b.well("POST", f"/v1/agreements/{agreement}/end", OWNER, {"reason": "genoeg"})
    ended = pair.a.until(path, STACK, "TERMINATED")
    assert (ended["ended_by"], ended["reason"]) == ("provider", "the provider: genoeg")
    assert state(pair.a, agreement) is None


def test_who_signed_no_rulebook_in_force_may_still_end_an_agreement(pair: Pair) -> None:
    agreement = pair.agreed()
    law = pair.b.law()
    before = law.get(Participant, STACK)
    assert before is not None
    law.settle(Participant, STACK, lambda _: msgspec.structs.replace(before, rulebook="0.9.0"))
    try:
        soon(lambda: _said(pair, key=pair.a.key(EXCHANGE_PARTICIPANT), who=STACK).status_code == 403)
        pair.a.well("POST", f"/v1/agreements/{agreement}/end", STACK, {"reason": "genoeg"})
        assert soon(lambda: state(pair.b, agreement) == "ended") < 1.0
    finally:
        law.settle(Participant, STACK, lambda _: before)
        soon(lambda: _said(pair, who=STACK).status_code == 200)


def _asked(city: City, agreement: str) -> dict[str, Any]:
    """The negotiation of an agreement as its owner sees it."""
    (found,) = [
        one for one in city.well("GET", "/v1/negotiations", OWNER)["items"] if one["agreement"] == agreement
    ]
    return dict(found)


def test_a_node_that_is_down_hangs_nothing_and_the_negotiation_goes_on_when_it_is_up(pair: Pair) -> None:
    (item,) = pair.catalogue()
    pair.down("b")
    begun = time.monotonic()
    body = {"provider": item["owner"], "dataset": GARAGES, "offer": item["offers"][0]}
    mine = pair.a.well("POST", "/v1/negotiations", STACK, body)["id"]
    assert time.monotonic() - begun < 1.0
    path = f"/v1/negotiations/{mine}"
    soon(lambda: "goes on trying" in (pair.a.well("GET", path, STACK)["reason"] or ""))
    assert pair.a.ask("GET", f"/v1/nodes/catalogue?node={pair.b.url}", CITY).status_code == 503
    pair.up("b")
    pair.a.until(path, STACK, "FINALIZED")


def test_owners_with_keys_of_their_own_sign_on_both_sides(pair: Pair) -> None:
    for city, who in ((pair.a, STACK), (pair.b, OWNER)):
        kept = city.key(who)
        held = city.folder / "keys" / f"{who.removeprefix('urn:dmi:').replace(':', '_')}.json"
        held.rename(held.with_suffix(".away"))
        city.keys[who] = kept
    try:
        mine = f"/v1/negotiations/{pair.begin()}"
        asked = _waiting(pair.b, OWNER, "REQUESTED")
        document = pair.b.well("GET", f"{asked}/document", OWNER)
        assert pair.b.well("GET", f"{asked}/document", OWNER) == document
        wrong = pair.a.keys[STACK].sign_document(document)
        assert pair.b.ask("POST", f"{asked}/signature", OWNER, {"jws": wrong}).status_code == 400
        assert pair.b.ask("POST", f"{asked}/signature", OWNER, {"hosted": True}).status_code == 400
        jws = pair.b.keys[OWNER].sign_document(document)
        pair.b.well("POST", f"{asked}/signature", OWNER, {"jws": jws})
        pair.a.until(mine, STACK, "AGREED")
        soon(lambda: "sign the agreement" in (pair.a.well("GET", mine, STACK)["reason"] or ""))
        assert pair.a.well("GET", f"{mine}/document", STACK) == document
        pair.a.well("POST", f"{mine}/signature", STACK, {"jws": pair.a.keys[STACK].sign_document(document)})
        found = pair.a.until(mine, STACK, "FINALIZED")
        soon(lambda: state(pair.a, found["agreement"]) == "active")
        assert pair.a.ask("GET", f"{mine}/document", STACK).status_code == 409
    finally:
        for city, who in ((pair.a, STACK), (pair.b, OWNER)):
            held = city.folder / "keys" / f"{who.removeprefix('urn:dmi:').replace(':', '_')}.json"
            held.with_suffix(".away").rename(held)


def _waiting(city: City, who: str, wanted: str) -> str:
    """The address of a negotiation that waits for its participant to sign."""
    end = time.monotonic() + 10
    while True:
        for item in city.well("GET", "/v1/negotiations", who)["items"]:
            if item["state"] == wanted and "sign the agreement" in (item["reason"] or ""):
                return f"/v1/negotiations/{item['id']}"
        assert time.monotonic() < end
        time.sleep(0.02)


def test_no_node_signs_what_the_terms_in_the_message_did_not_tell(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B puts a price into its document where the terms do not show it, and signs that."""
    honest = StoreShelf.draft

    def draft(shelf: StoreShelf, process: Process) -> dict[str, Any]:
        made = honest(shelf, process)
        hidden = {**made["permission"][0], "duty": [PAY]}
        del hidden["action"]
        return {**made, "action": "dmi:export", "permission": [*made["permission"], hidden]}

    monkeypatch.setattr(StoreShelf, "draft", draft)
    ended = pair.a.until(f"/v1/negotiations/{pair.begin()}", STACK, "TERMINATED")
    assert "was not negotiated" in ended["reason"]
    assert ended["ended_by"] == "consumer"
    assert [city.law().get(AgreementState, ended["agreement"]) for city in (pair.a, pair.b)] == [None, None]


# -- who may speak for whom -------------------------------------------------


def _said(pair: Pair, **changes: Any) -> httpx.Response:
    """A request for B's catalogue with a token that A's node could make, but for ``changes``."""
    given = {
        "key": pair.a.key(EXCHANGE_PARTICIPANT),
        "issuer": f"{pair.a.url}/exchange",
        "who": CITY,
        "audience": f"{pair.b.url}/exchange/dsp",
        "body": b'{"@context":["%s"],"@type":"CatalogRequestMessage"}' % CONTEXT.encode(),
        **changes,
    }
    url = f"{pair.b.url}/exchange/dsp/catalog/request"
    request = ("POST", given.get("url", url), given.get("signed", given["body"]))
    token = changes.get("token") or passes.sign_node(
        given["key"], given["issuer"], given["who"], given["audience"], request, int(time.time())
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return httpx.post(url, content=given["body"], headers=headers)


def test_a_member_of_a_known_node_is_let_in(pair: Pair, schemas: Schemas) -> None:
    answer = _said(pair)
    assert answer.status_code == 200, answer.text
    assert schemas.check(answer.json())["@type"] == "Catalog"


@pytest.mark.parametrize(
    "changes",
    [
        {"key": jose.SigningKey.generate()},
        {"issuer": "http://127.0.0.1:1/exchange"},
        {"who": OWNER},
        {"who": "urn:dmi:participant:nobody"},
        {"audience": "urn:dmi:stack"},
        {"signed": b"{}"},
        {"url": "http://127.0.0.1:1/exchange/dsp/catalog/request"},
        {"token": "x"},
    ],
    ids=["foreign key", "unknown node", "another's member", "nobody", "audience", "body", "address", "none"],
)
def test_who_is_no_member_of_the_node_that_speaks_is_not_let_in(
    pair: Pair, schemas: Schemas, changes: dict[str, Any]
) -> None:
    answer = _said(pair, **changes)
    assert answer.status_code == 401, answer.text
    assert schemas.check(answer.json())["@type"] == "CatalogError"


def test_a_token_of_a_node_is_taken_once(pair: Pair) -> None:
    request = ("POST", f"{pair.b.url}/exchange/dsp/catalog/request", b"{}")
    token = passes.sign_node(
        pair.a.key(EXCHANGE_PARTICIPANT), f"{pair.a.url}/exchange", CITY, f"{pair.b.url}/exchange/dsp",
        request, int(time.time()),
    )  # fmt: skip
    assert _said(pair, token=token, body=b"{}").status_code == 400  # let in; it is no message
    assert _said(pair, token=token, body=b"{}").status_code == 401


def test_a_member_of_another_node_gets_no_token_of_this_one(pair: Pair) -> None:
    assertion = jose.make_assertion(
        pair.a.key(STACK), STACK, f"{pair.b.url}/exchange/token", int(time.time())
    )
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    assert httpx.post(f"{pair.b.url}/exchange/token", data=form).status_code == 401


def test_answers_go_to_the_node_that_speaks_and_nowhere_else(pair: Pair) -> None:
    (item,) = pair.catalogue()
    offer = {**item["offers"][0], "@type": "Offer", "target": GARAGES}
    body = {
        "@context": [CONTEXT], "@type": "ContractRequestMessage", "@id": "urn:uuid:1",
        "consumerPid": "urn:uuid:2", "callbackAddress": "http://127.0.0.1:1/elsewhere", "offer": offer,
    }  # fmt: skip
    content = httpx.Request("POST", "http://x", json=body).content
    url = f"{pair.b.url}/exchange/dsp/negotiations/request"
    token = passes.sign_node(
        pair.a.key(EXCHANGE_PARTICIPANT), f"{pair.a.url}/exchange", CITY, f"{pair.b.url}/exchange/dsp",
        ("POST", url, content), int(time.time()),
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = httpx.post(url, content=content, headers=headers)
    assert answer.status_code == 400
    assert "callbackAddress" in answer.json()["reason"][0]


def test_who_is_no_member_for_the_other_node_is_refused_its_catalogue_with_the_reason(pair: Pair) -> None:
    path = f"/v1/nodes/catalogue?node={pair.b.url}"
    # No node tells others of its residents, so that none of them is known there.
    pair.a.admit(BRAM, STACK)
    token = {"Authorization": f"Bearer {pair.a.token(BRAM)}"}
    answer = httpx.get(f"{pair.a.url}/exchange{path}", headers=token)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:dmi:problem:refused-by-other-node")
    assert answer.json()["detail"].startswith("this participant is no organisation among the members of this")
    dutch = httpx.get(f"{pair.a.url}/exchange{path}", headers={**token, "Accept-Language": "nl"}).json()
    assert dutch["detail"].startswith("U bent geen organisatie die bij dit platform hoort.")


def test_an_end_without_a_reason_comes_without_one(pair: Pair) -> None:
    agreement = pair.agreed()
    pair.b.well("POST", f"/v1/agreements/{agreement}/end", OWNER, {})
    soon(lambda: state(pair.a, agreement) == "ended")
    assert not pair.a.well("GET", f"/v1/agreements/{agreement}", STACK)["end_reason"]


def test_nodes_are_shown_with_their_state_and_nobody_asks_another_one(pair: Pair) -> None:
    soon(lambda: pair.a.well("GET", "/v1/nodes", CITY)["items"][0]["reachable"], 25)
    (node,) = pair.a.well("GET", "/v1/nodes", CITY)["items"]
    assert (node["url"], node["operator"], node["reason"]) == (pair.b.url, KEEPER, None)
    answer = pair.a.ask("GET", "/v1/nodes/catalogue?node=http://127.0.0.1:1", CITY)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "node"
