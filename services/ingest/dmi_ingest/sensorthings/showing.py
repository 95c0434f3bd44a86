"""Entities as they are answered, with those that ``$expand`` brings along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dmi_ingest.sensorthings.kinds import KINDS
from dmi_ingest.sensorthings.present import Addresses
from dmi_ingest.sensorthings.query import DEFAULT_TOP, Query
from dmi_ingest.store import EntityStore
from dmi_ingest.store.entities import Entity, Related, Scope


class Showing:
    """Shows entities of one kind, as far as the caller sees what is expanded."""

    def __init__(self, store: EntityStore, addresses: Addresses) -> None:
        self._store = store
        self._addresses = addresses

    def one(self, item: Entity, scope: Scope, query: Query) -> dict[str, Any]:
        """One entity."""
        (found,) = self.all([item], scope, query)
        return found

    def all(self, items: Sequence[Entity], scope: Scope, query: Query) -> list[dict[str, Any]]:
        """Entities of one kind, in the order given."""
        expanded: list[dict[str, Any]] = [{} for _ in items]
        for name in query.expand if items else ():
            navigation = KINDS[items[0].kind].navigations[name]
            ends = [related(item, name) for item in items]
            found = self._store.expanded(navigation.target, ends, scope, DEFAULT_TOP)
            for item, beside in zip(items, expanded, strict=True):
                shown = [self._addresses.entity(end, Query(), {}) for end in found.get(item.id, ())]
                beside[name] = shown if navigation.many else next(iter(shown), None)
        return [
            self._addresses.entity(item, query, beside) for item, beside in zip(items, expanded, strict=True)
        ]


def related(item: Entity, name: str) -> Related:
    """The other end of the relation that an entity calls by this name."""
    navigation = KINDS[item.kind].navigations[name]
    if navigation.stored:
        return Related(item.kind, item.id, name, False)
    return Related(navigation.target, item.id, navigation.inverse, True)
