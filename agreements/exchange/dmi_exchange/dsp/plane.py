"""The data of a transfer: where the consumer pulls it from. The platform's gate judges every request there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.transfer import Grant

HTTP = "https://w3id.org/idsa/v4.1/HTTP"


class PullPlane:
    """Data pulled over HTTP from the platform at ``public_url`` with the consumer's own access token."""

    def __init__(self, shelf: StoreShelf, public_url: str) -> None:
        self._shelf = shelf
        self._url = public_url.rstrip("/")

    def grant(self, agreement: str, peer: str) -> Grant | None:
        """See ``transfer.DataPlane``."""
        return self._shelf.grant(agreement, peer)

    def start(self, process: Process) -> dict[str, Any] | None:
        """See ``transfer.DataPlane``."""
        address = f"{self._url}/platform/v1/latest?{urlencode({'dataset': process.dataset})}"
        return {"@type": "DataAddress", "endpointType": HTTP, "endpoint": address}

    def stop(self, _process: Process) -> None:
        """Nothing runs here: the gate gives data as long as the agreement holds."""
