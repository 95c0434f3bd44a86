"""Reads raw observations and features from the bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from dmi_infra.bus.port import Received
from dmi_infra.consumer import after
from dmi_infra.sql import Positions
from dmi_platform.processing import FEATURES_TOPIC, RAW_TOPIC, Processor
from dmi_platform.store import Store

log = structlog.get_logger("platform")

TOPICS = (RAW_TOPIC, FEATURES_TOPIC)


class PlatformHandler:
    """Hands messages to the processor: features first, since observations refer to them."""

    def __init__(self, store: Store, processor: Processor) -> None:
        self._store = store
        self._processor = processor
        self._reached: Positions = {}
        self._settled: Positions = {}

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Where to go on."""
        self._reached = self._store.positions()
        self._settled = dict(self._reached)
        return self._reached

    def handle(self, messages: Sequence[Received]) -> None:
        """Process messages in pieces; when one fails, those already stored are not processed again."""
        self._notice_loss(messages)
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
        self._settled.update(after(messages))

    def _notice_loss(self, messages: Sequence[Received]) -> None:
        """Messages from before what was settled come of a log that was lost and began anew: none is a repeat."""
        for message in messages:
            at = (message.topic, message.partition)
            if message.offset < self._settled.get(at, 0):
                log.warning("the log has begun anew", topic=message.topic, offset=message.offset)
                self._reached.pop(at, None)
                self._settled.pop(at)

    def reject(self, message: Received, reason: str) -> None:
        """Keep a message that cannot be processed."""
        self._processor.keep(message, reason)
        self._reached.update(after([message]))
        self._settled.update(after([message]))
