"""Who takes part in Waterstad, which datasets there are, and what was agreed about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from dmi_agreements.contracts.law import About, Dataset, Participant, Place
from dmi_command.demo.bicycles import RIDERS
from dmi_command.demo.moments import DAY, SECOND

MUNICIPALITY: Final = "urn:dmi:participant:gemeente"
VENDOR: Final = "urn:dmi:participant:sensorbedrijf"
STACK: Final = "urn:dmi:participant:stack"
CARRIER: Final = "urn:dmi:participant:vervoerder"
COUNCIL: Final = "urn:dmi:participant:beheerraad"
BOARD: Final = "urn:dmi:participant:toetsingsraad"
EVERYONE: Final = "urn:dmi:party:everyone"

GARAGES: Final = "urn:dmi:dataset:gemeente:garages"
CROWD: Final = "urn:dmi:dataset:gemeente:crowd"
BICYCLE_AIR: Final = "urn:dmi:dataset:gemeente:bicycle-air"
NEIGHBOURHOODS: Final = "urn:dmi:dataset:gemeente:neighbourhoods"
ADDRESSES: Final = "urn:dmi:dataset:gemeente:addresses"
BUS: Final = "urn:dmi:dataset:vervoerder:bus-5"

TERM: Final = 2 * 365 * DAY
"""How long each agreement and consent runs."""
KEPT_DAYS: Final = 365
"""How long the rides of residents are kept."""
_OPEN_LICENCE: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
_LAYERS: Final = ["dmi:process", "dmi:read", "dmi:display", "dmi:analyse", "dmi:publish", "dmi:export"]

Document = dict[str, Any]


def datasets() -> list[Dataset]:
    """The six datasets of the city."""
    return [*_DATASETS]


_WATERSTAD: Final = About(
    Place((5.05, 52.07, 5.15, 52.13), {"nl": "Waterstad", "en": "Waterstad"}, ["GM9999"]),
    contact="mailto:gegevens@waterstad.example",
    languages=["nl", "en"],
)
_DATASETS: Final = (
    Dataset(
        GARAGES,
        MUNICIPALITY,
        {"nl": "Parkeergarages", "en": "Parking garages"},
        {
            "nl": "Bezetting van de parkeergarages en van P+R Noord, elke minuut.",
            "en": "Occupancy of the parking garages and of park-and-ride P+R Noord, every minute.",
        },
        category="mobility",
        licence=_OPEN_LICENCE,
        source="Waterstad, demonstration",
        layer="points",
        about=_WATERSTAD,
    ),
    Dataset(
        CROWD,
        MUNICIPALITY,
        {"nl": "Drukte in de binnenstad", "en": "Crowds in the city centre"},
        {
            "nl": "Voorbijgangers per minuut op tien plekken, zonder herkenning van personen.",
            "en": "Passers-by a minute at ten places, without recognising anyone.",
        },
        category="crowd",
        licence=_OPEN_LICENCE,
        source="Waterstad, demonstration",
        layer="points",
        about=_WATERSTAD,
    ),
    Dataset(
        BICYCLE_AIR,
        MUNICIPALITY,
        {"nl": "Meetfietsen: lucht", "en": "Sensor bicycles: air"},
        {
            "nl": "Fijnstof, temperatuur en vocht, gemeten door bewoners op de fiets. Persoonsgegevens.",
            "en": "Particulates, temperature and humidity, measured by cycling residents. Personal data.",
        },
        personal=True,
        purpose="dmi:purpose:air-quality",
        category="environment",
        source="Waterstad, demonstration",
        layer="points",
        about=_WATERSTAD,
    ),
    Dataset(
        NEIGHBOURHOODS,
        MUNICIPALITY,
        {"nl": "Buurten en gebouwen", "en": "Neighbourhoods and buildings"},
        {
            "nl": "Buurten met inwoners, banen en groen; gebouwen, hoofdstraten, water en parken.",
            "en": "Neighbourhoods with inhabitants, jobs, green; buildings, main streets, water, parks.",
        },
        category="spatial-planning",
        licence=_OPEN_LICENCE,
        source="Waterstad, demonstration",
        layer="areas",
        about=_WATERSTAD,
    ),
    Dataset(
        ADDRESSES,
        MUNICIPALITY,
        {"nl": "Adressen", "en": "Addresses"},
        {
            "nl": "Straat en huisnummer van elke ingang, om plekken op de kaart te vinden.",
            "en": "Street and number of every entrance, to find places on the map.",
        },
        category="spatial-planning",
        licence=_OPEN_LICENCE,
        source="Waterstad, demonstration",
        about=_WATERSTAD,
    ),
    Dataset(
        BUS,
        CARRIER,
        {"nl": "Bus, lijn 5", "en": "Bus line 5"},
        {
            "nl": "Haltes, dienstregeling en posities van de bussen van lijn 5.",
            "en": "Stops, timetable and vehicle positions of bus line 5.",
        },
        category="mobility",
        licence=_OPEN_LICENCE,
        source="Waterstad, demonstration",
        layer="vehicles",
        about=_WATERSTAD,
    ),
)


def participants() -> list[tuple[Participant, str, str | None]]:
    """Each participant (without keys), a role, and the demonstration identity that acts for it in that role.

    The municipality stands twice: once for its officer, once for its analyst.
    """
    municipality = Participant(
        MUNICIPALITY,
        "Gemeente Waterstad",
        ["dmi:role:municipality", "dmi:role:provider", "dmi:role:user", "dmi:role:analyst"],
    )
    organisations = [
        (municipality, "municipality", "officer"),
        (municipality, "analyst", "analyst"),
        (
            Participant(VENDOR, "Sensorbedrijf Meetlat", ["dmi:role:vendor", "dmi:role:user"]),
            "vendor",
            "vendor",
        ),
        (Participant(STACK, "Stadsdataknooppunt Waterstad", ["dmi:role:operator"]), "operator", "operator"),
        (Participant(CARRIER, "Waterstads Vervoer", ["dmi:role:provider"]), "provider", None),
        (
            Participant(COUNCIL, "Beheerraad Waterstad", ["dmi:role:management-council"]),
            "management-council",
            None,
        ),
        (
            Participant(BOARD, "Toetsingsraad Waterstad", ["dmi:role:review-board"]),
            "review-board",
            "inspector",
        ),
    ]
    residents = [
        (
            Participant(
                person(slug),
                "Noor Jansen" if slug == RIDERS[0] else slug.capitalize(),
                ["dmi:role:resident"],
            ),
            "resident",
            "resident" if slug == RIDERS[0] else None,
        )
        for slug in RIDERS
    ]
    return [*organisations, *residents]


def person(slug: str) -> str:
    """The id of a resident."""
    return f"urn:dmi:person:{slug}"


def agreements(rulebook_version: str, now: int) -> list[Document]:
    """All agreements and consents: unsigned ODRL without ``uid``, in force until ``now`` + ``TERM`` (µs UTC).

    The stack serves whatever purpose its callers may have; which that is, the agreement of each caller says.
    """
    until = _moment(now + TERM)

    def document(basis: str, assigner: str, assignee: str, *permissions: Document) -> Document:
        return {
            "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
            "@type": "Agreement",
            "profile": "urn:dmi:profile:1",
            "dmi:rulebook": rulebook_version,
            "dmi:legalBasis": basis,
            "assigner": assigner,
            "assignee": assignee,
            "permission": list(permissions),
        }

    def open_data(owner: str, dataset: str) -> Document:
        actions = ["dmi:read", "dmi:display", "dmi:export"]
        rule = _permission(dataset, actions, "dmi:purpose:any", until)
        return document("dmi:basis:public-task", owner, EVERYONE, rule)

    def layer(owner: str, dataset: str) -> Document:
        rule = _permission(dataset, _LAYERS, "dmi:purpose:any", until)
        return document("dmi:basis:public-task", owner, STACK, rule)

    public = [
        (MUNICIPALITY, GARAGES),
        (MUNICIPALITY, CROWD),
        (MUNICIPALITY, NEIGHBOURHOODS),
        (MUNICIPALITY, ADDRESSES),
        (CARRIER, BUS),
    ]
    found = [layer(*which) for which in public] + [open_data(*which) for which in public]
    found.append(document("dmi:basis:consent", MUNICIPALITY, STACK, *_bicycle_rules(until)))
    late = _permission(GARAGES, ["dmi:read", "dmi:analyse"], "dmi:purpose:service-improvement", until)
    late["duty"] = [_duty("dmi:delay", "dmi:seconds", "300", "s")]
    found.append(document("dmi:basis:contract", MUNICIPALITY, VENDOR, late))
    hand_in = _permission(CROWD, ["dmi:contribute"], "dmi:purpose:crowd-safety", until)
    found.append(document("dmi:basis:contract", MUNICIPALITY, VENDOR, hand_in))
    found += [
        document("dmi:basis:consent", person(slug), EVERYONE, _consent_rule(until, recipient))
        for slug in RIDERS
        for recipient in (STACK, MUNICIPALITY)
    ]
    return found


def _bicycle_rules(until: str) -> list[Document]:
    """What the stack may do with the bicycles' data; what it shows is coarse and without the rider."""
    work = _permission(
        BICYCLE_AIR, ["dmi:process", "dmi:read", "dmi:analyse"], "dmi:purpose:air-quality", until
    )
    work["duty"] = [_duty("dmi:deleteAfter", "dmi:days", str(KEPT_DAYS), "d")]
    show = _permission(BICYCLE_AIR, ["dmi:display"], "dmi:purpose:air-quality", until)
    columns = {
        "leftOperand": "dmi:property",
        "operator": "isAnyOf",
        "rightOperand": ["subject", "source_id"],
    }
    show["duty"] = [
        _duty("dmi:coarsen", "dmi:gridSize", "100", "m"),
        {"action": "dmi:leaveOut", "constraint": [columns]},
    ]
    return [work, show]


def _consent_rule(until: str, recipient: str) -> Document:
    """What a rider consents to: use for air quality, by one recipient."""
    rule = _permission(
        BICYCLE_AIR,
        ["dmi:contribute", "dmi:process", "dmi:read", "dmi:display", "dmi:analyse"],
        "dmi:purpose:air-quality",
        until,
    )
    recipients = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [recipient]}
    rule["constraint"].append(recipients)
    return rule


def _permission(dataset: str, actions: list[str], purpose: str, until: str) -> Document:
    """A permission with its purpose and its end."""
    moment = {"@value": until, "@type": "xsd:dateTime"}
    return {
        "target": dataset,
        "action": list(actions),
        "constraint": [
            {"leftOperand": "purpose", "operator": "isA", "rightOperand": purpose},
            {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": moment},
        ],
    }


def _duty(action: str, operand: str, value: str, unit: str) -> Document:
    """A duty with one whole number."""
    right = {"@value": value, "@type": "xsd:integer"}
    return {
        "action": action,
        "constraint": [{"leftOperand": operand, "operator": "eq", "rightOperand": right, "unit": unit}],
    }


def _moment(time: int) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(time // SECOND, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
