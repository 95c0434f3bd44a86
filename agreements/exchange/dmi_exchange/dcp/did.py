"""DIDs of the method ``did:web`` and their documents (W3C DID Core 1.0): whose keys they show, and for which use."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.errors import StepRefused
from dmi_exchange.settings import DID
from dmi_infra import jose
from dmi_infra.errors import Unauthenticated, Unavailable

log = structlog.get_logger("exchange")

_DID: Final = re.compile(DID)
LONGEST_DID: Final = 500
LARGEST_DOCUMENT: Final = 64 * 1024
MOST_ENTRIES: Final = 100
INVOCATION: Final = "capabilityInvocation"
AUTHENTICATION: Final = "authentication"
ASSERTION: Final = "assertionMethod"
_USES: Final = (INVOCATION, AUTHENTICATION, ASSERTION)
CREDENTIAL_SERVICE: Final = "CredentialService"


def well_formed(did: object) -> bool:
    """Whether it is a DID that could be resolved."""
    return isinstance(did, str) and len(did) <= LONGEST_DID and _DID.fullmatch(did) is not None


def of_address(url: str) -> str:
    """The DID whose document lies below an address of this node."""
    parts = urlsplit(url)
    return ":".join(["did:web", parts.netloc.replace(":", "%3A"), *filter(None, parts.path.split("/"))])


def address_of(did: str, secure: bool) -> str:
    """Where the document of a DID lies. Without ``secure`` the own machine is asked by plain HTTP."""
    host, *path = did.removeprefix("did:web:").split(":")
    netloc = re.sub("%3a", ":", host, flags=re.IGNORECASE)
    scheme = "https" if secure or not _own_machine(netloc.partition(":")[0]) else "http"
    return f"{scheme}://{netloc}/{'/'.join(path) or '.well-known'}/did.json"


def _own_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Document:
    """What a DID document says as far as it is used: keys by their DID URL, uses of keys, services by type."""

    did: str
    keys: Mapping[str, Mapping[str, Any]]
    uses: Mapping[str, frozenset[str]]
    services: list[tuple[str, str]] = field(default_factory=list)

    def key(self, kid: str, use: str) -> dict[str, Any] | None:
        """The key that a ``kid`` names, when it stands there for that use; without a ``kid`` the only one."""
        if not kid:
            if len(self.keys) != 1:
                return None
            (kid,) = self.keys
        named = f"{self.did}{kid}" if kid.startswith("#") else kid
        jwk = self.keys.get(named)
        if jwk is None or named not in self.uses[use]:
            return None
        try:
            return jose.check_public_key(jwk)
        except (ValueError, KeyError) as exc:
            raise Unauthenticated(
                "the key in the DID document is none that this node can check with"
            ) from exc

    def service(self, kind: str) -> str:
        """The address of its service of a type; raises ``Unauthenticated`` unless there is one."""
        found = [endpoint for type_, endpoint in self.services if type_ == kind]
        if len(found) != 1:
            raise Unauthenticated(f"its DID document must name one service of the type {kind}")
        return found[0].rstrip("/")


def read_document(did: str, text: bytes) -> Document:
    """A document as it was fetched; raises ``Unauthenticated`` for what is no document of this DID."""
    try:
        body = msgspec.json.decode(text)
    except (ValueError, RecursionError) as exc:
        raise Unauthenticated("its DID document is no JSON") from exc
    if not isinstance(body, dict) or body.get("id") != did:
        raise Unauthenticated("its DID document is about another DID")
    keys: dict[str, Mapping[str, Any]] = {}
    uses: dict[str, frozenset[str]] = {}
    for method in _entries(body, "verificationMethod"):
        _take_key(did, method, keys)
    for use in _USES:
        named = set()
        for entry in _entries(body, use):
            identifier = _take_key(did, entry, keys) if isinstance(entry, dict) else entry
            if isinstance(identifier, str):
                named.add(_absolute(did, identifier))
        uses[use] = frozenset(named)
    services = [
        (entry["type"], entry["serviceEndpoint"])
        for entry in _entries(body, "service")
        if isinstance(entry, dict)
        and isinstance(entry.get("type"), str)
        and isinstance(entry.get("serviceEndpoint"), str)
    ]
    return Document(did, keys, uses, services)


def _entries(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name, [])
    if not isinstance(found, list) or len(found) > MOST_ENTRIES:
        raise Unauthenticated(f"{name} in its DID document must be a list of at most {MOST_ENTRIES}")
    return found


def _absolute(did: str, identifier: str) -> str:
    return f"{did}{identifier}" if identifier.startswith("#") else identifier


def _take_key(did: str, method: object, keys: dict[str, Mapping[str, Any]]) -> str | None:
    """Keep a key that the document has of its own; what another DID controls is none of it."""
    if not isinstance(method, dict) or not isinstance(method.get("id"), str):
        return None
    identifier = _absolute(did, method["id"])
    jwk = method.get("publicKeyJwk")
    if identifier.partition("#")[0] != did or method.get("controller") != did or not isinstance(jwk, dict):
        return None
    if identifier in keys and keys[identifier] != jwk:
        raise Unauthenticated("its DID document has two keys of one name")
    keys[identifier] = jwk
    return identifier


class Resolver:
    """Fetches documents, each time anew: a key that was taken out of one counts no more."""

    def __init__(self, client: Client, check: Callable[[str], None], secure: bool) -> None:
        self._client = client
        self._check = check
        self._secure = secure

    def document(self, did: str) -> Document:
        """The document of a DID; raises ``Unauthenticated``, and ``Unavailable`` when it cannot be had."""
        if not well_formed(did):
            raise Unauthenticated("a DID must be one of the method did:web")
        return read_document(
            did, self.fetch(address_of(did, self._secure), "application/did+json", LARGEST_DOCUMENT)
        )

    def allowed(self, url: str) -> None:
        """Raise ``Unauthenticated`` for an address that this node does not ask."""
        try:
            self._check(url)
        except StepRefused as exc:
            log.warning("an address of the claims protocol is refused", url=url[:500], reason=str(exc))
            raise Unauthenticated("what it names lies at an address that this node does not ask") from exc

    def fetch(self, url: str, kind: str, largest: int) -> bytes:
        """What lies at a public address; raises ``Unauthenticated``, and ``Unavailable`` when it cannot be had."""
        self.allowed(url)
        try:
            status, text = self._client.raw(url, f"{kind}, application/json;q=0.9, */*;q=0.1", largest)
        except Unreachable as exc:
            log.warning("a document of the claims protocol cannot be had", url=url[:500], reason=str(exc))
            raise Unavailable("a document that the claims rest on cannot be had") from exc
        if status != 200:
            log.warning("a document of the claims protocol cannot be had", url=url[:500], status=status)
            raise Unavailable("a document that the claims rest on cannot be had")
        return text


def document_of(did: str, keys: list[Mapping[str, Any]], services: Mapping[str, str]) -> dict[str, Any]:
    """This node's own document: its keys for every use, and its services by type."""
    named = [f"{did}#{key['kid']}" for key in keys]
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/jws-2020/v1",
            "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld",
        ],
        "id": did,
        "verificationMethod": [
            {
                "id": name,
                "type": "JsonWebKey2020",
                "controller": did,
                "publicKeyJwk": {k: v for k, v in key.items() if k in ("kty", "crv", "x", "y", "kid")},
            }
            for name, key in zip(named, keys, strict=True)
        ],
        **dict.fromkeys(_USES, named),
        "service": [
            {"id": f"{did}#{kind}", "type": kind, "serviceEndpoint": address}
            for kind, address in services.items()
        ],
    }
