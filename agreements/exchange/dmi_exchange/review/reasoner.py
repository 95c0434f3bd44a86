"""The policy reasoner: a proposal against law and rulebook, why it fails, and the smallest change that mends it."""

from __future__ import annotations

import hashlib
import heapq
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.measure import check_measure
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.versions import Rulebooks
from dmi_exchange.errors import DocumentRefused, ReviewRefused
from dmi_exchange.review import framework_rules, law_rules
from dmi_exchange.review.case import PERSONAL, Case, Facts, Fault
from dmi_exchange.review.claims import Claims, claims_of, read_claims
from dmi_exchange.review.edits import Operation, Repair, apply
from dmi_infra import clock

Check = Callable[[Case], None]
T = TypeVar("T")

PROPOSAL: Final[Sequence[Check]] = (
    law_rules.basis, law_rules.purpose_basis, law_rules.basis_role, law_rules.broad_purpose,
    law_rules.purpose_collection, law_rules.special, law_rules.transfer, law_rules.bundled, law_rules.child,
    framework_rules.limits, framework_rules.term, framework_rules.expired, framework_rules.role,
    framework_rules.commons, framework_rules.high_value, framework_rules.left, framework_rules.withdrawn,
)  # fmt: skip
"""What every proposal is checked for."""

TRIES: Final = 400
"""Changed documents that are looked at in search of the smallest change."""
SEARCH_SECONDS: Final = 2.0
"""How long that search may take: anybody may ask for it, of as large a document as the language knows."""


@dataclass(frozen=True, slots=True)
class SmallestChange:
    """The least change after which a document passes, what each step does, and the document they make."""

    steps: tuple[Repair, ...]
    document: Mapping[str, Any]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All of them in order: a JSON Patch (RFC 6902)."""
        return tuple(operation for step in self.steps for operation in step.operations)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the review says about one document; ``change`` is ``None`` when it passes, no change would do, or none
    was found in time."""

    faults: tuple[Fault, ...]
    rulebook: Rulebook
    change: SmallestChange | None = None

    @property
    def passes(self) -> bool:
        """Whether it may become an agreement."""
        return not self.faults


