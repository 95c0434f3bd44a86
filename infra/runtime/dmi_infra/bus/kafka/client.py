"""How this bus uses the Kafka client: its terms, and its errors in the words of the port."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from dmi_infra.bus.errors import BusError, BusUnavailable, MessageTooLarge
from dmi_infra.bus.port import MAX_VALUE_BYTES

CONNECT_MS: Final = 3_000
REQUEST_MS: Final = 5_000
RECORD_BYTES: Final = MAX_VALUE_BYTES + 1024 * 1024
"""A value with its key and headers."""


def check_reachable(brokers: Sequence[str]) -> None:
    """Raise ``KafkaConnectionError`` when no broker accepts connections.

    Asked before a client is made: one that cannot connect would leave a thread and sockets behind at
    every try, and would take seconds to say so.
    """
    for broker in brokers:
        host, _, port = broker.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=1.0).close()
        except OSError:
            continue
        return
    raise KafkaConnectionError(f"no broker accepts connections at {', '.join(brokers)}")


def connect_admin(brokers: Sequence[str]) -> KafkaAdminClient:
    """A client for topics and rights; raises ``KafkaError`` or ``OSError`` when no broker answers."""
    check_reachable(brokers)
    return KafkaAdminClient(
        bootstrap_servers=list(brokers),
        client_id="dmi",
        bootstrap_timeout_ms=CONNECT_MS,
        request_timeout_ms=CONNECT_MS,
        reconnect_backoff_max_ms=1_000,
    )


def short(error: BaseException) -> str:
    """The error in one line."""
    name, text = type(error).__name__, str(error).strip()
    return text if text.startswith(name) else f"{name}: {text}".removesuffix(": ")


def as_bus_error(error: BaseException) -> BusError:
    """What a publisher hears of an error of the client."""
    if isinstance(error, MessageSizeTooLargeError):
        return MessageTooLarge(f"Kafka refused the size of a message: {short(error)}")
    return BusUnavailable(f"Kafka did not store the messages: {short(error)}")
