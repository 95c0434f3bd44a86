"""Keys, access tokens and signatures; the only module that imports PyJWT.

Algorithms are fixed to ES256 and EdDSA. A token's ``kid`` is looked up among the keys of its issuer
only, and every claim is either checked or refused (RFC 9068, RFC 7523).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from dmi_infra.errors import Unauthenticated

ALGORITHMS: Final = ("ES256", "EdDSA")
TOKEN_SECONDS: Final = 600
LEEWAY_SECONDS: Final = 5
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

KeyLookup = Callable[[str, str], Mapping[str, Any] | None]
"""From issuer and ``kid`` to the public JWK of that issuer, ``None`` when it has no such key."""

_ACCESS_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "roles", "name"})
_ASSERTION_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "nbf", "jti"})


class SignatureInvalid(ValueError):
    """A signature that does not hold over the document that it came with."""


class SigningKey:
    """A private key with its ``kid`` (the RFC 7638 thumbprint of the public part)."""

    def __init__(self, private: dict[str, Any]) -> None:
        self._private = private
        self.algorithm = "ES256" if private["kty"] == "EC" else "EdDSA"
        self.public = {name: value for name, value in private.items() if name != "d"}
        self.kid = thumbprint(self.public)
        self.public |= {"kid": self.kid, "alg": self.algorithm, "use": "sig"}
        self._key = _load(private)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new ES256 key."""
        text = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()))
        return cls(json.loads(text))

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """The key kept in ``path`` (mode 0600); made at the first start."""
        if path.exists():
            return cls(json.loads(path.read_text()))
        key = cls.generate()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(key._private, file)
        return key

    def sign_token(self, claims: Mapping[str, Any], kind: str = "at+jwt") -> str:
        """A compact JWT with ``typ`` and ``kid`` set."""
        return jwt.encode(dict(claims), self._key, self.algorithm, {"kid": self.kid, "typ": kind})

    def sign_document(self, document: Mapping[str, Any]) -> str:
        """A detached JWS (RFC 7515 appendix F) over the document's canonical form (RFC 8785)."""
        whole = jwt.api_jws.encode(
            rfc8785.dumps(document), self._key, self.algorithm, {"kid": self.kid, "typ": "jose"}
        )
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"


