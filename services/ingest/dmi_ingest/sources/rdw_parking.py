"""Parking facilities of the Netherlands (RDW, GeoJSON) with the index of real-time sources (JSON).

A capacity of 0 or none at all is not known, so the property is left out and a note says so; the same
for a missing type. Where one facility is registered by several organisations, each registration is
a feature under its own id (the facility's with the organisation's), and names the number of them, so
that capacities are not added twice unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources.files import document
from dmi_ingest.sources.geojson import Shape, replayed, shapes_in
from dmi_ingest.sources.port import DatasetTemplate, Item, Rejected, SourceError
from dmi_ingest.sources.values import Unreadable, number, of_field, tidy

NEEDED: Final = ("rdw_id", "name", "capacity", "usage_type")
KEPT: Final = (
    "rdw_id", "type", "usage_type", "municipality", "province", "address", "operator", "website",
    "max_height", "is_paid", "opening_hours", "last_updated",
)  # fmt: skip


class RdwParking:
    """The source ``rdw-parking``."""

    kind = "rdw-parking"
    properties: tuple[str, ...] = ()
    title: Final = {"nl": "Parkeervoorzieningen (RDW)", "en": "Parking facilities (RDW)"}
    description: Final = {
        "nl": "Garages, terreinen en P+R met capaciteit, en bronnen met actuele bezetting (GeoJSON, JSON).",
        "en": "Garages, car parks and P+R with capacity, and the sources of live occupancy (GeoJSON, JSON).",
    }
    dataset = DatasetTemplate("rdw-parking", title, description, False, "parking", "CC0-1.0", "RDW", "points")
    expects = ("facilities", "index")
    unit_read: Final = {"nl": "elke parkeervoorziening", "en": "each parking facility"}

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """One unit a registration; the index, when given, adds the real-time sources."""
        found: list[Shape] = []
        live: dict[str, str] = {}
        for path in files:
            content = document(path)
            if isinstance(content.get("organizations"), list):
                live |= _live(content["organizations"])
            else:
                found += shapes_in(path, content, self.kind, NEEDED)
        if not found:
            raise SourceError("", None, "missing_role", "no file with parking facilities")
        identifiers = _identifiers(found)
        for shape, (identifier, registrations) in zip(found, identifiers, strict=True):
            yield _facility(shape, identifier, registrations, live, prefix)

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """Each corrected registration again, under the facility's own id."""
        for item, shape in replayed(rejected):
            if shape is None:
                yield item
            else:
                yield _facility(shape, shape.text("id"), 1, {}, prefix)


def _live(organizations: list[Any]) -> dict[str, str]:
    """Address of the real-time source by name of the organisation, where it has one."""
    return {
        str(one.get("name")): str(one["dynamic_data_url"])
        for one in organizations
        if isinstance(one, dict) and one.get("has_dynamic_data") and one.get("dynamic_data_url")
    }


def _identifiers(found: Sequence[Shape]) -> list[tuple[str, int]]:
    """An id for each registration, the same at every import, and how many the facility has."""
    count = Counter(shape.text("id") for shape in found)
    used: Counter[str] = Counter()
    identifiers: list[tuple[str, int]] = []
    for shape in found:
        own = shape.text("id")
        identifier = own
        if own and count[own] > 1:
            identifier = f"{own}.{_ascii(shape.text('operator'))}"
            used[identifier] += 1
            if used[identifier] > 1:
                identifier = f"{identifier}.{used[identifier]}"
        identifiers.append((identifier, count[own]))
    return identifiers


def _ascii(name: str) -> str:
    return (
        "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name).lower().split())
        or "unknown"
    )


def _facility(
    shape: Shape, identifier: str, registrations: int, live: dict[str, str], prefix: str
) -> Feature | Rejected:
    try:
        if not identifier:
            raise Unreadable("missing_value", "", "id")
        with of_field("geometry"):
            placed = shape.placed()
        capacity, notes = _capacity(shape)
        properties = shape.kept((*KEPT, "realtime_url"))
    except Unreadable as error:
        return shape.rejected(error)
    if "usage_type" not in properties:
        notes.append("the type of use is not given")
    municipality = shape.text("municipality")
    properties |= capacity
    properties["realtime_url"] = properties.get("realtime_url") or live.get(municipality)
    properties["registrations"] = registrations if registrations > 1 else None
    properties["source_crs"] = placed.crs
    properties["note"] = "; ".join(notes) or None
    known = {name: value for name, value in properties.items() if value not in (None, "")}
    name = tidy(shape.text("name")) or identifier
    return Feature(f"{prefix}.{identifier}", "parking", name, placed.geometry, known)


def _capacity(shape: Shape) -> tuple[dict[str, Any], list[str]]:
    found = shape.properties.get("capacity")
    if found is None:
        return {}, ["the capacity is not given"]
    if not isinstance(found, dict):
        found = {"total": found}
    known: dict[str, Any] = {}
    for name, key in (
        ("total", "capacity"),
        ("ev_charging", "capacity_charging"),
        ("disabled", "capacity_disabled"),
    ):
        if found.get(name) is None:
            continue
        with of_field(f"capacity/{name}"):
            value = number(found[name])
            if value < 0:
                raise Unreadable("negative_capacity", found[name])
        if value > 0:
            known[key] = value
    return known, [] if "capacity" in known else ["the capacity is given as 0, so it is not known"]
