"""The rulebook: roles, purposes, legal bases, actions, duties and templates, as versioned, checked data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from dmi_agreements.errors import Finding, RulebookInvalid

ROOT_PURPOSE: Final = "dmi:purpose:any"
"""Root of the tree of purposes: may be agreed to, can never be requested."""

CARRIED_OUT: Final = frozenset(
    {"dmi:leaveOut", "dmi:coarsen", "dmi:aggregate", "dmi:suppress", "dmi:delay", "dmi:deleteAfter"}
)
"""Duties that the gate can carry out; a rulebook that names another one is invalid."""

_TERM: Final = re.compile(r"dmi:[A-Za-z][A-Za-z0-9-]*(?::[a-z][a-z0-9-]*)?")
_LANGUAGES: Final = ("nl", "en")


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Version of the rulebook (``rulebook.json``); ``accepted`` lists the versions still in force."""

    version: str
    date: str
    title: dict[str, str]
    accepted: list[str]


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One term: id, text by language (``nl``, ``en``), and the standard term it means."""

    id: str
    label: dict[str, str]
    description: dict[str, str]
    same_as: str | None = None


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node of the tree of purposes; ``dpv`` is the term of the Data Privacy Vocabulary it falls under."""

    id: str
    parent: str | None
    dpv: str
    label: dict[str, str]


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


class Rulebook:
    """The framework's vocabulary, immutable. All mappings are from term id to term.

    ``accepted`` holds the versions that a participant may have signed and a document may name.
    """

    __slots__ = (
        "_ancestors", "_below", "accepted", "actions", "date", "duties", "legal_bases", "purposes",
        "requestable", "roles", "templates", "title", "version",
    )  # fmt: skip

    def __init__(
        self,
        version: Version,
        roles: Iterable[Term],
        purposes: Iterable[Purpose],
        legal_bases: Iterable[Term],
        actions: Iterable[Term],
        duties: Iterable[DutyTerm],
        templates: Iterable[Template],
    ) -> None:
        self.version = version.version
        self.date = version.date
        self.title = version.title
        self.accepted = frozenset({*version.accepted, version.version})
        self.roles = MappingProxyType({term.id: term for term in roles})
        self.purposes = MappingProxyType({term.id: term for term in purposes})
        self.legal_bases = MappingProxyType({term.id: term for term in legal_bases})
        self.actions = MappingProxyType({term.id: term for term in actions})
        self.duties = MappingProxyType({term.id: term for term in duties})
        self.templates = MappingProxyType({term.id: term for term in templates})
        self.requestable = frozenset(self.purposes.keys() - {ROOT_PURPOSE})
        self._ancestors = {purpose: frozenset(_upwards(self.purposes, purpose)) for purpose in self.purposes}
        self._below = {
            purpose: frozenset(lower for lower in self.requestable if purpose in self._ancestors[lower])
            for purpose in self.purposes
        }

    def is_a(self, purpose: str, ancestor: str) -> bool:
        """Whether ``purpose`` is ``ancestor`` or lies below it; ``False`` for an unknown purpose."""
        return ancestor in self._ancestors.get(purpose, frozenset())

    def below(self, purpose: str) -> frozenset[str]:
        """The purposes that can be requested at and below ``purpose``; empty for an unknown one."""
        return self._below.get(purpose, frozenset())

    def label(self, term: str, language: str = "nl") -> str:
        """The text of any term in ``language``; raises ``KeyError`` for an unknown term."""
        for kind in (self.purposes, self.actions, self.legal_bases, self.roles, self.duties, self.templates):
            found = kind.get(term)
            if found is not None:
                text: str = found.label[language]
                return text
        raise KeyError(term)

    def as_document(self) -> dict[str, Any]:
        """The whole rulebook as JSON values: what a participant signs and the exchange publishes."""
        return {
            "version": self.version,
            "date": self.date,
            "title": dict(self.title),
            "accepted": sorted(self.accepted),
            **{
                name: [msgspec.to_builtins(term) for term in terms.values()]
                for name, terms in (
                    ("roles", self.roles),
                    ("purposes", self.purposes),
                    ("legalBases", self.legal_bases),
                    ("actions", self.actions),
                    ("duties", self.duties),
                    ("templates", self.templates),
                )
            },
        }


FILES: Final[dict[str, Any]] = {
    "rulebook.json": Version,
    "roles.json": list[Term],
    "purposes.json": list[Purpose],
    "legal-bases.json": list[Term],
    "actions.json": list[Term],
    "duties.json": list[DutyTerm],
    "templates.json": list[Template],
}
"""The files of a rulebook and the shape of each."""


def parse_rulebook(documents: Mapping[str, bytes]) -> Rulebook:
    """The rulebook from its files (file name -> JSON bytes); raises ``RulebookInvalid`` with all findings."""
    findings = [
        Finding(f"{name}#", "this file belongs to no rulebook") for name in documents.keys() - FILES.keys()
    ]
    findings += [Finding(f"{name}#", "this file is missing") for name in FILES.keys() - documents.keys()]
    parsed: dict[str, Any] = {}
    for name in FILES.keys() & documents.keys():
        try:
            parsed[name] = msgspec.json.decode(documents[name], type=FILES[name])
        except (msgspec.DecodeError, RecursionError) as error:
            findings.append(Finding(f"{name}#", str(error)))
    if findings:
        raise RulebookInvalid(tuple(findings))
    findings += _check_version(parsed["rulebook.json"])
    for name in FILES.keys() - {"rulebook.json"}:
        findings += _check_terms(name, parsed[name])
    findings += _check_tree(parsed["purposes.json"])
    findings += _check_duties(parsed["duties.json"], {action.id for action in parsed["actions.json"]})
    findings += _check_templates(parsed["templates.json"])
    if findings:
        raise RulebookInvalid(tuple(findings))
    return Rulebook(*(parsed[name] for name in FILES))


