"""The second way in which a node proves whom it speaks for: by credentials, asked of its credential service."""

from __future__ import annotations

import json
from collections.abc import Callable

import structlog

from dmi_exchange.dcp import messages
from dmi_exchange.dcp.credentials import MEMBERSHIP, Judge
from dmi_exchange.dcp.did import CREDENTIAL_SERVICE, Resolver
from dmi_exchange.dcp.holder import Holder
from dmi_exchange.dcp.selfissued import SelfIssued, Sender
from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.dsp.door import Speaker
from dmi_infra import claims, jose
from dmi_infra.errors import Unauthenticated, Unavailable

log = structlog.get_logger("exchange")

LARGEST_RESPONSE = 256 * 1024


class ByClaims:
    """Judges Self-Issued ID tokens and the credentials of who sent them; ``node_of`` gives the node of a DID."""

    def __init__(
        self,
        tokens: SelfIssued,
        holder: Holder,
        judge: Judge,
        resolver: Resolver,
        client: Client,
        node_of: Callable[[str], str | None],
    ) -> None:
        self._tokens = tokens
        self._holder = holder
        self._judge = judge
        self._resolver = resolver
        self._client = client
        self._node_of = node_of

    def takes(self, token: str) -> bool:
        """Whether it is a token of this protocol."""
        if jose.kind_of(token) not in claims.SELF_ISSUED:
            return False
        try:
            issuer = claims.unverified(token).get("iss")
        except Unauthenticated:
            return False
        return isinstance(issuer, str) and issuer.startswith("did:")

    def waits_for(self, token: str) -> str:
        """The node of the DID that it says it is of: its document and credentials are asked for each token."""
        return self._node_of(str(claims.unverified(token).get("iss"))) or ""

    def prove(self, token: str, _asked: tuple[str, str, bytes | None]) -> Speaker:
        """The node that sent it, and the participant that its credentials name."""
        sender = self._tokens.judge(token)
        node = self._node_of(sender.document.did)
        if node is None:
            raise Unauthenticated("the token comes from a DID that this node does not know")
        participant = self._judge.participant(self._presentations(sender), sender.document)
        return Speaker(node, participant)

    def _presentations(self, sender: Sender) -> list[str]:
        address = f"{sender.document.service(CREDENTIAL_SERVICE)}/presentations/query"
        self._resolver.allowed(address)
        body = json.dumps(messages.query([f"{messages.BY_TYPE}{MEMBERSHIP}"])).encode()
        token = self._holder.ask(sender.document.did, sender.token)
        try:
            answer = self._client.query(address, token, body, LARGEST_RESPONSE)
        except Unreachable as exc:
            log.warning("a credential service does not answer", did=sender.document.did, reason=str(exc))
            raise Unavailable("its credential service does not answer") from exc
        if answer.status >= 500:
            log.warning("a credential service does not answer", did=sender.document.did, reason=answer.why)
            raise Unavailable("its credential service does not answer")
        if not answer.well:
            log.warning("a credential service refuses", did=sender.document.did, reason=answer.why)
            raise Unauthenticated("its credential service does not show the credentials")
        return messages.read_response(answer.body)
