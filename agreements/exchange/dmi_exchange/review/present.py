"""How a verdict of the review looks in JSON."""

from __future__ import annotations

from typing import Any

from dmi_agreements.rulebook import Rulebook
from dmi_exchange.review.case import Fault
from dmi_exchange.review.reasoner import Verdict


def fault(item: Fault, book: Rulebook) -> dict[str, Any]:
    """One broken rule with its place and its explanation in Dutch and English."""
    rule = book.rules[item.rule]
    return {
        "rule": item.rule,
        "label": dict(rule.label),
        "law": rule.law,
        "path": item.path,
        "explanation": dict(rule.description),
        "detail": dict(item.detail),
        "running": rule.running,
    }


def verdict(item: Verdict) -> dict[str, Any]:
    """A verdict; ``change`` is the smallest change that would do, ``null`` when none is needed or none would."""
    change = item.change
    return {
        "passes": item.passes,
        "rulebook": item.rulebook.version,
        "reasons": [fault(one, item.rulebook) for one in item.faults],
        "change": None
        if change is None
        else {
            "steps": [dict(step.text) for step in change.steps],
            "patch": [dict(operation) for operation in change.operations],
            "document": change.document,
        },
    }
