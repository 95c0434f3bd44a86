"""Keys, access tokens and signatures; with ``outside``, ``claims`` and ``tickets`` all that imports PyJWT.

Our own algorithms are fixed to ES256 and EdDSA, those of an OpenID provider to RS256 and ES256. A token's
``kid`` is looked up among the keys of its issuer only, no header member can bring a key along, and every
claim of our own tokens is either checked or refused (RFC 9068, RFC 7523, RFC 8725).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from dmi_infra import keyfile
from dmi_infra.errors import Unauthenticated
from dmi_infra.unicode import encodable

ALGORITHMS: Final = ("ES256", "EdDSA")
TOKEN_SECONDS: Final = 600
LEEWAY_SECONDS: Final = 5
COORDINATE: Final = re.compile("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""32 octets in base64url (RFC 7518 §6.2.1.2), in the one way that leaves no bit over: a key has one name."""
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

KeyLookup = Callable[[str, str], Mapping[str, Any] | None]
"""From issuer and ``kid`` to the public JWK of that issuer, ``None`` when it has no such key."""

ASSERTION_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "nbf", "jti"})
_ACCESS_CLAIMS = (ASSERTION_CLAIMS - {"nbf"}) | {
    *("client_id", "roles", "name", "client_kid", "act", "mandate", "goes_on", "amr", "letter")
}
HEADER = frozenset({"alg", "typ", "kid"})
"""Header members that are accepted: none of those that point to a key (jku, jwk, x5u, x5c) or extend (crit)."""


class SignatureInvalid(ValueError):
    """A signature that does not hold over the document that it came with."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a key is made of, together, so that a signature and its ``kid`` are always of one key."""

    private: dict[str, Any]
    algorithm: str
    public: dict[str, Any]
    key: Any


class SigningKey:
    """A private key with its ``kid`` (the RFC 7638 thumbprint of the public part)."""

    def __init__(self, private: dict[str, Any]) -> None:
        algorithm = "ES256" if private["kty"] == "EC" else "EdDSA"
        public = {name: value for name, value in private.items() if name != "d"}
        public |= {"kid": thumbprint(public), "alg": algorithm, "use": "sig"}
        self._parts = _Parts(private, algorithm, public, load(private))

    def _now(self) -> _Parts:
        return self._parts

    @property
    def public(self) -> dict[str, Any]:
        """The public JWK."""
        return dict(self._now().public)

    @property
    def kid(self) -> str:
        """The key's name."""
        return str(self._now().public["kid"])

    @property
    def algorithm(self) -> str:
        """ES256 or EdDSA."""
        return self._now().algorithm

    @property
    def _private(self) -> dict[str, Any]:
        return self._now().private

    @property
    def _key(self) -> Any:
        return self._now().key

    @classmethod
    def generate(cls) -> SigningKey:
        """A new ES256 key."""
        text = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()))
        return cls(json.loads(text))

    @classmethod
    def load_or_create(
        cls, path: Path, passphrase: str | None = None, sealed_only: bool = False
    ) -> SigningKey:
        """The key kept in ``path``; made at the first start. Raises ``keyfile.KeyFault``; see there."""
        if not path.exists():
            key = cls.generate()
            if key.keep(path, passphrase):
                return key
        return cls(keyfile.read(path, passphrase, sealed_only))

    def keep(self, path: Path, passphrase: str | None = None, replace: bool = False) -> bool:
        """Write the key to a file, sealed with a passphrase if there is one; see ``keyfile.write``."""
        return keyfile.write(path, self._private, passphrase, replace)

    def sign_token(self, claims: Mapping[str, Any], kind: str = "at+jwt", did: str = "") -> str:
        """A compact JWT with ``typ`` and ``kid`` set; ``did``: the DID in whose document the key stands."""
        now = self._now()
        kid = f"{did}#{now.public['kid']}" if did else now.public["kid"]
        return jwt.encode(dict(claims), now.key, now.algorithm, {"kid": kid, "typ": kind})

    def sign_document(self, document: Mapping[str, Any]) -> str:
        """A detached JWS (RFC 7515 appendix F) over the document's canonical form (RFC 8785)."""
        now = self._now()
        header = {"kid": now.public["kid"], "typ": "jose"}
        whole = jwt.api_jws.encode(rfc8785.dumps(document), now.key, now.algorithm, header)
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"


class FollowingKey(SigningKey):
    """The present key of a holder that changes keys: each signature asks which that is."""

    def __init__(self, present: Callable[[], SigningKey]) -> None:
        self._present = present

    def _now(self) -> _Parts:
        return self._present()._now()


