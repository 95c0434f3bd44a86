"""The rules that the data of a rulebook keeps: each broken one is a finding with its file and place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from dmi_agreements.errors import Finding
from dmi_agreements.rulebook_terms import (
    FILES,
    Category,
    DutyTerm,
    LegalBasis,
    Limit,
    Purpose,
    Role,
    Template,
    Version,
)

ROOT_PURPOSE: Final = "dmi:purpose:any"
"""Root of the tree of purposes: may be agreed to, can never be requested."""

MOST_TERMS: Final = 500
"""Of one file: each process works out at once what lies below what."""

CARRIED_OUT: Final = frozenset(
    {
        "dmi:leaveOut",
        "dmi:coarsen",
        "dmi:aggregate",
        "dmi:suppress",
        "dmi:cutEnds",
        "dmi:delay",
        "dmi:deleteAfter",
        "dmi:pay",
    }
)
"""Duties that the stack itself carries out: the gate on rows, the exchange by an invoice. A rulebook that names another
one is invalid."""

CHECKED: Final = frozenset(
    f"dmi:rule:{name}"
    for name in (
        "basis", "purpose-basis", "basis-role", "broad-purpose", "purpose-collection", "special", "retention",
        "term", "limit", "transfer", "role", "commons", "high-value", "bundled", "child", "renewal", "version",
        "left", "expired", "withdrawn",
    )
)  # fmt: skip
"""Rules that the review checks: a rulebook names each, with what becomes of running agreements that break it."""

PLACEHOLDER: Final = re.compile(r"\$\{(?P<name>[a-z_]+)\}")
"""A whole string ``${name}`` in a template is replaced by the value of that parameter."""

_TERM: Final = re.compile(r"dmi:[A-Za-z][A-Za-z0-9-]*(?::[a-z][a-z0-9-]*)?")
_LANGUAGES: Final = ("nl", "en")


def broken_rules(parsed: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the files of a rulebook that were read (file name -> value of its shape)."""
    many = [
        Finding(f"{name}#", f"at most {MOST_TERMS} terms", str(len(parsed[name])))
        for name in FILES
        if name != "rulebook.json" and len(parsed[name]) > MOST_TERMS
    ]
    if many:
        return many
    ids = {name: {term.id for term in parsed[name]} for name in FILES if name != "rulebook.json"}
    findings = _check_version(parsed["rulebook.json"], ids["roles.json"])
    for name in ids:
        findings += _check_terms(name, parsed[name])
    findings += _check_tree(parsed["purposes.json"])
    findings += _check_roles(parsed["roles.json"])
    findings += _check_bases(parsed["legal-bases.json"], ids)
    findings += _check_categories(parsed["categories.json"], ids["categories.json"])
    findings += _check_duties(parsed["duties.json"], ids["actions.json"])
    findings += _check_limits(parsed["limits.json"], ids, parsed["duties.json"])
    findings += _check_templates(parsed["templates.json"])
    findings += [
        Finding("rules.json#", "the review checks exactly these rules", name)
        for name in sorted(CHECKED ^ set(ids["rules.json"]))
    ]
    return findings


def _check_version(version: Version, roles: Collection[str]) -> list[Finding]:
    findings = _check_label("rulebook.json#/title", version.title)
    findings += _named("rulebook.json#/governance/propose", version.governance.propose, roles)
    for weight in ("patch", "minor", "major"):
        path = f"rulebook.json#/governance/adopt/{weight}"
        bodies = version.governance.adopt.get(weight, [])
        findings += _named(path, bodies, roles) if bodies else [Finding(path, "at least one role adopts")]
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
        elif purpose.id in upwards(known, purpose.id)[1:]:
            findings.append(Finding(path, "no purpose lies below itself", purpose.id[:40]))
        if not purpose.dpv.startswith("https://w3id.org/dpv#"):
            findings.append(Finding(f"purposes.json#/{index}/dpv", "a term of DPV, as IRI", purpose.dpv[:40]))
    return findings


def upwards(purposes: Mapping[str, Purpose], purpose: str) -> list[str]:
    """``purpose`` and its ancestors; a circle ends the way, so an invalid tree cannot hang."""
    way, seen = [purpose], {purpose}
    while (node := purposes.get(way[-1])) is not None and node.parent is not None:
        way.append(node.parent)
        if node.parent in seen:
            break
        seen.add(node.parent)
    return way


