"""Use cases of the platform's readers: last values, history, features, outcomes, rejects; behind the gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Protocol

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import CORRECTED, Micros, ObservationBatch
from dmi_agreements.duties import together, window
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import InputRefused, NotFound, Refused
from dmi_infra.gate import Gate, Passed, Permit
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.tally import Tally
from dmi_platform import paging, quality
from dmi_platform.harmonise import merge
from dmi_platform.messages import envelope_of
from dmi_platform.model import FEATURE_KINDS, OPERATOR, Cursor, Datastream, Outcome, Reject, Whose
from dmi_platform.processing import Processor
from dmi_platform.registry import Registry
from dmi_platform.store import Store, Table
from dmi_platform.telling import sensors_told


class Carry(Protocol):
    """``Gate.carry`` or ``Gate.judge``."""

    def __call__(self, permit: Permit, batch: ObservationBatch, whole: bool = False) -> Passed: ...


LATEST_ROWS: Final = 100_000
"""Most last values in one answer: a dataset has one a datastream."""
MOST_STREAMS: Final = 100_000
"""Most datastreams of a dataset of persons whose things are told."""
SAMPLE_ROWS: Final = 10
READ: Final = "dmi:read"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows after the gate, and where the next page begins (``None``: this was the last)."""

    batch: ObservationBatch
    next: Cursor | None
    consents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """A datastream in a list; ``placed`` when the caller may see where it is."""

    stream: Datastream
    placed: bool


