"""Values and pure rules of the platform: datastreams, outcomes, rejects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_infra.errors import InputRefused

NEVER: Final[Micros] = -(2**62)
"""Time of the last value of a datastream that has none; also ``valid_from`` of a feature without one."""

OPERATOR: Final = "dmi:role:operator"

FEATURE_KINDS: Final = frozenset(
    {"neighbourhood", "thing", "datastream", "parking", "stop", "line", "building", "area", "address"}
)

IDENTIFIER_LENGTH: Final = 200

UNKNOWN_DATASTREAM: Final = "unknown_datastream"
CONFLICT: Final = "conflict"
NO_CONSENT: Final = "no_consent"
BY_DUTY: Final = "left_out_by_duty"
UNREADABLE: Final = "unreadable"
REFUSED: Final = "refused"

Area = tuple[float, float, float, float]
"""West, south, east, north in WGS84 degrees."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The rows of some persons; or, with ``but``, those of everybody else and of nobody."""

    persons: Collection[str]
    but: bool = False


@dataclass(frozen=True, slots=True)
class Datastream:
    """A datastream as the platform knows it; ``unit`` is canonical, ``declared`` what its source writes.

    ``position`` is that of its thing, for rows without one of their own.
    """

    key: int
    id: str
    dataset: str
    thing: str
    name: str
    observed_property: str
    unit: str
    declared: str
    properties: Mapping[str, Any]
    geometry: dict[str, Any] | None = None
    position: tuple[float, float] | None = None
    area: Area | None = None


@dataclass(slots=True)
class Outcome:
    """What became of the rows of one message; ``rejected`` holds counts by reason, conflicts apart."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """All rows."""
        return self.accepted + self.duplicate + self.conflict + sum(self.rejected.values())

    def reject(self, reason: str, rows: int) -> None:
        """Count rows under a reason."""
        if rows:
            self.rejected[reason] = self.rejected.get(reason, 0) + rows

    def take_back(self, reason: str, rows: int) -> None:
        """Uncount rows that were counted under a reason (``conflict`` included)."""
        if reason == CONFLICT:
            self.conflict -= rows
            return
        left = self.rejected.get(reason, 0) - rows
        self.rejected.pop(reason, None)
        self.reject(reason, max(left, 0))

    def add(self, other: Outcome) -> None:
        """Sum up."""
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.conflict += other.conflict
        for reason, rows in other.rejected.items():
            self.reject(reason, rows)


@dataclass(frozen=True, slots=True)
class Handed:
    """A message as it was handed in: its outcome is for the owner of the dataset and for the contributor.

    ``contributor`` is empty where nobody is named: a message of an earlier version, or features.
    """

    message_id: str
    batch_id: str
    dataset: str
    contributor: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Rows, or a whole message, that were not taken, kept so that they can be processed again.

    ``payload`` is a message of ``topic`` with exactly these rows; ``row_numbers`` are their places in the
    message as it arrived. ``about`` is the identifier at fault, where there is one.
    """

    topic: str
    dataset: str
    batch_id: str
    message_id: str
    reason: str
    detail: str
    rows: int
    payload: bytes
    about: str = ""
    row_numbers: tuple[int, ...] = ()
    id: int = 0
    at: Micros = 0
    replayed_at: Micros | None = None


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of observations begins: behind this time and source id, or, without one, at this time."""

    time: int
    source_id: str | None = None


def checked_identifier(name: str, value: str) -> str:
    """An identifier that a store can hold; raises ``InputRefused``."""
    if not storable(value):
        rule = f"must have at most {IDENTIFIER_LENGTH} characters and no control characters"
        raise InputRefused.of(name, rule, value)
    return value


def storable(value: str) -> bool:
    """Whether every store can hold this identifier: short, without control characters."""
    return len(value) <= IDENTIFIER_LENGTH and (value.isprintable() or not _controls(value))


def _controls(value: str) -> bool:
    return any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in value)
