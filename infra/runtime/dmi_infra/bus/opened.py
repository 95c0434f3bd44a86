"""What the open bus of one process is, whatever adapter it is of: who publishes, who reads, and until when."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from dmi_agreements import crossings
from dmi_infra.bus.errors import BusClosed
from dmi_infra.bus.port import Deliveries, OnAssign, Subscription
from dmi_infra.bus.submission import QueuePublisher, Submission

S = TypeVar("S", bound=Subscription)


class OpenedBus(ABC, Generic[S]):
    """The publishers and subscriptions of one process; see ``port.Bus``."""

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._closed = False
        self._publishers: list[QueuePublisher] = []
        self._subscriptions: list[S] = []

    @abstractmethod
    def _submit(self) -> Callable[[Submission], None]:
        """Where publishers hand over."""

    @abstractmethod
    def _subscription(
        self,
        service: str,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assign: OnAssign | None,
    ) -> S:
        """A new subscription of the adapter; without a ``group`` it reads everything from the start."""

    def publisher(self, service: str) -> QueuePublisher:
        """See ``port.Bus.publisher``."""
        with self._state:
            self._check_open()
            publisher = QueuePublisher(service, self._submit())
            self._publishers.append(publisher)
        return publisher

    def subscribe(
        self,
        service: str,
        topics: Sequence[str],
        group: str,
        *,
        from_start: bool = True,
        on_assign: OnAssign | None = None,
    ) -> S:
        """See ``port.Bus.subscribe``."""
        return self._open(service, topics, group, from_start, on_assign)

    def replay(self, service: str, topics: Sequence[str]) -> S:
        """See ``port.Bus.replay``."""
        return self._open(service, topics, None, True, None)

    def deliveries(self) -> Deliveries | None:
        """See ``port.Bus.deliveries``."""
        return None

    def _open(
        self,
        service: str,
        topics: Sequence[str],
        group: str | None,
        from_start: bool,
        on_assign: OnAssign | None,
    ) -> S:
        for topic in topics:
            crossings.allowed_subscriber(topic, service)
        with self._state:
            self._check_open()
            subscription = self._subscription(service, topics, group, from_start, on_assign)
            self._subscriptions.append(subscription)
        return subscription

    def _check_open(self) -> None:
        if self._closed:
            raise BusClosed("the bus is closed")

    def _begin_closing(self) -> bool:
        """Refuse everything new; whether this call was the first."""
        with self._state:
            first, self._closed = not self._closed, True
        return first