def load(jwk: Mapping[str, Any]) -> Any:
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
        load(jwk)
    except (jwt.InvalidKeyError, KeyError, TypeError) as exc:
        raise ValueError("not a valid EC P-256 or Ed25519 public key") from exc
    algorithm = "ES256" if jwk["kty"] == "EC" else "EdDSA"
    wanted = ("kty", "crv", "x", "y") if jwk["kty"] == "EC" else ("kty", "crv", "x")
    if not all(COORDINATE.fullmatch(str(jwk[name])) for name in wanted[2:]):
        raise ValueError("x and y of a key must be 32 octets each, in base64url without padding")
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
        if set(header) - HEADER:
            raise SignatureInvalid("the signature's header holds a member that is not accepted")
        kid = header.get("kid")
        key = next((k for k in keys if k.get("kid") == kid), None)
        if key is None:
            raise SignatureInvalid("the signing key is not one of this participant's keys")
        jwt.api_jws.decode(whole, load(key), algorithms=[str(key["alg"])])
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
        signed = jwt.decode(token, load(key), algorithms=[str(key["alg"])])
    except (jwt.PyJWTError, RecursionError) as exc:
        raise SignatureInvalid("the signature does not hold") from exc
    if signed != content:
        raise SignatureInvalid("what it says differs from what was signed")


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts for the subject of a token, and by which right."""

    actor: str
    """A machine of the participant, or another participant."""
    mandate: str = ""
    """The mandate by which another participant acts."""


ITSELF: Final = Acting("")
"""The participant acts for itself."""


def access_claims(
    issuer: str,
    audience: str,
    subject: str,
    name: str,
    roles: list[str],
    now: int,
    client_kid: str | None = None,
    acting: Acting | None = None,
    goes_on: Collection[tuple[str, str, str]] | None = None,
    method: str = "",
    client: str = "",
    letter: int | None = None,
) -> dict[str, Any]:
    """Claims of an access token (RFC 9068) in the name of ``subject``.

    ``client_kid`` is the key that proved who asks: the token dies with it. ``acting`` becomes the claim ``act``
    (RFC 8693 §4.1), and ``mandate``; ``method``, how somebody proved who it is where that limits what it may, ``amr``
    (RFC 8176); ``client``, on whose keys it rests where that is another, and ``letter``, when the code was made that it
    was given for (microseconds since 1970). ``goes_on``: the exchange asks as part of a use that it has counted, of
    these rules.
    """
    more: dict[str, Any] = {} if client_kid is None else {"client_kid": client_kid}
    if goes_on is not None:
        more["goes_on"] = [list(key) for key in goes_on]
    if acting is not None:
        more |= {"act": {"sub": acting.actor}} | ({"mandate": acting.mandate} if acting.mandate else {})
    more |= ({"amr": [method]} if method else {}) | ({} if letter is None else {"letter": letter})
    return {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "client_id": client or (acting.actor if acting else subject),
        "name": name,
        "roles": roles,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": str(uuid.uuid4()),
        **more,
    }


def read_unverified(token: str, members: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims before any check, to find the key with in a store; nothing in them is believed yet."""
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError) as exc:
        raise Unauthenticated("the token cannot be read") from exc
    if not encodable([header, claims]):
        raise Unauthenticated("the token holds a text that is no valid Unicode")
    if set(header) - members:
        raise Unauthenticated("the token's header holds a member that is not accepted")
    return header, claims


def decode(
    token: str, kind: str, issuer: str | None, audience: str, lookup: KeyLookup, claims: frozenset[str]
) -> dict[str, Any]:
    """The claims of a token of one kind, every one accounted for; raises ``Unauthenticated``."""
    header, unverified = read_unverified(token, HEADER)
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
            load(key),
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
    """The claims of an access token of ``issuer`` for ``audience``, and its ``kid``; raises ``Unauthenticated``."""
    claims = decode(token, "at+jwt", issuer, audience, lookup, _ACCESS_CLAIMS)
    for name, what in (("roles", "roles"), ("amr", "methods (amr)")):
        names = claims.get(name, [])
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            raise Unauthenticated(f"the token's {what} are not a list of names")
    act = claims.get("act", {"sub": ""})
    if not isinstance(act, dict) or set(act) != {"sub"}:
        raise Unauthenticated("the token's actor (act) is not one subject")
    parties = (act["sub"], *(claims.get(name, "") for name in ("client_id", "mandate", "client_kid")))
    if not all(isinstance(one, str) for one in parties):
        raise Unauthenticated("the token's client, actor, mandate and key are not names")
    letter = claims.get("letter", 0)
    if not isinstance(letter, int) or isinstance(letter, bool):
        raise Unauthenticated("the token's letter is not a moment")
    if claims.get("mandate") and not act["sub"]:
        raise Unauthenticated("the token names a mandate and nobody who acts by it")
    goes_on = claims.get("goes_on", [])
    if not isinstance(goes_on, list) or not all(_is_key(key) for key in goes_on):
        raise Unauthenticated("the token's uses (goes_on) are not rules: agreement, path and party of each")
    return {**claims, "kid": str(jwt.get_unverified_header(token)["kid"])}


def _is_key(key: object) -> bool:
    return isinstance(key, list) and len(key) == 3 and all(isinstance(part, str) for part in key)


def verify_assertion(token: str, audience: str, lookup: KeyLookup) -> dict[str, Any]:
    """The claims of a client assertion (``private_key_jwt``): issuer is subject, short-lived, once.

    Beside them ``client_kid``, the key that signed it.
    """
    claims = decode(token, "jwt", None, audience, lookup, ASSERTION_CLAIMS)
    if not claims["jti"]:
        raise Unauthenticated("a client assertion needs an identifier (jti) of its own")
    if claims["iss"] != claims["sub"]:
        raise Unauthenticated("a client assertion's issuer and subject must be the same participant")
    if int(claims["exp"]) - int(claims["iat"]) > 300:
        raise Unauthenticated("a client assertion may live at most 300 seconds")
    return {**claims, "client_kid": str(jwt.get_unverified_header(token)["kid"])}


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
