"""Reads harmonised observations and features through the gate into the live map and the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import CORRECTED, Micros, ObservationBatch
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.duties import together
from dmi_infra.bus.port import Received
from dmi_infra.consumer import after
from dmi_infra.corrections import Part, parts_of, standing
from dmi_infra.errors import Refused, Unavailable
from dmi_infra.gate import Gate, Permit
from dmi_infra.places import takes_away
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import Shown, rows_of
from dmi_visualisation.store import Store

log = structlog.get_logger("visualisation")

FEATURES = BY_NAME["features"].topic or ""
HARMONISED = BY_NAME["harmonised"].topic or ""
TOPICS = (FEATURES, HARMONISED)
_UNSETTLED = frozenset({"law_missing", "law_stale"})
"""Refusals that say nothing about the data: it waits until the law is known again."""


class MapHandler:
    """Takes in what the layer may hold; what it may not is recorded by the gate and left out.

    What it may show, to whom and how coarsely, the gate decides again at each request.
    """

    def __init__(self, store: Store, live: LiveMap, gate: Gate) -> None:
        self._store = store
        self._live = live
        self._gate = gate

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Where to go on."""
        return self._store.positions()

    def handle(self, messages: Sequence[Received]) -> None:
        """Store everything with the position in one transaction, then show it."""
        features: list[tuple[str, Feature]] = []
        rows: list[Shown] = []
        corrected: set[Part] = set()
        fresh = self._store.fresh(messages)
        for received in fresh:
            if received.topic == FEATURES:
                features += self._features(received)
        for received, batch in standing([one for one in fresh if one.topic == HARMONISED]):
            found, anew = self._rows(received, batch)
            rows += found
            corrected |= anew
        self._store.save(features, rows, after(messages), corrected, messages)
        self._live.update(features, rows, corrected)

    def reject(self, message: Received, reason: str) -> None:
        """Pass over a message that cannot be read; it stays on the topic."""
        log.error("message passed over", topic=message.topic, offset=message.offset, reason=reason)
        self._store.save([], [], after([message]))

    def _features(self, received: Received) -> list[tuple[str, Feature]]:
        batch = decode(received.message.value, FeatureBatch)
        permit = self._permit("features", batch.dataset, len(batch.features))
        # An erasure tells nothing, and holds for what was kept while it was allowed.
        return [(batch.dataset, one) for one in batch.features if permit is not None or takes_away(one)]

    def _rows(self, received: Received, batch: ObservationBatch) -> tuple[list[Shown], set[Part]]:
        """What may be held of a batch, and the quarters of an hour of which it is everything there is now.

        Also of those of a correction that may not be held: what it says was wrong is kept no longer.
        """
        permit = self._permit("harmonised", batch.dataset, len(batch))
        corrected = received.message.envelope.type == CORRECTED
        anew = set(parts_of(batch) if corrected else ())
        # The means of several persons cannot be made anew from the rows of one.
        if permit is None or (corrected and together(permit.duties)):
            return [], anew
        passed = self._gate.carry(permit, batch).batch
        return rows_of(passed), anew.union(parts_of(passed) if corrected else ())

    def _permit(self, crossing: str, dataset: str, rows: int) -> Permit | None:
        """The layer's own right, ``None``: it has none. Raises ``Unavailable`` while the law is not known."""
        try:
            return self._gate.permit(crossing, "dmi:process", dataset, rows=rows)
        except Refused as exc:
            if exc.reasons[0].code in _UNSETTLED:
                raise Unavailable(exc.reasons[0].detail) from exc
            return None


class Shelf:
    """What the layer keeps, in its store and in memory, for ``Retention`` and ``Exercising``."""

    def __init__(self, store: Store, live: LiveMap) -> None:
        self._store = store
        self._live = live

    def kept_datasets(self) -> list[str]:
        """The datasets of which values are kept."""
        return self._store.datasets()

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete what is from before a moment; returns how many rows went from the store."""
        self._live.forget_before(dataset, at)
        return self._store.delete_before(dataset, at)

    def erase(self, dataset: str, person: str, until: Micros) -> int:
        """Delete a person's rows up to a moment; returns how many went from the store."""
        self._live.forget_person(dataset, person, until)
        return self._store.erase(dataset, person, until)
