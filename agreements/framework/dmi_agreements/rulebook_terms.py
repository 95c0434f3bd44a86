"""What a rulebook is made of: the shape of each term in its files, and of the files."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

Act = Literal["offer", "use", "contribute", "consent", "propose", "adopt", "inspect", "delimit"]
"""What a role lets its holder do: offer, use or hand in data, consent for itself, change the rulebook, supervise, lay
down areas for everybody."""

Weight = Literal["patch", "minor", "major"]
"""How much a change does: wording; something added; something taken away or decided differently, or a power given."""


class Governance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which roles may propose a change of the rulebook, and which may adopt it, by the weight of the change."""

    propose: list[str]
    adopt: dict[Weight, list[str]]


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Version of the rulebook (``rulebook.json``); ``accepted`` lists the versions still in force."""

    version: str
    date: str
    title: dict[str, str]
    accepted: list[str]
    governance: Governance


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One term: id, text by language (``nl``, ``en``), and the standard term it means."""

    id: str
    label: dict[str, str]
    description: dict[str, str]
    same_as: str | None = None


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role of an organisation, of a person, or a body of the framework; ``may`` is what its holder can do."""

    id: str
    kind: Literal["organisation", "person", "body"]
    label: dict[str, str]
    description: dict[str, str]
    may: list[Act]


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node of the tree of purposes; ``dpv`` is the term of the Data Privacy Vocabulary it falls under.

    One that is ``broad`` cannot be the purpose of personal data (GDPR art. 5(1)(b)); one that is ``compatible``
    goes with any purpose that data was collected for (art. 5(1)(b) and 89).
    """

    id: str
    parent: str | None
    dpv: str
    label: dict[str, str]
    description: dict[str, str]
    broad: bool = False
    compatible: bool = False


class LegalBasis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A legal basis of GDPR art. 6(1): the purposes that it may carry (each with all below it), and for whom.

    ``roles`` are the recipients that may rely on it (empty: all), ``not_roles`` those that may not.
    """

    id: str
    label: dict[str, str]
    description: dict[str, str]
    same_as: str
    purposes: list[str]
    roles: list[str] = []
    not_roles: list[str] = []


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category of data; ``personal`` data falls under the GDPR. ``parent`` is the wider category."""

    id: str
    label: dict[str, str]
    description: dict[str, str]
    same_as: str
    personal: bool
    parent: str | None = None


class DutyParameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter of a duty: its left operand, the operator it takes, its type, unit and limits."""

    id: str
    label: dict[str, str]
    type: Literal["integer", "choice", "columns"]
    operator: Literal["eq", "isAnyOf"]
    required: bool = True
    unit: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    values: list[str] = []


class LayerBar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Actions for which a layer's own right cannot carry a duty, and why (``nl``, ``en``)."""

    actions: list[str]
    reason: dict[str, str]


class DutyTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A duty; of the parameters in ``one_of`` exactly one must be given."""

    id: str
    label: dict[str, str]
    description: dict[str, str]
    parameters: list[DutyParameter]
    one_of: list[str] = []
    not_in_layers: LayerBar | None = None


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bound that the framework sets; ``unit`` in UCUM, or ``EUR cent``.

    ``kind`` says of what: ``duty`` of a parameter of a duty, which is ``required`` where the ``actions`` stand;
    ``term`` how many days an agreement may run from now; ``commons`` what one participant may take from another
    in a calendar year; ``mandate-term`` how many days a mandate may hold, ``mandate-chain`` how many may follow one
    another. ``data`` are the categories it holds for (empty: all), ``bases`` the legal bases.
    """

    id: str
    kind: Literal["duty", "term", "commons", "mandate-term", "mandate-chain"]
    label: dict[str, str]
    description: dict[str, str]
    unit: str
    minimum: int | None = None
    maximum: int | None = None
    data: list[str] = []
    bases: list[str] = []
    actions: list[str] = []
    duty: str | None = None
    parameter: str | None = None
    required: bool = False


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that each final proposal is checked against; ``law`` is where it comes from.

    ``running`` says what becomes of an agreement in force that breaks it: nothing, a report, or its end.
    """

    id: str
    label: dict[str, str]
    description: dict[str, str]
    law: str
    running: Literal["ignore", "report", "stop"]


class Country(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A country that personal data may go to: ``eea``, or by an ``adequacy`` decision (GDPR art. 45)."""

    id: str
    label: dict[str, str]
    ground: Literal["eea", "adequacy"]


class TemplateParameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place to fill in, with the question to ask in plain words."""

    name: str
    kind: Literal[
        "uuid",
        "version",
        "participant",
        "participants",
        "person",
        "datasets",
        "purpose",
        "basis",
        "actions",
        "moment",
        "number",
        "area",
    ]
    label: dict[str, str]
    required: bool = True


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document with placeholders; see ``policy.templates``."""

    id: str
    label: dict[str, str]
    description: dict[str, str]
    parameters: list[TemplateParameter]
    document: dict[str, Any]


FILES: Final[dict[str, Any]] = {
    "rulebook.json": Version,
    "roles.json": list[Role],
    "purposes.json": list[Purpose],
    "legal-bases.json": list[LegalBasis],
    "categories.json": list[Category],
    "actions.json": list[Term],
    "duties.json": list[DutyTerm],
    "limits.json": list[Limit],
    "rules.json": list[Rule],
    "countries.json": list[Country],
    "templates.json": list[Template],
}
"""The files of a rulebook and the shape of each."""
