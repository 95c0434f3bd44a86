"""The OpenID Connect provider as a relying party sees it: discovery, keys, and the exchange of a code.

Authorization code with PKCE (RFC 7636, S256). What the provider says is fetched at first use and kept.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from dmi_exchange.settings import ExchangeSettings
from dmi_infra import outside
from dmi_infra.answers import PLAIN, is_plain
from dmi_infra.authorities import trusted
from dmi_infra.errors import Unauthenticated, Unavailable
from dmi_infra.room import Quota

TIMEOUT_SECONDS = 5.0
KEEP_SECONDS = 3600.0
"""How long discovery and keys are believed."""
AGAIN_SECONDS = 10.0
"""An unknown key asks the provider for its keys anew, but not more often than this."""
FAILED_SECONDS = 2.0
"""After a failure the provider is not asked again for so long."""
ASKED_SECONDS = 0.5
"""How long others wait for what is being asked, when that did not fail the last time."""
REDEEMED_AT_ONCE = 16
"""Codes; whoever makes them up waits for the provider as well."""
LARGEST_ANSWER = 1024 * 1024
AWAY = "the OpenID provider cannot be reached; try again shortly"


def challenge(verifier: str) -> str:
    """The PKCE challenge (S256) of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


T = TypeVar("T")


class _Kept(Generic[T]):
    """What the provider told, asked by one at a time: who begins to sign in is nobody yet, and must hold nothing."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._told: tuple[float, T] | None = None
        self._failed: tuple[float, str] | None = None

    def get(self, keep: float) -> T:
        """What was told in the last ``keep`` seconds, or is told now; raises what asking raises, or ``Unavailable``."""
        told = self._told
        if told is not None and time.monotonic() - told[0] <= keep:
            return told[1]
        # Of a provider that is known to be away nobody waits for the answer to somebody else.
        if not self._lock.acquire(timeout=0.0 if self._failed else ASKED_SECONDS):
            raise Unavailable(AWAY)
        try:
            return self._asked(keep)
        finally:
            self._lock.release()

    def _asked(self, keep: float) -> T:
        now = time.monotonic()
        if self._told is not None and now - self._told[0] <= keep:
            return self._told[1]
        if self._failed is not None and now - self._failed[0] < FAILED_SECONDS:
            raise Unavailable(self._failed[1])
        try:
            told = self._ask()
        except Unavailable as exc:
            self._failed = (time.monotonic(), exc.public)
            raise
        self._told, self._failed = (time.monotonic(), told), None
        return told


class Provider:
    """One provider, by its issuer address. Safe to share between threads."""

    def __init__(self, settings: ExchangeSettings, transport: httpx.BaseTransport | None = None) -> None:
        self.issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._scope = settings.oidc_scope
        self._http = httpx.Client(
            headers=PLAIN, timeout=TIMEOUT_SECONDS, transport=transport, verify=trusted()
        )
        self._redeeming = Quota(REDEEMED_AT_ONCE, "sign-ins that wait for the OpenID provider")
        self._discovered = _Kept(self._discover)
        self._keys = _Kept(self._fetch_keys)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def authorization_address(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": self._scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        address = self._endpoint("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def redeem(self, code: str, redirect: str, nonce: str, verifier: str) -> dict[str, Any]:
        """The verified claims of the ID token for a code; raises ``Unauthenticated`` or ``Unavailable``."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        methods = self._discovery().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = None
        if self._secret and "client_secret_basic" in methods:
            # RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
            basic = httpx.BasicAuth(_form(self._client_id), _form(self._secret))
        elif self._secret:
            form["client_secret"] = self._secret
        with self._redeeming.of(self.issuer):
            answer = self._ask("POST", self._endpoint("token_endpoint"), form, basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Unauthenticated("the OpenID provider gave no ID token")
        return outside.verify_id_token(token, self.issuer, self._client_id, nonce, self._key)

    def _key(self, kid: str) -> Mapping[str, Any] | None:
        found = _named(self._jwks(KEEP_SECONDS), kid)
        return found if found is not None else _named(self._jwks(AGAIN_SECONDS), kid)

    def _jwks(self, keep: float) -> list[Mapping[str, Any]]:
        return self._keys.get(keep)

    def _fetch_keys(self) -> list[Mapping[str, Any]]:
        keys = self._ask("GET", self._endpoint("jwks_uri")).get("keys")
        usable = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
        return [key for key in usable if key.get("use", "sig") == "sig"]

    def _endpoint(self, name: str) -> str:
        address = self._discovery().get(name)
        # Never less protected than the issuer itself, which the setting names.
        if not isinstance(address, str) or urlsplit(address).scheme not in ("https", self._scheme):
            raise Unavailable(f"the OpenID provider states no usable {name}")
        return address

    @property
    def _scheme(self) -> str:
        return urlsplit(self.issuer).scheme

    def _discovery(self) -> dict[str, Any]:
        return self._discovered.get(KEEP_SECONDS)

    def _discover(self) -> dict[str, Any]:
        document = self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise Unavailable("the OpenID provider states another issuer than DMI_OIDC_ISSUER")
        return document

    def _ask(
        self,
        method: str,
        address: str,
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
    ) -> dict[str, Any]:
        """One JSON answer; a refused code is the caller's, everything else means that the provider is away."""
        try:
            with self._http.stream(
                method, address, data=form, auth=auth, headers={"Accept": "application/json"}
            ) as answer:
                if not is_plain(answer):
                    raise Unavailable("the OpenID provider's answer is compressed, which was not asked for")
                body, begun = bytearray(), time.monotonic()
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise Unavailable("the OpenID provider's answer is too large")
                    if time.monotonic() - begun > TIMEOUT_SECONDS:
                        raise Unavailable(AWAY)
        except httpx.HTTPError as exc:
            raise Unavailable(AWAY) from exc
        if method == "POST" and answer.status_code in (400, 401, 403):
            raise Unauthenticated("the OpenID provider did not accept this sign-in; begin again")
        try:
            found = msgspec.json.decode(body)
        except (ValueError, RecursionError) as exc:
            raise Unavailable("the OpenID provider's answer cannot be read") from exc
        if answer.status_code != 200 or not isinstance(found, dict):
            raise Unavailable(f"the OpenID provider answers {answer.status_code}")
        return found


def new_secret() -> str:
    """A value that nobody can guess, for state, nonce and verifier (43 characters)."""
    return secrets.token_urlsafe(32)


def _named(keys: list[Mapping[str, Any]], kid: str) -> Mapping[str, Any] | None:
    """The key with this ``kid``; a provider with one key may leave the name out."""
    if not kid and len(keys) == 1:
        return keys[0]
    return next((key for key in keys if key.get("kid") == kid), None) if kid else None


def _form(text: str) -> str:
    return urlencode({"": text})[1:]
