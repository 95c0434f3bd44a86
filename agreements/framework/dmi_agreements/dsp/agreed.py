"""Whether a document says what was negotiated, and nothing besides.

The terms of a message tell rules alone, and a document of this project can say more than they show: an action for all
its rules, policies that it inherits from, remedies, parts of a dataset, what settles conflicts. So both are read, and
what was understood is compared: every rule, whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from dmi_agreements.dsp.terms import BASIS, with_rules
from dmi_agreements.errors import Finding
from dmi_agreements.odrl.model import Action, Constraint, Logical, Rule
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.terms import AgreementTerms
from dmi_agreements.policy.writing import CONTEXT
from dmi_agreements.rulebook import Rulebook

_CALLED: Final = {"path": "", "uid": None}
"""Where a part stands and what it is called say nothing of what it means."""


def beside_the_terms(
    terms: AgreementTerms,
    policy: Mapping[str, Any],
    dataset: str,
    rulebook: Rulebook,
    layers: Collection[str] = (),
) -> list[Finding]:
    """What a document, read as ``terms``, says otherwise than the ``policy`` of a negotiation about a dataset.

    A legal basis that the policy does not tell is left to the owner; law and rulebook judge it anyway.
    Raises ``PolicyRefused`` for a policy that is not understood.
    """
    agreed = read_agreement(_document(terms, policy, dataset), rulebook, layers)
    found: list[Finding] = []
    if terms.legal_basis != agreed.legal_basis:
        found.append(Finding("/dmi:legalBasis", "is not the one that was negotiated", terms.legal_basis))
    if terms.policy.conflict != agreed.policy.conflict:
        found.append(Finding("/conflict", "was not negotiated", terms.policy.conflict or ""))
    for kind, said, wanted in (
        ("permission", [each.rule for each in terms.permissions], [each.rule for each in agreed.permissions]),
        ("prohibition", [each.rule for each in terms.prohibitions], [each.rule for each in agreed.prohibitions]),
        ("obligation", terms.policy.obligations, agreed.policy.obligations),
    ):  # fmt: skip
        found += _differing(kind, said, wanted)
    return found


def _document(terms: AgreementTerms, policy: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """The plain document that the policy makes between the same parties."""
    frame = {
        "@context": list(CONTEXT),
        "@type": "Agreement",
        "uid": terms.uid,
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": terms.rulebook,
        "dmi:legalBasis": policy.get(BASIS, terms.legal_basis),
        "assigner": terms.assigner,
        "assignee": terms.assignee,
    }
    return with_rules(frame, policy, dataset)


def _differing(kind: str, said: Sequence[Rule], wanted: Sequence[Rule]) -> list[Finding]:
    """Rules that were not negotiated by their place, and that some are missing."""
    left = Counter(map(_meaning, wanted))
    found: list[Finding] = []
    for rule in said:
        meaning = _meaning(rule)
        if left[meaning] == 0:
            found.append(Finding(rule.path, f"this {kind} was not negotiated in these words"))
        left[meaning] -= 1
    if not found and any(count > 0 for count in left.values()):
        found.append(Finding(f"/{kind}", f"a {kind} that was negotiated is missing"))
    return found


def _meaning(rule: Rule) -> Rule:
    """A rule without its names and places; the order of its actions and targets says nothing."""
    bare: Rule = _bare(rule)
    return replace(
        bare,
        actions=tuple(sorted(bare.actions, key=repr)),
        targets=tuple(sorted(bare.targets, key=repr)),
    )


def _bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_bare, value))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    inner = {field.name: _bare(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (Rule, Constraint, Logical, Action)):
        inner |= {name: none for name, none in _CALLED.items() if name in inner}
    return replace(value, **inner)
