"""Keys, access tokens and signatures; the only module that imports PyJWT.

Our own algorithms are fixed to ES256 and EdDSA, those of an OpenID provider to RS256 and ES256. A token's
``kid`` is looked up among the keys of its issuer only, no header member can bring a key along, and every
claim of our own tokens is either checked or refused (RFC 9068, RFC 7523, RFC 8725).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from dmi_infra.errors import Unauthenticated

ALGORITHMS: Final = ("ES256", "EdDSA")
TOKEN_SECONDS: Final = 600
LEEWAY_SECONDS: Final = 5
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

KeyLookup = Callable[[str, str], Mapping[str, Any] | None]
"""From issuer and ``kid`` to the public JWK of that issuer, ``None`` when it has no such key."""

_ACCESS_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "roles", "name"})
_ASSERTION_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "nbf", "jti"})
_HEADER = frozenset({"alg", "typ", "kid"})
"""Header members that are accepted: none of those that point to a key (jku, jwk, x5u, x5c) or extend (crit)."""
_ID_HEADER = _HEADER | {"x5t", "x5t#S256"}
"""Providers add thumbprints of certificates, which we do not look at."""
_SMALLEST_RSA_BITS = 2048


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
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written aside and linked whole: a stop midway leaves no half key, and of two processes one wins.
        aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(key._private, file)
                file.flush()
                os.fsync(file.fileno())
            os.link(aside, path)
        except FileExistsError:
            return cls(json.loads(path.read_text()))
        finally:
            aside.unlink()
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
    try:
        canonical = rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as exc:
        raise SignatureInvalid("the document has no canonical form (RFC 8785)") from exc
    payload = base64.urlsafe_b64encode(canonical).rstrip(b"=").decode()
    whole = f"{parts[0]}.{payload}.{parts[2]}"
    try:
        header = jwt.get_unverified_header(whole)
        if set(header) - _HEADER:
            raise SignatureInvalid("the signature's header holds a member that is not accepted")
        kid = header.get("kid")
        key = next((k for k in keys if k.get("kid") == kid), None)
        if key is None:
            raise SignatureInvalid("the signing key is not one of this participant's keys")
        jwt.api_jws.decode(whole, _load(key), algorithms=[str(key["alg"])])
    except (jwt.PyJWTError, RecursionError) as exc:
        raise SignatureInvalid("the signature does not hold over this document") from exc
    return str(kid)


RECEIPT = "consent-receipt+jwt"


def verify_receipt(token: str, content: Mapping[str, Any], keys: Iterable[Mapping[str, Any]]) -> None:
    """Raise ``SignatureInvalid`` unless ``token`` is a receipt, signed with one of ``keys``, of this content."""
    try:
        header = jwt.get_unverified_header(token)
        key = next((k for k in keys if k.get("kid") == header.get("kid")), None)
        if key is None or header.get("typ") != RECEIPT:
            raise SignatureInvalid("it is no receipt that this node signed")
        signed = jwt.decode(token, _load(key), algorithms=[str(key["alg"])])
    except (jwt.PyJWTError, RecursionError) as exc:
        raise SignatureInvalid("the signature does not hold") from exc
    if signed != content:
        raise SignatureInvalid("what it says differs from what was signed")


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


def _read(token: str, members: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims before any check, to find the key with; nothing in them is believed yet."""
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError) as exc:
        raise Unauthenticated("the token cannot be read") from exc
    if set(header) - members:
        raise Unauthenticated("the token's header holds a member that is not accepted")
    return header, claims


def decode(
    token: str, kind: str, issuer: str | None, audience: str, lookup: KeyLookup, claims: frozenset[str]
) -> dict[str, Any]:
    """The claims of a token of one kind, every one accounted for; raises ``Unauthenticated``."""
    header, unverified = _read(token, _HEADER)
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
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "strict_aud": True},
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
    claims = decode(token, "at+jwt", issuer, audience, lookup, _ACCESS_CLAIMS)
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated("the token's roles are not a list of names")
    return claims


def verify_assertion(token: str, audience: str, lookup: KeyLookup) -> dict[str, Any]:
    """The claims of a client assertion (``private_key_jwt``): issuer is subject, short-lived, once."""
    claims = decode(token, "jwt", None, audience, lookup, _ASSERTION_CLAIMS)
    if not claims["jti"]:
        raise Unauthenticated("a client assertion needs an identifier (jti) of its own")
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


def kind_of(token: str) -> str:
    """The type that an unverified token states in its header; ``""`` when it cannot be read."""
    try:
        return str(jwt.get_unverified_header(token).get("typ", "")).lower()
    except (jwt.PyJWTError, RecursionError):
        return ""


def sign_ticket(key: SigningKey, kind: str, content: Mapping[str, Any], now: int, seconds: int) -> str:
    """Something that we hand out to get it back ourselves: signed, of one kind, once, for ``seconds``."""
    claims = {"content": dict(content), "iat": now, "exp": now + seconds, "jti": str(uuid.uuid4())}
    return key.sign_token(claims, f"{kind}+jwt")


def verify_ticket(key: SigningKey, kind: str, ticket: str) -> dict[str, Any]:
    """The claims ``content``, ``exp`` and ``jti`` of a ticket of our own; raises ``Unauthenticated``."""
    header, _ = _read(ticket, _HEADER)
    if header.get("typ") != f"{kind}+jwt" or header.get("kid") != key.kid:
        raise Unauthenticated("this sign-in was not begun here")
    try:
        claims: dict[str, Any] = jwt.decode(
            ticket,
            _load(key.public),
            algorithms=[key.algorithm],
            options={"require": ["content", "exp", "iat", "jti"]},
        )
    except jwt.PyJWTError as exc:
        raise Unauthenticated("this sign-in has expired; begin again") from exc
    return claims


def verify_id_token(
    token: str, issuer: str, client: str, nonce: str, find_key: Callable[[str], Mapping[str, Any] | None]
) -> dict[str, Any]:
    """The claims of an OpenID Connect ID token (Core 1.0 §3.1.3.7); raises ``Unauthenticated``.

    ``find_key`` gives the provider's public JWK of a ``kid``. Claims that we do not know are left alone: a
    provider may add any. The algorithm follows from the type of the key, never from the token.
    """
    header, _ = _read(token, _ID_HEADER)
    key = find_key(str(header.get("kid", "")))
    if key is None:
        raise Unauthenticated("the ID token's key is not one of the provider's keys")
    public, algorithm = _load_provider_key(key)
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


def _load_provider_key(jwk: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        if jwk.get("kty") == "EC":
            return _load(jwk), "ES256"
        if jwk.get("kty") == "RSA" and "d" not in jwk:
            public: Any = RSAAlgorithm.from_jwk(dict(jwk))
            if public.key_size >= _SMALLEST_RSA_BITS:
                return public, "RS256"
    except (jwt.PyJWTError, ValueError, KeyError, TypeError) as exc:
        raise Unauthenticated("the provider's key cannot be read") from exc
    raise Unauthenticated("the provider's key must be RSA of at least 2048 bits or EC P-256")
