"""What values a left operand can take, for those that a request has one value of; and what ties them together."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.vocabulary import AXIS, DMI, Left

Kind = Literal["quantity", "duration", "moment", "name"]

DATE_TIME: Final = ODRL + "dateTime"
ELAPSED: Final = ODRL + "elapsedTime"
METERED: Final = ODRL + "meteredTime"
DELAY: Final = ODRL + "delayPeriod"
COUNT: Final = ODRL + "count"
INTERVAL: Final = ODRL + "timeInterval"
LANGUAGE: Final = ODRL + "language"

MOVING: Final = frozenset({DATE_TIME, ELAPSED, METERED, DELAY, COUNT, INTERVAL})
"""These can change from one step of an ``andSequence`` to the next."""

_KINDS: Final[dict[str, Kind]] = {
    "dateTime": "moment", "duration": "duration", "integer": "quantity", "number": "quantity",
    "structure": "quantity", "concept": "name", "place": "name", "text": "name",
}  # fmt: skip
_SIZES: Final = ("absoluteSize", "relativeSize", "resolution", "payAmount", "percentage", "count")


@dataclass(frozen=True, slots=True)
class Bounds:
    """A quantity lies in ``low..high``, ends included."""

    low: Fraction | None = None
    high: Fraction | None = None


def kind(left: Left) -> Kind | None:
    """How values of this left operand are compared; ``None`` when that is not decided here."""
    return _KINDS.get(left.type)


def bounds(iri: str) -> Bounds:
    """What a value of this left operand can be at all: no size, count, price or stretch of time is below zero."""
    for namespace in (ODRL, AXIS, DMI):
        name = iri.removeprefix(namespace)
        if name != iri:
            break
    if name == "percentage":
        return Bounds(Fraction(0), Fraction(100))
    if name == "spatialCoordinatesLatitude":
        return Bounds(Fraction(-90), Fraction(90))
    if name == "spatialCoordinatesLongitude":
        return Bounds(Fraction(-180), Fraction(180))
    if name.startswith(_SIZES) or iri in (ELAPSED, METERED, DELAY, INTERVAL):
        return Bounds(Fraction(0))
    return Bounds()
