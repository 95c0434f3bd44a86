"""Transfer processes: what this node takes from other nodes and what its participants do, on both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from dmi_agreements.dsp import states
from dmi_agreements.dsp.messages import Message
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.room import LARGEST_DATA_ADDRESS, check_size
from dmi_exchange.dsp.steps import Steps, moved, new_id, outgoing
from dmi_exchange.errors import StepRefused
from dmi_infra import clock
from dmi_infra.errors import InputRefused

PULL = "HttpData-PULL"
PUSH = "HttpData-PUSH"
STREAM = "ServerSentEvents-PULL"
KAFKA = "Kafka-PULL"
FORMATS = (PULL, PUSH, STREAM)
"""What every node offers; ``KAFKA`` besides where its bus has topics for outside readers."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an agreement gives, asked when a transfer is requested and whenever it starts."""

    dataset: str
    owner: str
    formats: tuple[str, ...]


class DataPlane(Protocol):
    """Where data flows. It asks the state of the transfer whenever something leaves, so nobody has to stop it."""

    def grant(self, agreement: str, peer: str) -> Grant | None:
        """What an agreement in force gives to ``peer``; ``None`` when there is none."""
        ...

    def agreed(self, agreement: str, owner: str, peer: str) -> str | None:
        """As consumer: the dataset of an agreement that ``owner`` has with the provider ``peer``, in force or not.

        Empty for one with a foreign connector, which stands in no law here; ``None`` when this node knows none.
        """
        ...

    def foreseen(self, process: Process) -> str | None:
        """As provider: why the data cannot flow, in words; ``None`` when it can."""
        ...

    def target(self, process: Process) -> dict[str, Any]:
        """As consumer: where the provider pushes to."""
        ...

    def start(self, process: Process) -> dict[str, Any] | None:
        """As provider: let the data flow; the address that the consumer pulls from, if it pulls."""
        ...


