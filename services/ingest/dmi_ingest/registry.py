"""The datastreams that observations may name, in memory, so that intake asks the store for none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable

from dmi_agreements.contracts.features import Feature
from dmi_ingest.ports import Streams
from dmi_ingest.store.features import KnownStream


class Registry:
    """Known datastreams. Another process may make new ones, so what is missing is looked up in the store.

    So is, at each time, what is a person's or in a dataset with personal data (``personal``): another process may have
    changed whose it is, and rows must not go on as somebody else's.
    """

    def __init__(self, store: Streams, personal: Callable[[str], bool]) -> None:
        self._store = store
        self.personal = personal
        self._known: dict[str, KnownStream] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Read all datastreams from the store."""
        self._known.update(self._store.streams())

    def get(self, datastream: str) -> KnownStream | None:
        """A datastream, if it is in memory."""
        return self._known.get(datastream)

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Those of which the store must be asked."""
        return {
            identifier for identifier in ids
            if (known := self._known.get(identifier)) is None or self.of_person(known)
        }  # fmt: skip

    def of_person(self, known: KnownStream) -> bool:
        """Whether rows of a datastream are, or may be, about a person."""
        return known.subject is not None or self.personal(known.dataset)

    def look_up(self, ids: Collection[str]) -> None:
        """Take those that the store has into memory; what it has no longer is forgotten."""
        # In turn, so that what was read before a change does not take the place of what was read after it.
        with self._lock:
            found = self._store.streams(ids)
            self._known.update(found)
            for identifier in ids:
                if identifier not in found:
                    self._known.pop(identifier, None)

    def changed(self, features: Iterable[Feature], followed: Iterable[str] = ()) -> None:
        """Read again what was just stored, and the datastreams that ``followed`` from it."""
        streams = [feature.id for feature in features if feature.kind == "datastream"] + [*followed]
        if streams:
            self.look_up(streams)

    def forget(self, ids: Iterable[str]) -> None:
        """These exist no longer."""
        for identifier in ids:
            self._known.pop(identifier, None)

    def unused(self, ids: Iterable[str]) -> set[str]:
        """Those on which no observation rests so far."""
        return {i for i in ids if (known := self._known.get(i)) is not None and not known.used}

    def mark_used(self, ids: Collection[str]) -> None:
        """From now on observations rest on these; stored before the first of them is handed over."""
        with self._lock:
            self._store.mark_used(ids)
            for identifier in ids:
                known = self._known.get(identifier)
                if known is not None:
                    self._known[identifier] = KnownStream(known.dataset, known.subject, True)
