"""One document before the review: what it claims, what is known of the things that it names, and what is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any

from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.persons import RESIDENT
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.rulebook_terms import Act
from dmi_exchange.review.claims import Claim, Claims
from dmi_exchange.review.edits import Operation, Place, Repair

Text = Mapping[str, str]

PERSONAL = "dmi:data:personal"
UNKNOWN_PARTY = "urn:dmi:participant:assignee"
"""Stands in an offer for whoever accepts it."""
COUNTRY = "dmi:country:"
FIGURES = 10
"""What it counts for to give figures in place of rows: as much as ten terms."""
MOST_REPAIRS = 20
"""Of one fault: each is tried together with those of the others."""
LESS = 20
"""What it counts for to give no data where some was meant."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the review asks the node. ``taken`` is what the second party has of the first's commons without a price,
    by agreements in force other than the named one: cents a year by dataset, each once."""

    dataset: Callable[[str], Dataset | None]
    participant: Callable[[str], Participant | None]
    taken: Callable[[str, str, str], Mapping[str, int]]

    def once(self) -> Facts:
        """The same facts, each asked once: one review sees one state of them."""
        return Facts(cache(self.dataset), cache(self.participant), cache(self.taken))

    def with_entry(self, entry: Dataset) -> Facts:
        """The same facts as if the catalogue held this entry."""
        return replace(self, dataset=lambda name: entry if name == entry.id else self.dataset(name))


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule, where in the document, what exactly, and changes of which each would mend it."""

    rule: str
    path: str
    detail: Text
    repairs: tuple[Repair, ...] = ()
    part: str = ""
    """The permission that has to change, by its path; empty for the document as a whole."""