class Transfers:
    """Transfers of this node. ``address`` is where other nodes reach it; ``check`` judges theirs."""

    def __init__(
        self, steps: Steps, plane: DataPlane, address: str, check: Callable[[str, str], None]
    ) -> None:
        self.steps = steps
        self.plane = plane
        self._address = address
        self._check = check

    # -- what comes in ------------------------------------------------------

    def requested(self, came: Message, peer: str) -> Process:
        """A consumer asks for the data of an agreement."""
        body = came.body
        grant = self.plane.grant(body["agreementId"], peer)
        if grant is None:
            raise StepRefused("/agreementId: must be an agreement in force between the two sides")
        if body["format"] not in grant.formats:
            raise StepRefused(
                f"/format: is not offered by this node: must be one of {', '.join(grant.formats)}"
            )
        if (body["format"] == PUSH) != ("dataAddress" in body):
            raise StepRefused("/dataAddress: stands in a request for a push, and in no other")
        self._check(body["callbackAddress"], peer)
        if "dataAddress" in body:
            check_size(body["dataAddress"], "/dataAddress", largest=LARGEST_DATA_ADDRESS)
            self._check_field("/dataAddress/endpoint", str(body["dataAddress"].get("endpoint", "")), peer)
        now = clock.now()
        begun = Process(
            id=new_id(), kind="transfer", role="provider", owner=grant.owner, peer=peer,
            address=body["callbackAddress"], begun_at=now, changed_at=now, peer_pid=body["consumerPid"],
            dataset=grant.dataset, agreement_id=body["agreementId"], format=body["format"],
            data_address=dict(body.get("dataAddress", {})),
        )  # fmt: skip
        process, first = self.steps.processes.begin(moved(begun, states.REQUESTED), came.digest)
        if not first:
            raise StepRefused(
                "this id belongs to a transfer that began with another message", process=process
            )
        return process

    def received(self, identifier: str, came: Message, peer: str) -> Process:
        """Any further message of the other side."""
        given = dict(came.body.get("dataAddress", {})) if came.type == states.START else {}
        if given:
            begun = self.steps.visible("transfer", identifier, peer)
            if begun.role == "consumer":
                # Before the step: it holds the store, and the name of an address is looked up.
                self._check_data_address(begun, given)

        def accept(known: Process) -> Process:
            if came.type != states.START:
                return msgspec.structs.replace(known, suspended_by=None)
            if known.role == "provider" and self.plane.grant(known.agreement_id, peer) is None:
                raise StepRefused("the agreement is not in force any more", process=known)
            if known.role == "consumer":
                if known.format != PUSH and not given and not known.data_address:
                    raise StepRefused("/dataAddress: a pull needs an address to pull from", process=known)
                return msgspec.structs.replace(
                    known, data_address=given or known.data_address, suspended_by=None
                )
            return msgspec.structs.replace(known, suspended_by=None)

        return self.steps.receive("transfer", identifier, came, peer, accept)

    def _check_data_address(self, known: Process, given: Mapping[str, Any]) -> None:
        """As consumer: refuse an address of data, or of its tokens, that no message to the provider could go to."""
        check_size(given, "/dataAddress", known, LARGEST_DATA_ADDRESS)
        told = {
            f"/dataAddress/endpointProperties/{place}/value": str(item.get("value", ""))
            for place, item in enumerate(given.get("endpointProperties", ()))
            if item.get("name") == "tokenEndpoint"
        }
        # A program of the participant's own goes where it wants, and a topic has the address of a broker.
        if not known.own and known.format in (PULL, STREAM) and given:
            told["/dataAddress/endpoint"] = str(given.get("endpoint", ""))
        for field, address in told.items():
            self._check_field(field, address.partition("?")[0], known.peer, known)

    def _check_field(self, field: str, address: str, peer: str, process: Process | None = None) -> None:
        """Refuse an address that stands in another field than the one where answers go to, naming that field."""
        try:
            self._check(address, peer)
        except StepRefused as exc:
            raise StepRefused(f"{field}{str(exc).removeprefix('/callbackAddress')}", process=process) from exc

    # -- what this node does ------------------------------------------------

    def request(
        self,
        owner: str,
        peer: str,
        address: str,
        agreement: str,
        form: str,
        own: bool = False,
    ) -> Process:
        """Ask a provider for the data of an agreement; ``own``: a program of the owner fetches it, not this node.

        Raises ``InputRefused`` for an agreement that the two do not have, and ``room.Full``.
        """
        if form == KAFKA and not own:
            rule = "must be true: a topic is read by a program of yours, not by this node"
            raise InputRefused.of("own", rule, "false")
        dataset = self.plane.agreed(agreement, owner, peer)
        if dataset is None:
            raise InputRefused.of(
                "agreement", "must be an agreement that you have with this provider", agreement
            )
        self._check(address, peer)
        now = clock.now()
        begun = Process(
            id=new_id(), kind="transfer", role="consumer", owner=owner, peer=peer, address=address,
            begun_at=now, changed_at=now, dataset=dataset, agreement_id=agreement,
            format=form, own=own,
        )  # fmt: skip
        data_address = self.plane.target(begun) if form == PUSH else None
        begun = moved(begun, states.REQUESTED, reason="waits for the answer of the provider")
        first = outgoing(
            begun,
            states.TRANSFER_REQUEST,
            agreementId=agreement,
            format=form,
            dataAddress=data_address,
            callbackAddress=self._address,
        )
        self.steps.processes.begin(begun, None, first)
        self.steps.wake()
        return begun

    def start(self, identifier: str) -> Process:
        """Start the transfer, or start it again after this side suspended it."""
        known = self.steps.processes.get(identifier)
        address = self.plane.start(known) if known.role == "provider" else None
        return self.steps.take(
            identifier, states.START, lambda _process: {"dataAddress": address}, suspended_by=None
        )

    def suspend(self, identifier: str, reason: str) -> Process:
        """Let no more data flow until it is started again."""
        return self.steps.take(
            identifier,
            states.SUSPENSION,
            lambda _process: {"code": "suspended", "reason": [reason]},
            suspended_by=self.steps.processes.get(identifier).role,
            reason=reason,
        )

    def complete(self, identifier: str) -> Process:
        """All data has been sent, or fetched."""
        return self.steps.take(identifier, states.COMPLETION)

    def terminate(self, identifier: str, reason: str) -> Process:
        """End the transfer."""
        return self.steps.terminate(identifier, reason)


FURTHER: Mapping[str, str] = {
    "start": states.START,
    "suspension": states.SUSPENSION,
    "completion": states.COMPLETION,
    "termination": states.TRANSFER_TERMINATION,
}
"""The messages that go to a transfer, by the end of their address."""
