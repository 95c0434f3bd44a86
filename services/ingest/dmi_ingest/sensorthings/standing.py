"""Where the Things of a plan are to stand, as far as the persons that they are about give it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from dmi_agreements.decision import Reason
from dmi_infra.errors import Refused
from dmi_infra.gate import Permit
from dmi_ingest.sensorthings.kinds import shape_of
from dmi_ingest.store.entities import Changes, Entity
from dmi_ingest.store.erasure import HISTORY, INTERESTS, PERSON
from dmi_ingest.whereabouts import PLACE_RULE, Whereabouts


class Placed(NamedTuple):
    """A Thing and the Locations at which a plan says that it is, or was.

    ``said``: by the request; else they stand in the store, and the Thing is about somebody else from now on.
    ``now``: it is there; else it was.
    """

    thing: Entity
    locations: list[Entity]
    said: bool = True
    now: bool = True


def judge(
    changes: Changes, placed: Iterable[Placed], permits: Mapping[str, Permit], places: Whereabouts,
    persons: Callable[[Collection[str]], Mapping[str, str]],
) -> list[Placed]:  # fmt: skip
    """Leave of each place of a person what it gives; raises ``Refused`` where that is nothing and the request names it.

    Answers the Things that stand elsewhere then: of those that the request did not place, nowhere.
    """
    placed = list(placed)
    elsewhere = {each.thing.id for each in placed if each.said and each.now}
    stored = persons({each.thing.id for each in placed})
    about = {**stored, **changes.persons}
    mutable = {(item.kind, item.id) for item in (*changes.new, *changes.changed)}
    shapes: dict[str, dict[str, Any]] = {}
    moved: list[Placed] = []
    for each in placed:
        person = about.get(each.thing.id)
        kept = not each.said and (each.thing.id in elsewhere or stored.get(each.thing.id) == person)
        if person is None or kept:
            continue
        found = {
            item.id: places.of(
                permits[each.thing.dataset], person, shapes.get(item.id) or shape_of(item.body["location"])
            )
            for item in each.locations
        }
        given = {name: shape for name, shape in found.items() if shape is not None}
        coarser = [
            item for item in each.locations
            if given.get(item.id) != shape_of(item.body["location"]) and ("Locations", item.id) not in mutable
        ]  # fmt: skip
        if len(given) == len(found) and not coarser:
            shapes |= given
            _of_person(changes, each, person)
            moved.append(each)
        elif each.said:
            raise Refused([Reason("no_consent", PLACE_RULE)], each.thing.dataset)
        else:
            changes.links["Things", each.thing.id, "Locations"] = []
            moved.append(each._replace(locations=[]))
    settled = [each._replace(locations=_reshaped(changes, each.locations, shapes)) for each in moved]
    return [each for each in settled if each.now]


def _reshaped(
    changes: Changes, locations: Iterable[Entity], shapes: Mapping[str, dict[str, Any]]
) -> list[Entity]:
    """Locations as they are stored: with these places, as the features of interest that are made of them."""
    found = []
    for item in locations:
        before = item.body["location"]
        shape = shapes.get(item.id, shape_of(before))
        after = {**before, "geometry": shape} if before.get("type") == "Feature" else shape
        found.append(msgspec.structs.replace(item, body={**item.body, "location": after}))
        for part in (changes.new, changes.changed):
            part[:] = [_with(one, item, before, after) for one in part]
    return found


def _with(one: Entity, location: Entity, before: object, after: object) -> Entity:
    if (one.kind, one.id) == ("Locations", location.id):
        return msgspec.structs.replace(one, body={**one.body, "location": after})
    if one.kind == INTERESTS and one.body["feature"] is before:
        return msgspec.structs.replace(one, body={**one.body, "feature": after})
    return one


def _of_person(changes: Changes, each: Placed, person: str) -> None:
    """Keep whose places these are: also when the Thing has moved on, or is somebody else's."""
    made = [item for item in changes.new if item.kind in (HISTORY, INTERESTS)]
    bodies = [item.body["location"] for item in each.locations]
    about = [
        item for item in made
        if changes.links.get((item.kind, item.id, "Thing")) == [each.thing.id]
        or any(item.body.get("feature") is body for body in bodies)
    ]  # fmt: skip
    for item in (*each.locations, *about):
        changes.links[item.kind, item.id, PERSON] = [person]
