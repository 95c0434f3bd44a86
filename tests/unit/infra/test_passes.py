"""Tokens between nodes and tokens for data: bound to one request, one audience, one transfer; nothing else holds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dmi_infra import jose, passes
from dmi_infra.errors import Unauthenticated

HERE, THERE = "https://a.example/exchange", "https://b.example/exchange"
ME = "urn:dmi:participant:gemeente"
KEY, FOREIGN = jose.SigningKey.generate(), jose.SigningKey.generate()
REQUEST = ("POST", f"{THERE}/dsp/negotiations/request", b'{"a":1}')


def lookup(issuer: str, kid: str) -> dict[str, Any] | None:
    return KEY.public if (issuer, kid) == (HERE, KEY.kid) else None


def own(kid: str) -> dict[str, Any] | None:
    return lookup(HERE, kid)


def made(**changes: Any) -> str:
    given = {
        "key": KEY,
        "issuer": HERE,
        "audience": f"{THERE}/dsp",
        "request": REQUEST,
        "ahead": 0,
        **changes,
    }
    # Counted from when the test runs: it may be collected minutes before.
    now = int(time.time()) + given["ahead"]
    return passes.sign_node(given["key"], given["issuer"], ME, given["audience"], given["request"], now)


def test_a_token_of_a_known_node_holds_for_its_own_request() -> None:
    claims = passes.verify_node(made(), f"{THERE}/dsp", REQUEST, lookup)
    assert (claims["iss"], claims["sub"]) == (HERE, ME)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"audience": "https://c.example/exchange/dsp"}, "audience"),
        ({"issuer": "https://c.example/exchange"}, "issuer's keys"),
        ({"key": FOREIGN}, "issuer's keys"),
        ({"ahead": -120}, "expired"),
        ({"ahead": 120}, "does not hold"),
        ({"request": ("GET", REQUEST[1], REQUEST[2])}, "htm"),
        ({"request": ("POST", f"{THERE}/dsp/transfers/request", REQUEST[2])}, "htu"),
        ({"request": ("POST", REQUEST[1], b'{"a":2}')}, "digest"),
    ],
)
def test_a_token_that_is_meant_otherwise_does_not_hold(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(Unauthenticated, match=rule):
        passes.verify_node(made(**changes), f"{THERE}/dsp", REQUEST, lookup)


def test_a_token_that_lives_long_does_not_hold() -> None:
    now = int(time.time())
    method, address, body = REQUEST
    claims = {
        "iss": HERE, "sub": ME, "aud": f"{THERE}/dsp", "iat": now, "exp": now + 3600, "jti": "1",
        "htm": method, "htu": address, "digest": passes.content_digest(body),
    }  # fmt: skip
    with pytest.raises(Unauthenticated, match="live at most"):
        passes.verify_node(KEY.sign_token(claims, passes.NODE_TOKEN), f"{THERE}/dsp", REQUEST, lookup)


def test_an_access_token_is_no_token_of_a_node() -> None:
    claims = jose.access_claims(HERE, f"{THERE}/dsp", ME, "x", [], int(time.time()))
    with pytest.raises(Unauthenticated, match="type"):
        passes.verify_node(KEY.sign_token(claims), f"{THERE}/dsp", REQUEST, lookup)


def test_a_token_for_data_is_of_one_transfer_under_one_agreement_for_a_minute() -> None:
    now = int(time.time())
    claims = passes.verify_data(passes.sign_data(KEY, HERE, ME, "urn:a", "urn:t", now), HERE, own)
    assert (claims["sub"], claims["agreement"], claims["transfer"]) == (ME, "urn:a", "urn:t")
    assert claims["exp"] - claims["iat"] == 60
    for wrong in (
        passes.sign_data(FOREIGN, HERE, ME, "urn:a", "urn:t", now),
        passes.sign_data(KEY, THERE, ME, "urn:a", "urn:t", now),
        passes.sign_data(KEY, HERE, ME, "urn:a", "urn:t", now - 90),
        passes.sign_data(KEY, HERE, ME, "urn:a", "urn:t", now, f"{ME}/t"),
        made(),
        "x",
    ):
        with pytest.raises(Unauthenticated):
            passes.verify_data(wrong, HERE, own)
