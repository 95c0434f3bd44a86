"""What the law table holds of one agreement: its state, its compiled document, or why it cannot be read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decision import EVERYONE
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.policy.compiled import CompiledAgreement, compile_agreement
from dmi_agreements.policy.context import ODRL
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.jsonld import MAX_NODES
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.versions import Rulebooks

STATES: Final = {"proposed": 0, "active": 1, "ended": 2}
"""States in the only order they can take: what has ended never comes back under the same id."""


@dataclass(frozen=True, slots=True)
class Held:
    """One agreement or consent. ``compiled`` is ``None`` exactly when ``findings`` is not empty.

    ``assigner`` is ``None`` when an unreadable document does not show it; ``assignee`` is then everyone,
    so that what is not understood refuses rather than passes.
    """

    state: AgreementState
    assigner: str | None
    assignee: str
    datasets: tuple[str, ...]
    compiled: CompiledAgreement | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_consent(self) -> bool:
        """Whether a natural person is its assigner."""
        return self.assigner is not None and self.assigner.startswith(PERSON)

    @property
    def active(self) -> bool:
        """Whether it is in force; an unknown state counts as in force and unreadable, so it refuses."""
        return self.state.state not in ("proposed", "ended")

    @property
    def ended(self) -> bool:
        """Whether it has been ended."""
        return self.state.state == "ended"

    @property
    def forbids(self) -> bool:
        """Whether it prohibits something: it then speaks of terms of other versions of the rulebook too."""
        return self.compiled is not None and bool(self.compiled.prohibitions)

    @property
    def once_active(self) -> bool:
        """Whether it is or was in force; a proposal that another one replaced, or that was declined, never was."""
        return self.active or (self.ended and self.state.concluded_at is not None)


def hold(state: AgreementState, rulebooks: Rulebooks, layers: Collection[str] = ()) -> Held:
    """Read and compile the document of ``state``, once, under the version that it names; ``layers`` operate layers."""
    rulebook = rulebooks.under(state.document)
    findings: tuple[Finding, ...] = ()
    try:
        terms = read_agreement(state.document, rulebook, layers)
    except PolicyRefused as refusal:
        findings = refusal.findings
    else:
        if terms.uid != state.id:
            findings = (Finding("/uid", f"the document is of {state.id}", terms.uid),)
        elif state.state not in STATES:
            findings = (Finding("/state", "proposed, active or ended", state.state[:60]),)
        else:
            compiled = compile_agreement(terms, rulebook, rulebooks.beside(rulebook))
            return Held(state, terms.assigner, terms.assignee, terms.datasets, compiled)
    assigner, assignee, datasets = _gist(state.document)
    return Held(state, assigner, assignee or EVERYONE, datasets, None, findings)


def _gist(document: Mapping[str, object]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Whom and what an unreadable document concerns, as far as its texts show."""
    parties: dict[str, str | None] = {"assigner": None, "assignee": None}
    for key, value in document.items():
        name = str(key).removeprefix("odrl:").removeprefix(ODRL)
        if name in parties:
            found = [text for text in _texts(value) if text.startswith("urn:dmi:p")]
            parties[name] = found[0] if len(found) == 1 else None
    datasets = {text for text in _texts(document) if text.startswith("urn:dmi:dataset:")}
    return parties["assigner"], parties["assignee"], tuple(sorted(datasets))


def _texts(value: object) -> Iterator[str]:
    """All texts in a JSON value, with ``dmi:`` written out; at most as many as a document may have values."""
    waiting = [value]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            yield f"urn:{item}" if item.startswith("dmi:") else item


def no_news(known: AgreementState, event: AgreementState) -> bool:
    """Whether ``event`` says nothing beyond ``known``: the same again, or a state that has been passed."""
    if known == event or STATES.get(event.state, 1) < STATES.get(known.state, 1):
        return True
    # What was confirmed as fulfilled stays, so a state with less of it is an earlier one.
    return event.state == known.state and len(event.performed) < len(known.performed)
