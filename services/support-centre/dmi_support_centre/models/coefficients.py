"""The coefficients of the scenario model: each named, with range, unit, source and year, and each changeable.

A coefficient that rests on no published figure says ``assumption``; nobody should mistake it for a fact.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Text = dict[str, str]
"""A text by language, ``nl`` and ``en``."""


class CoefficientRefused(ValueError):
    """A coefficient that does not exist or a value that it cannot have; names the field and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class Coefficient(msgspec.Struct, frozen=True):
    """One number of the model. ``low`` and ``high`` bound what is plausible, ``minimum`` and ``maximum`` what
    can be; ``source`` says who published it, ``year`` of which year it is."""

    name: str
    label: Text
    default: float
    low: float
    high: float
    minimum: float
    maximum: float
    unit: Text
    source: Text
    year: int
    assumption: bool = False


DWELLING_FLOOR = "floor_m2_per_dwelling"
HOUSEHOLD = "inhabitants_per_dwelling"
OFFICE_FLOOR = "office_m2_per_job"
VACANCY = "office_vacancy"
GREEN_YIELD = "green_yield"
DWELLING_PARKING = "parking_per_dwelling"
OFFICE_PARKING = "parking_per_100_m2_office"
INHABITANT_TRIPS = "trips_per_inhabitant"
JOB_TRIPS = "trips_per_job"

_DEFINED = (
    Coefficient(
        DWELLING_FLOOR,
        {"nl": "Vloeroppervlak per woning", "en": "Floor area per dwelling"},
        65.0,
        50.0,
        90.0,
        15.0,
        500.0,
        {"nl": "m² per woning", "en": "m² per dwelling"},
        {
            "nl": "De stad kennen, de stad maken (Platform31/KKS, 2015): 26 miljoen m² voor 400.000 woningen",
            "en": "De stad kennen, de stad maken (Platform31/KKS, 2015): 26 million m² for 400,000 dwellings",
        },
        2014,
    ),
    Coefficient(
        HOUSEHOLD,
        {"nl": "Bewoners per woning", "en": "Inhabitants per dwelling"},
        2.1,
        1.6,
        2.3,
        1.0,
        10.0,
        {"nl": "bewoners per woning", "en": "inhabitants per dwelling"},
        {
            "nl": "CBS, gemiddelde huishoudensgrootte van Nederland, ongeveer 2,1; bandbreedte voor flats: aanname",
            "en": "CBS, average household size of the Netherlands, about 2.1; range for flats: assumption",
        },
        2023,
    ),
    Coefficient(
        OFFICE_FLOOR,
        {"nl": "Kantooroppervlak per baan", "en": "Office floor per job"},
        25.0,
        15.0,
        35.0,
        5.0,
        200.0,
        {"nl": "m² per baan", "en": "m² per job"},
        {
            "nl": "Aanname, binnen wat gangbaar is in Nederlandse kantoren",
            "en": "Assumption, within what is usual in Dutch office practice",
        },
        2023,
        assumption=True,
    ),
    Coefficient(
        VACANCY,
        {"nl": "Leegstand van kantoren", "en": "Vacant share of offices"},
        0.16,
        0.05,
        0.30,
        0.0,
        1.0,
        {"nl": "aandeel van vloer", "en": "share of floor"},
        {
            "nl": "De stad kennen, de stad maken (Platform31/KKS, 2015): kantoren 16 %; bandbreedte: aanname",
            "en": "De stad kennen, de stad maken (Platform31/KKS, 2015): offices 16 %; range: assumption",
        },
        2014,
    ),
    Coefficient(
        GREEN_YIELD,
        {"nl": "Groen per vrijgemaakte m²", "en": "Green per cleared m²"},
        0.8,
        0.6,
        1.0,
        0.0,
        1.0,
        {"nl": "m² groen per m² grond", "en": "m² green per m² of ground"},
        {
            "nl": "Aanname: een vijfde van vrijgemaakte grond wordt pad en rand",
            "en": "Assumption: a fifth of cleared ground becomes paths and edges",
        },
        2025,
        assumption=True,
    ),
    Coefficient(
        DWELLING_PARKING,
        {"nl": "Parkeervraag per woning", "en": "Parking demand per dwelling"},
        1.0,
        0.6,
        1.4,
        0.0,
        5.0,
        {"nl": "plaatsen per woning", "en": "places per dwelling"},
        {
            "nl": "CROW 381, orde van de kencijfers voor flats in sterk stedelijk gebied; midden: aanname",
            "en": "CROW 381, order of the key figures for flats in strongly urban areas; middle: assumption",
        },
        2018,
    ),
    Coefficient(
        OFFICE_PARKING,
        {"nl": "Parkeervraag per 100 m² kantoor", "en": "Parking demand per 100 m² of office"},
        1.6,
        1.0,
        2.5,
        0.0,
        10.0,
        {"nl": "plaatsen per 100 m²", "en": "places per 100 m²"},
        {
            "nl": "CROW 381, orde van de kencijfers voor kantoren zonder balie; midden: aanname",
            "en": "CROW 381, order of the key figures for offices without a counter; middle: assumption",
        },
        2018,
    ),
    Coefficient(
        INHABITANT_TRIPS,
        {"nl": "Verplaatsingen per bewoner", "en": "Trips per inhabitant"},
        2.7,
        2.4,
        3.0,
        0.0,
        20.0,
        {"nl": "verplaatsingen per bewoner per dag", "en": "trips per inhabitant a day"},
        {
            "nl": "CBS, ODiN, ongeveer 2,7; bandbreedte: aanname",
            "en": "CBS, ODiN, about 2.7; range: assumption",
        },
        2022,
    ),
    Coefficient(
        JOB_TRIPS,
        {"nl": "Verplaatsingen per baan", "en": "Trips per job"},
        1.6,
        1.0,
        3.0,
        0.0,
        20.0,
        {"nl": "verplaatsingen per baan per dag", "en": "trips per job a day"},
        {
            "nl": "Aanname: op vier van vijf dagen heen en terug naar het werk; bezoekers in de bovenkant",
            "en": "Assumption: to and from work on four of five days; visitors in the upper range",
        },
        2025,
        assumption=True,
    ),
)

COEFFICIENTS: Mapping[str, Coefficient] = {one.name: one for one in _DEFINED}


class Setting(msgspec.Struct, frozen=True):
    """A coefficient as one run uses it: its value and the range around it."""

    coefficient: Coefficient
    value: float
    low: float
    high: float

    @property
    def changed(self) -> bool:
        """Whether someone set another value than the default."""
        return self.value != self.coefficient.default


Settings = Mapping[str, Setting]


def defaults() -> dict[str, Setting]:
    """Every coefficient at its default."""
    return {name: Setting(one, one.default, one.low, one.high) for name, one in COEFFICIENTS.items()}


def changed(settings: Settings, name: str, value: float) -> dict[str, Setting]:
    """The settings with one value changed; a value outside the plausible range widens the range to it.

    Raises ``CoefficientRefused`` for an unknown name or a value outside what can be.
    """
    known = COEFFICIENTS.get(name)
    if known is None:
        raise CoefficientRefused("name", f"unknown coefficient; known are {', '.join(COEFFICIENTS)}")
    # The comparison is also false for NaN.
    if not known.minimum <= value <= known.maximum:
        raise CoefficientRefused("value", f"must lie between {known.minimum:g} and {known.maximum:g}")
    setting = Setting(known, value, min(known.low, value), max(known.high, value))
    return {**settings, name: setting}
