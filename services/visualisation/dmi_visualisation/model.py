"""Pure rules and values of visualisation: what a row shows, and how rows become GeoJSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import (
    FLAG_FAIL,
    FLAG_MISSING,
    FLAG_NOT_EVALUATED,
    FLAG_PASS,
    FLAG_SUSPECT,
    Micros,
    ObservationBatch,
)
from dmi_infra.clock import to_text

BUCKET: Micros = 900 * 1_000_000
"""Charts keep quarters of an hour: minimum, mean and maximum of each."""

_SEVERITY = (FLAG_FAIL, FLAG_SUSPECT, FLAG_MISSING, FLAG_PASS, FLAG_NOT_EVALUATED)


class Shown(msgspec.Struct, frozen=True):
    """The newest observation of one datastream."""

    datastream: str
    dataset: str
    phenomenon_time: Micros
    result: float | None
    flag: int
    longitude: float | None
    latitude: float | None
    neighbourhood: str | None
    subject: str | None
    observed_property: str
    unit: str
    source_id: str | None = None


def worst(flags: Iterable[int]) -> int:
    """One flag for several tests: the gravest one counts."""
    found = set(flags)
    return next((flag for flag in _SEVERITY if flag in found), FLAG_NOT_EVALUATED)


def rows_of(batch: ObservationBatch) -> list[Shown]:
    """The rows of a harmonised batch."""
    size = len(batch)
    nothing: list[None] = [None] * size
    tests = list((batch.flags or {}).values())
    return [
        Shown(*row)
        for row in zip(
            batch.datastream,
            [batch.dataset] * size,
            batch.phenomenon_time,
            batch.result,
            [worst(column[i] for column in tests) for i in range(size)],
            batch.longitude or nothing,
            batch.latitude or nothing,
            batch.neighbourhood or nothing,
            batch.subject or nothing,
            batch.observed_property or [""] * size,
            batch.unit or [""] * size,
            batch.source_id or nothing,
            strict=True,
        )
    ]


def batch_of(dataset: str, rows: Sequence[Shown]) -> ObservationBatch:
    """Rows as a batch again, so that the gate can carry out duties on them."""
    return ObservationBatch(
        dataset=dataset,
        datastream=[r.datastream for r in rows],
        phenomenon_time=[r.phenomenon_time for r in rows],
        result=[r.result for r in rows],
        longitude=[r.longitude for r in rows],
        latitude=[r.latitude for r in rows],
        subject=[r.subject for r in rows],
        observed_property=[r.observed_property for r in rows],
        unit=[r.unit for r in rows],
        neighbourhood=[r.neighbourhood for r in rows],
        source_id=[r.source_id for r in rows],
        flags={"worst": [r.flag for r in rows]},
    )


def point_feature(
    row: Shown, meta: Feature | None, agreements: Sequence[str], label: dict[str, str] | None
) -> dict[str, Any]:
    """A GeoJSON feature of one datastream's value behind the gate; without a position its geometry is ``null``."""
    placed = row.longitude is not None and row.latitude is not None
    known = meta.properties if meta else {}
    return {
        "type": "Feature",
        "id": row.datastream,
        "geometry": {"type": "Point", "coordinates": [row.longitude, row.latitude]} if placed else None,
        "properties": {
            "id": row.datastream,
            "datastream": row.datastream,
            # What it observes as the sensor says it, since the row may have lost that.
            "name": thing_name(meta.name, str(known.get("observed_property", row.observed_property)))
            if meta
            else row.datastream,
            "observed_property": row.observed_property,
            "result": row.result,
            "unit": row.unit,
            "flag": row.flag,
            "phenomenon_time": to_text(row.phenomenon_time),
            "capacity": known.get("capacity"),
            "neighbourhood": row.neighbourhood,
            "label": label,
            "agreement": agreements[0] if agreements else None,
        },
    }


def thing_name(name: str, observed_property: str) -> str:
    """The name of the thing: a datastream's name without what it observes, which the feature says itself."""
    return name.removesuffix(f" {observed_property}") or name


def placed(row: Shown, place: Feature | None) -> Shown:
    """The row with the position of its datastream where it has none of its own: before the gate, never after it."""
    if row.longitude is not None and row.latitude is not None:
        return row
    geometry = place.geometry if place else None
    if geometry is None or geometry.get("type") != "Point":
        return row
    longitude, latitude = geometry["coordinates"][:2]
    return msgspec.structs.replace(row, longitude=float(longitude), latitude=float(latitude))


def area_feature(feature: Feature, agreements: Sequence[str]) -> dict[str, Any]:
    """A GeoJSON feature of a place, with its own properties."""
    return {
        "type": "Feature",
        "id": feature.id,
        "geometry": feature.geometry,
        "properties": {
            **feature.properties,
            "id": feature.id,
            "name": feature.name,
            "kind": feature.kind,
            "agreement": agreements[0] if agreements else None,
        },
    }


def bounds(features: Sequence[Mapping[str, Any]]) -> list[float] | None:
    """West, south, east, north of GeoJSON features; ``None`` when none has a place."""
    xs: list[float] = []
    ys: list[float] = []

    def walk(coordinates: Any) -> None:
        if coordinates and isinstance(coordinates[0], int | float):
            xs.append(coordinates[0])
            ys.append(coordinates[1])
        else:
            for part in coordinates:
                walk(part)

    for feature in features:
        geometry = feature.get("geometry")
        if geometry:
            walk(geometry.get("coordinates", []))
    return [min(xs), min(ys), max(xs), max(ys)] if xs else None
