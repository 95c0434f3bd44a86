"""The things and datastreams that rows need, as derived features, each told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources.port import Derived, datastream_id
from dmi_ingest.sources.values import Unreadable

UNITS: Final = {
    "occupancy": "{vehicle}",
    "free_spaces": "{vehicle}",
    "crowd_count": "{person}",
    "pm1_0": "ug/m3",
    "pm2_5": "ug/m3",
    "pm10": "ug/m3",
    "temperature": "Cel",
    "relative_humidity": "%",
    "pressure": "hPa",
    "voltage": "V",
}
"""UCUM unit of each observed property that file sources deliver."""


@dataclass(slots=True)
class Told:
    """What this reading has told already, so that a feature is repeated only when it changed."""

    prefix: str
    features: dict[str, Feature] = field(default_factory=dict)
    claimed: dict[str, str] = field(default_factory=dict)

    def claim(self, thing: str, name: str) -> None:
        """Refuse (``name_collision``) a second name in the source that would get the id of another."""
        if self.claimed.setdefault(thing, name) != name:
            raise Unreadable("name_collision", name)

    def thing(
        self, thing: str, name: str, point: tuple[float, float] | None, properties: dict[str, Any]
    ) -> Iterator[Derived]:
        """The thing, when it is new or changed; ``point`` is longitude and latitude."""
        geometry = None if point is None else {"type": "Point", "coordinates": list(point)}
        yield from self._new(Feature(f"{self.prefix}.{thing}", "thing", name, geometry, _known(properties)))

    def datastream(
        self, thing: str, name: str, observed_property: str, properties: dict[str, Any], variant: str = ""
    ) -> Iterator[Derived]:
        """The datastream of one property of a thing, when it is new or changed."""
        about = {
            "thing": f"{self.prefix}.{thing}",
            "observed_property": observed_property,
            "unit": UNITS[observed_property],
            **_known(properties),
        }
        identifier = datastream_id(self.prefix, thing, observed_property, variant)
        yield from self._new(Feature(identifier, "datastream", name, None, about))

    def _new(self, feature: Feature) -> Iterator[Derived]:
        if self.features.get(feature.id) != feature:
            self.features[feature.id] = feature
            yield Derived(feature)


def _known(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}
