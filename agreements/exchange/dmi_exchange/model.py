"""Pure rules of the exchange: who may do what with an agreement, and how it is presented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decision import EVERYONE

PERSON = "urn:dmi:person:"

SIGNATORY_ROLES = (
    "dmi:role:municipality",
    "dmi:role:vendor",
    "dmi:role:operator",
    "dmi:role:resident",
    "dmi:role:provider",
)
OPERATOR = "dmi:role:operator"
"""Roles that may bind their participant: sign, conclude, end. An analyst may not."""


def assigner(document: Mapping[str, Any]) -> str:
    """The party that gives the permission."""
    return str(document.get("assigner", ""))


def assignee(document: Mapping[str, Any]) -> str:
    """The party that receives it."""
    return str(document.get("assignee", ""))


def parties(agreement: AgreementState) -> tuple[str, str]:
    """Assigner and assignee."""
    return assigner(agreement.document), assignee(agreement.document)


def is_consent(agreement: AgreementState) -> bool:
    """Whether a natural person gives this permission."""
    return assigner(agreement.document).startswith(PERSON)


def wanted_signatures(document: Mapping[str, Any]) -> frozenset[str]:
    """Who must sign before it holds.

    Open data is an offer to all and consent is one person's act (GDPR art. 4(11)): both need the assigner
    alone. Every other agreement needs both sides.
    """
    if assigner(document).startswith(PERSON) or assignee(document) == EVERYONE:
        return frozenset({assigner(document)})
    return frozenset({assigner(document), assignee(document)})


def targets(document: Mapping[str, Any]) -> list[str]:
    """The datasets that the rules of a document name, each once, in order."""
    found: dict[str, None] = {}
    for kind in ("permission", "prohibition"):
        rules = document.get(kind, [])
        for rule in rules if isinstance(rules, list) else [rules]:
            target = rule.get("target") if isinstance(rule, dict) else None
            for name in target if isinstance(target, list) else [target]:
                if isinstance(name, str):
                    found[name] = None
    return list(found)
