"""What an agreement says, after reading: the information model of ODRL, and what the gate makes of it.

In the model names are absolute IRIs; beside it vocabulary terms stand as ``dmi:…``, identifiers as ``urn:…``, times
as microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dmi_agreements.decision import Duty
from dmi_agreements.odrl.model import Policy, Rule
from dmi_agreements.prices import Price

BBox = tuple[float, float, float, float]
"""West, south, east, north in WGS84 degrees."""

PERSON = "urn:dmi:person:"
"""Identifiers of natural persons start so."""


@dataclass(frozen=True, slots=True)
class TimeTest:
    """``operator`` is ``lt``, ``lteq``, ``gt`` or ``gteq``; ``moment`` in microseconds UTC."""

    operator: str
    moment: int


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """One permission or prohibition. ``path`` is its JSON pointer, ``rule`` the whole of it.

    ``actions`` are those of the rulebook that its actions cover; ``areas`` and ``duties`` are what the gate carries
    out on what it lets pass; ``times`` are the limits that hold whatever else does.
    """

    path: str
    rule: Rule
    targets: tuple[str, ...]
    actions: tuple[str, ...]
    times: tuple[TimeTest, ...] = ()
    areas: tuple[BBox, ...] = ()
    duties: tuple[Duty, ...] = ()
    area_of: dict[str, tuple[BBox, ...]] = field(default_factory=dict)
    """Further areas by dataset, where a target is a part of it."""
    price: Price | None = None
    """What a use under it costs."""


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """An agreement between an owner and a recipient, or a consent of a resident (``is_consent``).

    ``policy`` is the whole document with what it inherits; ``obligations`` are duties of it that the gate carries
    out on everything it lets pass under the agreement.
    """

    uid: str
    rulebook: str
    legal_basis: str
    assigner: str
    assignee: str
    permissions: tuple[RuleTerms, ...]
    prohibitions: tuple[RuleTerms, ...]
    policy: Policy
    obligations: tuple[Duty, ...] = ()

    @property
    def is_consent(self) -> bool:
        """Whether a natural person grants it."""
        return self.assigner.startswith(PERSON)

    @property
    def tariff(self) -> Mapping[str, Price]:
        """What a use costs, by the path of the permission that it was allowed by; others are free."""
        return {rule.path: rule.price for rule in self.permissions if rule.price is not None}

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every dataset that it speaks of, sorted."""
        return tuple(
            sorted({target for rule in self.permissions + self.prohibitions for target in rule.targets})
        )
