"""Planning a creation (18-088 §10.2): checks everything, also what is nested, before anything is stored."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Final

from dmi_agreements.contracts.features import Feature
from dmi_infra import clock
from dmi_infra.errors import InputRefused
from dmi_ingest import reading
from dmi_ingest.errors import IdTaken
from dmi_ingest.model import (
    BORROWED_RULE,
    borrowed,
    dataset_slug,
    owner_of,
    property_slug,
    slug,
    unit_of,
)
from dmi_ingest.sensorthings.bodies import as_id, named_dataset, read_properties, refuse_unknown
from dmi_ingest.sensorthings.kinds import COMMON, KINDS, Kind, Navigation, shape_of
from dmi_ingest.sensorthings.standing import Placed
from dmi_ingest.sources.things import UNITS
from dmi_ingest.store.entities import Changes, Entity, EntityStore, Related, Scope
from dmi_ingest.store.erasure import HISTORY, INTERESTS

NESTED: Final = 4
"""Levels of entities that one request may nest."""
INLINE: Final = 200
"""Entities that one list of a request may hold."""
ENTITIES: Final = 300
"""Entities that one request may nest, new ones and others that it names: all other changes wait for their plan."""
KNOWN_PROPERTIES: Final = frozenset(UNITS) | {"vehicle_position"}


class Planner:
    """Gathers the changes of one request. Nothing is written; ``datasets`` need the gate's permission.

    ``enter`` is asked before anything of a dataset is planned, and raises for who may not: a plan takes long.
    """

    def __init__(
        self, store: EntityStore, scope: Scope, participants: Container[str], enter: Callable[[str], None]
    ) -> None:
        self._store = store
        self._scope = scope
        self._participants = participants
        self._enter = enter
        self._made: dict[tuple[str, str], Entity] = {}
        self._named: dict[tuple[str, str], Entity] = {}
        self._nested = 0
        self.changes = Changes()
        self.datasets: dict[str, None] = {}
        self.placed: list[Placed] = []

    def create(
        self,
        kind: Kind,
        document: object,
        field: str = "",
        preset: Mapping[str, Entity] | None = None,
        dataset: str = "",
        depth: int = NESTED,
    ) -> Entity:
        """Plan one entity and what is nested in it; ``preset`` are relations that the address states."""
        if depth < 0:
            raise InputRefused.of(field.rstrip("."), f"entities may be nested at most {NESTED} levels deep")
        body = reading.mapping(document, field.rstrip(".") or "body")
        preset = preset or {}
        refuse_unknown(kind, body, field)
        properties = read_properties(kind, body, field)
        if kind.name == "Things":
            dataset = named_dataset(properties, field)
        if "Thing" not in kind.navigations:
            # Else it is of the dataset of its Thing, whatever describes what the Thing measures.
            self._open(dataset)
        singles = self._singles(kind, body, field, preset, dataset, depth)
        dataset = singles["Thing"].dataset if "Thing" in singles else dataset
        self._open(dataset)
        identifier = self._identifier(kind, body, field, properties, singles, dataset)
        item = Entity(kind.name, identifier, self._scope.participant, dataset, properties)
        self._made[kind.name, identifier] = item
        self.changes.new.append(item)
        for name, target in singles.items():
            self.changes.links[kind.name, identifier, name] = [target.id]
        self._lists(item, kind, body, field, preset, dataset, depth)
        if kind.name == "Datastreams":
            self._publish_datastream(item, singles["Thing"], singles["ObservedProperty"])
        return item

    def find(self, kind: str, identifier: str) -> Entity | None:
        """An entity of this plan, or a stored one that the caller may see."""
        return self._made.get((kind, identifier)) or self._store.seen(kind, identifier, self._scope)

    def reference(self, target: str, value: object, field: str) -> Entity:
        """The existing entity that ``{"@iot.id": …}`` names."""
        body = reading.mapping(value, field)
        identifier = as_id(body.get("@iot.id"), f"{field}.@iot.id")
        found = self.find(target, identifier)
        if found is None:
            rule = f"must name an existing {KINDS[target].single}"
            raise InputRefused.of(f"{field}.@iot.id", rule, identifier)
        return found

    def interest(self, value: object, field: str) -> dict[str, Any]:
        """The geometry of the feature of interest that a reference names.

        Where somebody else chose the id of a location for a feature that is not shown, it is that of the location.
        """
        body = reading.mapping(value, field)
        named = as_id(body.get("@iot.id"), f"{field}.@iot.id")
        if self.find(INTERESTS, named) is None and self._taken(INTERESTS, named):
            location = self.find("Locations", named)
            if location is not None:
                return shape_of(location.body["location"])
        return shape_of(self.reference(INTERESTS, body, field).body["feature"])

    def place(self, thing: Entity, locations: list[Entity]) -> None:
        """The thing is at these locations from now on: link, history (18-088 §8.2.3), and feature of interest."""
        self.changes.links["Things", thing.id, "Locations"] = [item.id for item in locations]
        if locations:
            history = Entity(
                "HistoricalLocations", str(uuid.uuid4()), self._scope.participant, thing.dataset,
                {"time": clock.to_text(clock.now())},
            )  # fmt: skip
            self.changes.new.append(history)
            at = ("HistoricalLocations", history.id)
            self.changes.links[(*at, "Thing")] = [thing.id]
            self.changes.links[(*at, "Locations")] = [item.id for item in locations]
            self._interest(locations[0])
        self.placed.append(Placed(thing, locations))
        self.publish_thing(thing, locations)

    def was(self, history: str, locations: list[Entity]) -> None:
        """The Thing of a HistoricalLocation was at these Locations."""
        named = self._target(HISTORY, history, "Thing")
        if (thing := self._made.get(("Things", named)) or self._store.get("Things", named)) is not None:
            self.placed.append(Placed(thing, locations, now=False))

    def name_person(self, thing: Entity, before: Entity | None = None) -> None:
        """Say whom the thing is about; where it named nobody ``before`` and names nobody now, nothing is said."""
        person = _person(thing)
        if person is not None or (before is not None and _person(before) is not None):
            self.changes.persons[thing.id] = person

    def publish_thing(self, thing: Entity, locations: Iterable[Entity]) -> None:
        """The thing as a feature; who it is about stays here."""
        properties = dict(thing.body.get("properties", {}))
        for name in ("dataset", "subject"):
            properties.pop(name, None)
        first = next(iter(locations), None)
        shape = None if first is None else shape_of(first.body["location"])
        self._publish(thing.dataset, Feature(thing.id, "thing", thing.body["name"], shape, properties))

    def publish_datastream(self, item: Entity) -> None:
        """A stored datastream as a feature, with the relations that it has after this plan."""
        ends = [
            self.find(target, self._target(item.kind, item.id, name))
            for name, target in (("Thing", "Things"), ("ObservedProperty", "ObservedProperties"))
        ]
        if ends[0] is not None and ends[1] is not None:
            self._publish_datastream(item, ends[0], ends[1])

    def settle(self) -> None:
        """Entities are found from now on as the changes have them."""
        self._made |= {(item.kind, item.id): item for item in (*self.changes.new, *self.changes.changed)}

    def sort(self, dataset: str) -> None:
        """The features of a plan in the order in which they can be taken."""
        self.changes.features[dataset].sort(key=lambda feature: feature.kind != "thing")

    # -- parts ------------------------------------------------------------------

    def _open(self, dataset: str) -> None:
        if dataset and dataset not in self.datasets:
            self._enter(dataset)
            self.datasets[dataset] = None

    def _target(self, kind: str, identifier: str, navigation: str) -> str:
        planned = self.changes.links.get((kind, identifier, navigation))
        found = planned or self._store.targets(Related(kind, identifier, navigation, False))
        return found[0] if found else ""

    def _interest(self, location: Entity) -> None:
        """The feature of interest that observations without one have (18-088 §10.2.1): the thing's location.

        It has the location's id, or one with a number behind it where somebody else chose that one for a feature.
        """
        names = _names(location.id)
        taken = self._store.all_taken(INTERESTS, names)
        seen = self._store.all_seen(INTERESTS, taken, self._scope)
        elsewhere = self._store.all_taken("Locations", names) - {location.id}
        for name in names:
            key = (INTERESTS, name)
            if key not in self._made and name not in taken:
                break
            if (key in self._made or name in seen) and name not in elsewhere:
                return
        body = {name: location.body[name] for name in ("name", "description", "encodingType")}
        body["feature"] = location.body["location"]
        self._made[key] = Entity(*key, self._scope.participant, location.dataset, body)
        self.changes.new.append(self._made[key])

    def _publish(self, dataset: str, feature: Feature) -> None:
        features = self.changes.features.setdefault(dataset, [])
        features[:] = [item for item in features if item.id != feature.id]
        features.append(feature)

    def _publish_datastream(self, item: Entity, thing: Entity, observed: Entity) -> None:
        unit = item.body["unitOfMeasurement"]
        name = property_slug(observed.body["name"], observed.body["definition"], KNOWN_PROPERTIES)
        properties = {
            **{key: value for key, value in item.body.get("properties", {}).items() if key != "subject"},
            "thing": thing.id, "observed_property": name, "unit": unit_of(unit),
        }  # fmt: skip
        self._publish(thing.dataset, Feature(item.id, "datastream", item.body["name"], None, properties))

    def _singles(
        self, kind: Kind, body: Mapping[str, Any], field: str, preset: Mapping[str, Entity], dataset: str, depth: int
    ) -> dict[str, Entity]:  # fmt: skip
        found: dict[str, Entity] = {}
        for name, navigation in kind.navigations.items():
            if navigation.many or not navigation.stored:
                continue
            if name in preset:
                found[name] = preset[name]
            elif body.get(name) is not None:
                found[name] = self._either(navigation, body[name], f"{field}{name}", {}, dataset, depth)
            elif navigation.required:
                raise InputRefused.of(f"{field}{name}", f"must be given: a {kind.single} belongs to one")
        return found

    def _lists(
        self, item: Entity, kind: Kind, body: Mapping[str, Any], field: str, preset: Mapping[str, Entity],
        dataset: str, depth: int,
    ) -> None:  # fmt: skip
        placed: list[Entity] = []
        for name, navigation in kind.navigations.items():
            if not navigation.many:
                continue
            values = reading.sequence(body.get(name) or [], f"{field}{name}", INLINE)
            back = {} if navigation.stored else {navigation.inverse: item}
            ends = [preset[name]] if name in preset else []
            for index, value in enumerate(values):
                at = f"{field}{name}.{index}"
                ends.append(self._either(navigation, value, at, back, dataset, depth))
            if navigation.required and not ends:
                raise InputRefused.of(f"{field}{name}", "must hold at least one")
            if kind.name == "Things" and name == "Locations":
                placed = ends
            elif navigation.stored:
                self.changes.links[kind.name, item.id, name] = list(dict.fromkeys(end.id for end in ends))
                if kind.name == HISTORY:
                    self.was(item.id, ends)
        if kind.name == "Things":
            self.name_person(item)
            self.place(item, placed)
            # The thing's feature goes first, then those of the datastreams nested in it.
            self.sort(item.dataset)

    def _either(
        self, navigation: Navigation, value: object, field: str, back: Mapping[str, Entity], dataset: str, depth: int
    ) -> Entity:  # fmt: skip
        """A related entity: an existing one by its id (client libraries send the rest along), or a new one."""
        body = reading.mapping(value, field)
        target = KINDS[navigation.target]
        if "@iot.id" not in body:
            self._count(field)
        else:
            identifier = as_id(body["@iot.id"], f"{field}.@iot.id")
            found = self._known(target.name, identifier, field)
            if found is not None and not back:
                return found
            if found is not None:
                raise IdTaken.of(
                    f"{field}.@iot.id", f"names a {target.single} that belongs elsewhere", identifier
                )
            if not any("@iot." not in name for name in body):
                raise InputRefused.of(
                    f"{field}.@iot.id", f"must name an existing {target.single}", identifier
                )
        return self.create(target, body, f"{field}.", back, dataset, depth - 1)

    def _known(self, kind: str, identifier: str, field: str) -> Entity | None:
        """As ``find``, once for all places of a request that name it."""
        key = (kind, identifier)
        found = self._made.get(key) or self._named.get(key)
        if found is None:
            self._count(field)
            found = self._store.seen(kind, identifier, self._scope)
            if found is not None:
                self._named[key] = found
        return found

    def _count(self, field: str) -> None:
        self._nested += 1
        if self._nested > ENTITIES:
            rule = (
                f"a request may nest at most {ENTITIES} entities, new ones and others that it names together"
            )
            raise InputRefused.of(field, rule)

    def _identifier(
        self, kind: Kind, body: Mapping[str, Any], field: str, properties: Mapping[str, Any],
        singles: Mapping[str, Entity], dataset: str,
    ) -> str:  # fmt: skip
        if body.get("@iot.id") is not None:
            chosen = as_id(body["@iot.id"], f"{field}@iot.id")
            # What all share is in its maker's name; anything else in that of the owner of its dataset.
            alone = not dataset or kind.name in COMMON
            owner = self._scope.participant if alone else owner_of(dataset)
            if borrowed(chosen, owner, self._participants):
                raise InputRefused.of(f"{field}@iot.id", BORROWED_RULE, chosen)
            if self._taken(kind.name, chosen):
                raise IdTaken.of(f"{field}@iot.id", f"names a {kind.single} already", chosen)
            return chosen
        if kind.name == "HistoricalLocations":
            return str(uuid.uuid4())
        base = slug(str(properties["name"])) or kind.single.lower()
        if kind.name == "Things":
            base = f"{dataset_slug(dataset)}.{base}"
        if kind.name == "Datastreams":
            observed = singles["ObservedProperty"].body
            name = property_slug(observed["name"], observed["definition"], KNOWN_PROPERTIES)
            base = f"{singles['Thing'].id}.{name}"
        if kind.name == "ObservedProperties":
            base = property_slug(properties["name"], properties["definition"], KNOWN_PROPERTIES)
        # A location shares its id with its feature of interest, so that an observation may name it by either.
        both = (kind.name, INTERESTS) if kind.name == "Locations" else (kind.name,)
        names = _names(base)
        taken = {name for each in both for name in self._all_taken(each, names)}
        return next(name for name in names if name not in taken)

    def _taken(self, kind: str, identifier: str) -> bool:
        return bool(self._all_taken(kind, [identifier]))

    def _all_taken(self, kind: str, names: Sequence[str]) -> set[str]:
        planned = {name for name in names if (kind, name) in self._made}
        return planned | self._store.all_taken(kind, names)


def _names(base: str) -> list[str]:
    """The ids that stand for a name, the plainest first; the last one nobody can have chosen."""
    return [base, *(f"{base}-{number}" for number in range(2, 20)), f"{base}-{uuid.uuid4().hex[:12]}"]


def _person(thing: Entity) -> str | None:
    found: str | None = thing.body.get("properties", {}).get("subject")
    return found
