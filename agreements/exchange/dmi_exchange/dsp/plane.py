"""The data of a transfer: where the consumer pulls it from, or has it pushed to."""

from __future__ import annotations

from typing import Any

from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.transfer import PUSH, STREAM, Grant
from dmi_exchange.flow.supply import Supply

HTTP = "https://w3id.org/idsa/v4.1/HTTP"


class NodePlane:
    """Data that this node gives at ``address`` (of its protocol), each request with a token of the transfer."""

    def __init__(self, shelf: StoreShelf, supply: Supply, address: str) -> None:
        self._shelf = shelf
        self._supply = supply
        self._address = address

    def grant(self, agreement: str, peer: str) -> Grant | None:
        """See ``transfer.DataPlane``."""
        return self._shelf.grant(agreement, peer)

    def about(self, agreement: str) -> str:
        """See ``transfer.DataPlane``."""
        return self._shelf.about(agreement)

    def foreseen(self, process: Process) -> str | None:
        """See ``transfer.DataPlane``."""
        return self._supply.foreseen(process.dataset, process.agreement_id, process.peer)

    def target(self, process: Process) -> dict[str, Any]:
        """See ``transfer.DataPlane``."""
        return self._at(process, "")

    def start(self, process: Process) -> dict[str, Any] | None:
        """See ``transfer.DataPlane``. The consumer gets its tokens at the same address, behind ``/token``."""
        if process.format == PUSH:
            return None
        return self._at(process, "/stream" if process.format == STREAM else "")

    def _at(self, process: Process, end: str) -> dict[str, Any]:
        endpoint = f"{self._address}/data/{process.id}"
        return {
            "@type": "DataAddress",
            "endpointType": HTTP,
            "endpoint": f"{endpoint}{end}",
            "endpointProperties": [
                {"@type": "EndpointProperty", "name": "authType", "value": "bearer"},
                {"@type": "EndpointProperty", "name": "tokenEndpoint", "value": f"{endpoint}/token"},
            ],
        }
