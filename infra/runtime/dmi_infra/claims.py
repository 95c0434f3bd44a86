"""Tokens, presentations and credentials of the Decentralized Claims Protocol 1.0 as JWTs (profile ``vc20-bssl/jwt``).

The key that a signature is checked with is found by whom it must be from, in that party's DID document. A header names
a key of that document at most; one that brings a key along, or names one of another DID, is refused.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import jwt

from dmi_infra.errors import Unauthenticated
from dmi_infra.jose import ALGORITHMS, HEADER, LEEWAY_SECONDS, SigningKey, load, read_unverified

SELF_SECONDS: Final = 60
LONGEST_SECONDS: Final = 300
"""A token that was issued longer ago is refused, so that used ones need not be remembered for ever."""
SELF_ISSUED: Final = frozenset({"", "jwt"})
"""Self-Issued ID tokens: the protocol gives their type no name of its own."""
PRESENTATION: Final = frozenset({"vp+jwt"})
CREDENTIAL: Final = frozenset({"vc+jwt"})
_MEMBERS: Final = HEADER | {"cty"}

KeyOf = Callable[[str], Mapping[str, Any] | None]
"""From a ``kid``, empty when there is none, to the public JWK of the party that must have signed."""


def sign_self(key: SigningKey, did: str, audience: str, now: int, **more: Any) -> str:
    """A Self-Issued ID token of ``did`` for ``audience`` with further claims."""
    return key.sign_token(_short(did, audience, now) | {"sub": did} | more, "JWT", did)


def sign_presentation(
    key: SigningKey, did: str, audience: str, now: int, presentation: Mapping[str, Any]
) -> str:
    """A presentation that its holder signs for ``audience``, for a minute."""
    return key.sign_token(_short(did, audience, now) | dict(presentation), "vp+jwt", did)


def _short(did: str, audience: str, now: int) -> dict[str, Any]:
    return {
        "iss": did, "aud": audience, "iat": now, "exp": now + SELF_SECONDS, "jti": str(uuid.uuid4()),
    }  # fmt: skip


def unverified(token: str) -> dict[str, Any]:
    """The claims before any check, to see whom they must be from; raises ``Unauthenticated``."""
    _, claims = read_unverified(token, _MEMBERS)
    return claims


def verify_bound(
    token: str, kinds: frozenset[str], by: str, key_of: KeyOf, audience: str, required: Iterable[str] = ()
) -> dict[str, Any]:
    """The claims of something that ``by`` signed for ``audience``, for a short time; raises ``Unauthenticated``."""
    claims = _verify(token, kinds, by, key_of, audience, ["iss", "aud", "exp", "iat", "jti", *required])
    if not isinstance(claims["jti"], str) or not claims["jti"]:
        raise Unauthenticated("the token needs an identifier (jti) of its own")
    # The library takes numbers in texts as well.
    issued, expires = int(claims["iat"]), int(claims["exp"])
    if expires - issued > LONGEST_SECONDS or issued < time.time() - LONGEST_SECONDS - LEEWAY_SECONDS:
        raise Unauthenticated(f"the token may live at most {LONGEST_SECONDS} seconds")
    return claims


def verify_credential(token: str, by: str, key_of: KeyOf) -> dict[str, Any]:
    """The claims of a credential that ``by`` signed; raises ``Unauthenticated``."""
    return _verify(token, CREDENTIAL, by, key_of, None, [])


def _verify(
    token: str, kinds: frozenset[str], by: str, key_of: KeyOf, audience: str | None, required: list[str]
) -> dict[str, Any]:
    header, _ = read_unverified(token, _MEMBERS)
    if str(header.get("typ", "")).lower() not in kinds:
        raise Unauthenticated(f"the token's type must be {' or '.join(sorted(kinds - {''}))}")
    kid = str(header.get("kid", ""))
    if kid and kid.partition("#")[0] not in ("", by):
        raise Unauthenticated("the token's key is one of another DID")
    key = key_of(kid)
    if key is None:
        raise Unauthenticated("the token's key is not one that its DID document has for this use")
    if header.get("alg") != key.get("alg") or key.get("alg") not in ALGORITHMS:
        raise Unauthenticated("the token's algorithm is not the key's")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            load(key),
            algorithms=[str(key["alg"])],
            audience=audience,
            leeway=LEEWAY_SECONDS,
            options={"require": required, "strict_aud": audience is not None},
        )
    except jwt.ExpiredSignatureError as exc:
        raise Unauthenticated("the token has expired") from exc
    except jwt.InvalidAudienceError as exc:
        raise Unauthenticated("the token is meant for another audience") from exc
    except (jwt.PyJWTError, ValueError, OverflowError) as exc:
        raise Unauthenticated("the token does not hold") from exc
    if claims.get("iss", by) != by:
        raise Unauthenticated("the token comes from another issuer")
    return claims
