"""Self-Issued ID tokens that come in: who sent them, and the access token that they carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dmi_exchange.dcp.did import INVOCATION, Document, Resolver, well_formed
from dmi_infra import claims
from dmi_infra.errors import Unauthenticated
from dmi_infra.jose import LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class Sender:
    """Who signed a token, as its DID document has it now, and the claim ``token``."""

    document: Document
    token: str


class SelfIssued:
    """Judges tokens for this node (``did``), each once. Only DIDs of ``known`` are resolved at all."""

    def __init__(
        self, resolver: Resolver, did: str, known: Callable[[str], bool], use_once: Callable[[str, int], bool]
    ) -> None:
        self._resolver = resolver
        self._did = did
        self._known = known
        self._use_once = use_once

    def judge(self, token: str) -> Sender:
        """The sender; raises ``Unauthenticated``, and ``Unavailable`` while its document cannot be had."""
        said = claims.unverified(token)
        did = said.get("iss")
        if not isinstance(did, str) or said.get("sub") != did:
            raise Unauthenticated("the token's issuer and subject must be the same DID")
        if not well_formed(did) or not self._known(did):
            raise Unauthenticated("the token comes from a DID that this node does not know")
        document = self._resolver.document(did)
        read = claims.verify_bound(
            token, claims.SELF_ISSUED, did, lambda kid: document.key(kid, INVOCATION), self._did, ["sub"]
        )
        carried = read.get("token")
        if not isinstance(carried, str) or not carried:
            raise Unauthenticated("the token carries no access token for the credentials (claim token)")
        # Kept in the store: these tokens are bound to no message, so a restart must not forget them.
        until = (int(read["exp"]) + LEEWAY_SECONDS) * 1_000_000
        if not self._use_once(f"dcp {did} {read['jti']}", until):
            raise Unauthenticated("this token has been used before")
        return Sender(document, carried)
