"""What the SensorThings interface does with entities: create, read, follow a path, change, delete."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from dmi_agreements.decision import Reason
from dmi_agreements.table import LawTable
from dmi_infra.errors import InputRefused, NotFound, Refused
from dmi_infra.outbox import Relay
from dmi_ingest import reading
from dmi_ingest.errors import InUse
from dmi_ingest.intake import Contributor, Intake, writer
from dmi_ingest.sensorthings import query as options
from dmi_ingest.sensorthings.bodies import check_subject, read_properties, refuse_unknown
from dmi_ingest.sensorthings.interests import Interests
from dmi_ingest.sensorthings.kinds import COMMON, KINDS, Kind
from dmi_ingest.sensorthings.planner import Planner
from dmi_ingest.sensorthings.present import Addresses
from dmi_ingest.sensorthings.query import Query
from dmi_ingest.sensorthings.showing import Showing, related
from dmi_ingest.sensorthings.standing import Placed, judge
from dmi_ingest.store import EntityStore, FeatureStore
from dmi_ingest.store.entities import Changes, Entity, Related, Scope, Writers
from dmi_ingest.store.erasure import HISTORY
from dmi_ingest.whereabouts import Whereabouts

SEGMENTS: Final = 8
_SEGMENT = re.compile(r"(?P<name>[A-Za-z]+)(?:\((?P<id>[^/]+)\))?")


class SensorThings:
    """The entities of all participants; each sees its own and those of its datasets."""

    def __init__(
        self, store: EntityStore, features: FeatureStore, intake: Intake, relay: Relay, law: LawTable,
        addresses: Addresses, places: Whereabouts,
    ) -> None:  # fmt: skip
        self.addresses = addresses
        self._places = places
        self._store = store
        self._showing = Showing(store, addresses)
        self._features = features
        self._intake = intake
        self._relay = relay
        self._law = law
        # Creations follow one another, so that two of them do not choose the same default id.
        self._creating = threading.Lock()
        # They are planned for who was let in, and kept once what they belong to was handed over.
        again = partial(self._planner, enter=lambda _: None)
        self.interests = Interests(store, self._scope, again, self._writers, self._creating)

    # -- reading ------------------------------------------------------------------

    def collection(self, kind: Kind, contributor: Contributor, given: Mapping[str, str]) -> dict[str, Any]:
        """A page of a collection."""
        return self._page(kind, self._scope(contributor), options.parse(given, kind), dict(given), kind.name)

    def one(
        self, kind: Kind, identifier: str, contributor: Contributor, given: Mapping[str, str]
    ) -> dict[str, Any]:
        """One entity; raises ``NotFound``."""
        scope = self._scope(contributor)
        return self._showing.one(self._found(kind, identifier, scope), scope, options.parse(given, kind))

    def follow(
        self, kind: Kind, identifier: str, rest: str, contributor: Contributor, given: Mapping[str, str]
    ) -> dict[str, Any] | str:
        """What a path behind an entity names (18-088 §9.2): an entity, a collection, a property or its value."""
        scope = self._scope(contributor)
        item = self._found(kind, identifier, scope)
        segments = rest.strip("/").split("/")
        if len(segments) > SEGMENTS:
            raise NotFound(f"an address may follow at most {SEGMENTS} steps")
        for at, segment in enumerate(segments):
            match = _SEGMENT.fullmatch(segment)
            name = match["name"] if match else segment
            here, remaining = KINDS[item.kind], segments[at + 1 :]
            if match and match["id"] is None and name in here.properties:
                return _property(item, name, remaining)
            navigation = here.navigations.get(name)
            if match is None or navigation is None:
                raise NotFound(f"{here.single} has no {segment[:60]!r}")
            end = related(item, name)
            target = KINDS[navigation.target]
            if navigation.many and match["id"] is None:
                path = f"{kind.name}('{identifier}')/{'/'.join(segments[: at + 1])}"
                return self._many(target, end, remaining, scope, given, path)
            chosen = unquoted(match["id"]) if match["id"] else None
            item = self._step(target, end, chosen, scope)
            if remaining == ["$ref"]:
                return {"@iot.selfLink": self.addresses.of(item.kind, item.id)}
        return self._showing.one(item, scope, options.parse(given, KINDS[item.kind]))

    # -- writing ------------------------------------------------------------------

    def create(self, kind: Kind, document: object, contributor: Contributor) -> dict[str, Any]:
        """Make an entity and what is nested in it, all or nothing."""
        with self._creating:
            planner = self._planner(self._scope(contributor), self._door(contributor))
            item = planner.create(kind, document)
            self._carry_out(planner, contributor)
            item = planner.find(item.kind, item.id) or item
        return self._showing.one(item, self._scope(contributor), Query())

    def create_within(
        self, kind: Kind, identifier: str, name: str, document: object, contributor: Contributor
    ) -> dict[str, Any]:
        """Make an entity in a collection of another one (18-088 §10.2.1)."""
        scope = self._scope(contributor)
        parent = self._mine(kind, identifier, scope)
        navigation = kind.navigations.get(name)
        if navigation is None or not navigation.many:
            raise NotFound(f"{kind.single} has no collection {name[:60]!r}")
        with self._creating:
            planner = self._planner(self._scope(contributor), self._door(contributor))
            preset = {} if navigation.stored else {navigation.inverse: parent}
            item = planner.create(KINDS[navigation.target], document, preset=preset, dataset=parent.dataset)
            if navigation.stored and kind.name == "Things":
                planner.datasets[parent.dataset] = None
                planner.place(parent, [item])
            elif navigation.stored:
                planner.changes.added_links.append((kind.name, parent.id, name, item.id))
                if kind.name == HISTORY:
                    planner.was(parent.id, [item])
            self._carry_out(planner, contributor)
            item = planner.find(item.kind, item.id) or item
        return self._showing.one(item, scope, Query())

    def change(
        self, kind: Kind, identifier: str, document: object, contributor: Contributor
    ) -> dict[str, Any]:
        """Change the properties that a body names, and relations by reference (18-088 §10.3)."""
        scope = self._scope(contributor)
        item = self._mine(kind, identifier, scope)
        body = reading.mapping(document, "body")
        refuse_unknown(kind, body, "")
        properties = read_properties(kind, body, "", partial=True)
        if kind.name == "Things" and "properties" in properties:
            asked = properties["properties"].setdefault("dataset", item.dataset)
            if asked != item.dataset:
                rule = "cannot change: make a new Thing"
                raise InputRefused.of("properties.dataset", rule, reading.form(asked))
            check_subject(properties, "")
        with self._creating:
            planner = self._planner(self._scope(contributor), self._door(contributor))
            after = msgspec.structs.replace(item, body={**item.body, **properties})
            planner.changes.changed.append(after)
            if kind.name == "Things" and "properties" in properties:
                planner.name_person(after, item)
                planner.placed.append(Placed(after, self._locations(item), said=False))
            planner.datasets.update(dict.fromkeys(self._touched(item, scope, contributor)))
            self._relink(planner, kind, after, body)
            self._republish(planner, after)
            self._carry_out(planner, contributor)
            after = planner.find(after.kind, after.id) or after
        return self._showing.one(after, scope, Query())

    def delete(self, kind: Kind, identifier: str, contributor: Contributor) -> None:
        """Delete an entity and what cannot be without it (18-088 table 25), where the gate opens every dataset touched.

        ``InUse`` where observations rest on it.
        """
        scope = self._scope(contributor)
        item = self._mine(kind, identifier, scope)
        with self._creating:
            streams = [item] if kind.name == "Datastreams" else self._linked(item, "Datastreams")
            histories, things = self._linked(item, "HistoricalLocations"), self._linked(item, "Things")
            touched = self._touched(item, scope, contributor)
            for stream in streams:
                self._own(stream, scope)
            used = self._store.in_use([stream.id for stream in streams])
            if used:
                raise InUse.of("@iot.id", "observations rest on it, so it cannot be deleted", used[0])
            for dataset in dict.fromkeys([*touched, *(one.dataset for one in (*streams, *histories))]):
                self._intake.permit(contributor, dataset, 0)
            gone: dict[str, list[str]] = {}
            for part, name in dict.fromkeys((one.kind, one.id) for one in (item, *streams, *histories)):
                gone.setdefault(part, []).append(name)
            ended: dict[str, list[str]] = {}
            for found in streams if kind.name != "Things" else (*streams, item):
                ended.setdefault(found.dataset, []).append(found.id)
            planner = self._planner(scope, self._door(contributor))
            for thing in things:
                planner.publish_thing(thing, [x for x in self._locations(thing) if x.id != item.id])
            self._store.delete(gone, ended, planner.changes, self._writers(contributor))
        self._intake.registry.forget(gone.get("Datastreams", ()))
        self._relay.wake()
        self._features.wait_published(0.5)

    # -- parts --------------------------------------------------------------------

    def _scope(self, contributor: Contributor) -> Scope:
        """What a caller sees and may name; by a mandate nothing but what lies in the datasets that it opens.

        In a dataset that the mandator contributes to and does not own, that is what the mandator made.
        """
        whole = self._whole(contributor.participant)
        if contributor.acting is None:
            return whole
        mandate = self._law.mandates.find(contributor.acting.mandate)
        named = mandate.terms.datasets if mandate is not None and mandate.terms is not None else ()
        opened = frozenset(name for name in named if self._intake.opens(contributor, name))
        if not opened:
            detail = "by this mandate no sensors are described in any dataset"
            raise Refused([Reason("outside_mandate", detail)])
        owned = opened.intersection(whole.datasets)
        return dataclasses.replace(whole, datasets=owned, made=opened - owned, own=False)

    def _whole(self, participant: str) -> Scope:
        owned = [name for name, entry in self._law.datasets.items() if entry.owner == participant]
        personal = [name for name, entry in self._law.datasets.items() if entry.personal]
        return Scope(participant, frozenset(owned), COMMON, frozenset(personal))

    def _writers(self, contributor: Contributor) -> Writers:
        return partial(writer, self._law, contributor.participant)

    def _door(self, contributor: Contributor) -> Callable[[str], None]:
        return partial(self._intake.check, contributor, rows=0)

    def _planner(self, scope: Scope, enter: Callable[[str], None]) -> Planner:
        return Planner(self._store, scope, self._law.participants, enter)

    def _found(self, kind: Kind, identifier: str, scope: Scope) -> Entity:
        item = self._store.seen(kind.name, identifier, scope)
        if item is None:
            raise NotFound(f"no {kind.single} has this id")
        return item

    def _mine(self, kind: Kind, identifier: str, scope: Scope) -> Entity:
        """An entity that the caller may change: its own, or one of its datasets."""
        item = self._found(kind, identifier, scope)
        self._own(item, scope)
        return item

    @staticmethod
    def _own(item: Entity, scope: Scope) -> None:
        if item.dataset in scope.datasets:
            return
        single = KINDS[item.kind].single
        if not scope.own and item.dataset not in scope.made:
            detail = f"a mandate does not let you change a {single} that belongs to no dataset which it opens"
            raise Refused([Reason("outside_mandate", detail)])
        if item.participant != scope.participant:
            raise Refused([Reason("not_a_party", f"this {single} was made by another participant")])

    def _touched(self, item: Entity, scope: Scope, contributor: Contributor) -> list[str]:
        """The datasets that a change of this entity alters; raises where it would alter what others made.

        That is ``InUse`` where it describes what they measure, and ``Refused`` where their Things stand or stood.
        """
        using = self._datasets(item, "Datastreams") if item.kind in COMMON else []
        if not all(self._intake.opens(contributor, dataset) for dataset in using):
            rule = "Datastreams of a dataset that you may not contribute to use it, so it stays as it is"
            raise InUse.of("@iot.id", rule, item.id)
        if using and self._others(item, "Datastreams", scope):
            raise InUse.of("@iot.id", "Datastreams that others made use it, so it stays as it is", item.id)
        there = ("Things", "HistoricalLocations") if item.kind == "Locations" else ()
        if any(self._others(item, name, scope) for name in there):
            raise Refused([Reason("not_a_party", "a Thing of others stands there, or stood there once")])
        placed = [dataset for name in there for dataset in self._datasets(item, name)]
        return [dataset for dataset in dict.fromkeys([item.dataset, *using, *placed]) if dataset]

    def _others(self, item: Entity, name: str, scope: Scope) -> bool:
        return self._store.others(KINDS[item.kind].navigations[name].target, related(item, name), scope)

    def _datasets(self, item: Entity, name: str) -> list[str]:
        return self._store.datasets(KINDS[item.kind].navigations[name].target, related(item, name))

    def _carry_out(self, planner: Planner, contributor: Contributor) -> None:
        loose = [item for item in planner.changes.new if not item.dataset]
        if contributor.acting is not None and loose:
            single = KINDS[loose[0].kind].single
            detail = f"by a mandate a {single} is made within what belongs to a dataset: nest it in a Thing"
            raise Refused([Reason("outside_mandate", detail)])
        permits = {dataset: self._intake.permit(contributor, dataset, 0) for dataset in planner.datasets}
        changes: Changes = planner.changes
        for moved in judge(changes, planner.placed, permits, self._places, self._features.persons):
            planner.publish_thing(moved.thing, moved.locations)
            planner.sort(moved.thing.dataset)
        planner.settle()
        followed = self._store.apply(changes, self._writers(contributor))
        features = [feature for part in changes.features.values() for feature in part]
        self._intake.registry.changed(features, followed)
        if features:
            self._relay.wake()
            # So that an observation that follows at once meets its datastream on the other side.
            self._features.wait_published(0.5)

    def _relink(self, planner: Planner, kind: Kind, item: Entity, body: Mapping[str, Any]) -> None:
        for name, navigation in kind.navigations.items():
            value = body.get(name)
            if value is None:
                continue
            if not navigation.stored:
                raise InputRefused.of(name, "cannot be changed from this side of the relation")
            values = reading.sequence(value, name, 200) if navigation.many else [value]
            ends = [planner.reference(navigation.target, part, name) for part in values]
            if any(end.kind == "Things" and end.dataset != item.dataset for end in ends):
                raise InputRefused.of(name, "must stay within the dataset")
            if kind.name == "Things":
                planner.place(item, ends)
            else:
                planner.changes.links[kind.name, item.id, name] = [end.id for end in ends]
        if kind.name == HISTORY and ("Thing" in body or "Locations" in body):
            there = planner.changes.links.get((HISTORY, item.id, "Locations"))
            ids = there or self._store.targets(Related(HISTORY, item.id, "Locations", False))
            planner.was(item.id, [x for i in ids if (x := self._store.get("Locations", i)) is not None])

    def _republish(self, planner: Planner, item: Entity) -> None:
        if item.kind == "Datastreams":
            planner.publish_datastream(item)
        if item.kind == "Things" and item.dataset not in planner.changes.features:
            planner.publish_thing(item, self._locations(item))
        if item.kind == "Locations":
            for thing in self._linked(item, "Things"):
                places = [item, *(x for x in self._locations(thing) if x.id != item.id)]
                planner.publish_thing(thing, places)
                planner.placed.append(Placed(thing, places))
            for history in self._linked(item, "HistoricalLocations"):
                planner.was(history.id, [item])

    def _locations(self, thing: Entity) -> list[Entity]:
        ids = self._store.targets(Related("Things", thing.id, "Locations", False))
        return [found for i in ids if (found := self._store.get("Locations", i)) is not None]

    def _linked(self, item: Entity, name: str) -> list[Entity]:
        """The entities of a relation, also those that the caller does not see; none where the kind has no such."""
        navigation = KINDS[item.kind].navigations.get(name)
        if navigation is None:
            return []
        ids = self._store.targets(related(item, name))
        return [found for i in ids if (found := self._store.get(navigation.target, i)) is not None]

    def _step(self, target: Kind, end: Related, chosen: str | None, scope: Scope) -> Entity:
        ids = self._store.targets(end)
        wanted = chosen if chosen is not None else next(iter(ids), "")
        if wanted not in ids:
            raise NotFound(f"no {target.single} stands here")
        return self._found(target, wanted, scope)

    def _many(
        self, target: Kind, end: Related, remaining: Sequence[str], scope: Scope,
        given: Mapping[str, str], path: str,
    ) -> dict[str, Any]:  # fmt: skip
        if remaining == ["$ref"]:
            items, _ = self._store.page(target.name, scope, options.GREATEST_TOP, 0, end)
            return {"value": [{"@iot.selfLink": self.addresses.of(item.kind, item.id)} for item in items]}
        if remaining:
            raise NotFound(f"a collection has no {remaining[0][:60]!r}; name one entity of it by its id")
        return self._page(target, scope, options.parse(given, target), dict(given), path, end)

    def _page(
        self, kind: Kind, scope: Scope, query: Query, given: dict[str, str], path: str,
        end: Related | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        # One more than asked tells whether a next page exists.
        found, total = self._store.page(kind.name, scope, query.top + 1, query.skip, end, query.count)
        items = self._showing.all(found[: query.top], scope, query)
        more = len(found) > query.top and query.top > 0
        return self.addresses.page(path, items, total, query, more, given)


def unquoted(text: str) -> str:
    """An id out of an address: text between quotes, or a number."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text


def _property(item: Entity, name: str, remaining: Sequence[str]) -> dict[str, Any] | str:
    value = item.body.get(name)
    if value is None or remaining not in ([], ["$value"]):
        raise NotFound(f"{KINDS[item.kind].single} has no value here")
    if not remaining:
        return {name: value}
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
