"""What an analyst can do to a baseline: typed edits, in order. A new kind of edit is one struct and one rule."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MIX_TOLERANCE = 1e-6


class ScenarioRefused(ValueError):
    """An edit that breaks a rule; ``field`` is a dotted path within the edit."""

    def __init__(self, field: str, rule: str, edit: int | None = None) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule
        self.edit = edit
        """Number of the edit in the scenario, from 0; ``None`` outside a run."""


class Area(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where an edit holds: either a neighbourhood by id, or a drawn GeoJSON (Multi)Polygon in WGS84."""

    neighbourhood: str | None = None
    geometry: dict[str, Any] | None = None


class Mix(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What becomes of the floor: shares from 0 to 1 that sum to 1; ``office`` is what stays."""

    housing: float = 0.0
    green: float = 0.0
    office: float = 0.0


class Redevelop(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag="redevelop",
    tag_field="type",
):
    """Turns the offices in an area into a mix of housing, green and office."""

    area: Area
    mix: Mix
    source_use: Literal["office"] = msgspec.field(default="office", name="from")


class SetCoefficient(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag="coefficient",
    tag_field="type",
):
    """Uses another value for one coefficient; the last edit of a name holds for the whole run."""

    name: str
    value: float


Edit = Redevelop | SetCoefficient


def check_geometry(area: Area) -> None:
    """Raises ``ScenarioRefused`` for a drawn geometry with anything beside what is drawn: every version keeps it."""
    for member in area.geometry or {}:
        if member not in ("type", "coordinates"):
            field = f"area.geometry.{member[:100]}"
            raise ScenarioRefused(
                field, "is not known: a geometry has a type and coordinates, and nothing else"
            )


def check_mix(mix: Mix) -> None:
    """Raises ``ScenarioRefused`` unless the shares lie in [0, 1], sum to 1 and change something."""
    shares = {name: float(getattr(mix, name)) for name in mix.__struct_fields__}
    for name, share in shares.items():
        # Also false for NaN.
        if not 0.0 <= share <= 1.0:
            raise ScenarioRefused(f"mix.{name}", "must lie between 0 and 1")
    total = sum(shares.values())
    if abs(total - 1.0) > MIX_TOLERANCE:
        raise ScenarioRefused("mix", f"shares must sum to 1, they sum to {total:.6g}")
    if mix.office >= 1.0:
        raise ScenarioRefused("mix.office", "with share 1 nothing changes")
