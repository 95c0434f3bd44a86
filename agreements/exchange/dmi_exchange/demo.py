"""Demonstration identities of people: loud, convenient, and refused in production."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoIdentity:
    """A person who signs in without proof, for demonstrations only."""

    id: str
    name: str
    participant: str
    role: str
    roles: tuple[str, ...]
    nl: str
    en: str


DEMO_IDENTITIES = (
    DemoIdentity(
        "officer",
        "Fatima el Idrissi",
        "urn:dmi:participant:gemeente",
        "municipality",
        ("dmi:role:municipality",),
        "Medewerker van de gemeente: publiceert data en bepaalt de voorwaarden.",
        "Municipal officer: publishes data and sets the conditions.",
    ),
    DemoIdentity(
        "vendor",
        "Joris Bakker",
        "urn:dmi:participant:sensorbedrijf",
        "vendor",
        ("dmi:role:vendor",),
        "Leverancier: sluit sensoren en diensten aan op één laag.",
        "Vendor: plugs sensors and services into one layer.",
    ),
    DemoIdentity(
        "analyst",
        "Mei Lin de Wit",
        "urn:dmi:participant:gemeente",
        "analyst",
        ("dmi:role:analyst",),
        "Analist van de stad: bekijkt verwachtingen en bouwt scenario's.",
        "City analyst: looks at forecasts and builds scenarios.",
    ),
    DemoIdentity(
        "resident",
        "Noor Jansen",
        "urn:dmi:person:noor",
        "resident",
        ("dmi:role:resident",),
        "Bewoner: meet mee met de fiets en bepaalt wat er met de eigen gegevens gebeurt.",
        "Resident: measures by bicycle and decides what is done with her own data.",
    ),
    DemoIdentity(
        "operator",
        "Sam Okafor",
        "urn:dmi:participant:stack",
        "operator",
        ("dmi:role:operator",),
        "Beheerder van de voorziening: houdt de lagen draaiend.",
        "Operator of the stack: keeps the layers running.",
    ),
)

BY_ID = {identity.id: identity for identity in DEMO_IDENTITIES}