class Reasoner:
    """Judges documents with what the node knows."""

    def __init__(
        self, books: Rulebooks, facts: Facts, layers: Collection[str] = (), now: clock.Clock = clock.now
    ) -> None:
        self._books = books
        self._facts = facts
        self._layers = layers
        self._now = now

    def review(
        self, document: Mapping[str, Any], signers: Collection[str] = (), entry: Dataset | None = None
    ) -> Verdict:
        """The verdict about a proposal, under the version that it names; raises ``PolicyRefused``.

        ``entry`` is a dataset as it is about to be entered: the proposal is judged as if it were.
        """
        book = self._books.in_force(document)
        facts = self._facts if entry is None else self._facts.with_entry(entry)
        first = self._case(document, book, facts.once(), frozenset(signers), self._now())
        faults = tuple(self._faults(first))
        return Verdict(faults, book, self._smallest(first) if faults else None)

    def require(
        self, document: Mapping[str, Any], signers: Collection[str] = (), entry: Dataset | None = None
    ) -> None:
        """Raise ``ReviewRefused`` unless the proposal passes its review."""
        try:
            verdict = self.review(document, signers, entry)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc
        if not verdict.passes:
            steps = verdict.change.steps if verdict.change is not None else ()
            raise ReviewRefused.of_faults(verdict.faults, verdict.rulebook, steps)

    def running(self, state: AgreementState, claims: Claims | None = None) -> tuple[Fault, ...]:
        """What the current rulebook holds against an agreement in force; its claims may be known already.

        One that cannot be read is for the gate, which refuses it: nothing is held against it here.
        """
        book = self._books.current
        try:
            known = claims or self.claims(state.document)
        except PolicyRefused:
            return ()
        facts, signers = self._facts.once(), frozenset(state.signatures)
        found = self._faults(Case(state.document, known, book, facts, self._now(), signers))
        if known.version not in book.accepted:
            told = {
                "nl": f"gesloten onder versie {known.version}",
                "en": f"made under version {known.version}",
            }
            found.append(Fault("dmi:rule:version", "/dmi:rulebook", told))
        found += self._renewals(known)
        return tuple(fault for fault in found if book.rules[fault.rule].running != "ignore")

    def mend(self, state: AgreementState) -> SmallestChange | None:
        """The smallest change after which the current rulebook holds nothing against what an agreement says.

        ``None`` when it says nothing wrong, or no change of its text would do: a party that left stays away.
        """
        try:
            case = self.case(state)
        except PolicyRefused:
            return None
        return self._smallest(case) if self._faults(case) else None

    def case(self, state: AgreementState) -> Case:
        """An agreement before the current rulebook, and what is known now; raises ``PolicyRefused``."""
        facts, signers = self._facts.once(), frozenset(state.signatures)
        return Case(
            state.document, self.claims(state.document), self._books.current, facts, self._now(), signers
        )

    def claims(self, document: Mapping[str, Any]) -> Claims:
        """What a document claims, under its own version; raises ``PolicyRefused``."""
        return read_claims(document, self._books.under(document), self._layers)

    def dataset(self, dataset: Dataset) -> tuple[Fault, ...]:
        """What is wrong with an entry of the catalogue: its purpose and basis, where persons can be found in it."""
        book = self._books.current
        if not book.in_category(dataset.data_category, PERSONAL):
            return ()
        found: list[Fault] = []
        basis, purpose = law_rules.basis_of(dataset), book.purposes[dataset.purpose]
        if purpose.broad:
            nl, en = purpose.label["nl"].lower(), purpose.label["en"].lower()
            told = {
                "nl": f"het doel {nl} zegt niet precies waarvoor",
                "en": f"the purpose {en} does not say what for",
            }
            found.append(Fault("dmi:rule:broad-purpose", "/purpose", told))
        elif not book.carries(basis, dataset.purpose):
            nl, en = (book.label(basis, language).lower() for language in ("nl", "en"))
            told = {
                "nl": f"de grondslag {nl} draagt dit doel niet",
                "en": f"the basis {en} does not carry this purpose",
            }
            found.append(Fault("dmi:rule:purpose-basis", "/basis", told))
        special = book.in_category(dataset.data_category, law_rules.SPECIAL)
        if special and basis not in (law_rules.CONSENT, law_rules.SAVING_LIVES):
            told = {"nl": "heel gevoelige gegevens", "en": "very sensitive data"}
            found.append(Fault("dmi:rule:special", "/basis", told))
        return tuple(found)

    # -- parts --------------------------------------------------------------

    def _case(
        self, document: Mapping[str, Any], book: Rulebook, facts: Facts, signers: frozenset[str], now: int
    ) -> Case:
        terms = read_agreement(document, book, self._layers)
        check_measure(terms)
        return Case(document, claims_of(terms, book), book, facts, now, signers)

    @staticmethod
    def _faults(case: Case) -> list[Fault]:
        fresh = replace(case, faults=[])
        for check in PROPOSAL:
            check(fresh)
        found: dict[tuple[str, ...], Fault] = {}
        for fault in fresh.faults:
            found.setdefault((fault.rule, fault.path, fault.part, fault.detail["en"]), fault)
        return list(found.values())

    def _smallest(self, first: Case) -> SmallestChange | None:
        """Cheapest first among all combinations of repairs, so that what passes first is the smallest (A*)."""
        waiting = [(0, 0, 0, _Draft(0, (), first.document))]
        seen: set[bytes] = set()
        count = 0
        until = time.monotonic() + SEARCH_SECONDS
        for _ in range(TRIES):
            if not waiting or time.monotonic() > until:
                return None
            bound, _cost, _count, draft = heapq.heappop(waiting)
            faults = draft.faults
            if faults is None:
                document = draft.changed()
                if document is None or (spelled := _spelled(document)) in seen:
                    continue
                seen.add(spelled)
                draft = replace(draft, document=document, open=None)
                faults = self._faults_of(document, first)
                if faults is None or any(not fault.repairs for fault in faults):
                    continue
                # What came before knew less of what is left: wait for those that may still cost less.
                if (known := draft.cost + _at_least(faults)) > bound:
                    count += 1
                    heapq.heappush(waiting, (known, -draft.cost, count, replace(draft, faults=faults)))
                    continue
            if not faults:
                return SmallestChange(draft.steps, draft.document)
            for repair in _next_repairs(faults):
                after = _Draft(draft.cost + repair.cost, (*draft.steps, repair), draft.document, repair)
                count += 1
                ahead = max(0, _at_least(faults) - repair.cost)
                heapq.heappush(waiting, (after.cost + ahead, -after.cost, count, after))
        return None

    def _faults_of(self, document: Mapping[str, Any], first: Case) -> list[Fault] | None:
        """What is wrong with a changed document; ``None`` when the language does not know it any more."""
        try:
            return self._faults(self._case(document, first.book, first.facts, first.signers, first.now))
        except PolicyRefused:
            return None

    def _renewals(self, claims: Claims) -> list[Fault]:
        """A consent lapses when the purpose that it was given for means something else now (GDPR art. 6(4))."""
        before, after = self._books.get(claims.version), self._books.current
        if not claims.consent or before is None or before is after:
            return []
        found: list[Fault] = []
        for claim in claims.permissions:
            for root in claim.roots:
                if before.purposes.get(root) != after.purposes.get(root):
                    text = before.purposes[root].label
                    told = {
                        "nl": f"het doel {text['nl'].lower()} is veranderd",
                        "en": f"the purpose {text['en'].lower()} has changed",
                    }
                    found.append(Fault("dmi:rule:renewal", f"{claim.path}/constraint", told))
        return found


@dataclass(frozen=True, slots=True)
class _Draft:
    """A changed document on the way to one that passes."""

    cost: int
    steps: tuple[Repair, ...]
    document: Mapping[str, Any]
    open: Repair | None = None
    """The last step, while the document is still without it: most drafts wait and are never looked at."""
    faults: list[Fault] | None = None
    """Once it has been looked at."""

    def changed(self) -> Mapping[str, Any] | None:
        """The document with all steps; ``None`` where the last one finds its place no more."""
        if self.open is None:
            return self.document
        try:
            return apply(self.document, self.open.operations)
        except (LookupError, TypeError, ValueError):
            return None


def _next_repairs(faults: Sequence[Fault]) -> list[Repair]:
    """Of the repairs of one part of the document each: every part needs one, in whatever order."""
    part = faults[0].part
    found = [one for fault in faults if fault.part in (part, "") for one in fault.repairs]
    return _once(found)


def _at_least(faults: Sequence[Fault]) -> int:
    """What mending all of them costs at least: the dearest of each permission, which no other's repair mends."""
    parts: dict[str, int] = {}
    for fault in faults:
        least = min(repair.cost for repair in fault.repairs)
        parts[fault.part] = max(parts.get(fault.part, 0), least)
    whole = parts.pop("", 0)
    return max(whole, sum(parts.values()))


def _spelled(document: Mapping[str, Any]) -> bytes:
    """A digest: of what was looked at nothing else has to be kept."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()


def _once(items: Sequence[T]) -> list[T]:
    found: list[T] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
