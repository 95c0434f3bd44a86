"""The two messages of the Verifiable Presentation Protocol (DCP 1.0), read and written after its JSON schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dmi_infra.errors import InputRefused, Unauthenticated

CONTEXT: Final = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"
VC_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
BY_TYPE: Final = "org.eclipse.dspace.dcp.vc.type:"
BY_ID: Final = "org.eclipse.dspace.dcp.vc.id:"
MOST: Final = 20


class NotSupported(InputRefused):
    """What the protocol lets a service leave out."""

    status = 501
    code = "not-implemented"


def query(scopes: list[str]) -> dict[str, Any]:
    """A ``PresentationQueryMessage`` for scopes."""
    return {"@context": [CONTEXT], "type": "PresentationQueryMessage", "scope": scopes}


def read_query(body: object) -> list[str]:
    """The scopes of a ``PresentationQueryMessage``; raises ``InputRefused`` with the place."""
    given = body if isinstance(body, dict) else {}
    _context(given)
    if given.get("type") != "PresentationQueryMessage":
        raise InputRefused.of("type", "must be PresentationQueryMessage")
    if "presentationDefinition" in given:
        if "scope" in given:
            raise InputRefused.of("scope", "must not stand beside presentationDefinition")
        raise NotSupported.of("presentationDefinition", "is not supported here; ask by scope")
    scopes = given.get("scope")
    if not isinstance(scopes, list) or not 1 <= len(scopes) <= MOST:
        raise InputRefused.of("scope", f"must be a list of 1 to {MOST} scopes")
    for place, scope in enumerate(scopes):
        if not isinstance(scope, str) or not scope.startswith((BY_TYPE, BY_ID)):
            raise InputRefused.of(f"scope/{place}", f"must begin with {BY_TYPE} or {BY_ID}")
    return scopes


def response(presentations: list[str]) -> dict[str, Any]:
    """A ``PresentationResponseMessage``."""
    return {"@context": [CONTEXT], "type": "PresentationResponseMessage", "presentation": presentations}


def read_response(body: Mapping[str, Any]) -> list[str]:
    """The presentations of a ``PresentationResponseMessage``, all of them JWTs; raises ``Unauthenticated``."""
    try:
        _context(body)
    except InputRefused as exc:
        raise Unauthenticated("its credential service does not answer by the protocol") from exc
    found = body.get("presentation")
    if body.get("type") != "PresentationResponseMessage" or not isinstance(found, list):
        raise Unauthenticated("its credential service does not answer by the protocol")
    if not 1 <= len(found) <= MOST or not all(isinstance(each, str) for each in found):
        raise Unauthenticated(f"its credential service must give 1 to {MOST} presentations as JWTs")
    return found


def _context(body: Mapping[str, Any]) -> None:
    found = body.get("@context")
    if not isinstance(found, list) or CONTEXT not in found or not all(isinstance(c, str) for c in found):
        raise InputRefused.of("@context", f"must be a list of addresses that holds {CONTEXT}")
