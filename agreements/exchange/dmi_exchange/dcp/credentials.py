"""Presentations and credentials (W3C VC Data Model 2.0 as JWTs): what they prove of their holder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final

from dmi_exchange.dcp import status
from dmi_exchange.dcp.did import ASSERTION, AUTHENTICATION, Document, Resolver
from dmi_exchange.dcp.messages import MOST, VC_CONTEXT
from dmi_infra import claims, clock
from dmi_infra.errors import Unauthenticated
from dmi_infra.jose import LEEWAY_SECONDS

MEMBERSHIP: Final = "MembershipCredential"
PARTICIPANT: Final = "participant"
"""The member of ``credentialSubject`` that names the participant whom the holder may speak for."""
ENVELOPE: Final = "data:application/vc+jwt,"


def types_of(credential: Mapping[str, Any]) -> list[Any]:
    """Its types as a list."""
    found = credential.get("type")
    return found if isinstance(found, list) else [found]


def subject_of(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """Its one subject; raises ``Unauthenticated`` for none or several."""
    found = credential.get("credentialSubject")
    one = found[0] if isinstance(found, list) and len(found) == 1 else found
    if not isinstance(one, dict):
        raise Unauthenticated("a credential must have one subject")
    return one


def issuer_of(credential: Mapping[str, Any]) -> str:
    """Who says that it issued it."""
    found = credential.get("issuer")
    named = found.get("id") if isinstance(found, dict) else found
    return named if isinstance(named, str) else ""


def within_term(credential: Mapping[str, Any], now: int) -> None:
    """Raise ``Unauthenticated`` outside ``validFrom`` and ``validUntil``; ``now`` in microseconds since 1970."""
    begin, end = (_moment(credential, name) for name in ("validFrom", "validUntil"))
    if begin is not None and now < begin - LEEWAY_SECONDS * 1_000_000:
        raise Unauthenticated("the credential is not valid yet")
    if end is not None and now >= end:
        raise Unauthenticated("the credential has expired")


def _moment(credential: Mapping[str, Any], name: str) -> int | None:
    given = credential.get(name)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError, OverflowError) as exc:
        raise Unauthenticated(f"{name} of the credential must be a moment (xsd:dateTimeStamp)") from exc
    if moment.tzinfo is None:
        raise Unauthenticated(f"{name} of the credential must have a time zone")
    return int(moment.timestamp() * 1_000_000)


def _shape(document: Mapping[str, Any], kind: str) -> None:
    context = document.get("@context")
    first = context[0] if isinstance(context, list) and context else context
    if first != VC_CONTEXT or kind not in types_of(document):
        raise Unauthenticated(f"must be a {kind} of the VC Data Model 2.0")


class Judge:
    """Checks presentations for this node (``did``); credentials count when one of ``issuers`` signed them."""

    def __init__(
        self, resolver: Resolver, did: str, issuers: Collection[str], now: Callable[[], int] = clock.now
    ) -> None:
        self._resolver = resolver
        self._did = did
        self._issuers = frozenset(issuers)
        self._now = now

    def participant(self, presentations: list[str], holder: Document) -> str:
        """The one participant that every credential in them names; raises ``Unauthenticated``, ``Unavailable``."""
        named = {
            self._membership(credential, holder.did)
            for presentation in presentations
            for credential in self._unwrap(presentation, holder)
        }
        if len(named) != 1:
            raise Unauthenticated("the credentials must name one participant")
        return named.pop()

    def _unwrap(self, presentation: str, holder: Document) -> list[str]:
        """The credentials of a presentation that the holder signed for this node."""
        read = claims.verify_bound(
            presentation,
            claims.PRESENTATION,
            holder.did,
            lambda kid: holder.key(kid, AUTHENTICATION),
            self._did,
        )
        _shape(read, "VerifiablePresentation")
        if read.get("holder") != holder.did:
            raise Unauthenticated("the presentation is of another holder")
        found = read.get("verifiableCredential")
        if not isinstance(found, list) or not 1 <= len(found) <= MOST:
            raise Unauthenticated(f"a presentation must hold 1 to {MOST} credentials")
        return [_enveloped(each) for each in found]

    def _membership(self, credential: str, holder: str) -> str:
        read = self._verified(credential, MEMBERSHIP)
        subject = subject_of(read)
        if subject.get("id") != holder:
            raise Unauthenticated("the credential is about another than its holder")
        issuer = issuer_of(read)
        status.check(read, lambda address: self._list(address, issuer))
        name = subject.get(PARTICIPANT)
        if not isinstance(name, str) or not name:
            raise Unauthenticated("the credential names no participant")
        return name

    def _list(self, address: str, issuer: str) -> Mapping[str, Any]:
        kind = "application/vc+jwt"
        text = self._resolver.fetch(address, kind, status.LARGEST_LIST)
        read = self._verified(text.decode("utf-8", "replace").strip(), "BitstringStatusListCredential")
        if issuer_of(read) != issuer:
            raise Unauthenticated("the status list is of another issuer than the credential")
        if read.get("id", address) != address:
            raise Unauthenticated("the status list is another than the credential names")
        return read

    def _verified(self, credential: str, kind: str) -> dict[str, Any]:
        issuer = issuer_of(claims.unverified(credential))
        if issuer not in self._issuers:
            raise Unauthenticated("the credential's issuer is not one that this node trusts")
        document = self._resolver.document(issuer)
        read = claims.verify_credential(credential, issuer, lambda kid: document.key(kid, ASSERTION))
        _shape(read, "VerifiableCredential")
        _shape(read, kind)
        within_term(read, self._now())
        return read


def _enveloped(entry: object) -> str:
    if not isinstance(entry, dict) or entry.get("type") not in (
        "EnvelopedVerifiableCredential",
        ["EnvelopedVerifiableCredential"],
    ):
        raise Unauthenticated("credentials in a presentation must be EnvelopedVerifiableCredentials")
    address = entry.get("id")
    if not isinstance(address, str) or not address.startswith(ENVELOPE):
        raise Unauthenticated(f"an enveloped credential's id must begin with {ENVELOPE}")
    return address.removeprefix(ENVELOPE)
