"""Rows as they pass the gate: batches, pages of a history, and means of whole windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dmi_agreements.aggregation import HOUR
from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.decision import Suppress
from dmi_agreements.duties import together, window
from dmi_agreements.rights import ALL_ROWS
from dmi_infra.gate import Gate, Passed, Permit
from dmi_platform import paging, quality
from dmi_platform.harmonise import merge
from dmi_platform.model import Cursor, Datastream
from dmi_platform.registry import Registry
from dmi_platform.store import Store, Table


class Carry(Protocol):
    """``Gate.carry`` or ``Gate.judge``."""

    def __call__(self, permit: Permit, batch: ObservationBatch, whole: bool = False) -> Passed: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Rows after the gate, and where the next page begins (``None``: this was the last)."""

    batch: ObservationBatch
    next: Cursor | None
    consents: frozenset[str] = frozenset()


class Rows:
    """Reads rows for who holds a permit."""

    def __init__(self, store: Store, registry: Registry, gate: Gate) -> None:
        self._store = store
        self._registry = registry
        self._gate = gate

    def page(
        self, permit: Permit, stream: Datastream, begin: Micros, end: Micros, after: Cursor | None, limit: int,
        still: Callable[[], None],
    ) -> Page:  # fmt: skip
        """A page of a datastream's history; asks ``still`` after every read, before anything is given of it."""
        bounds = self._gate.bounds(permit)
        left_out = self._gate.left_out(permit)
        # Of whom nothing passes nothing is read: a page need not go through all that they have here.
        nothing = frozenset(who for who, until in left_out.items() if until == ALL_ROWS)
        here = stream.position or (None, None)
        given_before: Cursor | None = None

        def read(begin: Micros, end: Micros, after: Cursor | None, limit: int) -> Table:
            return self._store.observations(
                stream.key, begin, end, after or given_before, limit, bounds.subjects, bounds.areas, here, nothing
            )  # fmt: skip

        length = window(permit.duties)
        asked = frozenset() if length is not None else self._gate.asked(permit)
        # What was erased of a person, but not all, the gate alone tells: a page of one row would find it.
        if length is None and not asked and not left_out:
            begin, end = max(begin, bounds.oldest), min(end, bounds.newest + 1)
            table, cursor = paging.page(read, begin, end, after, limit)
            still()
            passed = self.passed(permit, table)
            return Page(passed.batch, cursor, passed.consents)
        first, last = begin, end
        if length is None:
            # What consents ask differs from person to person, so the bounds do not tell which rows pass: the gate does.
            length = HOUR if any(isinstance(duty, Suppress) for duty in asked) else 1
            begin = begin // length * length

        def judge(table: Table) -> Passed:
            still()
            own = self.batch(permit.dataset, table)
            if together(permit.duties):
                return self._means_around(permit, own, length, still)
            judged = self._gate.judge(permit, own)
            return judged.between(first, last) if asked else judged

        if length == 1:
            # A page from before anybody objected may have ended among the rows of one moment.
            given_before = after
        # Of a window that the bounds cut, the gate itself leaves out what must go.
        begin = max(begin, after.time if after else begin, bounds.oldest - length)
        end = min(end, bounds.newest + 1)
        given, cursor = paging.filled(read, judge, begin, end, limit, length)
        if len(given) > 1:
            # The pieces before the last were judged some reads ago.
            still()
        for passed in given:
            for used in passed.used:
                self._gate.deliver(permit, used)
        return _page_of(permit.dataset, given, cursor)

    def _means_around(
        self, permit: Permit, own: ObservationBatch, length: Micros, still: Callable[[], None]
    ) -> Passed:
        """The means, over all datastreams of the dataset, of the areas and windows that these rows lie in."""
        if not len(own):
            return Passed(own, frozenset())
        wanted = self._series(permit, own, length)
        first, last = min(wanted), max(wanted) + length
        pieces = list(self._means(permit, first, last, self._gate.judge, still))
        batch = merge([piece.batch for piece in pieces])
        consents = frozenset().union(*(piece.consents for piece in pieces))
        used = tuple(_of_means(used, wanted) for piece in pieces for used in piece.used)
        return Passed(_of_means(batch, wanted), consents, used=used)

    def _series(self, permit: Permit, own: ObservationBatch, length: Micros) -> dict[Micros, frozenset[str]]:
        """The ids of the means that rows contribute to, window by window: what moves lies elsewhere in the next."""
        rows: dict[Micros, list[int]] = {}
        for row, time in enumerate(own.phenomenon_time):
            rows.setdefault(time // length * length, []).append(row)
        nowhere = [None] * len(own)
        places = list(
            zip(own.longitude or nowhere, own.latitude or nowhere, own.neighbourhood or nowhere, strict=True)
        )
        # What does not move lies in the same places in all windows, and finding an area costs a projection.
        known: dict[frozenset[object], frozenset[str]] = {}
        found = {}
        for start, members in rows.items():
            where: frozenset[object] = frozenset(places[row] for row in members)
            if where not in known:
                known[where] = self._gate.series(permit, own.take(members))
            found[start] = known[where]
        return found

    def _means(
        self, permit: Permit, begin: Micros, end: Micros, carry: Carry, still: Callable[[], None]
    ) -> Iterator[Passed]:
        """The means of a dataset, piece by piece; asks ``still`` before every piece."""
        length = window(permit.duties)
        assert length is not None, "means are of windows"
        first, last = paging.whole(begin, length), paging.whole(end, length)
        extent = self._store.extent(permit.dataset, first, last)
        if extent is None:
            return
        subjects = self._gate.subjects(permit)

        def read(begin: Micros, end: Micros, limit: int) -> Table:
            return self._store.span(permit.dataset, begin, end, limit, subjects)

        first, last = extent[0] // length * length, (extent[1] // length + 1) * length
        for table in paging.windows(read, first, last, length):
            still()
            yield carry(permit, self.batch(permit.dataset, table), whole=True)

    def passed(self, permit: Permit, table: Table) -> Passed:
        """What of rows passes; who is served is recorded."""
        return self._gate.carry(permit, self.batch(permit.dataset, table))

    def batch(self, dataset: str, table: Table) -> ObservationBatch:
        """Rows as the gate judges them, each with its place; that of its thing where it has none of its own."""
        streams = [self._registry.by_key(key) for key in table.keys]
        columns = table.columns
        places = [stream.position or (None, None) for stream in streams]
        longitude, latitude = columns["longitude"], columns["latitude"]
        return ObservationBatch(
            dataset=dataset,
            datastream=[stream.id for stream in streams],
            phenomenon_time=columns["time"],
            result=columns["result"],
            longitude=[p[0] if own is None else own for own, p in zip(longitude, places, strict=True)],
            latitude=[p[1] if own is None else own for own, p in zip(latitude, places, strict=True)],
            subject=columns["subject"],
            source_id=[source or None for source in columns["source_id"]],
            observed_property=[stream.observed_property for stream in streams],
            unit=[stream.unit for stream in streams],
            raw_result=columns["raw_result"],
            flags=quality.unpack(columns["flags"]),
            neighbourhood=columns["neighbourhood"],
        )

    def pages(
        self, permit: Permit, begin: Micros, end: Micros, size: int, still: Callable[[], None]
    ) -> Iterator[Page]:
        """All rows of a dataset, datastream by datastream; asks ``still`` for every page."""
        self._registry.refresh()
        if together(permit.duties):
            for passed in self._means(permit, begin, end, self._gate.carry, still):
                yield Page(passed.batch, None, passed.consents)
            return
        last = ""
        while names := self._store.datastream_ids([permit.dataset], None, last, size):
            last = names[-1]
            for name in names:
                stream = self._registry.stream(name)
                cursor: Cursor | None = None
                while stream is not None:
                    page = self.page(permit, stream, begin, end, cursor, size, still)
                    yield page
                    cursor = page.next
                    if cursor is None:
                        break


def _of_means(batch: ObservationBatch, wanted: Mapping[Micros, frozenset[str]]) -> ObservationBatch:
    """What stands under the ids and windows of these means."""
    rows = zip(batch.phenomenon_time, batch.datastream, strict=True)
    return batch.take([row for row, (start, name) in enumerate(rows) if name in wanted.get(start, ())])


def _page_of(dataset: str, given: Sequence[Passed], cursor: Cursor | None) -> Page:
    """Pieces as one page; those without rows have no columns to speak of."""
    found = [passed for passed in given if len(passed.batch)]
    if not found:
        return Page(ObservationBatch(dataset, [], [], []), cursor)
    consents = frozenset().union(*(passed.consents for passed in found))
    return Page(merge([passed.batch for passed in found]), cursor, consents)