def _load(jwk: Mapping[str, Any]) -> Any:
    if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
        return ECAlgorithm.from_jwk(dict(jwk))
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
        return OKPAlgorithm.from_jwk(dict(jwk))
    raise ValueError("a key must be EC P-256 or OKP Ed25519")


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638 thumbprint (SHA-256, base64url without padding) of a public JWK."""
    names = ("crv", "kty", "x", "y") if jwk["kty"] == "EC" else ("crv", "kty", "x")
    canonical = rfc8785.dumps({name: jwk[name] for name in names})
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def check_public_key(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """A public JWK that we can verify with, its ``kid`` set; raises ``ValueError`` otherwise."""
    if "d" in jwk:
        raise ValueError("this is a private key; send the public part only")
    try:
        _load(jwk)
    except (jwt.InvalidKeyError, KeyError, TypeError) as exc:
        raise ValueError("not a valid EC P-256 or Ed25519 public key") from exc
    algorithm = "ES256" if jwk["kty"] == "EC" else "EdDSA"
    wanted = ("kty", "crv", "x", "y") if jwk["kty"] == "EC" else ("kty", "crv", "x")
    return {n: jwk[n] for n in wanted} | {"kid": thumbprint(jwk), "alg": algorithm, "use": "sig"}


def verify_document(document: Mapping[str, Any], signature: str, keys: Iterable[Mapping[str, Any]]) -> str:
    """The ``kid`` that signed ``document``; raises ``SignatureInvalid`` when none of ``keys`` did."""
    parts = signature.split(".")
    if len(parts) != 3 or parts[1]:
        raise SignatureInvalid("not a detached JWS")
    payload = base64.urlsafe_b64encode(rfc8785.dumps(document)).rstrip(b"=").decode()
    whole = f"{parts[0]}.{payload}.{parts[2]}"
    try:
        kid = jwt.get_unverified_header(whole).get("kid")
        key = next((k for k in keys if k.get("kid") == kid), None)
        if key is None:
            raise SignatureInvalid("the signing key is not one of this participant's keys")
        jwt.api_jws.decode(whole, _load(key), algorithms=[str(key["alg"])])
    except jwt.PyJWTError as exc:
        raise SignatureInvalid("the signature does not hold over this document") from exc
    return str(kid)


def access_claims(
    issuer: str, audience: str, subject: str, name: str, roles: list[str], now: int
) -> dict[str, Any]:
    """Claims of an access token (RFC 9068) for ``subject`` acting for participant ``client_id``."""
    return {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "client_id": subject,
        "name": name,
        "roles": roles,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": str(uuid.uuid4()),
    }


def _decode(
    token: str, kind: str, issuer: str | None, audience: str, lookup: KeyLookup, claims: frozenset[str]
) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        unverified = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as exc:
        raise Unauthenticated("the token cannot be read") from exc
    if set(header) - {"alg", "typ", "kid"}:
        raise Unauthenticated("the token's header holds a member that is not accepted")
    if str(header.get("typ", "")).lower() != kind:
        raise Unauthenticated(f"the token's type must be {kind}")
    claimed = unverified.get("iss")
    if not isinstance(claimed, str) or (issuer is not None and claimed != issuer):
        raise Unauthenticated("the token comes from another issuer")
    key = lookup(claimed, str(header.get("kid", "")))
    if key is None:
        raise Unauthenticated("the token's key is not one of its issuer's keys")
    if header.get("alg") != key.get("alg") or key.get("alg") not in ALGORITHMS:
        raise Unauthenticated("the token's algorithm is not the key's")
    try:
        checked: dict[str, Any] = jwt.decode(
            token,
            _load(key),
            algorithms=[str(key["alg"])],
            audience=audience,
            issuer=claimed,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
        )
    except jwt.ExpiredSignatureError as exc:
        raise Unauthenticated("the token has expired") from exc
    except jwt.InvalidAudienceError as exc:
        raise Unauthenticated("the token is meant for another audience") from exc
    except jwt.PyJWTError as exc:
        raise Unauthenticated("the token does not hold") from exc
    unknown = set(checked) - claims
    if unknown:
        raise Unauthenticated(f"the token holds a claim that is not accounted for: {sorted(unknown)[0]}")
    return checked


def verify_access(token: str, issuer: str, audience: str, lookup: KeyLookup) -> dict[str, Any]:
    """The claims of an access token of ``issuer`` for ``audience``; raises ``Unauthenticated``."""
    claims = _decode(token, "at+jwt", issuer, audience, lookup, _ACCESS_CLAIMS)
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated("the token's roles are not a list of names")
    return claims


def verify_assertion(token: str, audience: str, lookup: KeyLookup) -> dict[str, Any]:
    """The claims of a client assertion (``private_key_jwt``): issuer is subject, short-lived, once."""
    claims = _decode(token, "jwt", None, audience, lookup, _ASSERTION_CLAIMS)
    if claims["iss"] != claims["sub"]:
        raise Unauthenticated("a client assertion's issuer and subject must be the same participant")
    if int(claims["exp"]) - int(claims["iat"]) > 300:
        raise Unauthenticated("a client assertion may live at most 300 seconds")
    return claims


def make_assertion(key: SigningKey, participant: str, audience: str, now: int) -> str:
    """A client assertion that a participant sends to the token endpoint; lives 60 seconds."""
    claims = {
        "iss": participant,
        "sub": participant,
        "aud": audience,
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid.uuid4()),
    }
    return key.sign_token(claims, "JWT")
