"""What the support centre concludes: indicators and measures, always with the ground they rest on."""

from __future__ import annotations

from typing import Any

import msgspec

from dmi_agreements.contracts.observations import Micros


class Grounds(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rights and sources that a result rests on; revoking one withdraws the ground."""

    datasets: list[str] = []
    agreements: list[str] = []
    consents: list[str] = []
    results: list[str] = []
    """Ids of other results that went into this one. Whatever names a dataset or right names all, theirs too."""


class Lineage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one result comes from: its grounds, the transformations in order, and the code that ran."""

    result: str
    kind: str
    """``figure``, ``forecast``, ``crowd``, ``scenario`` or ``measure``; a ``figure`` is the data itself."""
    title: str
    made_at: Micros
    grounds: Grounds
    transformations: list[str] = []
    code: str = ""
    """Package and version that made the result."""


class Indicator(msgspec.Struct, frozen=True, omit_defaults=True):
    """One figure about one place at one time, with an interval where it is uncertain."""

    id: str
    kind: str
    place: str
    issued_at: Micros
    valid_at: Micros
    unit: str
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None
    properties: dict[str, Any] = {}
    grounds: Grounds = Grounds()
    withdrawn: bool = False


class Measure(msgspec.Struct, frozen=True, omit_defaults=True):
    """An action in the street and its state."""

    id: str
    rule: str
    state: str
    """``proposed``, ``published``, ``rejected``, ``expired``, ``withdrawn`` (its ground fell away)."""
    place: str
    title: dict[str, str]
    """Text by language, ``nl`` and ``en``."""
    advice: dict[str, str]
    proposed_at: Micros
    valid_from: Micros
    valid_to: Micros
    decided_by: str | None = None
    decided_at: Micros | None = None
    geometry: dict[str, Any] | None = None
    grounds: Grounds = Grounds()
    properties: dict[str, Any] = {}
