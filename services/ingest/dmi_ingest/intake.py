"""The one door for observations: every way in (SensorThings, batches, files) ends here, gated and durable."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.errors import FieldError
from dmi_infra.gate import Permit
from dmi_infra.jose import Acting
from dmi_infra.telemetry import Metrics, current_trace
from dmi_ingest.model import split
from dmi_ingest.ports import Door, Wire
from dmi_ingest.registry import Registry
from dmi_ingest.store.features import Writer

RAW_TOPIC = BY_NAME["raw"].topic or ""
CROSSING = "intake"
NO_CONSENT = FieldError(
    "subject", "the person that the row is about has not consented to it, or is not named"
)
CONTRIBUTE = "dmi:contribute"
PROCESS = "dmi:process"


ON_LOOP = 500
"""Rows of persons that are judged on the event loop; of more, cutting the ends of trips takes tenths of a second."""


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who hands in, and for which purpose."""

    participant: str
    purpose: str | None
    """``None``: the one that the dataset is collected for."""
    acting: Acting | None = None
    """Who hands in for the participant by a mandate, such as a machine of its own."""
    still: Callable[[], None] = field(default=lambda: None, compare=False)
    """Raises ``Unauthenticated`` once a key under its token has ended: for what lasts longer than a request."""

    @property
    def who(self) -> str:
        """Who hands in by its own hand: who acts for the participant, else the participant."""
        return (self.acting.actor if self.acting is not None else "") or self.participant


@dataclass(frozen=True, slots=True)
class Ready:
    """What the gate let through, to be handed over: the rows of each batch, which were withheld, the messages."""

    kept: list[ObservationBatch]
    withheld: list[set[int]]
    messages: list[Message]


def writer(law: LawTable, participant: str, dataset: str) -> Writer:
    """Who hands in features of a dataset, and whose that is; who acts by a mandate does so as the mandator."""
    entry = law.datasets.get(dataset)
    return Writer(participant, entry.owner if entry is not None else "")


class Intake:
    """Asks the gate, then hands over; returns only when the bus has everything durably."""

    def __init__(self, gate: Door, bus: Wire, registry: Registry, metrics: Metrics) -> None:
        self._gate = gate
        self._bus = bus
        self.registry = registry
        self._metrics = metrics
        self._prefix = uuid.uuid4()
        self._numbers = itertools.count()

    def new_id(self) -> str:
        """An id that nothing else has: one random number a process, since each costs a call of the system."""
        return f"{self._prefix}-{next(self._numbers)}"

    def permit(self, contributor: Contributor, dataset: str, rows: int) -> Permit:
        """The right to hand in; raises ``Refused``.

        Duties of this permit are not carried out here: they bind what is delivered, and a delay or an
        aggregation at intake would lose the raw values for good. The platform's own crossing has them. Those of
        the persons' own consents are: what somebody did not want to give is never stored.
        """
        if contributor.participant == self._gate.holder:
            # The gate asks the layer's right alone when layer and caller are one; handing in needs its own.
            self._gate.permit(CROSSING, CONTRIBUTE, dataset, contributor.purpose, rows=rows)
        return self._gate.permit(
            CROSSING, CONTRIBUTE, dataset, contributor.purpose,
            recipient=contributor.participant, holder_action=PROCESS, rows=rows, acting=contributor.acting,
        )  # fmt: skip

    def opens(self, contributor: Contributor, dataset: str) -> bool:
        """Whether who hands in may do so for this dataset now; not recorded."""
        who = contributor
        return not self._gate.entitled(
            CROSSING, CONTRIBUTE, dataset, who.participant, who.purpose, who.acting
        )

    def check(self, contributor: Contributor, dataset: str, rows: int) -> None:
        """Refuse, recorded, before anything is looked up for who may not hand in; no use until it is handed over."""
        if not self.opens(contributor, dataset):
            self.permit(contributor, dataset, rows)

    async def take(self, contributor: Contributor, batches: Sequence[ObservationBatch]) -> list[set[int]]:
        """Hand over batches, each of one dataset; answers the rows of each that were withheld.

        A row of personal data is withheld when its subject has not consented. Raises ``Refused`` before
        anything is handed over.
        """
        return await self.send(await self.ready(contributor, batches))

    async def ready(self, contributor: Contributor, batches: Sequence[ObservationBatch]) -> Ready:
        """The first part of ``take``, which reckons; raises ``Refused``."""
        if any(len(batch) > ON_LOOP and self._of_persons(batch) for batch in batches):
            # Whole, since a trip cannot be cut in pieces.
            return await asyncio.to_thread(self._ready, contributor, batches)
        return self._ready(contributor, batches)

    async def send(self, ready: Ready) -> list[set[int]]:
        """The second part of ``take``, which waits for the bus."""
        if unused := self._unused(ready.kept):
            await asyncio.to_thread(self.registry.mark_used, unused)
        if ready.messages:
            await self._bus.publish_async(RAW_TOPIC, ready.messages)
        self._count(ready)
        return ready.withheld

    def take_now(self, contributor: Contributor, batch: ObservationBatch) -> set[int]:
        """As ``take``, from a thread, for one batch."""
        ready = self._ready(contributor, [batch])
        if unused := self._unused(ready.kept):
            self.registry.mark_used(unused)
        if ready.messages:
            self._bus.publish(RAW_TOPIC, ready.messages, timeout=30.0)
        self._count(ready)
        return ready.withheld[0]

    def _of_persons(self, batch: ObservationBatch) -> bool:
        return batch.subject is not None or self.registry.personal(batch.dataset)

    def _ready(self, contributor: Contributor, batches: Sequence[ObservationBatch]) -> Ready:
        ready = Ready([], [], [])
        for batch in batches:
            permit = self.permit(contributor, batch.dataset, len(batch))
            passed, left = self._consented(permit, batch)
            ready.kept.append(passed)
            ready.withheld.append(left)
            ready.messages.extend(self._messages(contributor, permit, passed))
        return ready

    def _consented(self, permit: Permit, batch: ObservationBatch) -> tuple[ObservationBatch, set[int]]:
        """The rows that no person keeps back, recorded so that each of them can read it; and which rows are not."""
        if not len(batch) or (not permit.personal and batch.subject is None):
            return batch, set()
        passed = self._gate.carry(dataclasses.replace(permit, duties=()), batch)
        return passed.batch, set(passed.left)

    def _messages(self, contributor: Contributor, permit: Permit, batch: ObservationBatch) -> list[Message]:
        agreement = permit.agreements[0] if permit.agreements else ""
        now = clock.to_text(clock.now())
        found = []
        for key, part in split(batch) if len(batch) else ():
            envelope = Envelope(
                id=self.new_id(), source="urn:dmi:service:ingest", type="nl.dmi.observations.received.v1",
                time=now, subject=key, dataset=batch.dataset, agreement=agreement, purpose=permit.requests[-1].purpose,
                traceparent=current_trace.get(), contributor=contributor.participant,
            )  # fmt: skip
            found.append(Message(key, encode(part), envelope))
        return found

    def _unused(self, batches: Sequence[ObservationBatch]) -> set[str]:
        return self.registry.unused({stream for batch in batches for stream in batch.datastream})

    def _count(self, ready: Ready) -> None:
        self._metrics.rows.labels("accepted").inc(sum(len(batch) for batch in ready.kept))
        self._metrics.rows.labels("withheld").inc(sum(len(rows) for rows in ready.withheld))
