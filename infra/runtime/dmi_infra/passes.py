"""Tokens between nodes, bound to one request, and tokens for data, bound to one transfer."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from dmi_infra import jose
from dmi_infra.errors import Unauthenticated

OwnKeys = Callable[[str], Mapping[str, Any] | None]
"""The key of ours with this name (kid), when it counts: in a rotation there are two of them."""

NODE_SECONDS: Final = 60
DATA_SECONDS: Final = 60
DATA_AUDIENCE: Final = "urn:dmi:data"
DELIVERY_AUDIENCE: Final = "urn:dmi:delivery"
"""Of tokens that a broker checks. It asks for no type, so no other token of the exchange may have this audience."""
READER_CLAIM: Final = "reader"
"""The claim by which a broker knows who reads."""
NODE_TOKEN: Final = "dsp+jwt"
_NODE_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "jti", "htm", "htu", "digest"})
_DATA_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat", "jti", "agreement", "transfer"})


def content_digest(body: bytes) -> str:
    """The base64url SHA-256 of a body, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


def sign_node(
    key: jose.SigningKey,
    issuer: str,
    participant: str,
    audience: str,
    request: tuple[str, str, bytes],
    now: int,
) -> str:
    """A token for one request (method, address, body) of a node to another one, for its ``participant``.

    It is bound to the request as a DPoP proof is (RFC 9449), and to the body besides: whoever catches it can do no
    more with it than send that message again.
    """
    method, address, body = request
    claims = {
        "iss": issuer, "sub": participant, "aud": audience, "iat": now, "exp": now + NODE_SECONDS,
        "jti": str(uuid.uuid4()), "htm": method, "htu": address, "digest": content_digest(body),
    }  # fmt: skip
    return key.sign_token(claims, NODE_TOKEN)


def verify_node(
    token: str, audience: str, request: tuple[str, str, bytes | None], lookup: jose.KeyLookup
) -> dict[str, Any]:
    """The claims of a node's token for this request (method, address, body); raises ``Unauthenticated``.

    Without a body it is yet to be read, and then looked at with ``require_digest``.
    """
    claims = jose.decode(token, NODE_TOKEN, None, audience, lookup, _NODE_CLAIMS)
    method, address, body = request
    if int(claims["exp"]) - int(claims["iat"]) > 2 * NODE_SECONDS:
        raise Unauthenticated(f"a token between nodes may live at most {2 * NODE_SECONDS} seconds")
    for name, value in {"htm": method, "htu": address}.items():
        if claims.get(name) != value:
            raise Unauthenticated(f"the token is meant for another request ({name})")
    if body is not None:
        require_digest(claims.get("digest"), body)
    return claims


def require_digest(wanted: object, body: bytes) -> None:
    """Raise ``Unauthenticated`` for another body than the one that a node's token was made for."""
    if wanted != content_digest(body):
        raise Unauthenticated("the token is meant for another request (digest)")


def sign_data(
    key: jose.SigningKey,
    issuer: str,
    participant: str,
    agreement: str,
    transfer: str,
    now: int,
    reader: str | None = None,
) -> str:
    """A token by which ``participant`` gets the data of one transfer under one agreement, for a minute.

    ``reader`` is its name at the broker; without one the token is for data over HTTP, and neither counts at the other.
    """
    claims = {
        "iss": issuer, "sub": participant, "aud": DATA_AUDIENCE, "iat": now, "exp": now + DATA_SECONDS,
        "jti": str(uuid.uuid4()), "agreement": agreement, "transfer": transfer,
    }  # fmt: skip
    if reader is not None:
        claims |= {"aud": DELIVERY_AUDIENCE, READER_CLAIM: reader}
    return key.sign_token(claims, "data+jwt")


def verify_data(token: str, issuer: str, own: OwnKeys) -> dict[str, Any]:
    """The claims of a data token of our own, and its ``kid``; raises ``Unauthenticated``."""
    claims = jose.decode(
        token, "data+jwt", issuer, DATA_AUDIENCE, lambda _issuer, kid: own(kid), _DATA_CLAIMS
    )
    if not all(isinstance(claims.get(name), str) for name in ("agreement", "transfer")):
        raise Unauthenticated("the token names no agreement and transfer")
    return {**claims, "kid": str(jose.read_unverified(token, jose.HEADER)[0]["kid"])}
