"""How a verdict of the review looks in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dmi_agreements.contracts.law import Objection
from dmi_agreements.rulebook import Rulebook
from dmi_exchange.review.case import Fault
from dmi_exchange.review.reasoner import Verdict
from dmi_infra.clock import to_text


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


def objection(item: Objection, book: Rulebook) -> dict[str, Any]:
    """What is held against a running agreement; a rule that the rulebook no longer has tells its name alone."""
    rule = book.rules.get(item.rule)
    return {
        "rule": item.rule,
        "label": dict(rule.label) if rule else {"nl": item.rule, "en": item.rule},
        "law": rule.law if rule else "",
        "path": item.path,
        "explanation": dict(rule.description) if rule else {"nl": "", "en": ""},
        "since": to_text(item.since),
    }


def verdict(item: Verdict, entry: Sequence[Fault] = ()) -> dict[str, Any]:
    """A verdict; ``change`` is the smallest change that would do, ``null`` when none is needed or none would.

    ``entry`` are the faults of the entry that was to be judged with it.
    """
    change = item.change
    return {
        "passes": item.passes and not entry,
        "rulebook": item.rulebook.version,
        "reasons": [fault(one, item.rulebook) for one in item.faults],
        "entry": [fault(one, item.rulebook) for one in entry],
        "change": None
        if change is None
        else {
            "steps": [dict(step.text) for step in change.steps],
            "patch": [dict(operation) for operation in change.operations],
            "document": change.document,
        },
    }
