"""Rights that persons exercise over their data (GDPR art. 16, 17, 21): whose rows no gate may let through.

One thread applies events, any number read without a lock: values are replaced in one step, never changed, except what
stands of a dataset, which is copied in one step before anybody goes through it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Request
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.versions import Rulebooks

ERASURE: Final = "erasure"
OBJECTION: Final = "objection"
RECTIFICATION: Final = "rectification"
KIND: Final = "subject-request"
"""The kind of a ``Change`` that such a request makes."""
ALL_ROWS: Final = 2**63 - 1
"""Later than any row: nothing of the person passes."""
MAX_CACHED: Final = 4_096
"""Answers kept; beyond it the cache starts again."""


def objected(to: str, purpose: str, rulebooks: Rulebooks) -> bool:
    """Whether who objects to use for ``to`` (empty: any) objects to use for ``purpose``.

    That is the purpose itself, all below it, and all above it, which include it. A purpose that no version of the
    rulebook knows, such as another node may name, may be any: it keeps everything back.
    """
    return to in ("", purpose) or not rulebooks.known(to) or rulebooks.overlap(to, purpose)


class Rights:
    """What persons asked for, by id and by dataset."""

    def __init__(self, rulebooks: Rulebooks) -> None:
        self._rulebooks = rulebooks
        self._requests: dict[str, SubjectRequest] = {}
        self._of: dict[str, dict[tuple[str, str, str], SubjectRequest]] = {}
        """By dataset what keeps rows back: by person, right and, of objections, id. Readers copy it in one step."""
        self._answers: dict[tuple[str, str, str], tuple[tuple[int, int], Mapping[str, Micros]]] = {}
        self._generation: dict[str, int] = {}

    def apply(self, event: SubjectRequest) -> Change:
        """Take in one state; what has ended does not begin again."""
        known = self._requests.get(event.id)
        if known == event or (known is not None and known.state == "ended"):
            return Change(KIND, event.id, False)
        self._requests[event.id] = event
        # A correction keeps no row back.
        if event.right != RECTIFICATION:
            self._stand(event)
            # After the change: who worked out an answer before it holds the old number and does so again.
            self._generation[event.dataset] = self._generation.get(event.dataset, 0) + 1
        return Change(KIND, event.id, True, datasets=(event.dataset,))

    def _stand(self, event: SubjectRequest) -> None:
        """Take ``event`` among what keeps rows of its dataset back: of erasures by one person the farthest reaching.

        So what gates look at is as long as there are persons, however often each of them asks.
        """
        standing = self._of.setdefault(event.dataset, {})
        key = (event.person, event.right, event.id if event.right == OBJECTION else "")
        known = standing.get(key)
        if event.state != "active":
            if known is not None and known.id == event.id:
                del standing[key]
        elif known is None or event.right == OBJECTION or event.until > known.until:
            standing[key] = event

    def get(self, identifier: str) -> SubjectRequest | None:
        """One request."""
        return self._requests.get(identifier)

    def __iter__(self) -> Iterator[SubjectRequest]:
        """All requests, oldest first."""
        return iter(sorted(self._requests.copy().values(), key=lambda one: (one.made_at, one.id)))

    def erased(self, dataset: str) -> Mapping[str, Micros]:
        """Person -> the moment up to which its rows of a dataset were erased, whoever asks."""
        found: dict[str, Micros] = {}
        for one in self._of.get(dataset, {}).copy().values():
            if one.right == ERASURE:
                found[one.person] = max(found.get(one.person, one.until), one.until)
        return found

    def left_out(self, request: Request) -> Mapping[str, Micros]:
        """Subject -> the moment up to which none of its rows may pass under ``request``.

        Who objects still sees its own rows; what it had erased it does not.
        """
        who = request.assignee if request.assignee.startswith(PERSON) else ""
        key = (request.dataset, request.purpose, who)
        generation = self.turn(request.dataset)
        known = self._answers.get(key)
        if known is None or known[0] != generation:
            known = generation, self._work_out(*key)
            if len(self._answers) >= MAX_CACHED:
                self._answers = {}
            self._answers[key] = known
        return known[1]

    def turn(self, dataset: str) -> tuple[int, int]:
        """While this stays the same, so does each answer of ``left_out`` about a dataset."""
        # Another version of the rulebook may tell more of what lies below a purpose.
        return self._generation.get(dataset, 0), self._rulebooks.adoptions

    def _work_out(self, dataset: str, purpose: str, asking: str) -> Mapping[str, Micros]:
        found: dict[str, Micros] = {}
        for one in self._of.get(dataset, {}).copy().values():
            against = one.right == OBJECTION and objected(one.purpose, purpose, self._rulebooks)
            objects = against and asking != one.person
            if objects or one.right == ERASURE:
                until = ALL_ROWS if objects else one.until
                found[one.person] = max(found.get(one.person, until), until)
        return MappingProxyType(found)
