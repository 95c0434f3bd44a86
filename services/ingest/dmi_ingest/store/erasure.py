"""Erases what is described of a person: its things and datastreams, and where they are and were."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock, outbox
from dmi_infra.sql import among
from dmi_ingest.store.entities import remove
from dmi_ingest.store.features import (
    ENDED,
    ERASED_NAME,
    FEATURE_TOPIC,
    STREAM,
    bare,
    feature_messages,
    in_turn,
    naming,
)
from dmi_ingest.store.tables import entity, feature, link, outgoing

PERSON: Final = "person"
"""A relation that nobody is shown: of a place, or of a time at one, to the person whose thing it is of."""
HISTORY: Final = "HistoricalLocations"
INTERESTS: Final = "FeaturesOfInterest"

Gone = dict[str, set[str]]
"""Ids of entities that go, by kind."""


class Erased(NamedTuple):
    """How much was erased, and the datastreams that exist no longer."""

    rows: int
    streams: list[str]


def erase_things(
    connection: sa.Connection, dataset: str, person: str, until: Micros, named: Callable[[str], bool] | None
) -> Erased:
    """Erase what is a person's since ``until`` or before, and features about nobody whose id ``named`` says is its.

    Features end without name and place, and so reach every other store. A thing that carries datastreams of others
    stays for these, without name and place. What was made anew since stays.
    """
    in_turn(connection)
    mine = _features(connection, dataset, person, until, named)
    things = {name for name, (kind, _) in mine.items() if kind == "thing"}
    shared = _carrying(connection, dataset, things, mine)
    ended = {name for name in mine if name not in shared}
    _blank(connection, dataset, person, {name: body for name, (_, body) in mine.items()}, shared)
    gone: Gone = {
        "Things": things - shared,
        "Datastreams": {name for name in ended if mine[name][0] == STREAM},
    }
    gone["Datastreams"] |= _from(connection, "Datastreams", "Thing", gone["Things"])
    gone[HISTORY] = _history(connection, dataset, person, until, things)
    tagged = _own(connection, "Locations", dataset, person)
    gone["Locations"] = _places(connection, things, gone[HISTORY], tagged)
    gone[INTERESTS] = _interests(connection, gone["Locations"]) | _own(connection, INTERESTS, dataset, person)
    gone["Sensors"] = _sensors(connection, gone["Datastreams"])
    rows = len(mine) + sum(_there(connection, kind, ids) for kind, ids in gone.items())
    remove(connection, gone)
    _blank_things(connection, dataset, shared)
    return Erased(rows, sorted(gone["Datastreams"]))


def delete_history(connection: sa.Connection, dataset: str, before: Micros) -> int:
    """Delete when and where things of persons were before a moment, and places where nothing is or was since."""
    about = sa.select(feature.c.id).where(feature.c.dataset == dataset, feature.c.subject.is_not(None))
    tagged = sa.select(link.c.id).where(link.c.kind == HISTORY, link.c.navigation == PERSON)
    theirs = sa.select(link.c.id).where(
        link.c.kind == HISTORY, link.c.navigation == "Thing", link.c.target.in_(about)
    )
    whose = sa.or_(entity.c.id.in_(tagged), entity.c.id.in_(theirs))
    query = sa.select(entity.c.id, entity.c.body).where(
        entity.c.kind == HISTORY, entity.c.dataset == dataset, whose
    )
    old = {row.id for row in connection.execute(query) if _moment(row.body) < before}
    if not old:
        return 0
    places = _places(connection, set(), old, set())
    remove(connection, {HISTORY: old, "Locations": places, INTERESTS: _interests(connection, places)})
    return len(old)


def _features(
    connection: sa.Connection, dataset: str, person: str, until: Micros, named: Callable[[str], bool] | None
) -> dict[str, tuple[str, str]]:
    """Kind and body of the features of a person."""
    there = sa.and_(feature.c.dataset == dataset, feature.c.kind != ENDED, feature.c.changed_at <= until)
    nobodys = sa.select(feature.c.id).where(there, feature.c.subject.is_(None))
    theirs = [] if named is None else [name for name in connection.execute(nobodys).scalars() if named(name)]
    also = among(feature.c.id, "ids", connection.dialect.name, theirs)
    query = sa.select(feature.c.id, feature.c.kind, feature.c.body)
    found = connection.execute(query.where(there, sa.or_(feature.c.subject == person, also)))
    return {row.id: (row.kind, row.body) for row in found}


def _carrying(
    connection: sa.Connection, dataset: str, things: Collection[str], mine: Collection[str]
) -> set[str]:
    """Those of these things that carry datastreams which are not among ``mine``."""
    if not things:
        return set()
    streams = sa.select(feature.c.id, feature.c.body).where(
        feature.c.dataset == dataset, feature.c.kind == STREAM, naming(list(things))
    )
    others = [row.body for row in connection.execute(streams) if row.id not in mine]
    return {str(_decoded(body).properties.get("thing")) for body in others}.intersection(things)


def _blank(
    connection: sa.Connection, dataset: str, person: str, bodies: dict[str, str], shared: Collection[str]
) -> None:
    """End features, or keep those that are ``shared``, and tell everybody without what they told of the person.

    Other stores keep versions that this one does not, by when they began: all of these go with it.
    """
    now = clock.now()
    told: list[Feature] = []
    for name, body in bodies.items():
        known = _decoded(body)
        left = bare(known, known.valid_to if name in shared else now)
        values: dict[str, Any] = {"subject": person, "changed_at": now, "kind": ENDED, "body": ""}
        if name in shared:
            kept = msgspec.structs.replace(left, replaces_all=False)
            values |= {"kind": known.kind, "body": msgspec.json.encode(kept).decode()}
        connection.execute(sa.update(feature).where(feature.c.id == name).values(values))
        told.append(left)
    outbox.add(connection, outgoing, FEATURE_TOPIC, feature_messages(dataset, told))


def _blank_things(connection: sa.Connection, dataset: str, shared: Collection[str]) -> None:
    body = {"name": ERASED_NAME, "description": "", "properties": {"dataset": dataset}}
    for name in shared:
        at = sa.and_(entity.c.kind == "Things", entity.c.id == name)
        connection.execute(sa.update(entity).where(at).values(body=msgspec.json.encode(body).decode()))
        placed = sa.and_(link.c.kind == "Things", link.c.id == name, link.c.navigation == "Locations")
        connection.execute(sa.delete(link).where(placed))


def _history(
    connection: sa.Connection, dataset: str, person: str, until: Micros, things: Collection[str]
) -> set[str]:
    """When a person's things were somewhere; not when they were somebody else's."""
    theirs = _from(connection, HISTORY, "Thing", things)
    others = sa.select(link.c.id).where(
        link.c.kind == HISTORY, link.c.navigation == PERSON, link.c.target != person,
        among(link.c.id, "ids", connection.dialect.name, theirs),
    )  # fmt: skip
    theirs -= set(connection.execute(others).scalars())
    mine = sa.select(entity.c.id, entity.c.body).where(
        entity.c.kind == HISTORY,
        among(entity.c.id, "ids", connection.dialect.name, _own(connection, HISTORY, dataset, person)),
    )
    return theirs | {row.id for row in connection.execute(mine) if _moment(row.body) <= until}


def _own(connection: sa.Connection, kind: str, dataset: str, person: str) -> set[str]:
    """Entities that are of a person's things, in a dataset or in none."""
    about = sa.select(link.c.id).where(
        link.c.kind == kind, link.c.navigation == PERSON, link.c.target == person
    )
    query = sa.select(entity.c.id).where(
        entity.c.kind == kind, entity.c.dataset.in_([dataset, ""]), entity.c.id.in_(about)
    )
    return set(connection.execute(query).scalars())


