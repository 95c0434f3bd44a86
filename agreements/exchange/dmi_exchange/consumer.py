"""Reads the record topic: adds decisions to the log, keeps lineage and what was measured of datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.record import DecisionRecord, Quality, RecordBatch
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.crossings import BY_NAME
from dmi_exchange.store import Store
from dmi_infra.bus.port import Received
from dmi_infra.consumer import after
from dmi_infra.errors import Unavailable

log = structlog.get_logger("exchange")

TOPICS = (BY_NAME["record"].topic or "",)


class RecordHandler:
    """Appends what the gates report."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Where to go on."""
        return self._store.positions()

    def handle(self, messages: Sequence[Received]) -> None:
        """Add all decisions of these messages, in order."""
        decisions: list[DecisionRecord] = []
        results: dict[str, Lineage] = {}
        measured: list[Quality] = []
        for received in messages:
            batch = decode(received.message.value, RecordBatch)
            decisions.extend(batch.decisions)
            results.update({lineage.result: lineage for lineage in batch.lineage})
            measured.extend(batch.quality)
        self._store.append(decisions, list(results.values()), after(messages), measured)
        if any(decision.counted for decision in decisions):
            # The gates wait for what others have used up.
            self._wake()

    def reject(self, message: Received, reason: str) -> None:
        """Keep what can be kept of a message that failed as a whole: each decision becomes an entry of the log.

        What cannot be read is passed over; it is in the log of the process and on the topic.
        """
        try:
            batch = decode(message.message.value, RecordBatch)
        except (msgspec.DecodeError, RecursionError, ValueError):
            log.error("record passed over", offset=message.offset, reason=reason)
            batch = RecordBatch("")
        for decision in batch.decisions:
            if not self._tried(message, decision.id, [decision]):
                self._store.keep(decision)
        for lineage in batch.lineage:
            self._tried(message, lineage.result, results=[lineage])
        for quality in batch.quality:
            self._tried(message, quality.dataset, measured=[quality])
        self._store.append([], [], after([message]))
        self._wake()

    def _tried(
        self,
        message: Received,
        what: str,
        decisions: Sequence[DecisionRecord] = (),
        results: Sequence[Lineage] = (),
        measured: Sequence[Quality] = (),
    ) -> bool:
        """Store one record of a message by itself; whether all that follows from it could be stored."""
        try:
            self._store.append(decisions, results, {}, measured)
        except Unavailable:
            raise  # The whole message comes again.
        except Exception as exc:  # one record must not take the others of its message with it
            log.error(
                "what follows from a record is left out", offset=message.offset, record=what, exc_info=exc
            )
            return False
        return True
