"""The bus: one port, two adapters. ``open_bus`` chooses by the scheme of the address."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from dmi_infra.bus.errors import (
    BusAddressError,
    BusClosed,
    BusError,
    BusStoreForeign,
    BusStoreTooNew,
    BusTimeout,
    BusUnavailable,
    MessageTooLarge,
)
from dmi_infra.bus.port import (
    MAX_VALUE_BYTES,
    UNREADABLE_TYPE,
    Bus,
    Message,
    OnAssign,
    Partition,
    Publisher,
    Received,
    Subscription,
)

__all__ = [
    "MAX_VALUE_BYTES",
    "UNREADABLE_TYPE",
    "Bus",
    "BusAddressError",
    "BusClosed",
    "BusError",
    "BusStoreForeign",
    "BusStoreTooNew",
    "BusTimeout",
    "BusUnavailable",
    "Message",
    "MessageTooLarge",
    "OnAssign",
    "Partition",
    "Publisher",
    "Received",
    "Subscription",
    "open_bus",
]


def open_bus(url: str) -> Bus:
    """The bus at ``url``.

    ``embedded:///folder/bus.db?partitions=1&retain_days=7&retain_mb=2048`` is a file on this machine;
    ``kafka://host:port[,host:port]?partitions=8&replicas=1&prefix=`` a cluster. Opening Kafka does not
    connect: the first use does. Raises ``BusAddressError``, ``BusStoreTooNew``, ``BusStoreForeign``
    and ``BusUnavailable``.
    """
    # The adapters are imported here, so that the embedded deployment does not load the Kafka client.
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "embedded":
        from dmi_infra.bus.embedded import open_embedded

        return open_embedded(parts.netloc + parts.path, options)
    if parts.scheme == "kafka":
        from dmi_infra.bus.kafka import open_kafka

        return open_kafka(parts.netloc, options)
    raise BusAddressError(f"bus address {url!r}: expected embedded:///path/to/bus.db or kafka://host:port")
