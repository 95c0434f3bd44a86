"""A scenario in signs, played against a running node.

``>`` this side sends and is acknowledged; ``x`` this side sends and is refused with the error document of the kind;
``<`` the node sends; ``=`` the node's state; ``!`` the node is told to begin.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.conformance.dsp.counterpart import CONTEXT, WAIT_SECONDS, Counterpart

RULES = {"permission": [{"action": "use"}]}
NEGOTIATION = {
    "request": ("ContractRequestMessage", "request"),
    "offer": ("ContractOfferMessage", "offers"),
    "accepted": ("ContractNegotiationEventMessage", "events"),
    "agreement": ("ContractAgreementMessage", "agreement"),
    "verification": ("ContractAgreementVerificationMessage", "agreement/verification"),
    "finalized": ("ContractNegotiationEventMessage", "events"),
    "termination": ("ContractNegotiationTerminationMessage", "termination"),
}
TRANSFER = {
    "request": ("TransferRequestMessage", "request"),
    "start": ("TransferStartMessage", "start"),
    "suspension": ("TransferSuspensionMessage", "suspension"),
    "completion": ("TransferCompletionMessage", "completion"),
    "termination": ("TransferTerminationMessage", "termination"),
}
DATA_ADDRESS = {
    "@type": "DataAddress",
    "endpointType": "https://w3id.org/idsa/v4.1/HTTP",
    "endpoint": "http://example.com",
}


class Talk:
    """One process between the counterpart, which is ``side``, and the node."""

    def __init__(
        self, other: Counterpart, node: str, kind: str, side: str, about: str, offer: str = ""
    ) -> None:
        self.other, self.node, self.kind, self.side = other, node, kind, side
        self.about, self.offer = about, offer
        self.base = f"{node}/exchange/dsp/{'negotiations' if kind == 'negotiation' else 'transfers'}"
        self.words = NEGOTIATION if kind == "negotiation" else TRANSFER
        self.mine = f"urn:uuid:{uuid.uuid4()}"
        self.theirs = ""

    def play(self, signs: str) -> None:
        """Play a scenario."""
        for sign in signs.split(","):
            act, word = sign.split()
            {"!": self.trigger, ">": self.send, "x": self.refused, "<": self.expect, "=": self.state}[act](
                word
            )

    def trigger(self, _word: str) -> None:
        """Have the node begin as consumer."""
        body = {"providerId": "TCK_PARTICIPANT", "connectorAddress": self.other.address}
        if self.kind == "negotiation":
            body |= {"datasetId": self.about, "offerId": self.offer}
            answer = self.other.http.post(f"{self.node}/exchange/tck/negotiations", json=body)
        else:
            body |= {"agreementId": self.about, "format": "HttpData-PULL"}
            answer = self.other.http.post(f"{self.node}/exchange/tck/transfers", json=body)
        assert answer.status_code == 200, answer.text

    def pids(self) -> dict[str, str]:
        """Both ids."""
        consumer, provider = (self.mine, self.theirs) if self.side == "consumer" else (self.theirs, self.mine)
        return {"consumerPid": consumer, "providerPid": provider}

    def message(self, word: str) -> dict[str, Any]:
        """The message of a word, new at each call."""
        kind, _ = self.words[word]
        made: dict[str, Any] = {
            "@context": [CONTEXT],
            "@type": kind,
            "@id": str(uuid.uuid4()),
            **self.pids(),
        }
        offer = {"@id": self.offer, "@type": "Offer", "target": self.about, **RULES}
        if word == "request" and not self.theirs:
            del made["providerPid"]
            made["callbackAddress"] = self.other.address
            if self.kind == "transfer":
                return {**made, "agreementId": self.about, "format": "HttpData-PULL"}
        match word:
            case "request" | "offer":
                made["offer"] = offer
            case "accepted" | "finalized":
                made["eventType"] = word.upper()
            case "agreement":
                made["agreement"] = {
                    "@id": f"urn:uuid:{uuid.uuid4()}", "@type": "Agreement", "target": self.about,
                    "assigner": "urn:kit", "assignee": "urn:node", "timestamp": "2026-11-21T12:00:00Z", **RULES,
                }  # fmt: skip
            case "start":
                made["dataAddress"] = DATA_ADDRESS
            case "termination" | "suspension":
                made |= {"code": "1", "reason": ["a reason"]}
        return made

    def send(self, word: str, message: dict[str, Any] | None = None) -> dict[str, Any]:
        """Say something that is right; returns the message."""
        message = message or self.message(word)
        first = not self.theirs
        where = self.base if first else f"{self.base}/{self.theirs}"
        answer = self.other.say(f"{where}/{self.words[word][1]}", message)
        assert answer.status_code == (201 if first else 200), answer.text
        if first:
            own, other = ("providerPid", "consumerPid")
            assert answer.json()[other] == self.mine
            self.theirs = answer.json()[own]
        return message

    def refused(self, word: str) -> dict[str, Any]:
        """Say something that has no place; returns the error document."""
        answer = self.other.say(f"{self.base}/{self.theirs}/{self.words[word][1]}", self.message(word))
        assert answer.status_code == 400, answer.text
        error: dict[str, Any] = answer.json()
        kind = "ContractNegotiationError" if self.kind == "negotiation" else "TransferError"
        assert error["@type"] == kind
        assert {name: error[name] for name in self.pids()} == self.pids()
        assert error["reason"]
        return error

    def expect(self, word: str) -> dict[str, Any]:
        """Hear the node say something; returns the message."""
        path, body = self.other.next()
        kind, end = self.words[word]
        assert body["@type"] == kind
        if word in ("accepted", "finalized"):
            assert body["eventType"] == word.upper()
        if not self.theirs:
            assert path == f"/callback/{self.base.rsplit('/', 1)[1]}/{end}"
            self.theirs = body["consumerPid"]
            self.mine = self.other.pids[self.theirs]
            assert body["callbackAddress"] == f"{self.node}/exchange/dsp"
        else:
            assert path == f"/callback/{self.base.rsplit('/', 1)[1]}/{self.mine}/{end}"
            assert {name: body[name] for name in self.pids()} == self.pids()
        return body

    def state(self, wanted: str) -> None:
        """The node tells this state, at the latest soon."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            answer = self.other.http.get(f"{self.base}/{self.theirs}")
            assert answer.status_code == 200, answer.text
            found = self.other.schemas.check(answer.json())
            # Until the answer to its request is read, the node may not know the id of this side.
            right = {name: found[name] for name in ("state", *self.pids())} == {
                "state": wanted,
                **self.pids(),
            }
            if right or time.monotonic() > until:
                assert right, found
                return
            time.sleep(0.05)
