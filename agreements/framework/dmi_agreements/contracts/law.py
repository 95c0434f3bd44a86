"""Events on the law topic. Each carries the whole new state of one object, so the topic can be compacted."""

from __future__ import annotations

from typing import Any

import msgspec

from dmi_agreements.contracts.observations import Micros


class Participant(msgspec.Struct, frozen=True, omit_defaults=True, tag="participant", tag_field="type"):
    """An organisation, a resident or a machine; ``rulebook`` is the version it signed, ``None`` before it signs."""

    id: str
    name: str
    roles: list[str]
    keys: list[dict[str, Any]] = []
    """Public keys as JWKs, each with a ``kid``."""
    rulebook: str | None = None
    active: bool = True
    country: str = "NL"
    """Where it is established (ISO 3166-1 alpha-2)."""
    representatives: list[str] = []
    """Persons that act for this person, such as the parents of a child."""
    of_age_at: Micros | None = None
    """When a child decides for itself (16 years, UAVG art. 5); ``None``: it is no child."""
    identifiers: list[str] = []
    """Names by which certificates know it, such as an EORI number (``EU.EORI.NL…``)."""
    home: str = ""
    """The issuer of the node that it is a member of and that speaks for it; empty: this node."""
    machine_of: str = ""
    """The participant whose machine it is; it signs nothing, and acts by mandates of that one alone."""
    member_since: Micros | None = None
    """When it first signed a rulebook; ``None``: it has not, or did before this was kept."""
    excluded: bool = False
    """Of another node's member: whether this node's operator has excluded it, whatever its own node tells of it."""
    revoked_here: list[str] = []
    """Of another node's member: names (``kid``) of its keys that were revoked here, whatever its own node tells."""
    letter_at: Micros | None = None
    """When the code of a person's last letter was made, which alone lets in; ``None``: none that was told of here."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something is about; ``bbox`` is west, south, east, north in WGS84 degrees."""

    bbox: tuple[float, float, float, float]
    name: dict[str, str] = {}
    """By language."""
    codes: list[str] = []
    """Codes of areas of Statistics Netherlands: ``GM0344``, ``WK034401``, ``BU03440111``."""


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a catalogue tells of an entry beside its title, description and conditions."""

    place: Place
    themes: list[str] = []
    """Codes of the data themes of the EU, such as ``TRAN``."""
    keywords: dict[str, list[str]] = {}
    """By language."""
    contact: str = ""
    """An address to write to: ``mailto:`` or ``https:``."""
    page: str = ""
    """A page of the owner's about it."""
    languages: list[str] = []
    modified_at: Micros = 0


class Dataset(msgspec.Struct, frozen=True, omit_defaults=True, tag="dataset", tag_field="type"):
    """A dataset in the catalogue.

    ``basis`` is the legal basis of personal data (GDPR art. 6(1)). Under consent, which is assumed when none
    is stated, each row needs the consent of its subject; under another basis the agreements alone decide.
    """

    id: str
    owner: str
    title: dict[str, str]
    description: dict[str, str] = {}
    personal: bool = False
    basis: str = ""
    purpose: str = "dmi:purpose:public-task"
    """What the data is collected for; the layers of its own node work under this purpose and no other."""
    category: str = ""
    licence: str = ""
    source: str = ""
    layer: str = ""
    """How visualisation draws it: ``points``, ``areas``, ``vehicles``, or empty for not at all."""
    withdrawn: bool = False
    about: About | None = None
    """``None`` in entries of before, which told no place."""
    data: str = ""
    """The category of the data, ``dmi:data:…``; empty: as ``personal`` says."""
    commons_cents: int = 0
    """What a year of its use is worth as the owner's part of the commons, in cents; 0: it is no part of them."""

    @property
    def data_category(self) -> str:
        """The category of the data."""
        return self.data or ("dmi:data:personal" if self.personal else "dmi:data:non-personal")

    @property
    def needs_consent(self) -> bool:
        """Whether each row needs the consent of its subject."""
        return self.personal and self.basis in ("", "dmi:basis:consent")


