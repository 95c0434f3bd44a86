"""Consents of residents: who consents to a request, kept per dataset and worked out once per change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decision import EVERYONE, Duty, Reason, Request
from dmi_agreements.policy.compiled import ALWAYS, FOREVER, CompiledAgreement

MAX_CACHED: Final = 4_096
"""Answers kept; beyond it the cache starts again, so that it cannot grow without bound."""

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
        """Keep the newest state of one consent for one of its datasets."""
        subjects = self._given.setdefault(dataset, {})
        subjects[subject] = {**subjects.get(subject, {}), given.state.id: given}
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
            permitting: _Verdict | None = None
            blocked = False
            for given in consents.values():
                verdict = _Verdict.of(given, request, now)
                since, until = max(since, verdict.since), min(until, verdict.until)
                blocked = blocked or verdict.blocks
                if permitting is None and verdict.permits is not None:
                    permitting = verdict
                if verdict.lapsed is not None and (
                    lapsed is None or _moment(verdict.lapsed) > _moment(lapsed)
                ):
                    lapsed = verdict.lapsed
            if permitting is not None and permitting.permits is not None and not blocked:
                subjects[subject] = permitting.permits
                if permitting.duties:
                    duties[subject] = permitting.duties
        return _Answer(generation, since, until, MappingProxyType(subjects), MappingProxyType(duties), lapsed)


def _moment(reason: Reason) -> int:
    return reason.moment if reason.moment is not None else ALWAYS


@dataclass(slots=True)
class _Verdict:
    """What one consent says to a request at one instant, and between which instants that stays so."""

    permits: str | None = None
    duties: tuple[Duty, ...] = ()
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
                self.permits, self.duties = agreement.id, rule.duties
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