def _places(
    connection: sa.Connection, things: Collection[str], history: Collection[str], also: Collection[str]
) -> set[str]:
    """The Locations of these Things and times, and ``also`` those; without any where another Thing is or was."""
    found = _to(connection, "Things", things, "Locations") | _to(connection, HISTORY, history, "Locations")
    found |= set(also)
    query = sa.select(link.c.kind, link.c.id, link.c.target).where(
        link.c.navigation == "Locations", among(link.c.target, "ids", connection.dialect.name, found)
    )
    going = {"Things": things, HISTORY: history}
    return found - {row.target for row in connection.execute(query) if row.id not in going.get(row.kind, ())}


def _interests(connection: sa.Connection, places: Collection[str]) -> set[str]:
    """The features of interest that were made of these Locations, with their ids."""
    bodies: dict[str, dict[str, Any]] = {}
    found: set[str] = set()
    for kind in ("Locations", INTERESTS):
        named = among(entity.c.id, "ids", connection.dialect.name, places)
        for row in connection.execute(
            sa.select(entity.c.id, entity.c.body).where(entity.c.kind == kind, named)
        ):
            body = msgspec.json.decode(row.body)
            if kind == "Locations":
                bodies[row.id] = body
            elif body.get("name") == bodies.get(row.id, {}).get("name"):
                found.add(row.id)
    return found


def _sensors(connection: sa.Connection, streams: Collection[str]) -> set[str]:
    """The Sensors that these Datastreams alone use."""
    used = _to(connection, "Datastreams", streams, "Sensor")
    query = sa.select(link.c.id, link.c.target).where(
        link.c.kind == "Datastreams", link.c.navigation == "Sensor",
        among(link.c.target, "ids", connection.dialect.name, used),
    )  # fmt: skip
    return used - {row.target for row in connection.execute(query) if row.id not in streams}


def _to(connection: sa.Connection, kind: str, ids: Collection[str], navigation: str) -> set[str]:
    named = among(link.c.id, "ids", connection.dialect.name, ids)
    query = sa.select(link.c.target).where(link.c.kind == kind, link.c.navigation == navigation, named)
    return set(connection.execute(query).scalars())


def _from(connection: sa.Connection, kind: str, navigation: str, targets: Collection[str]) -> set[str]:
    named = among(link.c.target, "ids", connection.dialect.name, targets)
    query = sa.select(link.c.id).where(link.c.kind == kind, link.c.navigation == navigation, named)
    return set(connection.execute(query).scalars())


def _there(connection: sa.Connection, kind: str, ids: Collection[str]) -> int:
    named = among(entity.c.id, "ids", connection.dialect.name, ids)
    query = sa.select(sa.func.count()).select_from(entity).where(entity.c.kind == kind, named)
    return int(connection.execute(query).scalar_one())


def _decoded(body: str) -> Feature:
    return msgspec.json.decode(body, type=Feature)


def _moment(body: str) -> Micros:
    return clock.from_text(msgspec.json.decode(body)["time"])
