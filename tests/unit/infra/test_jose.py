"""Attacks on tokens and signatures, by name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dmi_infra import jose, tickets
from dmi_infra.errors import Unauthenticated
from dmi_infra.jose import SignatureInvalid, SigningKey

ISSUER, AUDIENCE = "https://node.example/exchange", "urn:dmi:stack"
ME, OTHER = "urn:dmi:participant:gemeente", "urn:dmi:participant:sensorbedrijf"
TOKEN_ENDPOINT = f"{ISSUER}/token"
KEY, FOREIGN = SigningKey.generate(), SigningKey.generate()

Edit = Callable[[dict[str, Any], dict[str, Any]], None]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def now() -> int:
    return int(time.time())


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: SigningKey = KEY) -> str:
    """A token with exactly this header, signed rightly: the attacker holds ``key``."""
    parts = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    signature = jose.jwt.api_jws.get_algorithm_by_name(key.algorithm).sign(parts.encode(), key._key)
    return f"{parts}.{b64(signature)}"


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, claims, _ = token.split(".")
    return json.loads(unb64(head)), json.loads(unb64(claims))


def access(edit: Edit | None = None, key: SigningKey = KEY, at: int | None = None) -> str:
    claims = jose.access_claims(ISSUER, AUDIENCE, ME, "Gemeente", ["dmi:role:municipality"], at or now())
    header = {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid}
    if edit:
        edit(header, claims)
    return signed(header, claims, key)


def assertion(edit: Edit | None = None, key: SigningKey = KEY) -> str:
    header, claims = opened(jose.make_assertion(key, ME, TOKEN_ENDPOINT, now()))
    if edit:
        edit(header, claims)
    return signed(header, claims, key)


def lookup(issuer: str, kid: str) -> Mapping[str, Any] | None:
    """The exchange and one participant have KEY, another participant has FOREIGN."""
    keys = {ISSUER: KEY, ME: KEY, OTHER: FOREIGN}
    key = keys.get(issuer)
    return key.public if key and key.kid == kid else None


def check(token: str) -> dict[str, Any]:
    return jose.verify_access(token, ISSUER, AUDIENCE, lookup)


def check_assertion(token: str) -> dict[str, Any]:
    return jose.verify_assertion(token, TOKEN_ENDPOINT, lookup)


def put(**claims: Any) -> Edit:
    def edit(_header: dict[str, Any], given: dict[str, Any]) -> None:
        given.update(claims)

    return edit


def ahead(**seconds: int) -> Edit:
    """Claims so many seconds from when the test runs, not from when it was collected."""

    def edit(_header: dict[str, Any], given: dict[str, Any]) -> None:
        given.update({claim: now() + after for claim, after in seconds.items()})

    return edit


def drop(name: str) -> Edit:
    return lambda header, claims: (header.pop(name, None), claims.pop(name, None), None)[2]


def head(**members: Any) -> Edit:
    def edit(header: dict[str, Any], _claims: dict[str, Any]) -> None:
        header.update(members)

    return edit


def test_an_honest_access_token_holds() -> None:
    claims = check(access())
    assert (claims["sub"], claims["roles"]) == (ME, ["dmi:role:municipality"])


def test_an_honest_ed25519_token_holds() -> None:
    key = SigningKey(json.loads(jose.OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate())))
    token = access(key=key)
    assert jose.verify_access(token, ISSUER, AUDIENCE, lambda _i, _k: key.public)["sub"] == ME


ATTACKS: dict[str, tuple[Edit, str]] = {
    "another audience": (put(aud="urn:dmi:other"), "audience"),
    "a list of audiences": (put(aud=[AUDIENCE, "urn:dmi:other"]), "audience"),
    "another issuer": (put(iss="https://evil.example/exchange"), "issuer"),
    "an issuer that is no text": (put(iss=[ISSUER]), "issuer"),
    "expired": (put(exp=1), "expired"),
    "not valid yet": (put(iat=2**40), "hold"),
    "an endless expiry": (put(exp=float("inf")), "hold"),
    "an expiry in words": (put(exp="tomorrow"), "hold"),
    "without expiry": (drop("exp"), "hold"),
    "without identifier": (drop("jti"), "hold"),
    "without subject": (drop("sub"), "hold"),
    "a subject that is no text": (put(sub=7), "hold"),
    "a claim that nobody accounts for": (put(admin=True), "accounted"),
    "roles that are a text": (put(roles="dmi:role:operator"), "roles"),
    "roles that are no texts": (put(roles=[1]), "roles"),
    "uses that are no list": (put(goes_on="all"), "goes_on"),
    "uses that are no rules": (put(goes_on=[["urn:uuid:1", "/permission/0"]]), "goes_on"),
    "a client token as an access token": (head(typ="JWT"), "type"),
    "without a type": (drop("typ"), "type"),
    "a key of the attacker in the header (jwk)": (head(jwk=FOREIGN.public), "header"),
    "an address of keys in the header (jku)": (head(jku="https://evil.example/jwks"), "header"),
    "a certificate address in the header (x5u)": (head(x5u="https://evil.example/cert"), "header"),
    "a certificate in the header (x5c)": (head(x5c=["AAAA"]), "header"),
    "an extension that must be understood (crit)": (head(crit=["exp"]), "header|read"),
    "an unencoded payload (b64)": (head(b64=False), "header|read"),
    "an unknown key": (head(kid="nobody"), "key"),
    "the key of another": (head(kid=FOREIGN.kid), "key"),
    "without a key": (drop("kid"), "key"),
    "a key name that is a number": (head(kid=1), "read"),
    "another algorithm in the header": (head(alg="EdDSA"), "algorithm"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_access_token_is_refused_for(name: str) -> None:
    edit, because = ATTACKS[name]
    with pytest.raises(Unauthenticated, match=because):
        check(access(edit))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_algorithm_none_is_refused(alg: str) -> None:
    header, claims = opened(access())
    header["alg"] = alg
    for signature in ("", "x"):
        token = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}.{signature}"
        with pytest.raises(Unauthenticated):
            check(token)


def test_a_public_key_used_as_an_hmac_secret_is_refused() -> None:
    header, claims = opened(access())
    parts = f"{b64(json.dumps({**header, 'alg': 'HS256'}).encode())}.{b64(json.dumps(claims).encode())}"
    public = jose.load(KEY.public)
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, json.dumps(KEY.public).encode()):
        forged = b64(hmac.new(secret, parts.encode(), hashlib.sha256).digest())
        with pytest.raises(Unauthenticated, match="algorithm"):
            check(f"{parts}.{forged}")


def test_a_changed_claim_breaks_the_signature() -> None:
    first, second, third = access().split(".")
    claims = json.loads(unb64(second)) | {"roles": ["dmi:role:operator"]}
    with pytest.raises(Unauthenticated, match="hold"):
        check(f"{first}.{b64(json.dumps(claims).encode())}.{third}")


def test_a_stranger_cannot_sign_under_the_name_of_our_key() -> None:
    with pytest.raises(Unauthenticated, match="hold"):
        check(access(head(kid=KEY.kid), key=FOREIGN))


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "eyJhbGciOiJub25lIn0", "\0", "x" * 10_000])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        check(text)


@pytest.mark.parametrize("part", [0, 1])
def test_a_token_with_half_of_a_surrogate_pair_is_refused_before_anybody_is_looked_for(part: int) -> None:
    parts = access().split(".")
    parts[part] = b64(b'{"alg": "ES256", "typ": "at+jwt", "kid": "\\ud800", "iss": "\\ud800"}')
    with pytest.raises(Unauthenticated, match="valid Unicode"):
        jose.read_unverified(".".join(parts), jose.HEADER)


@pytest.mark.parametrize("part", [0, 1])
def test_a_token_nested_ten_thousand_levels_deep_is_refused(part: int) -> None:
    parts = access().split(".")
    parts[part] = b64(b"[" * 10_000 + b"]" * 10_000)
    with pytest.raises(Unauthenticated):
        check(".".join(parts))


def test_an_honest_assertion_holds() -> None:
    assert check_assertion(assertion())["sub"] == ME


ASSERTION_ATTACKS: dict[str, tuple[Edit, str]] = {
    "another audience": (put(aud="https://other.example/token"), "audience"),
    "the access tokens' audience": (put(aud=AUDIENCE), "audience"),
    "expired": (ahead(exp=-60, iat=-120), "expired"),
    "not yet": (ahead(nbf=1000), "hold"),
    "made in the future": (ahead(iat=1000, exp=1060), "hold"),
    "living too long": (ahead(exp=4000), "300"),
    "a subject that is not the issuer": (put(sub=OTHER), "same participant"),
    "the issuer that holds another key": (put(iss=OTHER, sub=OTHER), "key"),
    "an issuer that is not registered": (
        put(iss="urn:dmi:participant:x", sub="urn:dmi:participant:x"),
        "key",
    ),
    "without identifier": (drop("jti"), "hold"),
    "an empty identifier": (put(jti=""), "jti"),
    "roles that it gives itself": (put(roles=["dmi:role:operator"]), "accounted"),
    "an access token as an assertion": (head(typ="at+jwt"), "type"),
    "a key of its own in the header": (head(jwk=KEY.public), "header"),
}


@pytest.mark.parametrize("name", ASSERTION_ATTACKS)
def test_an_assertion_is_refused_for(name: str) -> None:
    edit, because = ASSERTION_ATTACKS[name]
    with pytest.raises(Unauthenticated, match=because):
        check_assertion(assertion(edit))


def test_a_key_that_was_taken_from_its_participant_no_longer_proves_it() -> None:
    token = assertion()
    assert check_assertion(token)
    with pytest.raises(Unauthenticated, match="key"):
        jose.verify_assertion(token, TOKEN_ENDPOINT, lambda _issuer, _kid: None)


DOCUMENT: dict[str, Any] = {"assigner": ME, "assignee": OTHER, "value": 1.5, "text": "één"}


def test_a_signature_holds_over_the_document_in_any_order_of_its_members() -> None:
    jws = KEY.sign_document(DOCUMENT)
    assert (
        jose.verify_document(dict(reversed(DOCUMENT.items())), jws, [FOREIGN.public, KEY.public]) == KEY.kid
    )


def _whole(document: Mapping[str, Any], jws: str) -> str:
    first, _, third = jws.split(".")
    return f"{first}.{b64(json.dumps(document).encode())}.{third}"


@pytest.mark.parametrize(
    ("document", "jws", "because"),
    [
        ({**DOCUMENT, "value": 1.6}, KEY.sign_document(DOCUMENT), "does not hold"),
        (DOCUMENT, FOREIGN.sign_document(DOCUMENT), "not one of"),
        (DOCUMENT, _whole(DOCUMENT, KEY.sign_document(DOCUMENT)), "detached"),
        (DOCUMENT, "", "detached"),
        (DOCUMENT, "..", "hold"),
        (DOCUMENT, "é..é", "hold"),
        (DOCUMENT, access().replace(".", "..", 1).rsplit(".", 1)[0], "detached|hold"),
        ({**DOCUMENT, "value": float("nan")}, KEY.sign_document(DOCUMENT), "canonical"),
        ({**DOCUMENT, "value": 2**60}, KEY.sign_document(DOCUMENT), "canonical"),
        ({**DOCUMENT, "text": "\ud800"}, KEY.sign_document(DOCUMENT), "canonical"),
    ],
    ids=["changed", "by another", "attached", "empty", "dots", "not ascii", "a token", "nan", "too exact", "surrogate"],
)  # fmt: skip
def test_a_signature_is_refused_when(document: dict[str, Any], jws: str, because: str) -> None:
    with pytest.raises(SignatureInvalid, match=because):
        jose.verify_document(document, jws, [KEY.public])


@pytest.mark.parametrize(
    "extra", [{"jwk": FOREIGN.public}, {"jku": "https://evil.example"}, {"crit": ["b64"], "b64": False}, {"x5c": []}]
)  # fmt: skip
def test_a_signature_cannot_bring_its_key_or_an_extension_along(extra: dict[str, Any]) -> None:
    header = b64(json.dumps({"alg": "ES256", "kid": KEY.kid, **extra}).encode())
    jws = f"{header}..{KEY.sign_document(DOCUMENT).rsplit('.', 1)[1]}"
    with pytest.raises(SignatureInvalid, match=r"header|hold"):
        jose.verify_document(DOCUMENT, jws, [KEY.public])


def test_a_private_key_is_not_taken_as_a_public_one() -> None:
    with pytest.raises(ValueError, match="private"):
        jose.check_public_key(KEY._private)


@pytest.mark.parametrize(
    "jwk",
    [
        {}, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "EC", "crv": "P-256"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "EC", "crv": "P-256", "x": "!", "y": "!"},
        {**KEY.public, "x": b64(b"\1" * 32)}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        json.loads(jose.ECAlgorithm.to_jwk(generate_private_key(SECP384R1()).public_key())),
        # The same key under other names, and as long as somebody likes.
        {**KEY.public, "x": KEY.public["x"] + "="}, {**KEY.public, "y": KEY.public["y"] + "!" * 1000},
    ],
)  # fmt: skip
def test_a_key_that_we_cannot_verify_with_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        jose.check_public_key(jwk)


def test_a_key_gets_its_thumbprint_for_a_name_whatever_it_calls_itself() -> None:
    claimed = {**KEY.public, "kid": FOREIGN.kid, "alg": "none", "use": "enc", "more": "x"}
    checked = jose.check_public_key(claimed)
    assert checked == KEY.public


def test_a_thumbprint_is_that_of_the_standard() -> None:
    # RFC 8037 appendix A.3
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert jose.thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_key_is_kept_for_its_owner_alone_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "me.json"
    first = SigningKey.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load_or_create(path).kid == first.kid
    assert os.listdir(path.parent) == ["me.json"]


def test_of_many_that_make_a_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        found.append(SigningKey.load_or_create(tmp_path / "key.json").kid)

    running = [threading.Thread(target=make) for _ in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert os.listdir(tmp_path) == ["key.json"]


def test_a_ticket_comes_back_with_its_content() -> None:
    ticket = tickets.sign_ticket(KEY, "dmi-sign-in", {"state": "x"}, now(), 60)
    assert tickets.verify_ticket([KEY.public], "dmi-sign-in", ticket)["content"] == {"state": "x"}


def test_a_ticket_of_another_kind_key_or_time_is_refused() -> None:
    ticket = tickets.sign_ticket(KEY, "dmi-sign-in", {}, now(), 60)
    with pytest.raises(Unauthenticated):
        tickets.verify_ticket([KEY.public], "dmi-signed-in", ticket)
    with pytest.raises(Unauthenticated):
        tickets.verify_ticket([FOREIGN.public], "dmi-sign-in", ticket)
    with pytest.raises(Unauthenticated):
        tickets.verify_ticket([KEY.public], "dmi-sign-in", access())
    with pytest.raises(Unauthenticated, match="expired"):
        tickets.verify_ticket(
            [KEY.public], "dmi-sign-in", tickets.sign_ticket(KEY, "dmi-sign-in", {}, now() - 100, 60)
        )
    with pytest.raises(Unauthenticated):
        check(ticket)
