"""What the platform does with raw observations: gate, harmonise, store, pass on; each piece one transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.crossings import BY_NAME
from dmi_infra import clock
from dmi_infra.bus.port import Message, Received
from dmi_infra.consumer import after
from dmi_infra.errors import NotFound, Refused, Unavailable
from dmi_infra.gate import Gate, Permit
from dmi_infra.sql import Positions
from dmi_infra.telemetry import Metrics
from dmi_platform.errors import NotReplayable
from dmi_platform.harmonise import Rows, harmonise, locate, merge, select, times_of
from dmi_platform.intake import Group, Part, check_feature, chunks, groups, read
from dmi_platform.lineage import LineageBook
from dmi_platform.messages import DETAILS, envelope_of, reject_rows, rejected_message, sent_at
from dmi_platform.model import (
    BY_DUTY,
    CONFLICT,
    NO_CONSENT,
    REFUSED,
    UNKNOWN_DATASTREAM,
    Handed,
    Outcome,
    Reject,
)
from dmi_platform.quality import Ints
from dmi_platform.registry import Registry
from dmi_platform.store import Store, Writing
from dmi_platform.store.writing import ACCEPTED, DUPLICATE
from dmi_platform.store.writing import CONFLICT as CONTRADICTS

RAW = BY_NAME["raw"]
FEATURES = BY_NAME["features"]
RAW_TOPIC = RAW.topic or ""
RAW_REJECTED = RAW.rejected_topic or ""
FEATURES_TOPIC = FEATURES.topic or ""
HARMONISED_TOPIC = BY_NAME["harmonised"].topic or ""

OUTGOING_ROWS = 5000
"""Rows of one outgoing message, far below what the bus carries."""
WAITING = 1000
"""Rejects that are tried again when their datastream becomes known, at one time."""
_CURABLE = frozenset({UNKNOWN_DATASTREAM, "unknown_unit", "other_property"})
"""Reasons that a new or changed datastream may do away with."""
_UNSETTLED = frozenset({"law_missing", "law_stale"})
"""Refusals that say nothing about the data: it waits until the law is known again."""
_UNHEARD = frozenset({"unknown_dataset", "no_agreement"})
"""Refusals that a law which has only just been made would lift."""
LOOK_SECONDS = 0.02
LAW_MICROS = 2_000_000
"""So long after it was sent a message may wait for the law under which it passed the gate before this one."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A group behind the gate."""

    group: Group
    permit: Permit
    batch: ObservationBatch
    withheld: int
    by_duty: int


