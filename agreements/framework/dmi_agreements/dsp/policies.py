"""The shape of policies inside messages: what ``contract-schema.json`` asks, as findings with their places.

Other properties may stand there (the schema says so); what they mean is for the reader of agreements to accept or
refuse. This only tells whether a policy is of the protocol's form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dmi_agreements.errors import Finding
from dmi_agreements.policy.jsonld import bounds, form

OPERATORS: Final = frozenset(
    {"eq", "gt", "gteq", "lteq", "hasPart", "isA", "isAllOf", "isAnyOf", "isNoneOf", "isPartOf", "lt", "neq"}
)
CONNECTIVES: Final = ("and", "andSequence", "or", "xone")
_TIMESTAMP: Final = re.compile(
    r"-?([1-9]\d{3,}|0\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"T(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?|24:00:00(\.0+)?)"
    r"(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?",
    re.ASCII,
)


def offer_in_message(offer: object, path: str = "/offer") -> list[Finding]:
    """What is wrong with the offer of a message, which names its dataset."""
    found = _policy(offer, path, "Offer")
    if isinstance(offer, Mapping):
        found += _texts(offer, path, ("target",))
    return found


def agreement(document: object, path: str = "/agreement") -> list[Finding]:
    """What is wrong with an agreement."""
    found = _policy(document, path, "Agreement")
    if isinstance(document, Mapping):
        found += _texts(document, path, ("target", "assigner", "assignee", "timestamp"))
        moment = document.get("timestamp")
        if isinstance(moment, str) and not _TIMESTAMP.fullmatch(moment):
            found.append(Finding(f"{path}/timestamp", "an XSD dateTime", form(moment)))
    return found


def _policy(value: object, path: str, kind: str) -> list[Finding]:
    if not isinstance(value, Mapping):
        return [Finding(path, f"an object: the {kind.lower()}", form(value))]
    beyond = bounds(value)
    if beyond is not None:
        return [Finding(path + beyond.path, beyond.rule, beyond.value)]
    found = _texts(value, path, ("@id",))
    if value.get("@type") != kind:
        found.append(Finding(f"{path}/@type", kind, form(value.get("@type"))))
    profile = value.get("profile", "")
    if not isinstance(profile, str) and not _all_texts(profile):
        found.append(Finding(f"{path}/profile", "a text or a list of texts", form(profile)))
    if "permission" not in value and "prohibition" not in value:
        found.append(Finding(path, "a permission or a prohibition"))
    for name in ("permission", "prohibition", "obligation"):
        if name in value:
            found += _rules(value[name], f"{path}/{name}")
    return found


def _rules(value: object, path: str) -> Iterator[Finding]:
    if not isinstance(value, list) or not value:
        yield Finding(path, "a list of at least one rule", form(value))
        return
    for index, rule in enumerate(value):
        here = f"{path}/{index}"
        if not isinstance(rule, Mapping):
            yield Finding(here, "an object: a rule", form(rule))
            continue
        yield from _texts(rule, here, ("action",))
        if "target" in rule:
            # Section 6.2.1: a rule inside a message has none; the policy around it names the dataset.
            yield Finding(f"{here}/target", "stands in the policy, not in its rules")
        if "constraint" in rule:
            yield from _constraints(rule["constraint"], f"{here}/constraint")


def _constraints(value: object, path: str) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield Finding(path, "a list of constraints", form(value))
        return
    for index, item in enumerate(value):
        yield from _constraint(item, f"{path}/{index}")


def _constraint(value: object, path: str) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield Finding(path, "an object: a constraint", form(value))
        return
    joined = [name for name in CONNECTIVES if name in value]
    if joined:
        if len(joined) > 1 or "leftOperand" in value:
            yield Finding(path, "one connective, or one comparison")
        for name in joined:
            yield from _constraints(value[name], f"{path}/{name}")
        return
    yield from _texts(value, path, ("leftOperand",))
    operator = value.get("operator")
    if not isinstance(operator, str) or operator not in OPERATORS:
        yield Finding(f"{path}/operator", "an operator of ODRL", form(operator))
    right = value.get("rightOperand")
    if not isinstance(right, (str, Mapping, list)):
        yield Finding(f"{path}/rightOperand", "a text, an object or a list", form(right))


def _texts(value: Mapping[str, Any], path: str, names: tuple[str, ...]) -> list[Finding]:
    return [
        Finding(f"{path}/{name}", "a text stands here", form(value.get(name)))
        for name in names
        if not isinstance(value.get(name), str) or not value[name]
    ]


def _all_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
