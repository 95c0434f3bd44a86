"""The data of a transfer: where the consumer pulls it from, or has it pushed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.transfer import KAFKA, PUSH, STREAM, Grant
from dmi_exchange.flow.outlets import Outlets
from dmi_exchange.flow.supply import Supply

HTTP = "https://w3id.org/idsa/v4.1/HTTP"
BROKER = "https://kafka.apache.org/protocol"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where outside readers find their topics: ``host:port`` of brokers with commas between, and how they connect."""

    address: str
    security: str
    outlets: Outlets


class NodePlane:
    """Data that this node gives at ``address`` (of its protocol), each request with a token of the transfer."""

    def __init__(self, shelf: StoreShelf, supply: Supply, address: str, broker: Broker | None = None) -> None:
        self._broker = broker
        self._shelf = shelf
        self._supply = supply
        self._address = address

    def grant(self, agreement: str, peer: str) -> Grant | None:
        """See ``transfer.DataPlane``."""
        return self._shelf.grant(agreement, peer)

    def agreed(self, agreement: str, owner: str, peer: str) -> str | None:
        """See ``transfer.DataPlane``."""
        known = self._shelf.agreed(agreement, owner, peer)
        if known is None and self._supply.processes.negotiated(agreement, owner, peer):
            return ""
        return known

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
        if process.format == KAFKA and self._broker is not None:
            return self._topic(process, self._broker)
        return self._at(process, "/stream" if process.format == STREAM else "")

    def _at(self, process: Process, end: str) -> dict[str, Any]:
        return self._told(process, HTTP, f"{self._address}/data/{process.id}{end}")

    def _topic(self, process: Process, broker: Broker) -> dict[str, Any]:
        """The address of a topic, its properties by the names of Kafka's own clients where these have one."""
        topic = broker.outlets.topic(process)
        more = {
            "topic": topic,
            "groupPrefix": topic,
            "security.protocol": broker.security,
            "sasl.mechanism": "OAUTHBEARER",
        }
        return self._told(process, BROKER, broker.address, **more)

    def _told(self, process: Process, kind: str, endpoint: str, **more: str) -> dict[str, Any]:
        tokens = f"{self._address}/data/{process.id}/token"
        properties = {"authType": "bearer", "tokenEndpoint": tokens, **more}
        return {
            "@type": "DataAddress",
            "endpointType": kind,
            "endpoint": endpoint,
            "endpointProperties": [
                {"@type": "EndpointProperty", "name": name, "value": value}
                for name, value in properties.items()
            ],
        }
