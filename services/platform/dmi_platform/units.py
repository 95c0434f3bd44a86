"""UCUM units: each observed property has one canonical unit, and a value is converted by factor and offset.

Source of the codes and factors: The Unified Code for Units of Measure, version 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dmi_agreements.contracts.features import LEFT_OUT_UNIT
from dmi_platform.errors import UnknownUnit


@dataclass(frozen=True, slots=True)
class Property:
    """The canonical UCUM unit of an observed property and the bounds that no true value lies outside."""

    unit: str
    minimum: float | None = None
    maximum: float | None = None


PROPERTIES: Final[dict[str, Property]] = {
    "occupancy": Property("{vehicle}", 0.0),
    "free_spaces": Property("{vehicle}", 0.0),
    "crowd_count": Property("{person}", 0.0),
    "pm1_0": Property("ug/m3", 0.0, 5000.0),
    "pm2_5": Property("ug/m3", 0.0, 5000.0),
    "pm10": Property("ug/m3", 0.0, 5000.0),
    "temperature": Property("Cel", -60.0, 60.0),
    "relative_humidity": Property("%", 0.0, 100.0),
    "pressure": Property("hPa", 850.0, 1100.0),
    "voltage": Property("V"),
    "vehicle_position": Property("s"),
}

_SCALES: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "temperature": {"Cel": (1.0, 0.0), "K": (1.0, -273.15), "[degF]": (5 / 9, -160 / 9)},
    "pressure": {
        "hPa": (1.0, 0.0),
        "Pa": (0.01, 0.0),
        "kPa": (10.0, 0.0),
        "mbar": (1.0, 0.0),
        "bar": (1000.0, 0.0),
        "atm": (1013.25, 0.0),
        "mm[Hg]": (1.33322, 0.0),
    },
    "concentration": {
        "ug/m3": (1.0, 0.0),
        "ug.m-3": (1.0, 0.0),
        "mg/m3": (1000.0, 0.0),
        "mg.m-3": (1000.0, 0.0),
        "ng/m3": (0.001, 0.0),
        "g/m3": (1_000_000.0, 0.0),
    },
    "fraction": {"%": (1.0, 0.0), "1": (100.0, 0.0), "[ppth]": (0.1, 0.0)},
    "voltage": {"V": (1.0, 0.0), "mV": (0.001, 0.0), "kV": (1000.0, 0.0)},
    "time": {"s": (1.0, 0.0), "ms": (0.001, 0.0), "min": (60.0, 0.0), "h": (3600.0, 0.0)},
}
"""By kind of quantity: UCUM code -> (factor, offset) to that kind's first unit."""

_WITHOUT_UNIT: Final = frozenset({"occupancy", "free_spaces", "crowd_count", "vehicle_position"})
"""Properties whose sources may write ``1``: a count needs no unit, and a position's value is its delay in s."""


def canonical(observed_property: str, declared: str) -> str:
    """The unit in which the platform keeps a property; of one outside the table, the declared unit."""
    known = PROPERTIES.get(observed_property)
    return known.unit if known else declared


def bounds(observed_property: str) -> tuple[float | None, float | None]:
    """Least and greatest possible value of a property in its canonical unit, ``None`` where there is none."""
    known = PROPERTIES.get(observed_property)
    return (known.minimum, known.maximum) if known else (None, None)


def conversion(observed_property: str, unit: str, to: str) -> tuple[float, float]:
    """``(factor, offset)`` so that ``value * factor + offset`` is in ``to``; raises ``UnknownUnit``.

    What another node gives without its unit is in the canonical one, as all that nodes give.
    """
    if unit in (to, LEFT_OUT_UNIT) or (unit == "1" and observed_property in _WITHOUT_UNIT):
        return 1.0, 0.0
    for scale in _SCALES.values():
        if unit in scale and to in scale:
            factor, offset = scale[unit]
            target_factor, target_offset = scale[to]
            return factor / target_factor, (offset - target_offset) / target_factor
    raise UnknownUnit(f"{observed_property} cannot be converted from {unit!r} to {to!r}")
