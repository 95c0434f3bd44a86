"""Codes of letters and keys: a code ends with the theft of a key that may have made it, and changes no keys itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import httpx
import msgspec
import pytest

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import HEARD_SECONDS, revoked, revoked_since
from dmi_exchange.handlers import Exchange
from dmi_exchange.routes import paper
from dmi_infra.errors import Unavailable
from tests.unit.exchange.fakes import OPERATING, OPERATOR, RESIDENT, Node, Who, furnish, running
from tests.unit.exchange.test_consents import hosted
from tests.unit.exchange.test_letter import text_of
from tests.unit.exchange.test_my_data import code_in

DESK, CLERK = "urn:dmi:participant:balie", (OPERATOR,)
NEXT = iter(range(100))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        made.admit(DESK, *CLERK)
        yield made


def person(node: Node) -> Who:
    """A resident with a key of its own."""
    who = Who(f"urn:dmi:person:brief-{next(NEXT)}", (RESIDENT,))
    node.admit(who.participant, RESIDENT)
    return who


def letter(node: Node, maker: Who, whose: str | None = None) -> str:
    body = {} if whose is None else {"for": whose}
    answer = node.ask("POST", "/v1/my-data/letter", maker, json=body)
    assert answer.status_code == 200, answer.text
    return code_in(text_of(answer.content))


def access(node: Node, code: str) -> dict[str, str]:
    token = node.post("/v1/paper/token", {"code": code}, None)["access_token"]
    return {"Authorization": f"Bearer {token}"}


def ask(node: Node, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
    return node.runner.run(node.client.request(method, path, headers=headers, **more))


def revoke(node: Node, who: Who) -> None:
    path = f"/v1/participants/{who.participant}/keys/{node.keys[who.participant].kid}/revocation"
    node.post(path, {"reason": "compromised"}, OPERATING)


def test_a_letter_that_cannot_be_set_leaves_the_code_that_the_person_holds(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = person(node)
    code = letter(node, who)

    def broken(*_: object) -> bytes:
        raise Unavailable("no letter can be set now")

    with monkeypatch.context() as patched:
        patched.setattr(paper, "written", broken)
        answer = node.ask("POST", "/v1/my-data/letter", who, json={})
    assert answer.status_code == 503
    access(node, code)


@pytest.mark.parametrize("maker", ["the person", "who represents it", "the desk"])
def test_with_a_revoked_key_end_the_codes_that_it_may_have_made_and_the_tokens_got_for_them(
    node: Node, maker: str
) -> None:
    own, other = person(node), person(node)
    whose, made_by = own.participant, own
    if maker == "who represents it":
        whose = f"{own.participant}-kind"
        hosted(node, whose, representatives=[own.participant], of_age_on="2035-05-01")
    elif maker == "the desk":
        made_by = Who(DESK, CLERK)
    stolen = letter(node, made_by, None if maker == "the person" else whose)
    untouched = letter(node, other)
    headers, others = access(node, stolen), access(node, untouched)
    for each in (headers, others):
        assert ask(node, "GET", "/v1/my-data/requests", each).status_code == 200
    revoke(node, made_by)
    problem = node.refused(ask(node, "GET", "/v1/my-data/requests", headers), 401, "unauthenticated")
    assert "ask for a new letter" in problem["detail"]
    again = node.ask("POST", "/v1/paper/token", json={"code": stolen})
    node.refused(again, 401, "unauthenticated")
    assert ask(node, "GET", "/v1/my-data/requests", others).status_code == 200
    assert access(node, untouched)


def test_a_new_letter_ends_the_tokens_got_for_the_code_of_the_one_before(node: Node) -> None:
    who = person(node)
    before = access(node, letter(node, who))
    assert ask(node, "GET", "/v1/my-data/requests", before).status_code == 200
    after = access(node, letter(node, who))
    for method, path in (("GET", "/v1/my-data/copy"), ("POST", "/v1/my-data/erasure")):
        problem = node.refused(ask(node, method, path, before, json={}), 401, "unauthenticated")
        assert "a new letter" in problem["detail"]
    assert ask(node, "GET", "/v1/my-data/requests", after).status_code == 200


def test_a_code_from_before_the_law_told_of_codes_lets_in_until_a_new_letter_is_made(node: Node) -> None:
    who = person(node)
    code = letter(node, who)
    given = access(node, code)
    exchange: Exchange = node.service.app.state.exchange

    def of_before(known: Participant | None) -> Participant:
        return msgspec.structs.replace(cast(Participant, known), letter_at=None)

    exchange.settle(Participant, who.participant, of_before)
    again = access(node, code)
    for headers in (given, again):
        assert ask(node, "GET", "/v1/my-data/requests", headers).status_code == 200
    letter(node, who)
    for headers in (given, again):
        node.refused(ask(node, "GET", "/v1/my-data/requests", headers), 401, "unauthenticated")


def test_a_revocation_ends_what_was_made_by_then_and_a_replaced_key_ends_nothing() -> None:
    now = 1_800_000_000
    key = revoked({"kid": "k"}, now, "compromised")
    assert revoked_since([key], now - 90 * 86_400)
    assert revoked_since([key], now + HEARD_SECONDS), "a process that had not heard of it let the thief in"
    assert not revoked_since([key], now + HEARD_SECONDS + 1), "the new letter of its owner holds"
    assert not revoked_since([{"kid": "k", "exp": now}, {"kid": "l"}], now - 5)


def test_who_came_in_by_a_code_changes_no_keys(node: Node) -> None:
    who = person(node)
    headers = access(node, letter(node, who))
    path = f"/v1/participants/{who.participant}/keys"
    for url, body in (
        (f"{path}/{node.keys[who.participant].kid}/revocation", {}),
        (path, {"hosted": True}),
    ):
        problem = node.refused(ask(node, "POST", url, headers, json=body), 403, "on-paper")
        assert "changes no keys" in problem["detail"]
