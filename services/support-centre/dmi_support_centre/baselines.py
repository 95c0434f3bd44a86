"""The baselines that scenarios are pinned to, and the city as it is known now."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any

from dmi_agreements.changes import Change
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound
from dmi_support_centre.baseline import KINDS, Snapshot, snapshot
from dmi_support_centre.model import standing
from dmi_support_centre.models.scenario import Baseline
from dmi_support_centre.store import Store

REMEMBERED = 3
"""Baselines that are kept unpacked in memory, and parts of them that runs rest on."""


class Baselines:
    """Keeps baselines under their version; any thread may ask."""

    def __init__(self, store: Store, counts: Callable[[str], bool]) -> None:
        """``counts``: whether the neighbourhoods of a dataset count for what lies in them of other datasets."""
        self._store = store
        self._counts = counts
        self._lock = threading.Lock()
        self._pinned: OrderedDict[str, Snapshot] = OrderedDict()
        self._parts: OrderedDict[tuple[str, frozenset[str]], Baseline] = OrderedDict()
        self._present: Snapshot | None = None
        self._until: Micros | None = None
        self._turn = 0

    def changed(self) -> None:
        """Features have changed, so the present city may have."""
        with self._lock:
            self._present = None
            self._turn += 1

    def listen(self, change: Change) -> None:
        """The law has changed: whose neighbourhoods count may have changed with it."""
        if change.changed and change.kind in ("participant", "dataset", "rulebook"):
            self.changed()

    def present(self) -> Snapshot:
        """The city as it is known now; without any neighbourhood it has no parts."""
        now = clock.now()
        with self._lock:
            if self._present is not None and (self._until is None or now < self._until):
                return self._present
            turn = self._turn
        features, until = standing(self._store.observations.features(*KINDS), now)
        found = snapshot(features, self._counts)
        with self._lock:
            # What changed while it was being put together is seen by whoever asks next.
            if turn == self._turn:
                self._present, self._until = found, until
        return found

    def pin(self) -> str:
        """Keep the present city; returns its version. Raises ``Conflict`` while there is none."""
        found = self.present()
        if not found.parts:
            raise Conflict("there are no neighbourhoods yet, so there is nothing to branch from")
        self._keep(found)
        return found.version

    def keep(self, version: str) -> None:
        """Keep a baseline that is in use here also where the last that rested on it was deleted just now."""
        if self._store.scenarios.baseline_at(version) is None:
            present = self.present()
            self._keep(present if present.version == version else self.pinned(version))

    def _keep(self, found: Snapshot) -> None:
        # A whole city is packed for it, so what is kept already is not kept again.
        if self._store.scenarios.baseline_at(found.version) is None:
            self._store.scenarios.keep_baseline(found, clock.now())

    def pinned(self, version: str) -> Snapshot:
        """A kept baseline; raises ``NotFound``."""
        with self._lock:
            known = self._pinned.get(version)
            if known is not None:
                self._pinned.move_to_end(version)
                return known
        found = self._store.scenarios.baseline(version)
        if found is None:
            raise NotFound("the baseline of this scenario is not kept any more")
        with self._lock:
            self._pinned[version] = found
            while len(self._pinned) > REMEMBERED:
                self._pinned.popitem(last=False)
        return found

    def part(self, version: str, datasets: Collection[str]) -> Baseline:
        """What these datasets give of a kept baseline, one object for all runs on it; raises ``NotFound``."""
        key = (version, frozenset(datasets))
        with self._lock:
            if key in self._parts:
                self._parts.move_to_end(key)
                return self._parts[key]
        made = self.pinned(version).of(datasets)
        with self._lock:
            kept = self._parts.setdefault(key, made)
            while len(self._parts) > REMEMBERED:
                self._parts.popitem(last=False)
        return kept

    def geometries(self, version: str) -> dict[str, dict[str, Any]]:
        """The geometry of each neighbourhood of a baseline, by id."""
        return {area.id: area.geometry for part in self.pinned(version).parts for area in part.areas}
