"""One negotiation or transfer with another node, as this node keeps it."""

from __future__ import annotations

from typing import Any

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.dsp.messages import acknowledgement
from dmi_agreements.dsp.states import BEGINNING, TERMINAL, Kind, Side


def other(side: Side) -> Side:
    """The side across the table."""
    return "consumer" if side == "provider" else "provider"


class Process(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of it. ``owner`` is the participant of this node that it is about, ``peer`` the other one.

    ``reason`` says why it waits or why it ended; a process that goes on by itself has none.
    """

    id: str
    kind: Kind
    role: Side
    owner: str
    peer: str
    address: str
    begun_at: Micros
    changed_at: Micros
    state: str = BEGINNING
    peer_pid: str | None = None
    dataset: str = ""
    offer: dict[str, Any] = {}
    offered_by: Side | None = None
    offer_before: dict[str, Any] = {}
    """The offer that was on the table before; empty while there was one alone."""
    agreement: dict[str, Any] = {}
    """The agreement of the negotiation, as it was sent."""
    draft: dict[str, Any] = {}
    """As provider: the document that the owner is to sign with a key of its own."""
    agreement_id: str = ""
    """The agreement that a transfer rests on, or that a negotiation became."""
    format: str = ""
    data_address: dict[str, Any] = {}
    own: bool = False
    """As consumer: a program of the owner fetches the data; this node takes nothing in."""
    suspended_by: Side | None = None
    signatures: dict[str, str] = {}
    unasked: bool = False
    """As consumer: the other side began it, with an offer."""
    kept: bool = False
    """As consumer: the agreement that came of it stands in this node's law."""
    told: bool = False
    """The other side is told that the agreement was ended here."""
    reason: str = ""
    ended_by: Side | None = None
    steps: int = 0
    """How often it came to a state; a script of the test profile counts along."""

    @property
    def provider_pid(self) -> str:
        """The provider's id of it; empty before it is known."""
        return self.id if self.role == "provider" else self.peer_pid or ""

    @property
    def consumer_pid(self) -> str:
        """The consumer's id of it; empty before it is known."""
        return self.id if self.role == "consumer" else self.peer_pid or ""

    @property
    def over(self) -> bool:
        """Whether its state is final."""
        return self.state in TERMINAL

    def acknowledgement(self) -> dict[str, Any]:
        """The protocol's document of its state."""
        return acknowledgement(self.kind, self.provider_pid, self.consumer_pid, self.state)


class Outgoing(msgspec.Struct, frozen=True):
    """A message to the other side: its name, the path under the other side's address, its body."""

    type: str
    path: str
    body: dict[str, Any]


class Waiting(msgspec.Struct, frozen=True):
    """A message in the outbox that is to be tried now."""

    id: int
    process: str
    type: str
    path: str
    body: bytes
    made_at: Micros
    attempts: int
