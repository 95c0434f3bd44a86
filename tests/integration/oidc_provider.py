"""A small OpenID Connect provider of its own: real keys, real endpoints, and faults on demand.

It signs everybody in without asking and checks what a provider must check: client, redirect, PKCE, one use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "dmi", "a secret with : and é"


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass
class Provider:
    """The provider's state, which a test may bend."""

    issuer: str = ""
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u1", "name": "Fatima"})
    change: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that are set otherwise than they should; ``None`` leaves one out."""
    kid: str = "k1"
    broken: str = ""
    """An endpoint that answers nonsense."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    rsa_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    ec_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def jwks(self) -> list[dict[str, str]]:
        """The public key in use."""
        common = {"kid": self.kid, "use": "sig"}
        if self.algorithm == "ES256":
            point = self.ec_key.public_key().public_numbers()
            x, y = (b64(n.to_bytes(32, "big")) for n in (point.x, point.y))
            return [{**common, "kty": "EC", "crv": "P-256", "x": x, "y": y}]
        numbers = self.rsa_key.public_key().public_numbers()
        return [{**common, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}]

    def id_token(self, nonce: str) -> str:
        """A signed ID token, as honest as ``change`` and ``algorithm`` let it be."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce, **self.claims, **self.change
        }  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(kept).encode())}"
        return f"{text}.{b64(self._sign(text.encode()))}"

    def _sign(self, text: bytes) -> bytes:
        if self.algorithm == "none":
            return b""
        if self.algorithm == "HS256":
            public = self.rsa_key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            made = hmac.HMAC(public, hashes.SHA256())
            made.update(text)
            return made.finalize()
        if self.algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.ec_key.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.rsa_key.sign(text, padding.PKCS1v15(), hashes.SHA256())

    def app(self) -> Starlette:
        """The four endpoints."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/jwks", self._jwks),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _discovery(self, _request: Request) -> Response:
        if self.broken == "discovery":
            return Response("<html>", 200)
        issuer = "https://evil.example" if self.broken == "issuer" else self.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        return Response("gone", 500) if self.broken == "jwks" else JSONResponse({"keys": self.jwks()})

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 303)

    async def _token(self, request: Request) -> Response:
        if self.broken == "token":
            return Response("overloaded", 502)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        expected = ":".join(urlencode({"": part})[1:] for part in (CLIENT, SECRET))
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or basic != expected or form.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "invalid_grant"}, 400)
        if asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}
        )


@contextmanager
def running(provider: Provider) -> Iterator[None]:
    """The provider on a free port of this machine, in a server of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(provider.app(), log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
