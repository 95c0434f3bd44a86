"""Pure rules of the exchange: who may do what with an agreement, and how it is presented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.decision import EVERYONE
from dmi_infra.errors import InputRefused

PERSON = "urn:dmi:person:"
ORGANISATION = "urn:dmi:participant:"
MACHINE = "urn:dmi:machine:"
DATASET = "urn:dmi:dataset:"

SIGNATORY_ROLES = (
    "dmi:role:municipality",
    "dmi:role:vendor",
    "dmi:role:operator",
    "dmi:role:resident",
    "dmi:role:provider",
)
"""Roles that may bind their participant: sign, conclude, end. An analyst may not."""
OPERATOR = "dmi:role:operator"


def may_own(participant: str, dataset: str) -> bool:
    """Whether a dataset's id lies in the participant's own name space; residents own rows, not datasets."""
    slug = participant.removeprefix(ORGANISATION)
    return slug != participant and dataset.startswith(f"{DATASET}{slug}:")


def may_own_listing(participant: str, listing: str) -> bool:
    """Whether a listing's id lies in the participant's own name space."""
    slug = participant.removeprefix(ORGANISATION)
    return slug != participant and listing.startswith(f"urn:dmi:listing:{slug}:")


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


def is_open_data(agreement: AgreementState) -> bool:
    """Whether an owner gives this permission to everyone."""
    return assignee(agreement.document) == EVERYONE and not is_consent(agreement)


def given_free(document: Mapping[str, Any]) -> frozenset[str]:
    """The datasets that a permission of the document, or of what it inherits, gives without a price.

    A price in a spelling that is not seen here counts as none: the review then asks for less, never for more.
    """
    parents = (each for each in _listed(document.get("inheritFrom")) if isinstance(each, dict))
    found: set[str] = set()
    for policy in (document, *parents):
        for rule in _listed(policy.get("permission")):
            if isinstance(rule, dict) and not any(_is_price(duty) for duty in _listed(rule.get("duty"))):
                found.update(targets({"permission": rule, "target": policy.get("target")}))
    return frozenset(found)


def _is_price(duty: object) -> bool:
    # A list of its own: the document may be the law's.
    waiting = list(_listed(duty.get("action"))) if isinstance(duty, dict) else []
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [
                each for name in ("@id", "uid", "rdf:value", "value") for each in _listed(item.get(name))
            ]
        elif item in ("dmi:pay", "urn:dmi:pay"):
            return True
    return False


def may_enter(participant: Participant) -> bool:
    """Whether it gets tokens: who takes part; and a natural person that has left, for its rights about its own data."""
    return participant.active or participant.id.startswith(PERSON)


def may_see(agreement: AgreementState, party: str | None) -> bool:
    """Whether ``party`` (``None``: the operator) may read it: its parties, and of open data everyone.

    A consent names a person and its assignee is everyone by its form: only the person sees it.
    """
    if is_consent(agreement):
        return party is not None and party in parties(agreement)
    return party is None or party in parties(agreement) or assignee(agreement.document) == EVERYONE


def wanted_signatures(document: Mapping[str, Any]) -> frozenset[str]:
    """Who must sign before it holds.

    Open data is an offer to all and consent is one person's act (GDPR art. 4(11)): both need the assigner
    alone. Every other agreement needs both sides.
    """
    if assigner(document).startswith(PERSON) or assignee(document) == EVERYONE:
        return frozenset({assigner(document)})
    return frozenset({assigner(document), assignee(document)})


def targets(document: Mapping[str, Any]) -> list[str]:
    """The datasets that the rules of a document and of its parents name, each once, in order."""
    found: dict[str, None] = {}
    for policy in (
        document,
        *(each for each in _listed(document.get("inheritFrom")) if isinstance(each, dict)),
    ):
        rules = [rule for kind in ("permission", "prohibition") for rule in _listed(policy.get(kind))]
        for holder in (policy, *rules):
            for target in _listed(holder.get("target")) if isinstance(holder, dict) else ():
                name = (target.get("source") or target.get("uid")) if isinstance(target, dict) else target
                if isinstance(name, str):
                    found[name] = None
    return list(found)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def check_representation(identifier: str, representatives: Sequence[str], of_age_at: int | None) -> None:
    """Raise ``InputRefused`` unless persons act for another person, and a child has somebody until it is of age."""
    person = identifier.startswith(PERSON)
    for index, name in enumerate(representatives):
        if not person or not name.startswith(PERSON) or name == identifier:
            raise InputRefused.of(f"representatives.{index}", "are persons who act for another person", name)
    if of_age_at is not None and not (person and representatives):
        raise InputRefused.of("of_age_on", "is for a child, who has a representative")
