"""Reads features and harmonised observations through the gate and keeps what analyses need."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import structlog

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import CORRECTED, ObservationBatch
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.duties import together
from dmi_infra.bus.port import Received
from dmi_infra.consumer import after
from dmi_infra.corrections import Part, parts_of, standing
from dmi_infra.errors import Refused, Unavailable
from dmi_infra.gate import Gate, Permit
from dmi_infra.places import takes_away
from dmi_support_centre.model import Reading, corrected_of, needed_of, readings_of
from dmi_support_centre.patience import Patience
from dmi_support_centre.store.observations import ObservationStore

log = structlog.get_logger("support-centre")

FEATURES = BY_NAME["features"].topic or ""
HARMONISED = BY_NAME["harmonised"].topic or ""
TOPICS = (FEATURES, HARMONISED)
ANALYSE = "dmi:analyse"
KEPT_KINDS = frozenset({"neighbourhood", "building", "area", "parking", "thing", "datastream"})
UNSETTLED = frozenset({"law_missing", "law_stale"})
"""Refusals that say nothing about the data: it waits until the law is known again."""
FLOOD_SECONDS = 3.0
FLOOD_ROWS = 500
LONGEST_FLOOD = 600.0
"""Seconds after which so many rows are no history being loaded, but what comes in here."""


class Flow:
    """How much has come in: tells a history that is being loaded from the trickle of live data."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._arrived: deque[tuple[float, int]] = deque()
        # Of a city with as much all the time a model is learned as well.
        self.settled = Patience(self._trickles, LONGEST_FLOOD, now)
        """Whether the last seconds brought no more than live data would, or have not for very long."""
        self.total = 0
        """Readings since the start."""

    def add(self, rows: int) -> None:
        """Count readings that were stored just now."""
        with self._lock:
            self.total += rows
            self._arrived.append((self._now(), rows))

    def _trickles(self) -> bool:
        with self._lock:
            while self._arrived and self._arrived[0][0] < self._now() - FLOOD_SECONDS:
                self._arrived.popleft()
            return sum(rows for _, rows in self._arrived) <= FLOOD_ROWS


class AnalysisHandler:
    """Takes in what may be analysed; what may not is recorded by the gate and not kept."""

    def __init__(
        self,
        store: ObservationStore,
        gate: Gate,
        flow: Flow,
        on_features: Callable[[], None],
        on_readings: Callable[[], None],
        on_corrected: Callable[[str], None],
    ) -> None:
        self._store = store
        self._gate = gate
        self._flow = flow
        self._on_features = on_features
        self._on_readings = on_readings
        self._on_corrected = on_corrected

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Where to go on."""
        return self._store.positions()

    def handle(self, messages: Sequence[Received]) -> None:
        """Store everything with the position in one transaction, then tell who waits for it."""
        features: list[tuple[str, Feature]] = []
        readings: list[Reading] = []
        corrected: set[Part] = set()
        requests: dict[str, None] = {}
        bases: dict[str, set[str]] = {}
        fresh = self._store.fresh(messages)
        for received in fresh:
            if received.topic == FEATURES:
                features += self._features(received, bases)
        for received, batch in standing([one for one in fresh if one.topic == HARMONISED]):
            found, anew = self._readings(received, batch, bases)
            readings += found
            corrected |= anew
            if received.message.envelope.type == CORRECTED:
                requests[received.message.envelope.subject] = None
        self._store.save(features, readings, bases, after(messages), corrected, messages)
        if features:
            self._on_features()
        if readings or corrected:
            self._flow.add(len(readings))
            self._on_readings()
        for request in requests:
            self._on_corrected(request)

    def reject(self, message: Received, reason: str) -> None:
        """Pass over a message that cannot be read; it stays on the topic."""
        log.error("message passed over", topic=message.topic, offset=message.offset, reason=reason)
        self._store.save([], [], {}, after([message]))

    def _features(self, received: Received, bases: dict[str, set[str]]) -> list[tuple[str, Feature]]:
        batch = decode(received.message.value, FeatureBatch)
        kept = [one for one in batch.features if one.kind in KEPT_KINDS or one.replaces_all]
        permit = self._permit("features", batch.dataset, len(kept), bases) if kept else None
        # An erasure tells nothing, and holds for what was kept while it was allowed.
        return [(batch.dataset, one) for one in kept if permit is not None or takes_away(one)]

    def _readings(
        self, received: Received, batch: ObservationBatch, bases: dict[str, set[str]]
    ) -> tuple[list[Reading], set[Part]]:
        """What may be analysed of a batch, and the quarters of an hour of which it is everything there is now.

        Also of those of a correction that may not be analysed: what it says was wrong is kept no longer.
        """
        corrected = received.message.envelope.type == CORRECTED
        # What no analysis uses is not asked for: a gate's record should name uses, not glances.
        needed = corrected_of(batch) if corrected else needed_of(batch)
        permit = self._permit("harmonised", batch.dataset, len(needed), bases) if len(needed) else None
        anew = set(parts_of(needed) if corrected else ())
        # The means of several persons cannot be made anew from the rows of one.
        if permit is None or (corrected and together(permit.duties)):
            return [], anew
        passed = self._gate.carry(permit, needed).batch
        return readings_of(passed), anew.union(parts_of(passed) if corrected else ())

    def _permit(self, crossing: str, dataset: str, rows: int, bases: dict[str, set[str]]) -> Permit | None:
        try:
            permit = self._gate.permit(crossing, ANALYSE, dataset, rows=rows)
        except Refused as exc:
            if exc.reasons[0].code in UNSETTLED:
                raise Unavailable(exc.reasons[0].detail) from exc
            return None
        bases.setdefault(dataset, set()).update(permit.agreements)
        return permit
