"""Tickets: what this node hands out to get it back itself, such as the state of a sign-in."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import jwt

from dmi_infra.errors import Unauthenticated
from dmi_infra.jose import HEADER, SigningKey, load, read_unverified


def sign_ticket(key: SigningKey, kind: str, content: Mapping[str, Any], now: int, seconds: int) -> str:
    """Something that we hand out to get it back ourselves: signed, of one kind, once, for ``seconds``."""
    claims = {"content": dict(content), "iat": now, "exp": now + seconds, "jti": str(uuid.uuid4())}
    return key.sign_token(claims, f"{kind}+jwt")


def verify_ticket(keys: Iterable[Mapping[str, Any]], kind: str, ticket: str) -> dict[str, Any]:
    """The claims ``content``, ``exp`` and ``jti`` of a ticket that one of our own public ``keys`` signed.

    Raises ``Unauthenticated``.
    """
    header, _ = read_unverified(ticket, HEADER)
    key = next((key for key in keys if key.get("kid") == header.get("kid")), None)
    if header.get("typ") != f"{kind}+jwt" or key is None:
        raise Unauthenticated("this sign-in was not begun here")
    try:
        claims: dict[str, Any] = jwt.decode(
            ticket,
            load(key),
            algorithms=[str(key["alg"])],
            options={"require": ["content", "exp", "iat", "jti"]},
        )
    except jwt.PyJWTError as exc:
        raise Unauthenticated("this sign-in has expired; begin again") from exc
    return claims
