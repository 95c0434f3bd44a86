"""The map as it is now, in memory, and the open streams that follow it."""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_infra.corrections import Part
from dmi_infra.places import follows
from dmi_visualisation.labels import Timetables
from dmi_visualisation.model import BUCKET, Shown
from dmi_visualisation.search import Gazetteer

Numbered = tuple[int, Shown]
"""A row and its number: each newest value gets the next one, whatever its dataset. No reader may learn it."""

ALL: Final = -1
"""Behind this number lie the newest values of all datastreams."""


class Stream:
    """One open stream: rows arrive from the consumer's thread and are read in the event loop.

    Of each datastream the newest row waits, so that a slow reader gets the state and never a backlog.
    """

    def __init__(
        self,
        dataset: str,
        loop: asyncio.AbstractEventLoop,
        woken: asyncio.Event,
        reached: int,
        first: Iterable[Numbered],
    ) -> None:
        self.dataset = dataset
        self.law_changed = False
        self.reached = reached
        """The number up to which all rows have come."""
        self._loop = loop
        self._woken = woken
        self._newest: dict[str, Numbered] = {row.datastream: (number, row) for number, row in first}

    def offer(self, rows: Sequence[Numbered] | None) -> None:
        """Hand over rows, or ``None`` to have the reader ask the gate again; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._put, rows)
        except RuntimeError:
            # The loop has closed: the reader is gone and its route removes the stream.
            return

    def _put(self, rows: Sequence[Numbered] | None) -> None:
        if rows is None:
            self.law_changed = True
        else:
            self._newest.update((row.datastream, (number, row)) for number, row in rows)
            self.reached = rows[-1][0]
        self._woken.set()

    def take(self) -> dict[str, Numbered]:
        """What has come since the last time, by datastream."""
        taken, self._newest = self._newest, {}
        return taken


class LiveMap:
    """Newest values and places by dataset. One thread writes; readers take whole values only."""

    def __init__(self) -> None:
        self.timetables = Timetables()
        self._lock = threading.Lock()
        self._newest: dict[str, dict[str, Shown]] = {}
        self._places: dict[str, dict[str, Feature]] = {}
        self._gazetteer = Gazetteer()
        self._ends: dict[str, list[Micros]] = {}
        self._streams: frozenset[Stream] = frozenset()
        self._number = 0
        self._numbers: dict[str, dict[str, int]] = {}
        self._versions: dict[str, int] = {}

    def load(self, features: Iterable[tuple[str, Feature]], rows: Iterable[Shown]) -> None:
        """Start from what the store holds."""
        for dataset, feature in features:
            self._place(dataset, feature)
        for row in rows:
            self._newest.setdefault(row.dataset, {})[row.datastream] = row

    def update(
        self,
        features: Sequence[tuple[str, Feature]],
        rows: Sequence[Shown],
        corrected: Collection[Part] = (),
    ) -> None:
        """Take in what was stored, and tell the streams of its datasets; as ``Store.save``."""
        by_dataset: dict[str, list[Numbered]] = {}
        with self._lock:
            for dataset, feature in features:
                self._place(dataset, feature)
            self._drop(corrected)
            for row in rows:
                known = self._newest.setdefault(row.dataset, {}).get(row.datastream)
                if known is None or row.phenomenon_time >= known.phenomenon_time:
                    self._newest[row.dataset][row.datastream] = row
                    self._number += 1
                    self._numbers.setdefault(row.dataset, {})[row.datastream] = self._number
                    by_dataset.setdefault(row.dataset, []).append((self._number, row))
            for dataset in by_dataset:
                self._versions[dataset] = self._versions.get(dataset, 0) + 1
            # With the lock, so that a stream that opens now gets each row once: with its first ones, or offered.
            for stream in self._streams:
                if stream.dataset in by_dataset:
                    stream.offer(by_dataset[stream.dataset])

    def forget_before(self, dataset: str, at: Micros) -> None:
        """Show no values of a dataset any more that are from before a moment."""
        with self._lock:
            known = self._newest.get(dataset, {})
            kept = {name: row for name, row in known.items() if row.phenomenon_time >= at}
            if len(kept) < len(known):
                self._newest[dataset] = kept
                self._versions[dataset] = self._versions.get(dataset, 0) + 1

    def forget_person(self, dataset: str, person: str, until: Micros) -> None:
        """Show no values of a person any more that are from up to a moment."""
        with self._lock:
            known = self._newest.get(dataset, {})
            kept = {
                name: row
                for name, row in known.items()
                if row.subject != person or row.phenomenon_time > until
            }
            if len(kept) < len(known):
                self._newest[dataset] = kept
                self._versions[dataset] = self._versions.get(dataset, 0) + 1

    def law_changed(self, datasets: Collection[str] = ()) -> None:
        """Have every open stream on one of these datasets ask the gate again at once; none named: every stream."""
        for stream in self._streams:
            if not datasets or stream.dataset in datasets:
                stream.offer(None)

    def open(self, dataset: str, woken: asyncio.Event, after: int | None = None) -> Stream:
        """A new stream on a dataset, in the running event loop, which sets ``woken``.

        With ``after`` it begins with the newest values that have a greater number.
        """
        with self._lock:
            numbers = self._numbers.get(dataset, {})
            known = self._newest.get(dataset, {}) if after is not None else {}
            news = [(numbers.get(name, 0), row) for name, row in known.items()]
            first = [(number, row) for number, row in news if after is not None and number > after]
            stream = Stream(dataset, asyncio.get_running_loop(), woken, self._number, first)
            self._streams |= {stream}
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        with self._lock:
            self._streams -= {stream}

    def rows(self, dataset: str) -> list[Shown]:
        """The newest value of each datastream of a dataset."""
        with self._lock:
            return list(self._newest.get(dataset, {}).values())

    def row(self, datastream: str) -> Shown | None:
        """The newest value of one datastream."""
        with self._lock:
            return next((rows[datastream] for rows in self._newest.values() if datastream in rows), None)

    def places(self, dataset: str, *kinds: str) -> list[Feature]:
        """The features of a dataset, of these kinds, newest version each, without those that have ended."""
        with self._lock:
            found = list(self._places.get(dataset, {}).values())
        now = clock.now()
        return [feature for feature in found if (not kinds or feature.kind in kinds) and _lasts(feature, now)]

    def place(self, dataset: str, identifier: str) -> Feature | None:
        """One feature; a datastream without a place of its own gets that of its thing."""
        with self._lock:
            return _settled(self._places.get(dataset, {}), identifier)

    def places_of(self, rows: Sequence[Shown]) -> list[Feature | None]:
        """The ``place`` of each row's datastream."""
        with self._lock:
            return [_settled(self._places.get(row.dataset, {}), row.datastream) for row in rows]

    def named(self, text: str, datasets: Collection[str]) -> list[tuple[str, Feature]]:
        """Places of these datasets with such a name, in no order; see ``Gazetteer.find``."""
        with self._lock:
            keys = self._gazetteer.find(text, datasets)
            found = [(dataset, self._places[dataset][identifier]) for dataset, identifier in keys]
        now = clock.now()
        return [(dataset, feature) for dataset, feature in found if _lasts(feature, now)]

    def next_end(self, dataset: str) -> Micros:
        """When the next place of a dataset ends by itself, without a change that is told here; 0: none does."""
        now = clock.now()
        with self._lock:
            ends = self._ends.get(dataset, [])
            while ends and ends[0] <= now:
                heapq.heappop(ends)
            return ends[0] if ends else 0

    def version(self, dataset: str) -> int:
        """Rises with every change of the dataset's newest values."""
        return self._versions.get(dataset, 0)

    def datasets(self) -> frozenset[str]:
        """Datasets that something is known of."""
        with self._lock:
            return frozenset(self._newest) | frozenset(self._places)

    def _drop(self, parts: Collection[Part]) -> None:
        """Show no values any more that lie in these quarters of an hour."""
        for stream, subject, start in parts:
            for dataset, known in self._newest.items():
                row = known.get(stream)
                if row and (row.subject or "") == subject and start <= row.phenomenon_time < start + BUCKET:
                    del known[stream]
                    self._versions[dataset] = self._versions.get(dataset, 0) + 1

    def _place(self, dataset: str, feature: Feature) -> None:
        places = self._places.setdefault(dataset, {})
        known = places.get(feature.id)
        if known is None and feature.replaces_all:
            # Of what was never here there is nothing to take away.
            return
        if follows(feature, known):
            places[feature.id] = feature
            self.timetables.add(dataset, feature)
            self._gazetteer.add(dataset, feature)
            if feature.valid_to is not None:
                heapq.heappush(self._ends.setdefault(dataset, []), feature.valid_to)
            self._versions[dataset] = self._versions.get(dataset, 0) + 1


def _lasts(feature: Feature, now: Micros) -> bool:
    return feature.valid_to is None or now < feature.valid_to


def _settled(known: Mapping[str, Feature], identifier: str) -> Feature | None:
    found = known.get(identifier)
    if found is None or found.geometry is not None:
        return found
    thing = known.get(str(found.properties.get("thing", "")))
    if thing is None or thing.geometry is None:
        return found
    return Feature(found.id, found.kind, found.name, thing.geometry, found.properties)
