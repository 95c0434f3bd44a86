"""Results and the ground under them: what they rest on, and what happens when that falls away."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from dmi_agreements.changes import Change
from dmi_agreements.contracts.envelope import Envelope
from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_agreements.decision import Reason
from dmi_agreements.rights import RECTIFICATION
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import Refused, Unavailable
from dmi_infra.gate import Gate, Permit
from dmi_infra.telemetry import current_trace
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.continued import last
from dmi_support_centre.forgetting import Forgotten
from dmi_support_centre.model import MINUTE, Result
from dmi_support_centre.store import Store
from dmi_support_centre.store.marks import Follow
from dmi_support_centre.store.measures import MeasureRow

log = structlog.get_logger("support-centre")

LINEAGE_AGAIN: Micros = 10 * MINUTE
"""The lineage of a result that keeps its ground is told again this often, not at every round."""
PAUSE_SECONDS = 0.2
RETRY_SECONDS = 60.0
"""After which a ground that could not be marked is tried again; the next start finds it too, when it has ended."""
CODE = "dmi-support-centre 0.1.0"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why a result no longer stands."""

    ground: str
    moment: Micros | None
    reason: str
    of_person: bool = False
    """Whether a person ended its consent or used a right: which one, and when, would lead to that person."""

    def shown(self) -> dict[str, Any]:
        """For the interface: which agreement, when, in words."""
        told = self.refused().reasons[0]
        return {
            "agreement": told.agreement,
            "moment": None if told.moment is None else to_text(told.moment),
            "detail": told.detail,
        }

    def refused(self) -> Refused:
        """As the refusal of what needs the result to stand."""
        if self.of_person:
            return Refused([Reason("ended", self.reason)])
        return Refused([Reason("ended", self.reason, self.ground, moment=self.moment)])


def envelope(kind: str, place: str, grounds: Grounds) -> Envelope:
    """The CloudEvent attributes of a result on its way out."""
    return Envelope(
        id=str(uuid.uuid4()),
        source="urn:dmi:service:support-centre",
        type=kind,
        time=to_text(clock.now()),
        subject=place,
        dataset=next(iter(grounds.datasets), ""),
        agreement=next(iter(grounds.agreements), ""),
        traceparent=current_trace.get(),
    )


