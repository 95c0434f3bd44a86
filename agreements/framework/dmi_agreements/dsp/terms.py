"""Terms in the protocol's spelling: from the documents of this project, and whether two policies say the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dmi_agreements.odrl.model import ODRL

DOCUMENT: Final = "urn:dmi:document"
"""Property of an agreement in a message: the document of this project that both sides sign."""
SIGNATURE: Final = "urn:dmi:signature"
"""Property of a message: the sender's detached JWS over that document."""
DATASET: Final = "urn:dmi:dataset"
"""Property of a dataset in a catalogue: its entry as this project keeps it, by which a consumer's law knows it."""
RULES: Final = ("permission", "prohibition", "obligation")
BASIS: Final = "urn:dmi:legalBasis"
"""Property of a policy in a message: the legal basis that the document of the agreement names."""


def spelled_out(value: Any) -> Any:
    """The value with names of the project's prefix written as IRIs; the protocol's context has no such prefix."""
    if isinstance(value, str):
        return f"urn:{value}" if value.startswith("dmi:") else value
    if isinstance(value, list):
        return [spelled_out(item) for item in value]
    if isinstance(value, Mapping):
        return {spelled_out(key): spelled_out(item) for key, item in value.items()}
    return value


def rules_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The terms of an agreement of this project as the protocol writes them: one action a rule, no target."""
    found: dict[str, Any] = {}
    if "dmi:legalBasis" in document:
        found[BASIS] = spelled_out(document["dmi:legalBasis"])
    for kind in RULES:
        rules = [rule for given in _listed(document.get(kind)) for rule in _rules(given)]
        if rules:
            found[kind] = rules
    return found


def with_rules(document: Mapping[str, Any], policy: Mapping[str, Any], target: str) -> dict[str, Any]:
    """The document with the terms of a policy as ``rules_of`` writes them, about one dataset.

    Rules that differ in their action alone become one, as people write them. A legal basis that the policy does not
    tell stays that of the document.
    """
    made = {name: value for name, value in document.items() if name not in RULES}
    if BASIS in policy:
        made["dmi:legalBasis"] = policy[BASIS]
    for kind in RULES:
        rules = [dict(rule) for rule in _listed(policy.get(kind))]
        if rules:
            # What is owed for the agreement as a whole has no target, and is one action.
            made[kind] = rules if kind == "obligation" else _joined(rules, target)
    return made


def _joined(rules: list[dict[str, Any]], target: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        others = {name: value for name, value in rule.items() if name != "action"}
        known = found.setdefault(
            json.dumps(others, sort_keys=True), {"target": target, "action": [], **others}
        )
        known["action"].append(rule["action"])
    return list(found.values())


def _rules(rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    apart = ("target", "action", "constraint")
    others = {key: value for key, value in rule.items() if key not in apart and value}
    constraints = [_constraint(item) for item in _listed(rule.get("constraint"))]
    if constraints:
        others["constraint"] = constraints
    plain: dict[str, Any] = spelled_out(others)
    return [{"action": spelled_out(action), **plain} for action in _listed(rule.get("action"))]


def _constraint(item: Mapping[str, Any]) -> dict[str, Any]:
    right = item.get("rightOperand")
    if not isinstance(right, (str, Mapping, list)):
        right = {"@value": right}
    return {**item, "rightOperand": right}


def same_terms(one: Mapping[str, Any], another: Mapping[str, Any]) -> bool:
    """Whether two policies hold the same rules, whatever their order, their ids and the spelling of ODRL's terms.

    A legal basis that one of them does not tell is that of the other: connectors leave out what they do not know.
    """
    bases = [spelled_out(each[BASIS]) for each in (one, another) if BASIS in each]
    same = all(_canonical(one.get(kind)) == _canonical(another.get(kind)) for kind in RULES)
    return same and all(basis == bases[0] for basis in bases)


def _canonical(rules: object) -> list[str]:
    return sorted(json.dumps(_plain(rule), sort_keys=True) for rule in _listed(rules))


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value.removeprefix(ODRL).removeprefix("odrl:")
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return items[0] if len(items) == 1 else items
    if isinstance(value, Mapping):
        if value.keys() == {"@id"}:
            return _plain(value["@id"])
        members = {_plain(key): _plain(item) for key, item in value.items() if key not in ("@id", "uid")}
        own = {"@type": ("Permission", "Prohibition", "Duty", "Constraint", "LogicalConstraint")}
        return {
            key: item
            for key, item in members.items()
            if item not in ([], None) and not (key == "@type" and item in own["@type"])
        }
    return value


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