class Platform:
    """What callers can ask of the platform."""

    def __init__(self, store: Store, registry: Registry, gate: Gate, processor: Processor) -> None:
        self.store = store
        self.gate = gate
        self._registry = registry
        self._processor = processor

    # -- datastreams and features ---------------------------------------------

    def datastreams(
        self, opening: Opening, dataset: str | None, observed_property: str | None, after: str, limit: int
    ) -> list[Listed]:
        """Datastreams of a dataset, or of all that the caller may read, by id; about persons: those with a row."""
        self._registry.refresh()
        permits = {permit.dataset: permit for permit in self._permits(opening, dataset)}
        of = {
            name: who
            for name, permit in permits.items()
            if (who := sensors_told(self.gate, permit)) is not None
        }
        names = self.store.datastream_ids(sorted(permits), observed_property, after, limit, of)
        found = [self._registry.stream(name) for name in names]
        return [Listed(s, permits[s.dataset].exact) for s in found if s is not None]

    def features(
        self, opening: Opening, kind: str, dataset: str, after: str, limit: int
    ) -> tuple[list[Feature], bool]:
        """Features of a dataset valid now, by id, and whether the caller may see where they are.

        Of data about persons the things alone that have a row which the caller may see.
        """
        if kind not in FEATURE_KINDS:
            raise InputRefused.of("kind", f"must be one of {', '.join(sorted(FEATURE_KINDS))}", kind)
        permit = opening.permit(dataset)
        who = sensors_told(self.gate, permit)
        wanted = None if who is None else self._things_of(dataset, who)
        return self.store.features(dataset, kind, after, limit, clock.now(), wanted), permit.exact

    def _things_of(self, dataset: str, who: Whose) -> frozenset[str]:
        """The ids of the datastreams whose last value is theirs, and of the things that they belong to."""
        self._registry.refresh()
        names = self.store.datastream_ids([dataset], None, "", MOST_STREAMS, {dataset: who})
        found = [stream for name in names if (stream := self._registry.stream(name)) is not None]
        return frozenset(names).union(stream.thing for stream in found)

    def _permits(self, opening: Opening, dataset: str | None) -> list[Permit]:
        if dataset is not None:
            return [opening.permit(dataset)]
        return [opening.permit(each) for each in self.store.datasets() if not opening.preview(each)]

    # -- observations ---------------------------------------------------------

    def latest(
        self, opening: Opening, dataset: str | None, datastreams: Sequence[str]
    ) -> list[ObservationBatch]:
        """Last values of a dataset or of some datastreams, one batch a dataset; each dataset is permitted."""
        if (dataset is None) == (not datastreams):
            raise InputRefused.of("datastream", "give either dataset or one or more datastream")
        self._registry.refresh()
        wanted: dict[str, list[int] | None] = {}
        if dataset is not None:
            wanted[dataset] = None
        for stream in map(self.datastream, datastreams):
            keys = wanted.setdefault(stream.dataset, [])
            if keys is not None:
                keys.append(stream.key)
        permits = {each: opening.permit(each) for each in wanted}
        return [self._latest(permits[each], keys) for each, keys in wanted.items()]

    def sample(self, opening: Opening, dataset: str) -> ObservationBatch:
        """A few rows, for whoever may read the dataset, else under what its owner allows of a sample."""
        reader, acting = opening.identity.participant, opening.identity.acting
        self._registry.refresh()
        against = self.gate.allows("query", READ, dataset, opening.purpose, reader, acting)
        if against:
            try:
                permit = self.gate.permit(
                    opening.crossing, opening.action, dataset, opening.purpose, reader, READ, acting=acting
                )
            except Refused as exc:
                if any(reason.code != "no_agreement" for reason in exc.reasons):
                    raise
                # That nobody allows a sample says nothing: what keeps an agreement to read from being one does.
                raise Refused(against, dataset) from exc
        else:
            permit = self.gate.permit("query", READ, dataset, opening.purpose, reader, acting=acting)
        return self._latest(permit, None, SAMPLE_ROWS)

    def _latest(self, permit: Permit, keys: list[int] | None, most: int = LATEST_ROWS) -> ObservationBatch:
        table = self.store.latest(permit.dataset, keys, self.gate.subjects(permit), most)
        batch = self._passed(permit, table).batch
        self._given(permit, batch)
        return batch

    def _given(self, permit: Permit, batch: ObservationBatch) -> None:
        if len(batch):
            self.gate.given(permit, len(batch))

    def observations(
        self,
        opening: Opening,
        datastream: str,
        begin: Micros,
        end: Micros,
        after: Cursor | None,
        limit: int,
    ) -> Page:
        """A page of a datastream's history."""
        self._registry.refresh()
        stream = self.datastream(datastream)
        permit = opening.permit(stream.dataset)
        page = self._page(permit, stream, begin, end, after, limit)
        self._given(permit, page.batch)
        return page

    def export(self, permit: Permit, begin: Micros, end: Micros, size: int) -> Iterator[Page]:
        """All rows of a dataset, datastream by datastream; asks the gate again before every page."""
        with closing(Tally(self.gate, permit)) as tally:
            for page in self._pages(permit, begin, end, size):
                tally.add(len(page.batch))
                yield page

    def _pages(self, permit: Permit, begin: Micros, end: Micros, size: int) -> Iterator[Page]:
        self._registry.refresh()
        if together(permit.duties):
            for passed in self._means(permit, begin, end, self.gate.carry):
                yield Page(passed.batch, None, passed.consents)
            return
        last = ""
        while names := self.store.datastream_ids([permit.dataset], None, last, size):
            last = names[-1]
            for name in names:
                stream = self._registry.stream(name)
                cursor: Cursor | None = None
                while stream is not None:
                    self.gate.still(permit)
                    page = self._page(permit, stream, begin, end, cursor, size)
                    yield page
                    cursor = page.next
                    if cursor is None:
                        break

    def datastream(self, identifier: str) -> Datastream:
        """A known datastream; raises ``NotFound``."""
        found = self._registry.stream(identifier)
        if found is None:
            raise NotFound("no datastream has this id")
        return found

    def _page(
        self, permit: Permit, stream: Datastream, begin: Micros, end: Micros, after: Cursor | None, limit: int
    ) -> Page:
        bounds = self.gate.bounds(permit)
        here = stream.position or (None, None)

        def read(begin: Micros, end: Micros, after: Cursor | None, limit: int) -> Table:
            return self.store.observations(
                stream.key, begin, end, after, limit, bounds.subjects, bounds.areas, here
            )

        length = window(permit.duties)
        if length is None:
            begin, end = max(begin, bounds.oldest), min(end, bounds.newest + 1)
            table, cursor = paging.page(read, begin, end, after, limit)
            passed = self._passed(permit, table)
            return Page(passed.batch, cursor, passed.consents)

        def judge(table: Table) -> Passed:
            own = self._batch(permit.dataset, table)
            if together(permit.duties):
                return self._means_around(permit, own, length)
            return self.gate.judge(permit, own)

        # Of a window that the bounds cut, the gate itself leaves out what must go.
        begin = max(begin, after.time if after else begin, bounds.oldest - length)
        end = min(end, bounds.newest + 1)
        given, cursor = paging.filled(read, judge, begin, end, limit, length)
        for passed in given:
            for used in passed.used:
                self.gate.deliver(permit, used)
        return _page_of(permit.dataset, given, cursor)

    def _means_around(self, permit: Permit, own: ObservationBatch, length: Micros) -> Passed:
        """The means, over all datastreams of the dataset, of the areas and windows that these rows lie in."""
        if not len(own):
            return Passed(own, frozenset())
        wanted = self._series(permit, own, length)
        pieces = list(self._means(permit, min(wanted), max(wanted) + length, self.gate.judge))
        batch = merge([piece.batch for piece in pieces])
        means = zip(batch.phenomenon_time, batch.datastream, strict=True)
        kept = batch.take([row for row, (start, name) in enumerate(means) if name in wanted.get(start, ())])
        consents = frozenset().union(*(piece.consents for piece in pieces))
        return Passed(kept, consents, used=tuple(used for piece in pieces for used in piece.used))

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
                known[where] = self.gate.series(permit, own.take(members))
            found[start] = known[where]
        return found

    def _means(self, permit: Permit, begin: Micros, end: Micros, carry: Carry) -> Iterator[Passed]:
        """The means of a dataset, piece by piece; asks the gate again before every piece."""
        length = window(permit.duties)
        assert length is not None, "means are of windows"
        first, last = paging.whole(begin, length), paging.whole(end, length)
        extent = self.store.extent(permit.dataset, first, last)
        if extent is None:
            return
        subjects = self.gate.subjects(permit)

        def read(begin: Micros, end: Micros, limit: int) -> Table:
            return self.store.span(permit.dataset, begin, end, limit, subjects)

        first, last = extent[0] // length * length, (extent[1] // length + 1) * length
        for table in paging.windows(read, first, last, length):
            self.gate.still(permit)
            yield carry(permit, self._batch(permit.dataset, table), whole=True)

    def _passed(self, permit: Permit, table: Table) -> Passed:
        return self.gate.carry(permit, self._batch(permit.dataset, table))

    def _batch(self, dataset: str, table: Table) -> ObservationBatch:
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

    def correct(self, request: SubjectRequest) -> int:
        """Correct a person's rows, and pass the quarters of an hour on in which they lie; how many rows."""

        def tell(table: Table) -> Message:
            batch = self._batch(request.dataset, table)
            envelope = envelope_of(CORRECTED, request.dataset, request.id)
            return Message(f"{request.dataset}#0", encode(batch), envelope)

        return self.store.correct(
            request.dataset, request.person, request.corrections, quality.UNTESTED, tell
        )

    # -- outcomes and rejects -------------------------------------------------

    def outcome(self, identity: Identity, identifier: str) -> Outcome:
        """What became of a batch, or of all batches of an import; raises ``NotFound``.

        Told to the owner of the dataset, to who handed in, and to the operator; for others it does not exist.
        """
        found = self.store.outcome(identifier, self._visible(identity), identity.participant)
        if found is None:
            raise NotFound(
                "no batch or import with this id, of yours or into your datasets, has been processed"
            )
        return found

    def rejects(
        self,
        identity: Identity,
        dataset: str | None,
        reason: str | None,
        pending: bool,
        before: int | None,
        limit: int,
    ) -> list[Reject]:
        """Rejects of the caller's datasets (an operator: of all), newest first."""
        mine = self._visible(identity)
        if dataset is not None:
            mine = {dataset} if mine is None or dataset in mine else set()
        return self.store.rejects(mine, reason, pending, before, limit)

    def reject(self, identity: Identity, identifier: int) -> Reject:
        """One reject; raises ``NotFound`` for one that the caller may not see."""
        found = self.store.reject(identifier)
        mine = self._visible(identity)
        if found is None or (mine is not None and found.dataset not in mine):
            raise NotFound("no reject has this number")
        return found

    def personal(self, dataset: str) -> bool:
        """Whether rows of a dataset are about persons; one that the law does not know counts as personal."""
        known = self.gate.law.datasets.get(dataset)
        return known is None or known.personal

    def replay(self, identity: Identity, identifier: int) -> Outcome:
        """Process a reject again, as if it had just arrived."""
        return self._processor.replay(self.reject(identity, identifier).id)

    def _visible(self, identity: Identity) -> set[str] | None:
        """Datasets whose outcomes and rejects an identity may see as their owner; ``None``: all."""
        if identity.has(OPERATOR):
            return None
        return {
            identifier
            for identifier, dataset in self.gate.law.datasets.items()
            if dataset.owner == identity.participant
        }


def _page_of(dataset: str, given: Sequence[Passed], cursor: Cursor | None) -> Page:
    """Pieces as one page; those without rows have no columns to speak of."""
    found = [passed for passed in given if len(passed.batch)]
    if not found:
        return Page(ObservationBatch(dataset, [], [], []), cursor)
    consents = frozenset().union(*(passed.consents for passed in found))
    return Page(merge([passed.batch for passed in found]), cursor, consents)
