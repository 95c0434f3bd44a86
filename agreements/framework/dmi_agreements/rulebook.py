"""The rulebook: roles, purposes, legal bases, data, actions, duties, limits, rules and templates as checked data."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from dmi_agreements.errors import Finding, RulebookInvalid
from dmi_agreements.rulebook_checks import CARRIED_OUT, PLACEHOLDER, ROOT_PURPOSE, broken_rules, upwards
from dmi_agreements.rulebook_terms import (
    FILES,
    Category,
    Country,
    DutyParameter,
    DutyTerm,
    LegalBasis,
    Limit,
    Purpose,
    Role,
    Rule,
    Template,
    Term,
    Version,
)

__all__ = [
    "CARRIED_OUT",
    "FILES",
    "PLACEHOLDER",
    "ROOT_PURPOSE",
    "DutyParameter",
    "DutyTerm",
    "Purpose",
    "Rulebook",
    "Term",
    "parse_rulebook",
]

PERSONAL: Final = "dmi:data:personal"


class Rulebook:
    """The framework's vocabulary, immutable. All mappings are from term id to term.

    ``accepted`` holds the versions that a participant may have signed and a document may name. ``files`` are the
    files that it was read from, as JSON values, and ``digest`` the SHA-256 over them in one spelling.
    """

    __slots__ = (
        "_ancestors", "_below", "accepted", "actions", "categories", "countries", "date", "digest", "duties",
        "files", "governance", "legal_bases", "limits", "purposes", "requestable", "roles", "rules", "templates",
        "title", "version",
    )  # fmt: skip

    def __init__(self, parsed: Mapping[str, Any]) -> None:
        def terms(name: str) -> Mapping[str, Any]:
            return MappingProxyType({term.id: term for term in parsed[name]})

        version: Version = parsed["rulebook.json"]
        self.version = version.version
        self.date = version.date
        self.title = version.title
        self.governance = version.governance
        self.accepted = frozenset({*version.accepted, version.version})
        self.roles: Mapping[str, Role] = terms("roles.json")
        self.purposes: Mapping[str, Purpose] = terms("purposes.json")
        self.legal_bases: Mapping[str, LegalBasis] = terms("legal-bases.json")
        self.categories: Mapping[str, Category] = terms("categories.json")
        self.actions: Mapping[str, Term] = terms("actions.json")
        self.duties: Mapping[str, DutyTerm] = terms("duties.json")
        self.limits: Mapping[str, Limit] = terms("limits.json")
        self.rules: Mapping[str, Rule] = terms("rules.json")
        self.countries: Mapping[str, Country] = terms("countries.json")
        self.templates: Mapping[str, Template] = terms("templates.json")
        self.requestable = frozenset(self.purposes.keys() - {ROOT_PURPOSE})
        self._ancestors = {purpose: frozenset(upwards(self.purposes, purpose)) for purpose in self.purposes}
        below: dict[str, set[str]] = {purpose: set() for purpose in self.purposes}
        for lower in self.requestable:
            for wider in self._ancestors[lower]:
                below[wider].add(lower)
        self._below = {purpose: frozenset(lower) for purpose, lower in below.items()}
        self.files: Mapping[str, Any] = {name: msgspec.to_builtins(value) for name, value in parsed.items()}
        self.digest = hashlib.sha256(msgspec.json.encode(self.files, order="sorted")).hexdigest()

    def is_a(self, purpose: str, ancestor: str) -> bool:
        """Whether ``purpose`` is ``ancestor`` or lies below it; ``False`` for an unknown purpose."""
        return ancestor in self._ancestors.get(purpose, frozenset())

    def below(self, purpose: str) -> frozenset[str]:
        """The purposes that can be requested at and below ``purpose``; empty for an unknown one."""
        return self._below.get(purpose, frozenset())

    def widest(self, purposes: Collection[str]) -> tuple[str, ...]:
        """Of these the ones that lie below no other of them, in the rulebook's order."""
        return tuple(p for p, term in self.purposes.items() if p in purposes and term.parent not in purposes)

    def purpose_among(self, purposes: Collection[str], wanted: str) -> str:
        """``wanted`` where it is one of these, else the widest of them, as an agreement names it."""
        if wanted in purposes:
            return wanted
        return next(iter(self.widest(purposes)), None) or min(purposes)

    def carries(self, basis: str, purpose: str) -> bool:
        """Whether this legal basis may carry this purpose; ``False`` when either is unknown."""
        found = self.legal_bases.get(basis)
        return found is not None and any(self.is_a(purpose, root) for root in found.purposes)

    def in_category(self, category: str, wider: str) -> bool:
        """Whether data of ``category`` is of the ``wider`` category too; ``False`` for an unknown one."""
        found = self.categories.get(category)
        while found is not None:
            if found.id == wider:
                return True
            found = self.categories.get(found.parent) if found.parent else None
        return False

    def label(self, term: str, language: str = "nl") -> str:
        """The text of any term in ``language``; raises ``KeyError`` for an unknown term."""
        for kind in self._kinds().values():
            found = kind.get(term)
            if found is not None:
                text: str = found.label[language]
                return text
        raise KeyError(term)

    def _kinds(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "roles": self.roles,
            "purposes": self.purposes,
            "legalBases": self.legal_bases,
            "categories": self.categories,
            "actions": self.actions,
            "duties": self.duties,
            "limits": self.limits,
            "rules": self.rules,
            "countries": self.countries,
            "templates": self.templates,
        }

    def as_document(self) -> dict[str, Any]:
        """The whole rulebook as JSON values: what a participant signs and the exchange publishes."""
        return {
            "version": self.version,
            "date": self.date,
            "title": dict(self.title),
            "digest": self.digest,
            "accepted": sorted(self.accepted),
            "governance": msgspec.to_builtins(self.governance),
            **{
                name: [msgspec.to_builtins(term) for term in terms.values()]
                for name, terms in self._kinds().items()
            },
        }


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
    findings = broken_rules(parsed)
    if findings:
        raise RulebookInvalid(tuple(findings))
    return Rulebook(parsed)


def rulebook_of(files: Mapping[str, Any]) -> Rulebook:
    """The rulebook from its files as JSON values; raises ``RulebookInvalid`` with all findings."""
    documents: dict[str, bytes] = {}
    for name, value in files.items():
        try:
            documents[name] = msgspec.json.encode(value)
        except (OverflowError, RecursionError, UnicodeEncodeError, msgspec.EncodeError) as error:
            raise RulebookInvalid((Finding(f"{name}#", f"JSON that can be written: {error}"),)) from error
    return parse_rulebook(documents)
