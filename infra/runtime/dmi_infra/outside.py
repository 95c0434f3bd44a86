"""Tokens of parties outside of this node: OpenID providers' ID tokens; iSHARE's evidence and assertions with `x5c`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt
from jwt.algorithms import RSAAlgorithm

from dmi_infra.errors import Unauthenticated
from dmi_infra.jose import ASSERTION_CLAIMS, HEADER, LEEWAY_SECONDS, KeyLookup, decode, load, read_unverified

EVIDENCE_SECONDS: Final = 30
CERTIFIED_SECONDS: Final = 30
"""As iSHARE has it for delegation evidence and client assertions."""
_ID_HEADER: Final = HEADER | {"x5t", "x5t#S256"}
"""Providers add thumbprints of certificates, which we do not look at."""
_SMALLEST_RSA_BITS: Final = 2048
EVIDENCE_CLAIMS: Final = ASSERTION_CLAIMS | {"delegationEvidence"}


def verify_evidence(token: str, audience: str, lookup: KeyLookup) -> dict[str, Any]:
    """The claims of delegation evidence (iSHARE) that its policy issuer signed itself; raises ``Unauthenticated``."""
    claims = decode(token, "jwt", None, audience, lookup, EVIDENCE_CLAIMS)
    if int(claims["exp"]) - int(claims["iat"]) > EVIDENCE_SECONDS:
        raise Unauthenticated(f"delegation evidence may live at most {EVIDENCE_SECONDS} seconds")
    return claims


def has_certificates(token: str) -> bool:
    """Whether a token's header brings certificates along, which one kind of assertion alone may."""
    header, _ = read_unverified(token, HEADER | {"x5c"})
    return "x5c" in header


def verify_certified(
    token: str, audience: str, holder: Callable[[list[str], int], tuple[str, Any]]
) -> dict[str, Any]:
    """The claims of a client assertion with its certificates in the header (``x5c``, iSHARE); ``Unauthenticated``.

    ``holder`` checks the chain and gives whom it names, and the public key. No other token may bring a key along:
    here the key is believed for the certificate's sake alone, and the token must come from whom that names.
    """
    header, _ = read_unverified(token, frozenset({"alg", "typ", "x5c"}))
    chain = header.get("x5c")
    if not isinstance(chain, list) or not all(isinstance(each, str) for each in chain):
        raise Unauthenticated("the assertion's certificates (x5c) are not a list of texts")
    if header.get("alg") != "RS256" or str(header.get("typ", "")).lower() != "jwt":
        raise Unauthenticated("an assertion with certificates is a JWT signed with RS256")
    named, key = holder(chain, int(time.time()))
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=audience,
            issuer=named,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "strict_aud": True},
        )
    except jwt.ExpiredSignatureError as exc:
        raise Unauthenticated("the token has expired") from exc
    except jwt.InvalidIssuerError as exc:
        raise Unauthenticated("the assertion comes from another than its certificate names") from exc
    except jwt.PyJWTError as exc:
        raise Unauthenticated("the token does not hold") from exc
    if set(claims) - ASSERTION_CLAIMS or claims["sub"] != named or not claims["jti"]:
        raise Unauthenticated(
            "a client assertion's issuer and subject must be the same, and its claims known"
        )
    if int(claims["exp"]) - int(claims["iat"]) != CERTIFIED_SECONDS:
        raise Unauthenticated(f"an assertion with certificates lives {CERTIFIED_SECONDS} seconds")
    return {**claims, "client_kid": named}


def verify_id_token(
    token: str, issuer: str, client: str, nonce: str, find_key: Callable[[str], Mapping[str, Any] | None]
) -> dict[str, Any]:
    """The claims of an OpenID Connect ID token (Core 1.0 §3.1.3.7); raises ``Unauthenticated``.

    ``find_key`` gives the provider's public JWK of a ``kid``. Claims that we do not know are left alone: a
    provider may add any. The algorithm follows from the type of the key, never from the token.
    """
    header, _ = read_unverified(token, _ID_HEADER)
    key = find_key(str(header.get("kid", "")))
    if key is None:
        raise Unauthenticated("the ID token's key is not one of the provider's keys")
    public, algorithm = _provider_key(key)
    if header.get("alg") != algorithm:
        raise Unauthenticated("the ID token's algorithm is not the key's")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            public,
            algorithms=[algorithm],
            audience=client,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except jwt.ExpiredSignatureError as exc:
        raise Unauthenticated("the ID token has expired") from exc
    except jwt.InvalidAudienceError as exc:
        raise Unauthenticated("the ID token is meant for another client") from exc
    except jwt.InvalidIssuerError as exc:
        raise Unauthenticated("the ID token comes from another issuer") from exc
    except jwt.PyJWTError as exc:
        raise Unauthenticated("the ID token does not hold") from exc
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client) != client:
        raise Unauthenticated("the ID token was issued to another client")
    if not secrets.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise Unauthenticated("the ID token belongs to another sign-in")
    return claims


def _provider_key(jwk: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        if jwk.get("kty") == "EC":
            return load(jwk), "ES256"
        if jwk.get("kty") == "RSA" and "d" not in jwk:
            public: Any = RSAAlgorithm.from_jwk(dict(jwk))
            if public.key_size >= _SMALLEST_RSA_BITS:
                return public, "RS256"
    except (jwt.PyJWTError, ValueError, KeyError, TypeError) as exc:
        raise Unauthenticated("the provider's key cannot be read") from exc
    raise Unauthenticated("the provider's key must be RSA of at least 2048 bits or EC P-256")