class Processor:
    """Processes messages, and rejects again; one caller at a time, the others wait."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        gate: Gate,
        lineage: LineageBook,
        wake: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._registry = registry
        self._gate = gate
        self._lineage = lineage
        self._wake = wake
        self._metrics = metrics
        self._one = threading.Lock()

    # -- features -------------------------------------------------------------

    def features(self, messages: Sequence[Received]) -> None:
        """Take in features; observations that waited for a datastream among them are processed again."""
        with self._one:
            for received in messages:
                self._registry.refresh()
                self._await_law([received])
                batch = read(received, FeatureBatch)
                reached = after([received])
                if isinstance(batch, Reject):
                    self._keep([batch], reached)
                else:
                    self._features(received.message.envelope.id, batch, reached, None)

    def _features(
        self, message_id: str, batch: FeatureBatch, reached: Positions, again: Reject | None
    ) -> Outcome:
        outcome = Outcome()

        def rejected(reason: str, detail: str, chosen: list[int]) -> Reject:
            outcome.reject(reason, len(chosen))
            kept = FeatureBatch(batch.dataset, [batch.features[row] for row in chosen], batch.batch_id)
            return Reject(
                FEATURES_TOPIC, batch.dataset, batch.batch_id, message_id, reason, detail, len(chosen),
                encode(kept), row_numbers=tuple(chosen),
            )  # fmt: skip

        try:
            self._permit(FEATURES.name, batch.dataset, len(batch.features))
            found = [check_feature(feature) for feature in batch.features]
            rejects = [rejected(*problem, [row]) for row, problem in enumerate(found) if problem]
        except Refused as exc:
            # An erasure tells nothing, and holds for what was kept while it was allowed.
            found = [None if feature.replaces_all else (REFUSED, "") for feature in batch.features]
            refused = [row for row, problem in enumerate(found) if problem]
            rejects = [rejected(REFUSED, _why(exc), refused)] if refused else []
        good = [feature for feature, problem in zip(batch.features, found, strict=True) if problem is None]
        with self._store.write() as writing:
            put = writing.features(batch.dataset, good, again.at if again else None)
            foreign = [row for row, feature in enumerate(batch.features) if feature.id in put.foreign]
            if foreign:
                rejects.append(rejected("other_dataset", "another dataset has this id", foreign))
            outcome.accepted = len(put.changed)
            outcome.duplicate = len(good) - len(foreign) - len(put.changed)
            writing.reject(rejects)
            self._settle(writing, Handed(message_id, batch.batch_id, batch.dataset), outcome, again)
            writing.reach(reached)
        self._registry.apply(put.changed)
        self._try_again([item.feature.id for item in put.changed if item.key])
        return outcome

    def _try_again(self, datastreams: list[str]) -> None:
        for item in self._store.waiting_for(datastreams, WAITING) if datastreams else ():
            if item.reason in _CURABLE:
                self._replay(item)

    # -- observations ---------------------------------------------------------

    def observations(self, messages: Sequence[Received]) -> None:
        """Process raw observations in order, piece by piece, each with its positions in one transaction."""
        with self._one:
            for piece in chunks(messages):
                self._registry.refresh()
                self._await_law(piece)
                parts: list[Part] = []
                unreadable: list[Reject] = []
                for received in piece:
                    batch = read(received, ObservationBatch)
                    if isinstance(batch, Reject):
                        unreadable.append(batch)
                    else:
                        envelope = received.message.envelope
                        parts.append(
                            Part(received.topic, received.partition, envelope.id, batch, envelope.contributor)
                        )
                self._observations(parts, unreadable, after(piece), None)

    def _observations(
        self, parts: Sequence[Part], rejects: list[Reject], reached: Positions, again: Reject | None
    ) -> Outcome:
        passed, refused = self._through_gate(parts)
        total = Outcome()
        times = [times_of(each.batch) for each in passed]
        with self._store.write(np.concatenate(times) if times else None) as writing:
            for part, reject in refused:
                outcome = Outcome()
                outcome.reject(REFUSED, reject.rows)
                self._settle(writing, part.handed, outcome, again)
                total.add(outcome)
            for each in passed:
                total.add(self._write(writing, each, again))
            writing.reject([*rejects, *(reject for _, reject in refused)])
            writing.reach(reached)
        for each in passed:
            self._note(each)
        self._wake()
        self._count(total)
        return total

    def _through_gate(self, parts: Sequence[Part]) -> tuple[list[Passed], list[tuple[Part, Reject]]]:
        rows: dict[str, int] = {}
        for part in parts:
            rows[part.batch.dataset] = rows.get(part.batch.dataset, 0) + len(part.batch)
        permits: dict[str, Permit] = {}
        refusals: dict[str, str] = {}
        for dataset, count in rows.items():
            try:
                permits[dataset] = self._permit(RAW.name, dataset, count)
            except Refused as exc:
                refusals[dataset] = _why(exc)
        # A permit was given, so the law has been heard: by it areas count or do not.
        self._registry.neighbourhoods.review()
        alone = frozenset(name for name, permit in permits.items() if permit.duties or self._of_persons(name))
        allowed = [part for part in parts if part.batch.dataset in permits]
        refused = [
            (part, reject_rows(part, REFUSED, refusals[part.batch.dataset], range(len(part.batch))))
            for part in parts
            if part.batch.dataset in refusals
        ]
        return [self._carry(permits[g.dataset], g) for g in groups(allowed, alone)], refused

    def _of_persons(self, dataset: str) -> bool:
        """Whether the gate may leave out rows because of whom they are about."""
        known = self._gate.law.datasets.get(dataset)
        return known is not None and known.personal

    def _carry(self, permit: Permit, group: Group) -> Passed:
        batch = merge([part.batch for part in group.parts])
        located = locate(batch, self._registry) if permit.duties else batch
        passed = self._gate.carry(permit, located)
        left_out = len(batch) - passed.withheld - len(passed.batch)
        return Passed(group, permit, passed.batch, passed.withheld, max(left_out, 0))

    def _await_law(self, messages: Sequence[Received]) -> None:
        """Wait a little for the law that fresh messages passed under: it travels on a topic of its own."""
        sent = {m.message.envelope.dataset: sent_at(m.message.envelope) for m in messages}
        for dataset, moment in sent.items():
            until = moment + LAW_MICROS
            while clock.now() < until:
                reasons = self._gate.allows(RAW.name, RAW.action, dataset, None)
                if not reasons or reasons[0].code not in _UNHEARD:
                    break
                time.sleep(LOOK_SECONDS)

    def _permit(self, crossing: str, dataset: str, rows: int) -> Permit:
        """The platform's own right, for what the dataset is collected for; an unknown law refuses no data."""
        try:
            return self._gate.permit(crossing, RAW.action, dataset, rows=rows)
        except Refused as exc:
            if exc.reasons[0].code in _UNSETTLED:
                raise Unavailable(exc.reasons[0].detail) from exc
            raise

    def _write(self, writing: Writing, passed: Passed, again: Reject | None) -> Outcome:
        batch, parts = passed.batch, passed.group.parts
        made = harmonise(batch, self._registry, writing.before)
        status = writing.insert(made.rows)
        state = np.full(len(batch), -1, np.int8)
        state[made.numbers] = status
        bad = dict(made.rejected)
        for row in np.flatnonzero(state == CONTRADICTS).tolist():
            bad.setdefault((CONFLICT, batch.datastream[row]), []).append(row)
        total = Outcome()
        begin = 0
        for part in parts:
            end = begin + len(part.batch) if len(parts) > 1 else len(batch)
            outcome = Outcome(
                int(np.count_nonzero(state[begin:end] == ACCEPTED)),
                int(np.count_nonzero(state[begin:end] == DUPLICATE)),
            )
            kept = part if len(parts) > 1 else replace(part, batch=batch)
            self._refuse_rows(writing, kept, bad, begin, end, outcome)
            if len(parts) == 1:
                outcome.reject(NO_CONSENT, passed.withheld)
                outcome.reject(BY_DUTY, passed.by_duty)
            self._settle(writing, part.handed, outcome, again)
            total.add(outcome)
            begin = end
        accepted = np.flatnonzero(status == ACCEPTED)
        self._pass_on(writing, passed, made.rows, accepted)
        return total

    def _refuse_rows(
        self,
        writing: Writing,
        part: Part,
        bad: dict[tuple[str, str], list[int]],
        begin: int,
        end: int,
        outcome: Outcome,
    ) -> None:
        """Keep the bad rows of one part, and tell the rejected topic."""
        rejects = []
        for (reason, about), rows in bad.items():
            mine = [row - begin for row in rows if begin <= row < end]
            if not mine:
                continue
            if reason == CONFLICT:
                outcome.conflict += len(mine)
            else:
                outcome.reject(reason, len(mine))
            rejects.append(reject_rows(part, reason, DETAILS.get(reason, reason), mine, about))
        writing.reject(rejects)
        writing.publish(RAW_REJECTED, [rejected_message(reject) for reject in rejects])

    def _pass_on(self, writing: Writing, passed: Passed, rows: Rows, accepted: Ints) -> None:
        """The accepted rows go to the harmonised topic, in order per raw partition."""
        first = passed.group.parts[0]
        batch_id = first.batch.batch_id if len(passed.group.parts) == 1 else ""
        messages = []
        for begin in range(0, len(accepted), OUTGOING_ROWS):
            batch = select(rows, accepted[begin : begin + OUTGOING_ROWS], passed.permit.dataset, batch_id)
            envelope = envelope_of("nl.dmi.observations.harmonised.v1", passed.permit.dataset)
            envelope = msgspec.structs.replace(
                envelope,
                agreement=next(iter(passed.permit.agreements), ""),
                purpose=passed.permit.requests[-1].purpose,
            )
            messages.append(Message(f"{passed.permit.dataset}#{first.partition}", encode(batch), envelope))
        writing.publish(HARMONISED_TOPIC, messages)

    def _note(self, passed: Passed) -> None:
        """Lineage of the dataset and of each datastream in the batch."""
        batch = passed.batch
        consents: dict[str, frozenset[str]] = {}
        given = self._gate.subjects(passed.permit) or {}
        for stream, subject in set(zip(batch.datastream, batch.subject or (), strict=False)):
            if subject in given:
                consents[stream] = consents.get(stream, frozenset()) | given[subject]
        known = self._gate.law.datasets.get(passed.permit.dataset)
        title = known.title.get("nl", "") if known else ""
        found = map(self._registry.stream, dict.fromkeys(batch.datastream))
        # What a person's sensor is called may tell who that is, to all who see what a result rests on.
        named = known is not None and not known.personal
        streams = {one.id: one.name if named else "" for one in found if one is not None}
        self._lineage.note(passed.permit, title, streams, consents)

    # -- rejects --------------------------------------------------------------

    def replay(self, identifier: int) -> Outcome:
        """Process a reject again; what still cannot be taken becomes a new reject.

        Raises ``NotReplayable`` when it was replayed before or cannot be read.
        """
        item = self._store.reject(identifier)
        if item is None:
            raise NotFound("no reject has this number")
        with self._one:
            self._registry.refresh()
            return self._replay(item)

    def _replay(self, item: Reject) -> Outcome:
        if item.replayed_at is not None:
            raise NotReplayable("this reject was replayed already")
        received = Received(item.topic, 0, 0, Message("", item.payload, envelope_of("", item.dataset)))
        if item.topic == FEATURES_TOPIC:
            features = read(received, FeatureBatch)
            if not isinstance(features, Reject):
                return self._features(item.message_id, features, {}, item)
        elif item.topic == RAW_TOPIC:
            batch = read(received, ObservationBatch)
            if not isinstance(batch, Reject):
                part = Part(item.topic, 0, item.message_id, batch)
                return self._observations([part], [], {}, item)
        raise NotReplayable("the message cannot be read; its source must send it again")

    def keep(self, received: Received, reason: str) -> None:
        """Keep a message whose processing failed, and go on behind it."""
        envelope = received.message.envelope
        reject = Reject(
            received.topic, envelope.dataset, envelope.subject, envelope.id, "failed", reason, 1,
            received.message.value,
        )  # fmt: skip
        self._keep([reject], after([received]))

    def _keep(self, rejects: list[Reject], reached: Positions) -> None:
        with self._store.write() as writing:
            writing.reject(rejects)
            writing.reach(reached)

    @staticmethod
    def _settle(writing: Writing, handed: Handed, outcome: Outcome, again: Reject | None) -> None:
        if again is None:
            writing.outcome(handed, outcome)
        elif not writing.replayed(again, outcome):
            raise NotReplayable("this reject was replayed already")

    def _count(self, outcome: Outcome) -> None:
        rows = self._metrics.rows
        rows.labels("accepted").inc(outcome.accepted)
        rows.labels("duplicate").inc(outcome.duplicate)
        rows.labels("rejected").inc(outcome.conflict + sum(outcome.rejected.values()))


def _why(refused: Refused) -> str:
    first = refused.reasons[0]
    return f"{first.code}: {first.detail}"
