"""Reads raw observations and features from the bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dmi_infra.bus.port import Received
from dmi_infra.consumer import after
from dmi_infra.sql import Positions
from dmi_platform.processing import FEATURES_TOPIC, RAW_TOPIC, Processor
from dmi_platform.store import Store

TOPICS = (RAW_TOPIC, FEATURES_TOPIC)


class PlatformHandler:
    """Hands messages to the processor: features first, since observations refer to them."""

    def __init__(self, store: Store, processor: Processor) -> None:
        self._store = store
        self._processor = processor
        self._reached: Positions = {}

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Where to go on."""
        self._reached = self._store.positions()
        return self._reached

    def handle(self, messages: Sequence[Received]) -> None:
        """Process messages in pieces; when one fails, those already stored are not processed again."""
        new = [m for m in messages if m.offset >= self._reached.get((m.topic, m.partition), 0)]
        try:
            for topic, use in (
                (FEATURES_TOPIC, self._processor.features),
                (RAW_TOPIC, self._processor.observations),
            ):
                mine = [message for message in new if message.topic == topic]
                if mine:
                    use(mine)
                    self._reached.update(after(mine))
        except BaseException:
            self._reached = self._store.positions()
            raise

    def reject(self, message: Received, reason: str) -> None:
        """Keep a message that cannot be processed."""
        self._processor.keep(message, reason)
        self._reached.update(after([message]))