class Book:
    """Keeps results with their grounds, and knows whether the ground still holds."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self.store = store
        self._gate = gate
        self._told: dict[str, tuple[Grounds, tuple[str, ...], Micros]] = {}

    def withdrawal(self, made: Result | MeasureRow) -> Withdrawal | None:
        """Why a result does not stand, by its mark or, before that is written, by the law itself."""
        if made.withdrawn_ground is not None:
            return self._reason(made.withdrawn_ground, made.withdrawn_at)
        return self.fallen(made.grounds)

    def fallen(self, grounds: Grounds) -> Withdrawal | None:
        """The first ground that the law says has ended."""
        law = self._gate.law
        for ground in (*grounds.agreements, *grounds.consents):
            if ended(law, ground):
                return self._reason(ground, None)
        for dataset in grounds.datasets:
            known = law.datasets.get(dataset)
            if known is not None and known.withdrawn:
                return Withdrawal(dataset, None, f"{dataset} has been withdrawn from the catalogue")
        return None

    def _reason(self, ground: str, marked_at: Micros | None) -> Withdrawal:
        state = self._gate.law.agreement(ground)
        moment = state.ended_at if state is not None and state.ended_at is not None else marked_at
        request = self._gate.law.rights.get(ground)
        if request is not None:
            done = "corrected in" if request.right == RECTIFICATION else "taken out of"
            detail = f"a person's data was {done} {request.dataset}; this result rested on it"
            return Withdrawal(ground, request.made_at, detail, of_person=True)
        held = self._gate.law.held(ground)
        if held is not None and held.is_consent:
            replaced = held.state.replaced_by is not None and last(self._gate.law, ground) == ground
            became = "replaced by another one of that person" if replaced else "withdrawn"
            detail = f"a person's consent has been {became}; this result rested on it"
            return Withdrawal(ground, moment, detail, of_person=True)
        return Withdrawal(ground, moment, f"{ground} has been ended; this result rested on it")

    def ground_of(
        self, permit: Permit, used: Iterable[str] = (), given: Mapping[str, Collection[str]] | None = None
    ) -> Grounds:
        """What a result made now from a dataset's kept data rests on.

        That is the agreement that allows the analysis, those in force that the data came in under, and the
        consents of the persons whose rows were used, as they were ``given`` when these rows were chosen: one that
        ended since is a ground that has fallen, not none.
        """
        law = self._gate.law
        came_in = sorted(self.store.observations.basis(permit.dataset) - set(permit.agreements))
        consents = {consent for subject in used for consent in (given or {}).get(subject, ())}
        return Grounds(
            datasets=[permit.dataset],
            agreements=[*permit.agreements, *(g for g in came_in if not ended(law, g))],
            consents=sorted(consents),
        )

    def credits(self, grounds: Grounds) -> list[dict[str, Any]]:
        """Title, source and licence of each dataset under a result, as its owner stated them."""
        found = [self._gate.law.datasets.get(dataset) for dataset in grounds.datasets]
        return [
            {"dataset": one.id, "title": one.title, "source": one.source, "licence": one.licence}
            for one in found
            if one is not None
        ]

    def tell(self, result: Result, kind: str, transformations: Sequence[str]) -> None:
        """Record where a result comes from, unless that was told just now and has not changed."""
        key = tuple(transformations)
        told = self._told.get(result.id)
        if told and told[:2] == (result.grounds, key) and clock.now() < told[2] + LINEAGE_AGAIN:
            return
        self._gate.record_lineage(
            Lineage(result.id, kind, result.title, clock.now(), result.grounds, list(key), CODE)
        )
        self._told[result.id] = (result.grounds, key, clock.now())


def ended(law: LawTable, ground: str) -> bool:
    """Whether an agreement or consent has been ended, and none that says the same took its place.

    One that the law does not know may be on its way.
    """
    state = law.agreement(last(law, ground))
    return state is not None and state.state == "ended"


def joined(grounds: Sequence[Grounds]) -> Grounds:
    """Several grounds as one, each id once."""

    def each(name: str) -> list[str]:
        return list(dict.fromkeys(item for one in grounds for item in getattr(one, name)))

    return Grounds(each("datasets"), each("agreements"), each("consents"), each("results"))


def grounds_shown(grounds: Grounds) -> dict[str, Any]:
    """The ground of a result, without the consents: one less of them would tell that somebody withdrew."""
    return {"datasets": grounds.datasets, "agreements": grounds.agreements, "results": grounds.results}


def with_traces(marked: Iterable[Result]) -> set[str]:
    """The datasets of results that fell with a person: what was learned of these holds traces of who said no."""
    persons = [one for one in marked if one.withdrawn_ground not in one.grounds.agreements]
    return {dataset for one in persons for dataset in one.grounds.datasets}


class Withdrawals:
    """A thread that marks and publishes what lost its ground, at once when the law says so."""

    def __init__(
        self,
        store: Store,
        law: LawTable,
        follow: Follow,
        on_told: Callable[[], None],
        on_changed: Callable[[], None],
        forget: Callable[[str, str | None], None],
    ) -> None:
        """``follow`` says what is written with marks; ``on_told`` that it waits to go out.

        ``forget``: rows of a dataset have gone, so what is made of them at this moment must not be kept; they were of
        one person, or (``None``) of anybody.
        """
        self._store = store
        self._law = law
        self._follow = follow
        self._on_told = on_told
        self._on_changed = on_changed
        self._forget = forget
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._failed: dict[str, float] = {}
        self._look_at: float | None = 0.0
        """When to look for what ended before this service listened, or to try that again; ``None``: it was found."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="withdrawals", daemon=True)

    def listen(self, change: Change) -> None:
        """Take note of a change of the law; returns at once."""
        for ground in change.ended:
            self._queue.put(ground)
        if change.started or change.ended:
            self._on_changed()

    def start(self) -> None:
        """Begin with what ended while this service was away."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is not marked yet is found at the next start."""
        self._stopping = True
        self._queue.put(None)
        self._thread.join(timeout=5)

    def recheck(self, fallen: Withdrawal | None) -> None:
        """A result was written while its ground fell away: mark it after all."""
        if fallen is not None:
            self._queue.put(fallen.ground)

    def withdraw(self, ground: str) -> int:
        """Mark and publish all that rests on a ground; returns how many results."""
        request = self._law.rights.get(ground)
        if request is not None:
            return self._correct(request)
        if last(self._law, ground) != ground and not ended(self._law, ground):
            return 0
        state = self._law.agreement(ground)
        at = state.ended_at if state is not None and state.ended_at is not None else clock.now()
        self._store.observations.forget_basis(ground)
        before = self._before(ground) if state is not None and state.replaces is not None else []
        marks = self._store.marks
        return sum(self._all(partial(marks.withdraw, one, at, self._follow)) for one in (ground, *before))

    def _before(self, ground: str) -> list[str]:
        """The consents that went on in this one, as far as results name them."""
        named = self._store.results.grounds()
        return [one for one in named if one != ground and last(self._law, one) == ground]

    def _all(self, mark: Callable[[], Sequence[Result]], person: str | None = None) -> int:
        """Mark part after part, until all are; returns how many."""
        number = 0
        while marked := mark():
            number += len(marked)
            # Not while the marks are written: what forgets waits for who keeps a result, which waits for the store.
            for dataset in with_traces(marked):
                self._forget(dataset, person)
            self._on_told()
        if number:
            self._on_changed()
        return number

    def _over(self, request: SubjectRequest, until: Micros, consents: Collection[str] | None = None) -> int:
        """Mark what was made up to a moment of a dataset that a person's rows went from, or were corrected in."""
        marks = self._store.marks
        return self._all(
            lambda: marks.withdraw_over(request.dataset, request.id, until, self._follow, consents),
            request.person,
        )

    def taking_back(self, request: SubjectRequest) -> Micros:
        """A person's data has gone from a dataset: up to when what was made of it rests on that, or may; 0: nothing.

        Nothing does of who was never seen in it, except what was made before that was noted. Under consent nothing
        does either: the results of this person fall with the consents, which end with the erasure.
        """
        entry, seen = self._law.datasets.get(request.dataset), self._store.seen
        if entry is None or entry.needs_consent:
            return 0
        return clock.now() if seen.may_hold(request.dataset, request.person) else seen.since()

    def take_back(self, request: SubjectRequest, until: Micros) -> None:
        """Mark what was made of a dataset up to a moment, have it made again, and forget that the person was seen."""
        # First, and also where there is no result to mark yet: what is being made would come after the marking.
        self._forget(request.dataset, request.person)
        seen = self._store.seen
        # Before the marks, which are not of what is made of rows that come in behind them.
        times = seen.gone(request.dataset, request.person)
        # What was kept since the moment was told, until it was forgotten here, may rest on the same rows.
        until = max(until, self.taking_back(request))
        if until:
            self._over(request, until)
        # After them: a stop in between has the next start do it all again.
        if times is not None:
            seen.forget(request.dataset, request.person, times)
        self._on_changed()

    def corrected(self, request: str) -> None:
        """Corrected rows have come in: have marked what was made of the wrong ones; returns at once."""
        self._queue.put(request)

    def _correct(self, request: SubjectRequest) -> int:
        """Mark what was made of rows that were wrong; under consents what rests on one of this person."""
        self._forget(request.dataset, request.person)
        entry = self._law.datasets.get(request.dataset)
        by_consent = entry is not None and entry.needs_consent
        number = self._over(request, clock.now(), self._given_by(request.person) if by_consent else None)
        # Also where nothing was marked: what was being made has not been kept.
        self._on_changed()
        return number

    def _given_by(self, person: str) -> list[str]:
        """The consents of a person that results name, however long ago each went on in another one."""
        known = ((one, self._law.agreement(one)) for one in self._store.results.grounds())
        return [one for one, state in known if state is not None and state.document.get("assigner") == person]

    def _run(self) -> None:
        waiting: list[str] = []
        while not self._stopping:
            try:
                while waiting and not self._stopping:
                    self.withdraw(waiting[0])
                    waiting.pop(0)
                self._look()
            except Unavailable as exc:
                log.warning("marking waits", reason=exc.public)
            except Exception as exc:  # whatever went wrong with one ground, the next stop must be marked too
                again = time.monotonic() + RETRY_SECONDS
                log.error("marking failed", ground=waiting[0] if waiting else None, exc_info=exc)
                if waiting:
                    self._failed[waiting.pop(0)] = again
                else:
                    self._look_at = again
            waiting += self._next(bool(waiting))

    def _look(self) -> None:
        """Find what ended before this service listened; the law is read from its first event, so wait for it."""
        if self._look_at is None or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + PAUSE_SECONDS
        if self._law.stale(clock.now()) is None:
            for ground in self._store.results.grounds():
                if ended(self._law, ground):
                    self._queue.put(ground)
            self._look_at = None

    def _next(self, soon: bool) -> list[str]:
        """What is to be marked now: a ground that comes in, or those that failed and are due again.

        ``soon``: there is something to try again after a pause, so nothing else is waited for any longer.
        """
        now = time.monotonic()
        due = [*self._failed.values()]
        due += [] if self._look_at is None else [self._look_at]
        due += [now + PAUSE_SECONDS] if soon else []
        try:
            ground = self._queue.get(timeout=max(min(due) - now, 0) if due else None)
        except queue.Empty:
            now = time.monotonic()
            again = [one for one, at in self._failed.items() if at <= now]
            for one in again:
                del self._failed[one]
            return again
        return [] if ground is None else [ground]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every analysis needs: data, places, the gate, and where results go."""

    store: Store
    atlas: Atlas
    gate: Gate
    book: Book
    withdrawals: Withdrawals
    forgotten: Forgotten = field(default_factory=Forgotten)
