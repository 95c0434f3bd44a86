"""Use cases of the platform's readers: last values, history, features, outcomes, rejects; behind the gate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import msgspec

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import CORRECTED, Micros, ObservationBatch
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import InputRefused, NotFound, Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.tally import Tally
from dmi_platform import quality
from dmi_platform.messages import envelope_of
from dmi_platform.model import FEATURE_KINDS, OPERATOR, Cursor, Datastream, Outcome, Reject
from dmi_platform.processing import Processor
from dmi_platform.registry import Registry
from dmi_platform.rows import Page, Rows
from dmi_platform.store import Store, Table
from dmi_platform.telling import Telling

LATEST_ROWS: Final = 100_000
"""Most last values in one answer: a dataset has one a datastream."""
SAMPLE_ROWS: Final = 10
READ: Final = "dmi:read"


@dataclass(frozen=True, slots=True)
class Listed:
    """A datastream in a list; ``placed`` when the caller may see where it is, without what is ``emptied``."""

    stream: Datastream
    placed: bool
    emptied: frozenset[str] = frozenset()


class Platform:
    """What callers can ask of the platform."""

    def __init__(self, store: Store, registry: Registry, gate: Gate, processor: Processor) -> None:
        self.store = store
        self.gate = gate
        self._registry = registry
        self._rows = Rows(store, registry, gate)
        self._telling = Telling(store, registry, gate, self._rows)
        self._processor = processor

    # -- datastreams and features ---------------------------------------------

    def datastreams(
        self, opening: Opening, dataset: str | None, observed_property: str | None, after: str, limit: int
    ) -> list[Listed]:
        """Datastreams of a dataset, or of all that the caller may read, by id; about persons: those with a row.

        A row that the caller may see; and where it is kept to an area, those inside. By a property those alone are
        found of which it is told.
        """

        def found_by(permit: Permit) -> bool:
            return observed_property is None or "observed_property" not in permit.emptied

        self._registry.refresh()
        if dataset is not None:
            permits = {dataset: opening.permit(dataset)}
            asked = {name: permit for name, permit in permits.items() if found_by(permit)}
            found = self._telling.streams(asked, observed_property, after, limit)
        else:
            foreseen = {each: opening.foreseen(each) for each in self.store.datasets()}
            known = {each: permit for each, permit in foreseen.items() if permit and found_by(permit)}
            found = self._telling.streams(known, observed_property, after, limit)
            # Of what nothing is told nothing is used.
            permits = {each: opening.permit(each) for each in sorted({stream.dataset for stream in found})}
        return [
            Listed(stream, permits[stream.dataset].exact, permits[stream.dataset].emptied) for stream in found
        ]

    def features(
        self, opening: Opening, kind: str, dataset: str, after: str, limit: int
    ) -> tuple[list[Feature], bool]:
        """Features of a dataset valid now, by id, and whether the caller may see where they are.

        Of data about persons the things alone that have a row which the caller may see; see ``Telling``.
        """
        if kind not in FEATURE_KINDS:
            raise InputRefused.of("kind", f"must be one of {', '.join(sorted(FEATURE_KINDS))}", kind)
        permit = opening.permit(dataset)
        self._registry.refresh()
        told = self._telling.features(permit)
        found, exact = self.store.features(dataset, kind, after, limit, clock.now(), told), permit.exact
        return [_without(permit.emptied, feature) for feature in found] if permit.emptied else found, exact

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
        for stream in [self._told(opening, name) for name in datastreams]:
            keys = wanted.setdefault(stream.dataset, [])
            if keys is not None:
                keys.append(stream.key)
        permits = self._permitted(opening, wanted)
        return [self._latest(permits[each], keys) for each, keys in wanted.items()]

    def _permitted(self, opening: Opening, datasets: Collection[str]) -> dict[str, Permit]:
        """The permits of all these datasets, or ``Refused`` before any of them is used."""
        permits = {}
        for each in datasets:
            foreseen = opening.foreseen(each)
            if foreseen is None:
                permits[each] = opening.permit(each)
            else:
                # Refused where means of many are given alone: then there is nothing to use it for.
                self.gate.judge(foreseen, ObservationBatch(each, [], [], []))
        return {each: permits.get(each) or opening.permit(each) for each in datasets}

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
        batch = self._rows.passed(permit, table).batch
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
        stream = self._told(opening, datastream)
        permit = opening.permit(stream.dataset)
        page = self._rows.page(permit, stream, begin, end, after, limit, self._still(opening, permit))
        self._given(permit, page.batch)
        return page

    def export(
        self, opening: Opening, permit: Permit, begin: Micros, end: Micros, size: int
    ) -> Iterator[Page]:
        """All rows of a dataset, datastream by datastream; asks the gate again for every page."""
        with closing(Tally(self.gate, permit)) as tally:
            for page in self._rows.pages(permit, begin, end, size, self._still(opening, permit)):
                tally.add(len(page.batch))
                yield page

    def _still(self, opening: Opening, permit: Permit) -> Callable[[], None]:
        """Asks the gate again, for what takes longer than a moment.

        And whether the keys under the caller's token still count: the gate knows of agreements alone. That a token
        expires meanwhile ends no answer to what was asked in time.
        """

        def still() -> None:
            distrusted = opening.distrusted()
            if distrusted is not None:
                raise distrusted
            self.gate.still(permit)

        return still

    def _told(self, opening: Opening, identifier: str) -> Datastream:
        """A known datastream; raises ``NotFound``, also for one of persons of whose data the caller may see nothing."""
        found = self._registry.stream(identifier)
        if found is None or opening.hides(found.dataset):
            raise NotFound("no datastream has this id")
        return found

    def correct(self, request: SubjectRequest) -> int:
        """Correct a person's rows, and pass the quarters of an hour on in which they lie; how many rows."""

        # A request of before a start is carried out first of all: nothing else has asked for what is stored by then.
        self._registry.refresh()

        def tell(table: Table) -> Message:
            batch = self._rows.batch(request.dataset, table)
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


def _without(emptied: Collection[str], feature: Feature) -> Feature:
    """A feature that tells nothing of what its rows lose."""
    kept = {name: value for name, value in feature.properties.items() if name not in emptied}
    hidden = "observed_property" in emptied
    suffix = f" {feature.properties.get('observed_property')}" if hidden else ""
    return msgspec.structs.replace(feature, properties=kept, name=feature.name.removesuffix(suffix))
