"""Places and things, as they change: one record is the newest version of one feature."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dmi_agreements.contracts.observations import Micros, within_bounds

LEFT_OUT_PROPERTY: Final = "left_out"
LEFT_OUT_UNIT: Final = "{left_out}"
"""What a datastream of another node says where its agreement leaves out what it observes, or in which unit: without
either its rows could not be read there. The unit is a UCUM annotation."""


class Feature(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One place or thing. ``geometry`` is GeoJSON in WGS84 (longitude first) or ``None``.

    ``kind`` is one of ``neighbourhood``, ``thing``, ``datastream``, ``parking``, ``stop``, ``line``,
    ``building``, ``area``, ``address``. A datastream's ``properties`` hold ``thing``, ``observed_property``,
    ``unit`` (UCUM), and where known ``capacity``, ``minimum``, ``maximum``, ``maximum_step`` (per minute).
    Numbers among them are bounded as results are (``observations.within_bounds``).

    With ``replaces_all`` it is all that may be kept of its ``id``: every other version goes, whatever ``valid_from``
    says. So it is told what a person had erased. Ingest alone says so; a contributor cannot.
    """

    id: str
    kind: str
    name: str
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] = {}
    valid_from: Micros | None = None
    valid_to: Micros | None = None
    replaces_all: bool = False


class FeatureBatch(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Features of one dataset; a later version of the same id replaces an earlier one."""

    dataset: str
    features: list[Feature]
    batch_id: str = ""


def number_of(value: Any) -> float | None:
    """A property as a number; ``None`` for what is none, or lies beyond what can be counted or measured."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not within_bounds(value):
        return None
    return float(value)
