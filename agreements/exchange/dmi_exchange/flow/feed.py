"""One dataset's observations in the order in which the platform stored them, from a position on."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.crossings import BY_NAME
from dmi_infra.bus.port import Bus, Received
from dmi_infra.errors import InputRefused

HARMONISED = BY_NAME["harmonised"].topic or ""
_CURSOR = re.compile(r"(\d{1,4}:\d{1,18}(,\d{1,4}:\d{1,18})*)?", re.ASCII)
LONGEST_CURSOR = 2000


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of the topic: ``name`` tells it from all others, ``cursor`` is the position behind it."""

    name: str
    batch: ObservationBatch
    cursor: str


def read_cursor(text: str) -> dict[int, int]:
    """Offsets by partition; raises ``InputRefused`` for what was never a cursor."""
    if len(text) > LONGEST_CURSOR or not _CURSOR.fullmatch(text):
        raise InputRefused.of("after", "must be a cursor that came with an earlier piece", text)
    pairs = [part.split(":") for part in text.split(",") if part]
    return {int(partition): int(offset) for partition, offset in pairs}


def write_cursor(reached: Mapping[int, int]) -> str:
    """Offsets by partition as text."""
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(reached.items()))


def further(one: str, other: str) -> str:
    """The position behind everything that either of two positions of one reader is behind."""
    reached, more = read_cursor(one), read_cursor(other)
    return write_cursor({at: max(reached.get(at, 0), more.get(at, 0)) for at in reached.keys() | more.keys()})


class Feed:
    """Reads one dataset from the topic of the platform's results; one thread at a time."""

    def __init__(self, bus: Bus, dataset: str, cursor: str) -> None:
        self._dataset = dataset
        self._reached = read_cursor(cursor)
        self._waiting: deque[Received] = deque()
        # Without a group: a transfer keeps its own position, and a group of one would only wait for its partitions.
        self._subscription = bus.replay("exchange", [HARMONISED])
        self._subscription.seek({(HARMONISED, number): offset for number, offset in self._reached.items()})

    @property
    def cursor(self) -> str:
        """The position behind everything that was given."""
        return write_cursor(self._reached)

    def next(self, timeout: float) -> Piece | None:
        """The next piece; ``None`` when none has come within ``timeout`` seconds."""
        if not self._waiting:
            self._waiting.extend(self._subscription.poll(timeout))
        while self._waiting:
            received = self._waiting.popleft()
            if received.offset < self._reached.get(received.partition, 0):
                continue
            self._reached[received.partition] = received.offset + 1
            if received.message.envelope.dataset == self._dataset:
                batch = decode(received.message.value, ObservationBatch)
                return Piece(f"{received.partition}:{received.offset}", batch, self.cursor)
        return None

    def at_end(self) -> bool:
        """Whether everything that the topic holds now has been given."""
        lag = self._subscription.lag()
        return not self._waiting and bool(lag) and not any(lag.values())

    def close(self) -> None:
        """Read no more."""
        self._subscription.close()
