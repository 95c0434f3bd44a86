"""Consents of residents: who consents to a request, kept per dataset and worked out once per change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decision import EVERYONE, CutEnds, Duty, Reason, Request
from dmi_agreements.duties import combine
from dmi_agreements.errors import DutiesConflict
from dmi_agreements.own_duties import CutFrom
from dmi_agreements.policy.compiled import ALWAYS, FOREVER, CompiledAgreement, CompiledRule
from dmi_agreements.slots import PROCESS

MAX_CACHED: Final = 4_096
"""Answers kept; beyond it the cache starts again, so that it cannot grow without bound."""

HEARD: Final = 5_000_000
"""For so long (microseconds) after its end a gate may still let rows in under a consent: its law is no older."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """One consent of a subject; ``compiled`` is ``None`` when its document could not be read."""

    state: AgreementState
    compiled: CompiledAgreement | None
    ended: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """Valid from ``since`` up to and including ``until``, while ``generation`` is the dataset's."""

    generation: int
    since: int
    until: int
    subjects: Mapping[str, str]
    duties: Mapping[str, tuple[Duty, ...]]
    asked: frozenset[Duty]
    lapsed: Reason | None


class Consents:
    """Consents by dataset and subject. One thread writes, any number read without a lock.

    Readers see values that are replaced, never changed, except the dictionary of subjects, which they
    copy in one step before going through it.
    """

    def __init__(self) -> None:
        self._given: dict[str, dict[str, Mapping[str, Given]]] = {}
        self._generation: dict[str, int] = {}
        self._answers: dict[Key, _Answer] = {}

    def put(self, dataset: str, subject: str, given: Given) -> None:
        """Keep the newest state of one consent for one of its datasets.

        Of those that have ended a few are kept of what covers the same: the first to be given, and of each of its
        rights to take in the last to let rows in, tell what was cut when; the last to end is named to who asks why.
        So what is weighed does not grow with each new consent.
        """
        subjects = self._given.setdefault(dataset, {})
        kept = {key: one for key, one in subjects.get(subject, {}).items() if key != given.state.id}
        now = [given]
        if given.ended:
            covers = _covers(given, dataset)
            same = [one for one in kept.values() if one.ended and _covers(one, dataset) == covers]
            kept = {key: one for key, one in kept.items() if key not in {each.state.id for each in same}}
            same.append(given)
            now = [min(same, key=_beginning), max(same, key=_ending)]
            now += [
                max(same, key=partial(_letting, dataset, right))
                for right in covers or ()
                if right.action == PROCESS
            ]
        subjects[subject] = {**kept, **{one.state.id: one for one in now}}
        # After the change: a reader that computed before it holds the old generation and computes again.
        self._generation[dataset] = self._generation.get(dataset, 0) + 1

    def remove(self, dataset: str, subject: str, consent: str) -> None:
        """Forget one consent for a dataset that its document no longer names."""
        subjects = self._given.get(dataset, {})
        subjects[subject] = {key: value for key, value in subjects.get(subject, {}).items() if key != consent}
        self._generation[dataset] = self._generation.get(dataset, 0) + 1

    def subjects(self, request: Request, now: int) -> Mapping[str, str]:
        """Subject -> id of the consent that covers ``request`` at ``now``."""
        return self._answer(request, now).subjects

    def duties(self, request: Request, now: int) -> Mapping[str, tuple[Duty, ...]]:
        """Subject -> the duties of the consent that covers ``request`` at ``now``; who asks for none is left out."""
        return self._answer(request, now).duties

    def asked(self, request: Request, now: int) -> frozenset[Duty]:
        """Every duty that the consent of one subject or another asks for."""
        return self._answer(request, now).asked

    def turn(self, request: Request, now: int) -> tuple[int, int, int]:
        """Which answer ``request`` has: while this stays the same, so do ``subjects`` and ``duties``.

        However many subjects there are it is told at once, by whoever keeps something for as long as they stay.
        """
        answer = self._answer(request, now)
        return answer.generation, answer.since, answer.until

    def cut_from(self, dataset: str, subject: str, layer: str, metres: int) -> CutFrom:
        """Since when all rows that ``layer`` took in of a subject were cut by so many metres, whatever the purpose.

        A row can come in long after it was measured: what counts is until when a consent that asked for less let it in.
        """
        begun, after = FOREVER, ALWAYS
        for given in self._given.get(dataset, {}).get(subject, {}).values():
            ended = FOREVER if given.state.ended_at is None else given.state.ended_at
            if given.compiled is None:
                after = max(after, ended + HEARD)
                continue
            for rule in given.compiled.permissions.get((PROCESS, dataset), ()):
                if rule.recipients is not None and layer not in rule.recipients:
                    continue
                if _cut(rule) < metres:
                    after = max(after, min(ended, rule.ends) + HEARD)
                elif given.state.concluded_at is not None:
                    begun = min(begun, given.state.concluded_at)
        return CutFrom(begun, after)

    def lapsed(self, request: Request, now: int) -> Reason | None:
        """The consent that would have covered ``request`` and ended or expired last."""
        return self._answer(request, now).lapsed

    def _answer(self, request: Request, now: int) -> _Answer:
        key = (request.assignee, request.action, request.dataset, request.purpose)
        generation = self._generation.get(request.dataset, 0)
        answer = self._answers.get(key)
        if answer is None or answer.generation != generation or not answer.since <= now <= answer.until:
            answer = self._work_out(request, now, generation)
            if len(self._answers) >= MAX_CACHED:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def _work_out(self, request: Request, now: int, generation: int) -> _Answer:
        subjects: dict[str, str] = {}
        duties: dict[str, tuple[Duty, ...]] = {}
        since, until = ALWAYS, FOREVER
        lapsed: Reason | None = None
        for subject, consents in self._given.get(request.dataset, {}).copy().items():
            permitting: list[_Verdict] = []
            blocked = False
            # The first to be given is named, in whatever order they came.
            for given in sorted(consents.values(), key=_beginning):
                verdict = _Verdict.of(given, request, now)
                since, until = max(since, verdict.since), min(until, verdict.until)
                blocked = blocked or verdict.blocks
                if verdict.permits is not None:
                    permitting.append(verdict)
                if verdict.lapsed is not None and (
                    lapsed is None or _moment(verdict.lapsed) > _moment(lapsed)
                ):
                    lapsed = verdict.lapsed
            wanted = _strictest([each for verdict in permitting for each in verdict.duties])
            if permitting and not blocked and wanted is not None:
                subjects[subject] = permitting[0].permits or ""
                if wanted:
                    duties[subject] = wanted
        asked = frozenset(duty for each in duties.values() for duty in each)
        return _Answer(
            generation, since, until, MappingProxyType(subjects), MappingProxyType(duties), asked, lapsed
        )


