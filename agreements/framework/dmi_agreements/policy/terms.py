"""What a document says, after reading: validated, immutable values in canonical names.

Vocabulary terms stand as ``dmi:…``, identifiers as ``urn:…``, times as microseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from dmi_agreements.decision import Duty

BBox = tuple[float, float, float, float]
"""West, south, east, north in WGS84 degrees."""


@dataclass(frozen=True, slots=True)
class PurposeTest:
    """``operator`` is ``isA`` (the purpose or one below it), ``eq`` or ``isAnyOf`` (exactly one of them)."""

    operator: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeTest:
    """``operator`` is ``lt``, ``lteq``, ``gt`` or ``gteq``; ``moment`` in microseconds UTC."""

    operator: str
    moment: int


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """One permission or prohibition; it applies when all its tests hold. ``path`` is its JSON pointer."""

    path: str
    targets: tuple[str, ...]
    actions: tuple[str, ...]
    purposes: tuple[PurposeTest, ...] = ()
    times: tuple[TimeTest, ...] = ()
    recipients: tuple[frozenset[str], ...] = ()
    areas: tuple[BBox, ...] = ()
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """An agreement between an owner and a recipient, or a consent of a resident (``is_consent``)."""

    uid: str
    rulebook: str
    legal_basis: str
    assigner: str
    assignee: str
    permissions: tuple[RuleTerms, ...]
    prohibitions: tuple[RuleTerms, ...]

    @property
    def is_consent(self) -> bool:
        """Whether a natural person grants it."""
        return self.assigner.startswith(PERSON)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every dataset that it speaks of, sorted."""
        return tuple(
            sorted({target for rule in self.permissions + self.prohibitions for target in rule.targets})
        )


PERSON = "urn:dmi:person:"
"""Identifiers of natural persons start so."""
