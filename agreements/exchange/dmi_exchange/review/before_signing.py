"""Conflicts told before they bite: when an offer is published, and when an agreement is proposed.

What can never be used is refused. What is forbidden in part, and what the solver cannot decide, is told beside the
answer. The solver stands here and never on the data's way, and stops at a time limit.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decision import EVERYONE
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.model import Policy
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.terms import AgreementTerms
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.versions import Rulebooks
from dmi_exchange import model
from dmi_exchange.errors import DocumentRefused, NeverUsable
from dmi_exchange.review.conflicts import Checker, Finding, OutOfTime, known, present
from dmi_exchange.review.conflicts.results import FindingKind
from dmi_exchange.store import Store
from dmi_infra.aside import PATIENCE, Aside
from dmi_infra.errors import FieldError

SECONDS: Final = 3.0
"""How long the solver may look at one policy before the rest goes unchecked, which is then told."""
THREADS: Final = 2
"""For requests that search for a change, or need the solver, which answers one at a time; one of a participant."""
WAITING: Final = 50
"""Requests of one participant that may stand in line for them, as a burst of proposals does."""
MOST_OTHERS: Final = 20
"""Prohibiting agreements that a proposal is compared with."""
NEVER: Final = frozenset({"impossible", "swallowed", "unusable", "unfulfillable"})

Words = Mapping[str, str]
MEANINGS: Final[Mapping[FindingKind, Words]] = {
    "impossible": {
        "nl": "Aan de voorwaarden van deze toestemming kan niemand tegelijk voldoen.",
        "en": "Nobody can meet the conditions of this permission all at once.",
    },
    "swallowed": {
        "nl": "Alles wat deze toestemming toestaat, is elders verboden.",
        "en": "All that this permission allows is forbidden elsewhere.",
    },
    "overlap": {
        "nl": "Een deel van wat deze toestemming toestaat, is ook verboden. Dan geldt het verbod.",
        "en": "Part of what this permission allows is forbidden too. Then the prohibition counts.",
    },
    "unusable": {
        "nl": "Niemand kan deze afspraak ooit gebruiken.",
        "en": "Nobody can ever use this agreement.",
    },
    "unfulfillable": {
        "nl": "Aan deze plicht kan niemand voldoen.",
        "en": "Nobody can fulfil this duty.",
    },
    "not decidable": {
        "nl": "Of deze regel bruikbaar is, is vooraf niet te zeggen.",
        "en": "Whether this rule can be used cannot be told beforehand.",
    },
}
LATE: Final = {
    "kind": "not checked",
    "path": "",
    "message": {
        "nl": "Het nakijken op tegenspraak duurde te lang en is niet afgemaakt.",
        "en": "The check for contradictions took too long and was not completed.",
    },
}


class BeforeSigning:
    """Looks at proposals beside the agreements that are in force."""

    def __init__(self, store: Store, rulebooks: Rulebooks, layers: Collection[str]) -> None:
        self._store = store
        self._rulebooks = rulebooks
        self._layers = layers
        self.aside = Aside(THREADS, each=1, waiting=WAITING, patience=PATIENCE)
        """Where requests run that take long before a signature: who waits for the solver holds no thread of others."""

    def understood(self, document: Mapping[str, Any]) -> AgreementTerms:
        """What a document says; raises ``DocumentRefused`` when that is not understood."""
        try:
            # The exchange names a proposal that has no name yet, only after this.
            named = {"uid": f"urn:uuid:{uuid.uuid4()}", **document}
            return read_agreement(named, self._rulebooks.in_force(document), self._layers)
        except PolicyRefused as exc:
            raise DocumentRefused.from_findings(exc, "document") from exc

    def told(self, signer: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Contradictions within a document, and with agreements in force that forbid what it permits.

        Only for its parties, who may see those agreements. Raises ``DocumentRefused`` when it is not understood,
        ``NeverUsable`` when nobody could ever use it.
        """
        terms = self.understood(document)
        if terms.is_consent or signer not in (terms.assigner, terms.assignee):
            # Purposes, recipients and times alone, by a form of this service: nothing there can clash.
            return []
        return Contradictions.of(self._rulebooks.current).review(terms.policy, self._forbidding(terms))

    def _forbidding(self, terms: AgreementTerms) -> Iterator[Policy]:
        """Agreements in force of the same owner that forbid the same party or everyone the same data."""
        for state in self._store.find(AgreementState, terms.assigner):
            mine = model.assigner(state.document) == terms.assigner and state.id != terms.uid
            concerned = model.assignee(state.document) in (terms.assignee, EVERYONE)
            if not (mine and concerned) or state.state != "active":
                continue
            try:
                # As the gate reads it: under its own version, with what it inherits.
                other = read_agreement(state.document, self._rulebooks.under(state.document), self._layers)
            except PolicyRefused:
                # One that is no longer understood forbids everything; the gate says so at each request.
                continue
            if other.prohibitions and not set(other.datasets).isdisjoint(terms.datasets):
                yield other.policy


@dataclass(frozen=True)
class Contradictions:
    """Checks policies with the hierarchies of the project."""

    checker: Checker

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, rulebook: Rulebook) -> Contradictions:
        """With the purposes of ``rulebook`` and the places that come with the project."""
        return cls(Checker((known.places(), known.purposes(rulebook))))

    def review(self, policy: Policy, others: Iterable[Policy] = ()) -> list[dict[str, Any]]:
        """What to tell about ``policy``, and about ``others`` that forbid what it permits.

        Raises ``NeverUsable`` with each rule that can never be used, and the least terms that clash.
        """
        until = time.monotonic() + SECONDS
        found, whole = self._within(policy, until)
        never = [each for each in found if each.kind in NEVER]
        if never:
            raise _never(never)
        told = [_told(each) for each in found]
        for other in islice(others, MOST_OTHERS):
            if not whole:
                break
            # A prohibition of one agreement wins over the permission of another, whatever either says of conflicts.
            between = replace(policy, prohibitions=other.prohibitions, obligations=(), conflict=None)
            clashes, whole = self._within(between, until)
            kinds = ("swallowed", "overlap")
            told += [{**_told(each), "agreement": other.uid} for each in clashes if each.kind in kinds]
        return told if whole else [*told, dict(LATE)]

    def _within(self, policy: Policy, until: float) -> tuple[list[Finding], bool]:
        found: list[Finding] = []
        try:
            for finding in self.checker.findings(policy, until):
                found.append(finding)
        except OutOfTime:
            return found, False
        return found, True


def _told(finding: Finding) -> dict[str, Any]:
    (plain,) = present.findings([finding])
    return {**plain, "message": dict(MEANINGS[finding.kind])}


def _never(found: list[Finding]) -> NeverUsable:
    errors = []
    for finding in found:
        words = MEANINGS[finding.kind]
        (plain,) = present.findings([finding])
        clash = "; ".join(f"{term['path']} ({term['term']})" for term in plain.get("clash", []))
        together = f" {clash}" if clash else ""
        errors.append(FieldError(f"document{finding.path}", f"{words['en']} / {words['nl']}{together}"))
    return NeverUsable(f"{errors[0].field}: {errors[0].rule}", errors)
