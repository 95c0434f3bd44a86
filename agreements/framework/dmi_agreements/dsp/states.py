"""The two state machines of the Dataspace Protocol 2025-1, as tables (sections 6.1.2 and 8.1.4).

A message is named by its ``@type``, the event message by its ``eventType`` beside it. The text of the standard lets
either side terminate at any moment; its figure names one side in three states. The text is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["negotiation", "transfer"]
Side = Literal["consumer", "provider"]

REQUESTED: Final = "REQUESTED"
OFFERED: Final = "OFFERED"
ACCEPTED: Final = "ACCEPTED"
AGREED: Final = "AGREED"
VERIFIED: Final = "VERIFIED"
FINALIZED: Final = "FINALIZED"
STARTED: Final = "STARTED"
SUSPENDED: Final = "SUSPENDED"
COMPLETED: Final = "COMPLETED"
TERMINATED: Final = "TERMINATED"

REQUEST: Final = "ContractRequestMessage"
OFFER: Final = "ContractOfferMessage"
AGREEMENT: Final = "ContractAgreementMessage"
VERIFICATION: Final = "ContractAgreementVerificationMessage"
EVENT_ACCEPTED: Final = "ContractNegotiationEventMessage:ACCEPTED"
EVENT_FINALIZED: Final = "ContractNegotiationEventMessage:FINALIZED"
NEGOTIATION_TERMINATION: Final = "ContractNegotiationTerminationMessage"
TRANSFER_REQUEST: Final = "TransferRequestMessage"
START: Final = "TransferStartMessage"
SUSPENSION: Final = "TransferSuspensionMessage"
COMPLETION: Final = "TransferCompletionMessage"
TRANSFER_TERMINATION: Final = "TransferTerminationMessage"

BEGINNING: Final = ""
"""The state before the first message."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a message does: who may send it, from which states, and the state that it leads to."""

    senders: frozenset[Side]
    before: frozenset[str]
    after: str


def _step(senders: tuple[Side, ...], before: tuple[str, ...], after: str) -> Step:
    return Step(frozenset(senders), frozenset(before), after)


_BOTH: Final[tuple[Side, ...]] = ("consumer", "provider")

STEPS: Final[Mapping[Kind, Mapping[str, Step]]] = {
    "negotiation": {
        REQUEST: _step(("consumer",), (BEGINNING, OFFERED), REQUESTED),
        OFFER: _step(("provider",), (BEGINNING, REQUESTED), OFFERED),
        EVENT_ACCEPTED: _step(("consumer",), (OFFERED,), ACCEPTED),
        AGREEMENT: _step(("provider",), (REQUESTED, ACCEPTED), AGREED),
        VERIFICATION: _step(("consumer",), (AGREED,), VERIFIED),
        EVENT_FINALIZED: _step(("provider",), (VERIFIED,), FINALIZED),
        NEGOTIATION_TERMINATION: _step(_BOTH, (REQUESTED, OFFERED, ACCEPTED, AGREED, VERIFIED), TERMINATED),
    },
    "transfer": {
        TRANSFER_REQUEST: _step(("consumer",), (BEGINNING,), REQUESTED),
        START: _step(_BOTH, (REQUESTED, SUSPENDED), STARTED),
        SUSPENSION: _step(_BOTH, (STARTED,), SUSPENDED),
        COMPLETION: _step(_BOTH, (STARTED,), COMPLETED),
        TRANSFER_TERMINATION: _step(_BOTH, (REQUESTED, STARTED, SUSPENDED), TERMINATED),
    },
}

STATES: Final[Mapping[Kind, frozenset[str]]] = {
    kind: frozenset(step.after for step in steps.values()) for kind, steps in STEPS.items()
}
TERMINAL: Final = frozenset({FINALIZED, COMPLETED, TERMINATED})


class IllegalStep(ValueError):
    """A message that the state machine does not allow here; ``rule`` is a sentence for the other side."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def after(kind: Kind, state: str, message: str, sender: Side, suspended_by: Side | None = None) -> str:
    """The state that ``message`` leads to; raises ``IllegalStep``.

    A transfer that waits for its first start is started by the provider; one that was suspended only by the side
    that suspended it, since the other side's reason would otherwise be undone by whom it concerns.
    """
    step = STEPS[kind].get(message)
    if step is None:
        raise IllegalStep(f"{message or 'this message'} has no place in a {kind}")
    if sender not in step.senders:
        raise IllegalStep(f"{message} is not a message of the {sender}")
    if state in TERMINAL:
        raise IllegalStep(f"the {kind} has ended: its state {state} is final")
    if state not in step.before:
        raise IllegalStep(f"{message} is not allowed in the state {state or 'before the first message'}")
    if message == START and state == REQUESTED and sender != "provider":
        raise IllegalStep("a transfer is first started by the provider")
    if message == START and state == SUSPENDED and suspended_by not in (None, sender):
        raise IllegalStep(f"the {suspended_by} suspended this transfer, and alone may start it again")
    return step.after