def _moment(reason: Reason) -> int:
    return reason.moment if reason.moment is not None else ALWAYS


def _beginning(given: Given) -> tuple[int, str]:
    return given.state.concluded_at or 0, given.state.id


def _ending(given: Given) -> tuple[int, str]:
    return given.state.ended_at or 0, given.state.id


def _letting(dataset: str, right: _Right, given: Given) -> tuple[int, str]:
    """Until when rows may have come in under a right of it: one that has expired may be ended much later."""
    rules = {} if given.compiled is None else given.compiled.permissions
    ends = (
        rule.ends for rule in rules.get((right.action, dataset), ()) if _right(right.action, rule) == right
    )
    return min(given.state.ended_at or FOREVER, max(ends, default=ALWAYS)), given.state.id


class _Right(NamedTuple):
    """What a consent permits of a dataset: for which purposes and recipients, with ends of trips cut how far."""

    action: str
    purposes: frozenset[str]
    recipients: frozenset[str] | None
    cut: int


def _covers(given: Given, dataset: str) -> frozenset[_Right] | None:
    """All that a consent permits of a dataset; ``None``: it cannot be read."""
    if given.compiled is None:
        return None
    return frozenset(
        _right(action, rule)
        for (action, target), found in given.compiled.permissions.items()
        if target == dataset
        for rule in found
    )


def _right(action: str, rule: CompiledRule) -> _Right:
    return _Right(action, rule.purposes, rule.recipients, _cut(rule))


def _cut(rule: CompiledRule) -> int:
    """How many metres of both ends of a trip are left out; 0: nothing of them."""
    return max((duty.metres for duty in rule.duties if isinstance(duty, CutEnds)), default=0)


def _strictest(permitting: Sequence[tuple[Duty, ...]]) -> tuple[Duty, ...] | None:
    """The duties of all rules that permit the same, of each kind the strictest; ``None`` when they cannot all be met.

    Each limit that a person has set holds until its consent ends: what another consent says takes none of it away.
    """
    if len(permitting) < 2:
        return permitting[0] if permitting else ()
    try:
        return combine(duty for duties in permitting for duty in duties)
    except DutiesConflict:
        return None


@dataclass(slots=True)
class _Verdict:
    """What one consent says to a request at one instant, and between which instants that stays so."""

    permits: str | None = None
    duties: list[tuple[Duty, ...]] = field(default_factory=list)
    """Of each of its rules that permits it."""
    blocks: bool = False
    lapsed: Reason | None = None
    since: int = ALWAYS
    until: int = FOREVER

    @classmethod
    def of(cls, given: Given, request: Request, now: int) -> _Verdict:
        verdict = cls()
        if given.compiled is None:
            # A document that cannot be read may hold a prohibition: none of its subject's rows pass.
            verdict.blocks = not given.ended
        elif given.compiled.assignee in (request.assignee, EVERYONE):
            verdict._weigh(given, given.compiled, request, now)
        return verdict

    def _weigh(self, given: Given, agreement: CompiledAgreement, request: Request, now: int) -> None:
        key = (request.action, request.dataset)
        for rule in agreement.prohibitions.get(key, ()):
            code = rule.failing(request.assignee, request.purpose, now)
            self._limits(code, rule.starts, rule.ends, now)
            self.blocks = self.blocks or (code is None and not given.ended)
        for rule in agreement.permissions.get(key, ()):
            code = rule.failing(request.assignee, request.purpose, now)
            self._limits(code, rule.starts, rule.ends, now)
            if code is None and not given.ended:
                self.permits = agreement.id
                self.duties.append(rule.duties)
            elif code is None:
                detail = f"consent {agreement.id} has been withdrawn"
                self.lapsed = Reason("no_consent", detail, agreement.id, rule.path, given.state.ended_at)
            elif code == "expired":
                detail = f"consent {agreement.id} has expired"
                self.lapsed = Reason("no_consent", detail, agreement.id, rule.path, rule.ends)

    def _limits(self, code: str | None, starts: int, ends: int, now: int) -> None:
        if code is None:
            self.since, self.until = max(self.since, starts), min(self.until, ends)
        elif code == "expired":
            self.since = max(self.since, ends + 1)
        elif code == "not_yet":
            self.until = min(self.until, starts - 1)
