"""The gate: at every crossing it decides, carries out the duties, records, and passes or refuses."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence

from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.contracts.record import AGAIN, DELIVERED, EXERCISED, GIVEN, DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.decision import Decision, Duty, Reason, Request
from dmi_agreements.duties import Projection, together
from dmi_agreements.persons import own_look
from dmi_agreements.table import LawTable
from dmi_agreements.uses import Key, Keys
from dmi_infra import clock
from dmi_infra.errors import Refused, Unavailable
from dmi_infra.jose import ITSELF, Acting
from dmi_infra.judging import Judging
from dmi_infra.permit import Bounds, Passed, Permit, as_going_on, fresh, going_on, hides_persons
from dmi_infra.recorder import new_id
from dmi_infra.telemetry import Metrics, current_trace

__all__ = ["Bounds", "Gate", "Passed", "Permit", "Record"]

Record = Callable[[DecisionRecord | Lineage], None]

LONGEST_ID = 200
"""What a caller names may be of any length; no identifier of ours is longer, and records stay small."""
LONGEST_REASON = 500
SUBJECTS_OF_A_RECORD = 1000
COUNTED_OF_A_USE = 200
"""Rules that one use may count for: each stands in its record, and those that no count forbids in every record."""
PARTIAL = (
    "the agreement gives means over a time and an area, not single values: ask for the history or an export"
)


class Gate:
    """One service's gate. ``holder`` is the participant under whose rights the service itself works."""

    def __init__(
        self,
        service: str,
        holder: str,
        law: LawTable,
        record: Record,
        projection: Projection,
        metrics: Metrics,
        now: clock.Clock = clock.now,
    ) -> None:
        self.service = service
        self.holder = holder
        self.law = law
        self._record = record
        self._owed: deque[DecisionRecord] = deque()
        """What has left and could not be told: told before anything else is, so that nothing is let through before."""
        self._paying = threading.Lock()
        self._judging = Judging(holder, law, projection)
        self._metrics = metrics
        self._now = now

    def permit(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str | None = None,
        recipient: str | None = None,
        holder_action: str | None = None,
        rows: int = 0,
        acting: Acting | None = None,
        again: Keys | None = None,
    ) -> Permit:
        """Decide for the layer (``holder_action``, default ``action``) and for ``recipient``, where there is one.

        Without a ``purpose`` it is the one that the layers work for (``LawTable.purpose_of``).
        ``acting`` is who asks in the name of ``recipient``; its mandate must cover the request. Both must be allowed;
        a person's copy of its own rows needs no right of the layer. The decision is recorded;
        a refusal raises ``Refused``. ``again``: what an earlier permit counted whose use goes on: it counts no more,
        and the record says so.
        """
        requests = self._requests(crossing, action, dataset, purpose, recipient, holder_action, acting)
        asked = going_on(requests, again) if again else requests
        decision, refused = self._decide(asked)
        if decision.counted:
            decision, refused = self._use(asked)
        told = decision if again is None or refused else as_going_on(decision, asked[-1])
        self._write(crossing, asked[-1], told, rows)
        if refused:
            raise Refused(decision.reasons, dataset)
        return Permit(
            crossing, requests, decision.duties, decision.agreements, decision.personal, decision.counted
        )

    def allows(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str | None,
        recipient: str | None = None,
        acting: Acting | None = None,
        again: Keys | None = None,
    ) -> tuple[Reason, ...]:
        """Why this would be refused now, empty when it would pass; a preview that is not recorded."""
        requests = self._requests(crossing, action, dataset, purpose, recipient, None, acting)
        decision, refused = self._decide(going_on(requests, again) if again else requests)
        return decision.reasons if refused else ()

    def foreseen(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str | None,
        recipient: str | None = None,
        acting: Acting | None = None,
        again: Keys | None = None,
    ) -> Permit | None:
        """The permit that would be given now, ``None``: none; not recorded, so to tell about data, never to give it."""
        requests = self._requests(crossing, action, dataset, purpose, recipient, None, acting)
        decision, refused = self._decide(going_on(requests, again) if again else requests)
        if refused:
            return None
        return Permit(crossing, requests, decision.duties, decision.agreements, decision.personal)

    def entitled(
        self,
        crossing: str,
        action: str,
        dataset: str,
        participant: str,
        purpose: str | None = None,
        acting: Acting | None = None,
    ) -> tuple[Reason, ...]:
        """Why a participant may not do this, whatever the layer may; empty when it may. A preview, not recorded."""
        request = self._requests(crossing, action, dataset, purpose, participant, None, acting)[-1]
        decision, refused = self._decide((request,))
        return decision.reasons if refused else ()

    def answer(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str | None,
        participant: str,
        under: Callable[[Decision], Decision],
        asked_by: str,
    ) -> Decision:
        """What the law says of a participant whom another gate stands before; recorded as ``under`` leaves it.

        Where ``under`` leaves it allowed it is a use, which counts here: what follows from it no gate of ours sees.
        ``asked_by`` is told in the record where that is somebody else than the participant.
        """
        request = self._requests(crossing, action, dataset, purpose, participant, None)[-1]
        decision = under(self._decide((request,))[0])
        if decision.allowed and decision.counted:
            decision, _ = self._use((request,), under)
        self._write(crossing, request, decision, 0, (), "" if asked_by == participant else asked_by)
        return decision

    def still(self, permit: Permit) -> None:
        """Raise ``Refused``, recorded, when ``permit`` no longer holds; for open streams.

        It holds no longer either when the terms have changed: under it the old duties would be carried out. Nor when
        what it names has ended and something else permits: that would be used, and nobody would count or be told it.
        """
        # The same use goes on: it does not count twice.
        asked = going_on(permit.requests, permit.counted) if permit.counted else permit.requests
        decision, refused = self._decide(asked)
        if not refused and not self._judging.as_given(permit, asked, decision, self._now()):
            decision, refused = Decision(False, (self._judging.changed(permit, self._now()),)), True
        if refused:
            self._write(permit.crossing, permit.requests[-1], decision, 0)
            raise Refused(decision.reasons, permit.dataset)

    def carry(self, permit: Permit, batch: ObservationBatch, whole: bool = False) -> Passed:
        """Leave out rows without consent, then carry out the permit's duties; who was served is recorded."""
        passed = self.judge(permit, batch, whole)
        for used in passed.used:
            self.deliver(permit, used)
        return passed

    def judge(self, permit: Permit, batch: ObservationBatch, whole: bool = False) -> Passed:
        """What ``carry`` would let pass, to choose from; ``deliver`` what is given of it.

        ``whole``: the batch holds whole windows of all datastreams. Under a duty that gives means over them anything
        else is refused: the mean of a part can be a single value.
        """
        if not whole and together(permit.duties):
            decision = Decision(False, (Reason("partial", PARTIAL, next(iter(permit.agreements), "")),))
            self._write(permit.crossing, permit.requests[-1], decision, 0)
            raise Refused(decision.reasons, permit.dataset)
        return self._judging.passed(permit, batch, self._now())

    def deliver(self, permit: Permit, kept: ObservationBatch) -> None:
        """Record rows of persons that are given, which each subject can read; of other data nothing.

        Where ``hides_persons`` holds it is kept from who got what was made of the rows.
        """
        request, apart = permit.requests[-1], self.hides_persons(permit)
        rows = Counter(subject for subject in kept.subject or () if subject)
        basis = "under their consent" if permit.personal else "on another basis than consent"
        subjects = sorted(rows)
        for start in range(0, len(subjects), SUBJECTS_OF_A_RECORD):
            part = subjects[start : start + SUBJECTS_OF_A_RECORD]
            count = sum(rows[subject] for subject in part)
            detail = f"{count} rows of {len(part)} persons {basis}"
            decision = Decision(
                True, (Reason(DELIVERED, detail),), permit.duties, permit.agreements, permit.personal
            )
            self._write(permit.crossing, request, decision, count, part, apart=apart)

    def given(self, permit: Permit, rows: int, again: bool = False, left: bool = False) -> str:
        """Record that rows leave under a permit, ``again`` or not; the id of the record, by which the log finds it.

        Of rows that have ``left`` it is recorded later when it cannot be now, since nothing stops them any more.
        What leaves is told here, however many rows of persons it was made of: those ``deliver`` tells each of them.
        """
        told = Reason(GIVEN, f"{rows} rows{AGAIN if again else ''}")
        decision = Decision(True, (told,), permit.duties, permit.agreements)
        return self._write(permit.crossing, permit.requests[-1], decision, rows, left=left)

    def bounds(self, permit: Permit) -> Bounds:
        """Outside of what no row can pass now, whatever stands beside it."""
        return Bounds.of(permit.duties, self._now(), self.subjects(permit))

    def asked(self, permit: Permit) -> frozenset[Duty]:
        """As ``Judging.asked``."""
        return self._judging.asked(permit, self._now())

    def hides_persons(self, permit: Permit) -> bool:
        """As the function of this name, of the permit's duties and of what consents ask where rows go to another."""
        outward = permit.requests[-1].assignee != self.holder
        return hides_persons((*permit.duties, *(self.asked(permit) if outward else ())))

    def turn(self, permit: Permit) -> Hashable:
        """As ``Judging.turn``."""
        return self._judging.turn(permit, self._now())

    def tells_places(self, permit: Permit) -> bool:
        """Whether names and places may be told beside the rows that pass: as they are, and of persons to their owner.

        The rows of persons that pass on another basis than consent are named by what passes; nothing else of them is.
        """
        return permit.exact and not self.about_persons(permit)

    def about_persons(self, permit: Permit) -> bool:
        """Whether it is data about persons, on whatever basis, that its recipient did not name itself as its owner.

        The owner is told what no row is of, and what means and areas keep from others; of who withdrew or objects it is
        told nothing either (``standing``).
        """
        entry = self.law.datasets.get(permit.dataset)
        return entry is None or (entry.personal and entry.owner != permit.requests[-1].assignee)

    def series(self, permit: Permit, batch: ObservationBatch) -> frozenset[str]:
        """As ``Judging.series``."""
        return self._judging.series(permit, batch)

    def standing(self, permit: Permit, batch: ObservationBatch) -> Sequence[int]:
        """As ``Judging.standing``."""
        return self._judging.standing(permit, batch, self._now())

    def subjects(self, permit: Permit) -> dict[str, frozenset[str]] | None:
        """As ``Judging.subjects``."""
        return self._judging.subjects(permit, self._now())

    def left_out(self, permit: Permit) -> dict[str, Micros]:
        """As ``Judging.left_out``."""
        return self._judging.left_out(permit)

    def exercised(self, request: SubjectRequest, rows: int, taken_back: Micros | None = None) -> str:
        """Record that this layer carried out what a person asked for, as ``DecisionRecord`` tells it; its id."""
        asked = Request(self.holder, f"dmi:{request.right}", request.dataset, request.purpose, "store")
        detail = f"{request.id}: {rows} rows in {self.service}"
        told = Decision(True, (Reason(EXERCISED, detail),))
        return self._write("store", asked, told, rows, [request.person], taken_back=taken_back)

    def record_lineage(self, lineage: Lineage) -> None:
        """Tell the exchange where a result comes from."""
        self._record(lineage)

    def _requests(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str | None,
        recipient: str | None,
        holder_action: str | None,
        acting: Acting | None = None,
    ) -> tuple[Request, ...]:
        if purpose is None:
            purpose = self.law.purpose_of(dataset)
        layer = Request(self.holder, holder_action or action, dataset, purpose, crossing)
        if recipient is None or (recipient == self.holder and acting is None):
            return (layer,)
        by = acting or ITSELF
        asked = Request(recipient, action, dataset, purpose, crossing, actor=by.actor, mandate=by.mandate)
        return (asked,) if self.law.own_copy(asked) else (layer, asked)

    def _decide(self, requests: tuple[Request, ...]) -> tuple[Decision, bool]:
        now = self._now()
        stale = self.law.stale(now)
        if stale is not None:
            return Decision(False, (stale,)), True
        duties: list[Duty] = []
        agreements: list[str] = []
        reasons: list[Reason] = []
        counted: list[Key] = []
        personal = False
        look = any(map(own_look, requests))
        for request in requests:
            layer = request.assignee == self.holder
            decision = self.law.decide(request, now, open_data=not layer, own_look=layer and look)
            if not decision.allowed:
                return decision, True
            duties.extend(decision.duties)
            agreements.extend(a for a in decision.agreements if a not in agreements)
            reasons.extend(decision.reasons)
            counted.extend(decision.counted)
            personal = personal or decision.personal
        if len(counted) > COUNTED_OF_A_USE:
            told = f"more than {COUNTED_OF_A_USE} rules of its agreements ask how often it is used"
            return Decision(False, (Reason("condition_unknown", told),)), True
        passed = Decision(
            True, tuple(reasons), tuple(duties), tuple(agreements), personal, tuple(dict.fromkeys(counted))
        )
        return passed, False

    def _use(
        self, requests: tuple[Request, ...], under: Callable[[Decision], Decision] | None = None
    ) -> tuple[Decision, bool]:
        """Decide and count the use in one step: of two requests at once only one can be the last that is allowed."""
        with self.law.uses.lock:
            decision, refused = self._decide(requests)
            if under is not None:
                decision = under(decision)
                refused = not decision.allowed
            for key in fresh(decision, requests[0]) if not refused else ():
                self.law.uses.count(key, self.service, self._now())
        return decision, refused

    def _write(
        self, crossing: str, request: Request, decision: Decision, rows: int,
        subjects: Sequence[str] = (), asked_by: str = "", left: bool = False, apart: bool = False,
        taken_back: Micros | None = None,
    ) -> str:  # fmt: skip
        identifier = new_id()
        self._metrics.decisions.labels(crossing, str(decision.allowed).lower()).inc()
        self._put(
            DecisionRecord(
                id=identifier,
                at=self._now(),
                service=self.service,
                crossing=crossing,
                assignee=request.assignee,
                action=request.action,
                dataset=request.dataset[:LONGEST_ID],
                purpose=request.purpose,
                allowed=decision.allowed,
                rows=rows,
                reasons=[f"{r.code}: {r.detail}"[:LONGEST_REASON] for r in decision.reasons],
                agreements=list(decision.agreements)
                or [r.agreement for r in decision.reasons if r.agreement],
                subjects=list(subjects),
                counted=fresh(decision, request),
                actor=request.actor,
                mandate=request.mandate,
                asked_by=asked_by,
                apart=apart,
                trace=current_trace.get(),
                taken_back=taken_back,
            ),
            left,
        )
        return identifier

    def _put(self, record: DecisionRecord, left: bool) -> None:
        self._owed.extend([record] if left else ())
        try:
            while self._owed:
                with self._paying:
                    if self._owed:
                        self._record(self._owed[0])
                        self._owed.popleft()
        except Unavailable:
            if not left:
                raise
        if not left:
            self._record(record)
