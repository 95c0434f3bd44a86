"""The entities of SensorThings 1.1 as a table: properties (18-088 tables 2 to 17) and relations (figure 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dmi_infra.clock import to_text
from dmi_infra.errors import InputRefused
from dmi_ingest import geometry, reading

NUMERIC: Final = {
    "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation",
}
"""Observation types whose result is a number; the stack stores numbers only, for now."""
GEOJSON: Final = ("application/geo+json", "application/vnd.geo+json")

Check = Callable[[Any, str], Any]
"""Checks one property and answers it as it is kept; raises ``InputRefused`` with its field."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an entity."""

    check: Check
    required: bool = False


@dataclass(frozen=True, slots=True)
class Navigation:
    """A relation. ``stored`` says at which side it is kept: at this entity, or at the other as ``inverse``."""

    target: str
    many: bool
    stored: bool
    inverse: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One collection: ``name`` in addresses, ``single`` as a navigation to one of it."""

    name: str
    single: str
    properties: dict[str, Property]
    navigations: dict[str, Navigation]


def _text(longest: int, shortest: int = 1) -> Check:
    return lambda value, field: reading.text(value, field, longest, shortest)


def _free_object(value: Any, field: str) -> dict[str, Any]:
    found = reading.mapping(value, field)
    reading.free(found, field)
    return found


def _anything(value: Any, field: str) -> Any:
    if value is None:
        raise InputRefused.of(field, "must have a value")
    reading.free(value, field)
    return value


def _time(value: Any, field: str) -> str:
    return to_text(reading.moment(value, field))


def _interval(value: Any, field: str) -> str:
    start, end = reading.interval(value, field)
    return to_text(start) if start == end else f"{to_text(start)}/{to_text(end)}"


def _encoding(value: Any, field: str) -> str:
    if value not in GEOJSON:
        raise InputRefused.of(field, f"must be {GEOJSON[0]}", reading.form(value))
    return str(value)


def _place(value: Any, field: str) -> dict[str, Any]:
    """A GeoJSON geometry, or a feature that has one; the form is kept."""
    document = reading.mapping(value, field)
    if document.get("type") == "Feature":
        shape = geometry.checked(document.get("geometry"), f"{field}.geometry")
        properties = document.get("properties") or {}
        reading.free(properties, f"{field}.properties")
        return {"type": "Feature", "geometry": shape, "properties": properties}
    return geometry.checked(document, field)


def _unit(value: Any, field: str) -> dict[str, Any]:
    document = reading.mapping(value, field)
    found: dict[str, Any] = {}
    for name in ("name", "symbol", "definition"):
        if name not in document:
            raise InputRefused.of(f"{field}.{name}", "must be given (null where there is no unit)")
        part = document[name]
        found[name] = None if part is None else reading.text(part, f"{field}.{name}", 500, 0)
    return found


def _observation_type(value: Any, field: str) -> str:
    if not isinstance(value, str) or value not in NUMERIC:
        rule = "must be OM_Measurement or OM_CountObservation: only numbers can be stored for now"
        raise InputRefused.of(field, rule, reading.form(value))
    return str(value)


def _area(value: Any, field: str) -> dict[str, Any]:
    return geometry.checked(value, field)


_NAME: Final = {"name": Property(_text(500), True), "description": Property(_text(20_000, 0), True)}
_PROPERTIES: Final = {"properties": Property(_free_object)}

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "Things", "Thing", {**_NAME, **_PROPERTIES},
            {
                "Locations": Navigation("Locations", True, True, "Things"),
                "HistoricalLocations": Navigation("HistoricalLocations", True, False, "Thing"),
                "Datastreams": Navigation("Datastreams", True, False, "Thing"),
            },
        ),
        Kind(
            "Locations", "Location",
            {**_NAME, "encodingType": Property(_encoding, True), "location": Property(_place, True), **_PROPERTIES},
            {
                "Things": Navigation("Things", True, False, "Locations"),
                "HistoricalLocations": Navigation("HistoricalLocations", True, False, "Locations"),
            },
        ),
        Kind(
            "HistoricalLocations", "HistoricalLocation", {"time": Property(_time, True)},
            {
                "Thing": Navigation("Things", False, True, "HistoricalLocations", True),
                "Locations": Navigation("Locations", True, True, "HistoricalLocations", True),
            },
        ),
        Kind(
            "Datastreams", "Datastream",
            {
                **_NAME, "unitOfMeasurement": Property(_unit, True),
                "observationType": Property(_observation_type, True), "observedArea": Property(_area),
                "phenomenonTime": Property(_interval), "resultTime": Property(_interval), **_PROPERTIES,
            },
            {
                "Thing": Navigation("Things", False, True, "Datastreams", True),
                "Sensor": Navigation("Sensors", False, True, "Datastreams", True),
                "ObservedProperty": Navigation("ObservedProperties", False, True, "Datastreams", True),
            },
        ),
        Kind(
            "Sensors", "Sensor",
            {
                **_NAME, "encodingType": Property(_text(200), True), "metadata": Property(_anything, True),
                **_PROPERTIES,
            },
            {"Datastreams": Navigation("Datastreams", True, False, "Sensor")},
        ),
        Kind(
            "ObservedProperties", "ObservedProperty",
            {**_NAME, "definition": Property(_text(2000), True), **_PROPERTIES},
            {"Datastreams": Navigation("Datastreams", True, False, "ObservedProperty")},
        ),
        Kind(
            "FeaturesOfInterest", "FeatureOfInterest",
            {**_NAME, "encodingType": Property(_encoding, True), "feature": Property(_place, True), **_PROPERTIES},
            {},
        ),
    )
}  # fmt: skip

COMMON: Final = frozenset({"Sensors", "ObservedProperties"})
"""Descriptions that all participants share: everyone may read and use them (Sensors within ``Scope``), their maker
may change them."""


def shape_of(place: dict[str, Any]) -> dict[str, Any]:
    """The geometry of a location or a feature of interest, whichever of the two forms it has."""
    found: dict[str, Any] = place["geometry"] if place.get("type") == "Feature" else place
    return found
