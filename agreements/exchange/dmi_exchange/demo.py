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


MUNICIPALITY = "urn:dmi:participant:gemeente"
STACK = "urn:dmi:participant:stack"

DEMO_IDENTITIES = (
    DemoIdentity(
        "officer",
        "Fatima el Idrissi",
        MUNICIPALITY,
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
        MUNICIPALITY,
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
        STACK,
        "operator",
        ("dmi:role:operator",),
        "Beheerder van de voorziening: houdt de lagen draaiend.",
        "Operator of the stack: keeps the layers running.",
    ),
    DemoIdentity(
        "inspector",
        "Ruth van Dam",
        "urn:dmi:participant:toetsingsraad",
        "review-board",
        ("dmi:role:review-board",),
        "Toezichthouder: kijkt of iedereen zich aan de wet en de afspraken houdt.",
        "Inspector: looks whether everyone keeps to the law and the rulebook.",
    ),
)


def participant_of(identity: DemoIdentity, municipality: str, operator: str) -> str:
    """For whom an identity acts on a node whose city and operator are these."""
    return {MUNICIPALITY: municipality, STACK: operator}.get(identity.participant, identity.participant)


BY_ID = {identity.id: identity for identity in DEMO_IDENTITIES}