class Objection(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule of the rulebook that a running agreement breaks, where in its document, and since when that is known."""

    rule: str
    path: str
    since: Micros


class Performance(msgspec.Struct, frozen=True, omit_defaults=True):
    """A duty of an agreement that was fulfilled, as the party confirmed to which it was owed."""

    rule: str
    """JSON pointer of the duty in the document."""
    at: Micros
    by: str
    """Who confirmed it."""


class AgreementState(msgspec.Struct, frozen=True, omit_defaults=True, tag="agreement", tag_field="type"):
    """An agreement or a consent: the signed ODRL document and whether it is still in force."""

    id: str
    document: dict[str, Any]
    state: str
    """``proposed``, ``active`` or ``ended``."""
    signatures: dict[str, str] = {}
    """Detached JWS over the canonical document, by participant id."""
    concluded_at: Micros | None = None
    ended_at: Micros | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    objections: list[Objection] = []
    """What the review holds against it while it runs on."""
    performed: list[Performance] = []
    """Duties that were fulfilled, oldest first; what was confirmed stays."""
    replaces: str | None = None
    """The proposal of the same negotiation, or the consent to the same, that this one took the place of."""
    replaced_by: str | None = None
    """The proposal or consent that took the place of this one, which therefore has ended."""


class RulebookVersion(msgspec.Struct, frozen=True, omit_defaults=True, tag="rulebook", tag_field="type"):
    """A version of the rulebook: proposed as a change of ``base``, and adopted or rejected by the body that may."""

    id: str
    version: str
    base: str
    state: str
    """``proposed``, ``adopted`` or ``rejected``."""
    files: dict[str, Any]
    """The whole of it, by file name."""
    reason: str = ""
    proposed_by: str = ""
    proposed_at: Micros | None = None
    decided_by: str | None = None
    decided_at: Micros | None = None
    decision: str = ""
    """Why it was adopted or rejected, as far as that was said."""
    signatures: dict[str, str] = {}
    """Detached JWS over proposal and decision, by what was signed (``proposes``, ``adopts``)."""


class Mandate(msgspec.Struct, frozen=True, omit_defaults=True, tag="mandate", tag_field="type"):
    """A mandate by which one participant acts in the name of another: the signed document and its state."""

    id: str
    document: dict[str, Any]
    signature: str
    """The mandator's: a detached JWS over the canonical document, or the whole delegation evidence (a JWT)."""
    state: str
    """``active`` or ``ended``."""
    made_at: Micros
    ended_at: Micros | None = None
    ended_by: str | None = None
    end_reason: str | None = None


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", tag_field="type"):
    """Shows that the law is being published; a law table without a recent one refuses everything."""

    id: str
    at: Micros


class Usage(msgspec.Struct, frozen=True, tag="usage", tag_field="type"):
    """How often one party has used a rule that counts its uses, summed up from the log by the exchange."""

    id: str
    agreement: str
    rule: str
    """JSON pointer of the rule in the agreement's document."""
    assignee: str
    counts: dict[str, int]
    """Uses by the service whose gate allowed them."""
    first: Micros
    last: Micros | None = None
    """Not known of uses that were summed up before intervals between uses could be agreed."""


class Correction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one measurement of a person should have been; ``result`` is in the unit of its datastream, or no value."""

    datastream: str
    phenomenon_time: Micros
    result: float | None = None


class SubjectRequest(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="subject-request", tag_field="type"
):
    """A right that a person exercises over its data in one dataset (GDPR art. 16, 17 and 21).

    ``erasure``: all measured up to ``until`` goes, in every layer. ``objection``: no rows of the person pass for
    ``purpose`` (empty: any) while it is active. ``rectification``: the corrections take the place of what was measured.
    """

    id: str
    person: str
    right: str
    """``erasure``, ``objection`` or ``rectification``."""
    dataset: str
    made_at: Micros
    state: str = "active"
    """``active`` or ``ended``; an objection alone can end."""
    purpose: str = ""
    corrections: list[Correction] = []
    reason: str = ""
    made_by: str = ""
    """Who made it for the person; empty: the person."""
    ended_at: Micros | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    measured_until: Micros = 0
    """Of one that was made on another node: up to when rows are meant. 0: up to ``made_at``."""

    @property
    def until(self) -> Micros:
        """Rows measured up to this moment are meant by an erasure."""
        return self.measured_until or self.made_at


LawEvent = (
    Participant | Dataset | AgreementState | RulebookVersion | Mandate | SubjectRequest | Heartbeat | Usage
)