@dataclass(frozen=True, slots=True)
class Case:
    """A document to judge. ``signers`` have signed it or are about to; ``book`` holds the rules that are applied."""

    document: Mapping[str, Any]
    claims: Claims
    book: Rulebook
    facts: Facts
    now: int
    signers: frozenset[str] = frozenset()
    faults: list[Fault] = field(default_factory=list)

    def find(
        self, rule: str, path: str, nl: str, en: str, repairs: Iterable[Repair | None] = (), part: str = ""
    ) -> None:
        """Note a fault; ``rule`` without its prefix; a path in a permission tells the ``part`` by itself."""
        possible = tuple(islice((one for one in repairs if one is not None and one.operations), MOST_REPAIRS))
        if not part and path.startswith("/permission/"):
            part = "/".join(path.split("/")[:3])
        self.faults.append(Fault(f"dmi:rule:{rule}", path, {"nl": nl, "en": en}, possible, part))

    # -- what is known ------------------------------------------------------

    def data(self, claim: Claim) -> list[Dataset]:
        """The datasets of a permission that the catalogue knows."""
        found = (self.facts.dataset(name) for name in claim.datasets)
        return [dataset for dataset in found if dataset is not None]

    def personal(self, claim: Claim) -> list[Dataset]:
        """Those of them of which a person can be found in what the permission gives."""
        if claim.anonymous(self.smallest_group):
            return []
        return [d for d in self.data(claim) if self.book.in_category(d.data_category, PERSONAL)]

    @property
    def smallest_group(self) -> int:
        """From how many persons on a figure is about nobody."""
        limit = self.book.limits.get("dmi:limit:group")
        return limit.minimum if limit is not None and limit.minimum is not None else 2**31

    def participant(self, party: str) -> Participant | None:
        """What is known of a party, to who signs; where nobody does, to the node itself.

        Of a person that neither signs nor is represented by who does, nothing: the verdict would tell whether it takes
        part, left or is a child, and what it is called.
        """
        found = self.facts.participant(party)
        concerned = {party, *(found.representatives if found is not None else ())}
        if not party.startswith(PERSON) or not self.signers or self.signers & concerned:
            return found
        return Participant(party, party.rsplit(":", 1)[-1], [RESIDENT])

    def roles(self, party: str) -> frozenset[str]:
        """The roles of a party."""
        found = self.participant(party)
        return frozenset(found.roles) if found is not None else frozenset()

    def may(self, party: str, *acts: Act) -> bool:
        """Whether a role of the party lets it do one of these."""
        held = (self.book.roles[role] for role in self.roles(party) if role in self.book.roles)
        return any(act in role.may for role in held for act in acts)

    # -- words --------------------------------------------------------------

    def label(self, term: str) -> Text:
        """The text of a term in both languages; the term itself when the rulebook has none."""
        try:
            return {language: self.book.label(term, language) for language in ("nl", "en")}
        except KeyError:
            return {"nl": term, "en": term}

    def name(self, party: str) -> str:
        """What people call a party."""
        found = self.participant(party)
        return found.name if found is not None else party.rsplit(":", 1)[-1]

    # -- changes ------------------------------------------------------------

    def repair(
        self, claim: Claim, change: Callable[[Place], list[Operation]], nl: str, en: str, cost: int = 1
    ) -> Repair | None:
        """A change of one permission; ``None`` where the document is written in a form that cannot be changed so."""
        try:
            return Repair(tuple(change(Place(self.document, claim.path))), {"nl": nl, "en": en}, cost)
        except (LookupError, TypeError, ValueError):
            return None

    def use_purpose(self, claim: Claim, purpose: str) -> Repair | None:
        """Narrow a permission to one purpose."""
        text = self.label(purpose)
        return self.repair(
            claim, lambda place: place.purpose(purpose),
            f"kies als doel: {text['nl']}", f"choose as purpose: {text['en']}",
        )  # fmt: skip

    def use_basis(self, basis: str) -> Repair | None:
        """Put another legal basis in the document."""
        if "dmi:legalBasis" not in self.document:
            return None
        text = self.label(basis)
        change = {"op": "replace", "path": "/dmi:legalBasis", "value": basis}
        return Repair(
            (change,), {"nl": f"kies als grondslag: {text['nl']}", "en": f"choose as basis: {text['en']}"}
        )

    def leave_out(self, claim: Claim, dataset: str) -> Repair | None:
        """Take one dataset from a permission, or the permission itself when it is about nothing else."""
        known = self.facts.dataset(dataset)
        title = dict(known.title) if known is not None else {}
        nl = f"laat weg: {title.get('nl', dataset)}"
        en = f"leave out: {title.get('en', title.get('nl', dataset))}"
        if len(claim.datasets) > 1:
            return self.repair(claim, lambda place: place.without_target(dataset), nl, en, LESS)
        if len(self.claims.permissions) > 1:
            return Repair(({"op": "remove", "path": claim.path},), {"nl": nl, "en": en}, LESS)
        return None

    def leave_out_free(self, dataset: str) -> Repair | None:
        """Take one dataset from all permissions that have no price; ``None`` when no permission would be left."""
        about = [claim for claim in self.claims.permissions if not claim.priced and dataset in claim.datasets]
        if sum(len(claim.datasets) == 1 for claim in about) == len(self.claims.permissions):
            return None
        # The last first, so that the places of the others stay what they are.
        steps = [self.leave_out(claim, dataset) for claim in reversed(about)]
        found = [step for step in steps if step is not None and step.operations]
        if not found or len(found) < len(steps):
            return None
        operations = tuple(operation for step in found for operation in step.operations)
        return Repair(operations, found[0].text, LESS * len(found))

    def only_groups(self, claim: Claim) -> Repair | None:
        """Give figures about groups of persons in place of persons."""
        least = self.smallest_group
        return self.repair(
            claim,
            lambda place: [
                *place.duty("dmi:aggregate", ("dmi:window", 3600), ("dmi:areaLevel", "neighbourhood")),
                *place.duty("dmi:suppress", ("dmi:minimumGroup", least)),
            ],
            f"geef alleen cijfers per uur en buurt, over ten minste {least} personen",
            f"give figures by hour and neighbourhood alone, about at least {least} persons",
            FIGURES,
        )
