"""Offers: the conditions under which owners let others have their datasets, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from dmi_agreements.dsp.terms import same_terms
from dmi_exchange.dsp.process import Process

__all__ = ["CONSENT_STAYS", "Entry", "Offer", "Page", "Shelf", "same_terms"]

CONSENT_STAYS: Final = (
    "data that rests on consent does not go to another city: that one does not know who consents"
)
"""Why data stays here, for a refusal and for its owner; ``dmi_infra.http.stories`` has it in Dutch."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer of the catalogue: its rules as the protocol writes them."""

    id: str
    dataset: str
    owner: str
    rules: Mapping[str, Any]

    def policy(self) -> dict[str, Any]:
        """The offer as it stands in a catalogue."""
        return {"@id": self.id, "@type": "Offer", **self.rules}


@dataclass(frozen=True, slots=True)
class Entry:
    """A dataset of the catalogue with its offers; texts by language."""

    id: str
    owner: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    offers: Sequence[Offer]
    formats: Sequence[str]
    about: Mapping[str, Any] = field(default_factory=dict)
    """The entry of the catalogue as this project writes it, for nodes of this project."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the catalogue in the order of ids, and the ids from which there is more on either side, if there is.

    An entry that is not shown, such as one that was withdrawn, takes up its place in a part.
    """

    entries: Sequence[Entry]
    before: str | None
    after: str | None


class Shelf(Protocol):
    """What this node offers, and how an agreement about it comes to hold."""

    def page(self, after: str, before: str | None, limit: int, wanted: Mapping[str, str]) -> Page:
        """Datasets on offer after (or the last ones ``before``) an id that fit ``wanted``."""
        ...

    def entry(self, dataset: str) -> Entry | None:
        """One dataset on offer."""
        ...

    def offer(self, identifier: str) -> Offer | None:
        """One offer."""
        ...

    def useless(self, dataset: str, peer: str) -> str | None:
        """Why an agreement about a dataset could never be used by ``peer``, in words; ``None`` when it could."""
        ...

    def signs(self, participant: str) -> bool:
        """Whether this node may sign for a participant by itself; the others sign with keys of their own."""
        ...

    def draft(self, process: Process) -> dict[str, Any]:
        """As provider: the document that the offer on the table becomes, for the owner to sign."""
        ...

    def agreement(self, process: Process, jws: str | None) -> tuple[dict[str, Any], dict[str, str]]:
        """The agreement that the offer on the table becomes, and the provider's signature by participant."""
        ...

    def document(self, process: Process) -> dict[str, Any] | None:
        """As consumer: the document to sign (``None``: there is none). Raises when it is not what was agreed."""
        ...

    def verification(self, process: Process, jws: str | None) -> dict[str, Any]:
        """As consumer: what the verification says beside the ids. Raises when the agreement is not right."""
        ...

    def verified(self, process: Process, body: Mapping[str, Any]) -> Process:
        """As provider: take the verification. Raises ``StepRefused`` when it does not hold."""
        ...

    def conclude(self, process: Process) -> dict[str, Any]:
        """As provider: let the agreement hold; what the last event says beside the ids."""
        ...

    def undo(self, process: Process) -> None:
        """As provider: the negotiation was ended; an agreement that had come of it already ends too."""
        ...

    def keep(self, process: Process) -> None:
        """As consumer: the agreement holds, and comes into this node's law."""
        ...