def _named(path: str, names: Iterable[str], known: Collection[str]) -> list[Finding]:
    """Findings for the names that no term has."""
    return [
        Finding(f"{path}/{index}", "names a term of the rulebook", name[:60])
        for index, name in enumerate(names)
        if name not in known
    ]


def _check_roles(roles: list[Role]) -> list[Finding]:
    held = {act for role in roles for act in role.may}
    wanted = ("offer", "use", "consent", "propose", "adopt")
    return [Finding("roles.json#", f"at least one role may {act}") for act in wanted if act not in held]


def _check_bases(bases: list[LegalBasis], ids: Mapping[str, Collection[str]]) -> list[Finding]:
    findings: list[Finding] = []
    for index, basis in enumerate(bases):
        path = f"legal-bases.json#/{index}"
        findings += _named(f"{path}/purposes", basis.purposes, ids["purposes.json"])
        findings += _named(f"{path}/roles", basis.roles, ids["roles.json"])
        findings += _named(f"{path}/not_roles", basis.not_roles, ids["roles.json"])
    return findings


def _check_categories(categories: list[Category], known: Collection[str]) -> list[Finding]:
    findings = [
        Finding("categories.json#", f"the category {name} is there")
        for name in ("dmi:data:personal", "dmi:data:special", "dmi:data:non-personal", "dmi:data:high-value")
        if name not in known
    ]
    by_id = {category.id: category for category in categories}
    for index, category in enumerate(categories):
        path = f"categories.json#/{index}/parent"
        if category.parent is None:
            continue
        wider = by_id.get(category.parent)
        if wider is None or wider.parent is not None:
            findings.append(Finding(path, "a parent is a category without parent", category.parent[:40]))
        elif wider.personal != category.personal:
            findings.append(Finding(path, "both are personal data, or neither", category.parent[:40]))
    return findings


_UNITS: Final = {"term": "d", "commons": "EUR cent", "mandate-term": "d", "mandate-chain": "{link}"}
"""Unit of each kind of limit that speaks of no duty."""


def _check_limits(
    limits: list[Limit], ids: Mapping[str, Collection[str]], duties: list[DutyTerm]
) -> list[Finding]:
    parameters = {duty.id: {parameter.id: parameter for parameter in duty.parameters} for duty in duties}
    findings: list[Finding] = []
    for index, limit in enumerate(limits):
        path = f"limits.json#/{index}"
        findings += _named(f"{path}/data", limit.data, ids["categories.json"])
        findings += _named(f"{path}/bases", limit.bases, ids["legal-bases.json"])
        findings += _named(f"{path}/actions", limit.actions, ids["actions.json"])
        if limit.minimum is None and limit.maximum is None:
            findings.append(Finding(path, "a limit has a minimum or a maximum"))
        if limit.minimum is not None and limit.maximum is not None and limit.minimum > limit.maximum:
            findings.append(Finding(path, "the minimum is not above the maximum"))
        if limit.kind == "duty":
            parameter = parameters.get(limit.duty or "", {}).get(limit.parameter or "")
            if parameter is None or parameter.type != "integer" or parameter.unit != limit.unit:
                findings.append(Finding(path, "names a number of a duty, in its unit", str(limit.parameter)))
        elif limit.maximum is None or limit.duty or limit.parameter or limit.required:
            findings.append(Finding(path, f"a limit of the kind {limit.kind} has a maximum and no duty"))
        elif limit.unit != _UNITS[limit.kind]:
            findings.append(Finding(f"{path}/unit", f"{_UNITS[limit.kind]} of this kind", limit.unit[:40]))
    return findings


def _check_duties(duties: list[DutyTerm], actions: set[str]) -> list[Finding]:
    findings: list[Finding] = []
    for index, duty in enumerate(duties):
        path = f"duties.json#/{index}"
        if duty.id not in CARRIED_OUT:
            findings.append(
                Finding(f"{path}/id", "the gate or the exchange can carry out this duty", duty.id[:40])
            )
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