def _check_version(version: Version) -> list[Finding]:
    findings = _check_label("rulebook.json#/title", version.title)
    for name in ("version", *(f"accepted/{index}" for index in range(len(version.accepted)))):
        value = (
            version.version if name == "version" else version.accepted[int(name.removeprefix("accepted/"))]
        )
        if not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", value):
            findings.append(Finding(f"rulebook.json#/{name}", "a version is three numbers", value[:40]))
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version.date):
        findings.append(Finding("rulebook.json#/date", "a date is written yyyy-mm-dd", version.date[:40]))
    return findings


def _check_terms(name: str, terms: list[Any]) -> list[Finding]:
    findings: list[Finding] = [] if terms else [Finding(f"{name}#", "at least one term")]
    seen: set[str] = set()
    for index, term in enumerate(terms):
        path = f"{name}#/{index}"
        if not _TERM.fullmatch(term.id):
            findings.append(Finding(f"{path}/id", "a term is dmi:<name> or dmi:<kind>:<name>", term.id[:40]))
        if term.id in seen:
            findings.append(Finding(f"{path}/id", "a term stands here once", term.id[:40]))
        seen.add(term.id)
        findings += _check_label(f"{path}/label", term.label)
        if hasattr(term, "description"):
            findings += _check_label(f"{path}/description", term.description)
    return findings


def _check_label(path: str, label: Mapping[str, str]) -> list[Finding]:
    if set(label) == set(_LANGUAGES) and all(text.strip() for text in label.values()):
        return []
    return [Finding(path, "text in nl and en, neither empty", ", ".join(sorted(label))[:40])]


def _check_tree(purposes: list[Purpose]) -> list[Finding]:
    known = {purpose.id: purpose for purpose in purposes}
    findings: list[Finding] = []
    if ROOT_PURPOSE not in known:
        findings.append(Finding("purposes.json#", f"the tree has the root {ROOT_PURPOSE}"))
    for index, purpose in enumerate(purposes):
        path = f"purposes.json#/{index}/parent"
        if (purpose.parent is None) != (purpose.id == ROOT_PURPOSE):
            findings.append(Finding(path, f"only {ROOT_PURPOSE} has no parent", purpose.id[:40]))
        elif purpose.parent is not None and purpose.parent not in known:
            findings.append(Finding(path, "a parent is a purpose of the tree", purpose.parent[:40]))
        elif purpose.id in _upwards(known, purpose.id)[1:]:
            findings.append(Finding(path, "no purpose lies below itself", purpose.id[:40]))
        if not purpose.dpv.startswith("https://w3id.org/dpv#"):
            findings.append(Finding(f"purposes.json#/{index}/dpv", "a term of DPV, as IRI", purpose.dpv[:40]))
    return findings


def _upwards(purposes: Mapping[str, Purpose], purpose: str) -> list[str]:
    """``purpose`` and its ancestors; a circle ends the way, so an invalid tree cannot hang."""
    way = [purpose]
    while (node := purposes.get(way[-1])) is not None and node.parent is not None:
        way.append(node.parent)
        if node.parent in way[:-1]:
            break
    return way


def _check_duties(duties: list[DutyTerm], actions: set[str]) -> list[Finding]:
    findings: list[Finding] = []
    for index, duty in enumerate(duties):
        path = f"duties.json#/{index}"
        if duty.id not in CARRIED_OUT:
            findings.append(Finding(f"{path}/id", "the gate can carry out this duty", duty.id[:40]))
        names = [parameter.id for parameter in duty.parameters]
        if not names or len(set(names)) != len(names):
            findings.append(Finding(f"{path}/parameters", "at least one parameter, each once"))
        if not set(duty.one_of) <= set(names):
            findings.append(Finding(f"{path}/one_of", "names parameters of this duty"))
        if duty.not_in_layers is not None:
            findings += _check_label(f"{path}/not_in_layers/reason", duty.not_in_layers.reason)
            if not set(duty.not_in_layers.actions) <= actions:
                findings.append(Finding(f"{path}/not_in_layers/actions", "names actions of the rulebook"))
        for number, parameter in enumerate(duty.parameters):
            where = f"{path}/parameters/{number}"
            findings += _check_label(f"{where}/label", parameter.label)
            if parameter.type == "integer" and (parameter.minimum is None or parameter.maximum is None):
                findings.append(Finding(where, "a number has a minimum and a maximum"))
            if (parameter.type == "integer") == bool(parameter.values):
                findings.append(Finding(f"{where}/values", "a choice lists its values, a number none"))
    return findings


def _check_templates(templates: list[Template]) -> list[Finding]:
    findings: list[Finding] = []
    for index, template in enumerate(templates):
        path = f"templates.json#/{index}"
        names = [parameter.name for parameter in template.parameters]
        used = placeholders(template.document)
        for name in sorted(used ^ set(names)):
            findings.append(
                Finding(f"{path}/parameters", "parameters and placeholders are the same", name[:40])
            )
        for number, parameter in enumerate(template.parameters):
            findings += _check_label(f"{path}/parameters/{number}/label", parameter.label)
    return findings


def placeholders(value: object) -> set[str]:
    """The names of the placeholders (``"${name}"``) in a template's document."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and (match := PLACEHOLDER.fullmatch(item)):
            found.add(match["name"])
    return found


PLACEHOLDER: Final = re.compile(r"\$\{(?P<name>[a-z_]+)\}")
"""A whole string ``${name}`` in a template is replaced by the value of that parameter."""
