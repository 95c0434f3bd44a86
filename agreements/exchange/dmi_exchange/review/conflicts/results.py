"""What a check answers: a clash of terms, a witness, or which term cannot be decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dmi_agreements.odrl.model import Value

FindingKind = Literal["impossible", "swallowed", "overlap", "unusable", "unfulfillable", "not decidable"]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a policy: where it stands, and what it says in short."""

    policy: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Act:
    """One exercise of an action: what is done, to what, by whom, and the values of each operand (by its IRI).

    ``None``: anything will do. A value that begins with ``urn:dmi:another`` is one that nobody named, below the name
    that follows; ``units`` are UCUM codes, or what a policy called its unit.
    """

    action: str | None
    target: str | None
    assignee: str | None
    values: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Witness:
    """A request, and what goes with it.

    ``further`` holds the acts that fulfil duties (``policy path``), the descriptions of an asset or party (``request
    target``), and the values at each step of an ``andSequence`` (``request#path/0``).
    """

    request: Act
    further: dict[str, Act] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing can satisfy all of ``clash``; without any one of its terms, something can."""

    clash: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Compatible:
    witness: Witness


@dataclass(frozen=True, slots=True)
class Undecidable:
    """It depends on ``terms``, of which the meaning is not known here; ``reasons`` says why, one a term."""

    terms: tuple[Term, ...]
    reasons: tuple[str, ...]


Verdict = Conflict | Compatible | Undecidable


@dataclass(frozen=True, slots=True)
class Inside:
    """Every request that the one policy allows, the other allows too."""


@dataclass(frozen=True, slots=True)
class Outside:
    """``witness`` is a request that the one policy allows and the other does not."""

    witness: Witness


Containment = Inside | Outside | Undecidable


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong within one policy: ``path`` is the rule it is about."""

    kind: FindingKind
    policy: str
    path: str
    verdict: Verdict
