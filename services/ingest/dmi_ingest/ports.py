"""What intake needs of the gate, the bus and the store; the tests answer these with small fakes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import Reason
from dmi_infra.bus.port import Message
from dmi_infra.gate import Passed, Permit
from dmi_infra.jose import Acting
from dmi_ingest.store.features import KnownStream


class Door(Protocol):
    """The gate, as far as intake uses it."""

    holder: str

    def permit(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str | None,
        recipient: str | None = None,
        holder_action: str | None = None,
        rows: int = 0,
        acting: Acting | None = None,
    ) -> Permit:
        """See ``dmi_infra.gate.Gate.permit``."""
        ...

    def carry(self, permit: Permit, batch: ObservationBatch) -> Passed:
        """See ``dmi_infra.gate.Gate.carry``."""
        ...

    def entitled(
        self,
        crossing: str,
        action: str,
        dataset: str,
        participant: str,
        purpose: str | None = None,
        acting: Acting | None = None,
    ) -> tuple[Reason, ...]:
        """See ``dmi_infra.gate.Gate.entitled``."""
        ...


class Wire(Protocol):
    """The bus, as far as intake uses it; both return once the messages are durable."""

    def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        """From a thread."""
        ...

    async def publish_async(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        """From a task."""
        ...


class Streams(Protocol):
    """The store of datastreams, as far as the registry uses it."""

    def streams(self, ids: Collection[str] | None = None) -> Mapping[str, KnownStream]:
        """The datastreams with these ids, or all."""
        ...

    def mark_used(self, ids: Collection[str]) -> None:
        """Observations rest on these from now on."""
        ...
