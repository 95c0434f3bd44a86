"""The bus port: what services may ask of a bus. Two adapters answer it, the embedded log and Kafka.

Delivery is at least once and in order per key. Every call is checked against the table of
crossings (``dmi_agreements.crossings``) and raises its ``UnknownCrossing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dmi_agreements.contracts.envelope import Envelope

MAX_VALUE_BYTES: Final = 16 * 1024 * 1024
"""Largest value that both adapters carry (bytes before compression)."""

UNREADABLE_TYPE: Final = "dmi.unreadable"
"""``Envelope.type`` of a record whose headers are no CloudEvent; no handler knows it, so it is rejected."""

Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""

OnAssign = Callable[[frozenset[Partition]], Mapping[Partition, int] | None]
"""Asked in ``poll`` for the next offset of partitions just assigned; what it leaves out starts as usual.

It must not call the subscription back."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish; messages of one ``key`` stay in order."""

    key: str
    value: bytes
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it stands in the log; (topic, partition, offset) identifies it for ever."""

    topic: str
    partition: int
    offset: int
    message: Message


class Publisher(Protocol):
    """Publishes for one service. Safe to share between threads and tasks."""

    def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        """Return when all ``messages`` are durable, in order.

        Raises ``BusUnavailable`` (``BusTimeout`` after ``timeout`` seconds), ``MessageTooLarge``,
        ``BusClosed`` and ``UnknownCrossing``; after an error the caller publishes all of them again.
        """
        ...

    async def publish_async(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        """As ``publish``; concurrent callers share one commit of the log."""
        ...

    def close(self) -> None:
        """Refuse further messages; what was accepted is still written."""
        ...


class Subscription(Protocol):
    """Reads topics for one service, from one thread at a time; ``lag`` and ``assigned`` from any thread."""

    def poll(self, timeout: float, max_messages: int = 500) -> list[Received]:
        """Messages in order per partition; ``[]`` after ``timeout`` seconds or while the bus is away.

        Partitions are assigned and taken away only inside this call.
        """
        ...

    def commit(self) -> None:
        """Keep the position behind everything polled, for the next start and for ``lag``.

        Raises ``BusUnavailable``. Partitions that went to another member meanwhile are left alone.
        """
        ...

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets; of partitions not assigned yet, once they are. See ``Bus.subscribe``."""
        ...

    def assigned(self) -> frozenset[Partition]:
        """The partitions read by this subscription now; empty before the first ``poll``."""
        ...

    def spare(self) -> bool:
        """Whether it has nothing to do: a member of a group at rest whose other members read all partitions."""
        ...

    def lag(self) -> dict[Partition, int]:
        """Offsets between the position and the end, per assigned partition, as last heard from the bus.

        1 while the end is not known yet. So: something assigned and all zero means that everything
        that was there has been polled.
        """
        ...

    def close(self) -> None:
        """Leave the group without committing; the partitions go to the other members."""
        ...


class Deliveries(Protocol):
    """Topics of outside readers, each readable by one of them alone; a delivery is known by its name.

    Every call raises ``BusUnavailable`` when the bus is away; what it was to do is then not done, or in part.
    """

    def topic(self, name: str) -> str:
        """The topic of a delivery, as its reader knows it. Its reader's groups must begin with the same words."""
        ...

    def allow(self, name: str, reader: str) -> None:
        """Let ``reader`` read the delivery, and nobody else; its topic is made when there is none."""
        ...

    def forbid(self, name: str) -> None:
        """Let nobody read the delivery; what stands in it stays."""
        ...

    def remove(self, name: str) -> None:
        """Let nobody read the delivery, and delete what stands in it."""
        ...

    def names(self) -> list[str]:
        """The deliveries that have a topic."""
        ...

    def last(self, name: str) -> Message | None:
        """The last message of a delivery; ``None`` when it holds none."""
        ...

    def put(self, name: str, message: Message, timeout: float = 10.0) -> None:
        """Return when ``message`` is durable behind all others of the delivery; raises as ``Publisher.publish``."""
        ...


class Bus(Protocol):
    """A bus as a service sees it."""

    def publisher(self, service: str) -> Publisher:
        """A publisher of ``service``. It costs nothing: all publishers of a bus share one writer."""
        ...

    def subscribe(
        self,
        service: str,
        topics: Sequence[str],
        group: str,
        *,
        from_start: bool = True,
        on_assign: OnAssign | None = None,
    ) -> Subscription:
        """Read ``topics`` as a member of ``group``, whose members share the partitions.

        A partition starts where ``on_assign`` says, else at the committed position, else at the
        first message (``from_start``) or behind the last one at the moment it is assigned. A position
        behind the end is of a log that was lost: then it starts at the first message, with a warning.
        """
        ...

    def replay(self, service: str, topics: Sequence[str]) -> Subscription:
        """Read all partitions of ``topics`` from the first message, without a group, and go on live."""
        ...

    def ready(self) -> bool:
        """Whether the bus answers now, and stored what was last published, if that was within a minute."""
        ...

    def deliveries(self) -> Deliveries | None:
        """Topics for outside readers; ``None`` where the bus has none, since it is of one machine."""
        ...

    def create_topics(self) -> None:
        """Make every topic of the table of crossings, and its rejected topic, that does not exist yet."""
        ...

    def close(self) -> None:
        """Close every publisher and subscription made by this bus."""
        ...
