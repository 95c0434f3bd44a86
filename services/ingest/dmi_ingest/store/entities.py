"""Entities of the SensorThings interface and their relations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dmi_agreements.contracts.features import Feature
from dmi_infra.sql import among, reading, transaction
from dmi_ingest.errors import IdTaken
from dmi_ingest.model import MADE_BY_ANOTHER
from dmi_ingest.store.features import ENDED, Writer, end_features, put_features
from dmi_ingest.store.tables import entity, feature, link


class Entity(msgspec.Struct, frozen=True):
    """One entity: ``kind`` is the name of its collection, ``body`` its properties as they are shown."""

    kind: str
    id: str
    participant: str
    dataset: str
    body: dict[str, Any]


PERSONS_OWN: Final = frozenset({"Sensors"})
"""Of the kinds that are common to all, those whose names and descriptions can lead to a person."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see: what it made, what its datasets hold, and the kinds that are common to all.

    Sensors of persons, those described within a dataset with personal data or used by Datastreams of one, are told
    to their maker and to the owners of the datasets that hold or use them alone; so are those that nothing uses, since
    nobody knows yet, or any more, of whom they are.
    """

    participant: str
    datasets: Collection[str]
    common: Collection[str]
    personal: Collection[str] = ()
    """Datasets with personal data."""
    own: bool = True
    """Whether it sees all that it made; not so who acts for it by a mandate."""
    made: Collection[str] = ()
    """Datasets of others in which it sees what it made, where it does not see all of that."""


@dataclass(frozen=True, slots=True)
class Related:
    """The other end of a relation: entities that ``kind``/``id`` links to, or (``inverse``) that link to it."""

    kind: str
    id: str
    navigation: str
    inverse: bool


Links = dict[tuple[str, str, str], list[str]]
"""Targets by kind, id and navigation; each list replaces what was there."""


@dataclass(slots=True)
class Changes:
    """All that one request changes, carried out in one transaction."""

    new: list[Entity] = field(default_factory=list)
    changed: list[Entity] = field(default_factory=list)
    links: Links = field(default_factory=dict)
    added_links: list[tuple[str, str, str, str]] = field(default_factory=list)
    features: dict[str, list[Feature]] = field(default_factory=dict)
    persons: dict[str, str | None] = field(default_factory=dict)
    """Whom features are about, where the request says so."""


Writers = Callable[[str], Writer]
"""Who carries changes out, for each dataset."""


class EntityStore:
    """Reads and writes of entities."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, kind: str, identifier: str) -> Entity | None:
        """One entity."""
        query = sa.select(entity).where(entity.c.kind == kind, entity.c.id == identifier)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _entity(row)

    def seen(self, kind: str, identifier: str, scope: Scope) -> Entity | None:
        """One entity, where the caller may see it."""
        query = sa.select(entity).where(entity.c.kind == kind, entity.c.id == identifier)
        with reading(self._engine) as connection:
            row = connection.execute(query.where(_visible(kind, scope))).first()
        return None if row is None else _entity(row)

    def all_seen(self, kind: str, ids: Collection[str], scope: Scope) -> dict[str, Entity]:
        """Those of these entities that the caller may see, by id."""
        query = sa.select(entity).where(entity.c.kind == kind, _visible(kind, scope))
        with reading(self._engine) as connection:
            named = among(entity.c.id, "ids", connection.dialect.name, ids)
            return {row.id: _entity(row) for row in connection.execute(query.where(named))}

    def all_taken(self, kind: str, ids: Collection[str]) -> set[str]:
        """Those of these ids that name an entity, whoever may see it, or a feature that came in by another door."""
        query = sa.select(entity.c.id).where(entity.c.kind == kind)
        live = sa.select(feature.c.id).where(feature.c.kind != ENDED)
        with reading(self._engine) as connection:
            named = among(entity.c.id, "ids", connection.dialect.name, ids)
            found = set(connection.execute(query.where(named)).scalars())
            if kind in ("Things", "Datastreams"):
                described = among(feature.c.id, "ids", connection.dialect.name, ids)
                found.update(connection.execute(live.where(described)).scalars())
            return found

    def page(
        self,
        kind: str,
        scope: Scope,
        top: int,
        skip: int,
        related: Related | None = None,
        count: bool = False,
    ) -> tuple[list[Entity], int | None]:
        """Entities in the order in which they were made, and how many there are in all if asked."""
        query = sa.select(entity).where(entity.c.kind == kind, _visible(kind, scope))
        if related is not None:
            query = query.where(entity.c.id.in_(_ends(related)))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(entity.c.sequence).limit(top).offset(skip)).all()
            total = None
            if count:
                total = connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar()
        return [_entity(row) for row in rows], total

    def expanded(
        self, kind: str, related: Sequence[Related], scope: Scope, top: int
    ) -> dict[str, list[Entity]]:
        """The first ``top`` entities at each of many ends of one relation, as ``page`` has them, by ``Related.id``."""
        with reading(self._engine) as connection:
            links = _links(related, connection.dialect.name)
            rows = connection.execute(_first(links, kind, scope, top)).all()
        # What many share, as a Sensor, is read out once.
        entities: dict[str, Entity] = {}
        found: dict[str, list[Entity]] = {}
        for row in rows:
            item = entities.get(row.id) or entities.setdefault(row.id, _entity(row))
            found.setdefault(row.near, []).append(item)
        return found

    def targets(self, related: Related) -> list[str]:
        """The ids at the other end of a relation, in order of id."""
        with reading(self._engine) as connection:
            return sorted(str(row[0]) for row in connection.execute(_ends(related)))

    def datasets(self, kind: str, related: Related) -> list[str]:
        """The datasets of the entities of this kind at the other end of a relation, whoever may see them."""
        query = sa.select(entity.c.dataset).distinct()
        query = query.where(entity.c.kind == kind, entity.c.id.in_(_ends(related)))
        with reading(self._engine) as connection:
            return sorted(connection.execute(query).scalars())

    def others(self, kind: str, related: Related, scope: Scope) -> bool:
        """Whether somebody else made entities of this kind at the other end of a relation, outside of its datasets."""
        query = sa.select(entity.c.id).where(entity.c.kind == kind, entity.c.id.in_(_ends(related)))
        with reading(self._engine) as connection:
            return connection.execute(query.where(sa.not_(_own(scope))).limit(1)).first() is not None

    def apply(self, changes: Changes, by: Writers) -> list[str]:
        """Carry out all changes and publish their features; an id that was taken meanwhile raises ``IdTaken``.

        Answers the Datastreams beside them that are about somebody else from now on.
        """
        with transaction(self._engine) as connection:
            try:
                if changes.new:
                    connection.execute(sa.insert(entity), [_row(item) for item in changes.new])
            except IntegrityError as exc:
                raise IdTaken.of("@iot.id", "names something already") from exc
            for item in changes.changed:
                at = sa.and_(entity.c.kind == item.kind, entity.c.id == item.id)
                connection.execute(sa.update(entity).where(at).values(body=_text(item.body)))
            for (kind, identifier, navigation), targets in changes.links.items():
                old = sa.delete(link).where(
                    link.c.kind == kind, link.c.id == identifier, link.c.navigation == navigation
                )
                connection.execute(old)
                _link(connection, [(kind, identifier, navigation, target) for target in targets])
            _link(connection, changes.added_links)
            return _publish(connection, changes, by)

    def delete(
        self, gone: Mapping[str, Sequence[str]], ended: Mapping[str, Sequence[str]], changes: Changes, by: Writers
    ) -> None:  # fmt: skip
        """Remove entities by kind with all their relations; ``ended`` are their features by dataset."""
        with transaction(self._engine) as connection:
            remove(connection, gone)
            for dataset, ids in ended.items():
                end_features(connection, dataset, ids)
            _publish(connection, changes, by)

    def in_use(self, datastreams: Collection[str]) -> list[str]:
        """Those of these datastreams on which observations rest."""
        query = sa.select(feature.c.id).where(feature.c.id.in_(list(datastreams)), feature.c.used)
        with reading(self._engine) as connection:
            return sorted(connection.execute(query).scalars())


def remove(connection: sa.Connection, gone: Mapping[str, Collection[str]]) -> None:
    """Remove entities by kind with all their relations."""
    for kind, ids in gone.items():
        named = [
            among(column, "ids", connection.dialect.name, ids) for column in (entity.c.id, link.c.id, link.c.target)
        ]  # fmt: skip
        connection.execute(sa.delete(entity).where(entity.c.kind == kind, named[0]))
        connection.execute(sa.delete(link).where(link.c.kind == kind, named[1]))
        connection.execute(sa.delete(link).where(link.c.navigation.in_(_NAMED.get(kind, ())), named[2]))


_NAMED = {
    "Things": ("Thing",), "Locations": ("Locations",), "Sensors": ("Sensor",),
    "ObservedProperties": ("ObservedProperty",),
}  # fmt: skip
"""The navigations whose targets are of this kind."""


def _own(scope: Scope) -> sa.ColumnElement[bool]:
    made = entity.c.participant == scope.participant
    if not scope.own:
        made = sa.and_(made, entity.c.dataset.in_(sorted(scope.made)))
    return sa.or_(made, entity.c.dataset.in_(sorted(scope.datasets)))


def _visible(kind: str, scope: Scope) -> sa.ColumnElement[bool]:
    seen = _own(scope)
    if kind not in scope.common:
        return seen
    if kind not in PERSONS_OWN:
        return sa.true()
    personal = sa.or_(entity.c.dataset.in_(sorted(scope.personal)), _used_in(scope.personal))
    return sa.or_(seen, _used_in(scope.datasets), sa.and_(_uses().exists(), sa.not_(personal)))


def _used_in(datasets: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a Datastream of one of these datasets uses the Sensor."""
    stream = entity.alias()
    at = sa.and_(stream.c.kind == link.c.kind, stream.c.id == link.c.id)
    return _uses().join(stream, at).where(stream.c.dataset.in_(sorted(datasets))).exists()


def _uses() -> sa.Select[tuple[str]]:
    """The Datastreams that use the Sensor."""
    at = (link.c.kind == "Datastreams", link.c.navigation == "Sensor", link.c.target == entity.c.id)
    return sa.select(link.c.id).where(*at).correlate(entity)


def _publish(connection: sa.Connection, changes: Changes, by: Writers) -> list[str]:
    followed: list[str] = []
    for dataset, features in changes.features.items():
        stored = put_features(connection, dataset, features, by(dataset), changes.persons)
        followed += stored.followed
        if stored.foreign:
            taken = features[stored.foreign[0]].id
            raise IdTaken.of("@iot.id", "names a feature of another dataset already", taken)
        if stored.others:
            raise IdTaken.of("@iot.id", MADE_BY_ANOTHER, features[min(stored.others)].id)
    return followed


def _ends(related: Related) -> sa.Select[str]:
    near, far = _sides(related)
    return sa.select(far).where(
        link.c.kind == related.kind, link.c.navigation == related.navigation, near == related.id
    )


def _sides(related: Related) -> tuple[sa.Column[str], sa.Column[str]]:
    """The columns of links that hold this end and the other."""
    return (link.c.target, link.c.id) if related.inverse else (link.c.id, link.c.target)


def _links(related: Sequence[Related], dialect: str) -> sa.Select[str, str, bool]:
    """The links of one relation at each of these ends."""
    relation = related[0]
    near, far = _sides(relation)
    of_kind = link.c.kind == relation.kind
    # From the target the kind is looked at afterwards: else SQLite goes through all links of that kind.
    found = sa.select(near.label("near"), far.label("far"), of_kind.label("fits"))
    named = among(near, "ids", dialect, [each.id for each in related])
    found = found.where(link.c.navigation == relation.navigation, named)
    return found if relation.inverse else found.where(of_kind)


def _first(links: sa.Select[str, str, bool], kind: str, scope: Scope, top: int) -> sa.Select[Any]:
    """The first ``top`` entities of this kind that the caller sees, at the far end of links, by their near end.

    Links and ends are found beforehand: whether a Sensor may be seen is asked once, not for each of its Datastreams.
    """
    tied = links.cte("tied").prefix_with("MATERIALIZED")
    at_ends = entity.c.id.in_(sa.select(tied.c.far))
    seen = sa.select(entity.c.id).where(entity.c.kind == kind, at_ends, _visible(kind, scope))
    end = entity.alias()
    place = sa.func.row_number().over(partition_by=tied.c.near, order_by=end.c.sequence)
    each = sa.select(tied.c.near, end.c.sequence, place.label("place"))
    each = each.join(end, sa.and_(end.c.kind == kind, end.c.id == tied.c.far))
    ranked = each.where(tied.c.fits, tied.c.far.in_(seen)).subquery()
    query = sa.select(ranked.c.near, entity).join(ranked, ranked.c.sequence == entity.c.sequence)
    return query.where(ranked.c.place <= top).order_by(entity.c.sequence)


def _link(connection: sa.Connection, links: Iterable[tuple[str, str, str, str]]) -> None:
    rows = [
        {"kind": kind, "id": identifier, "navigation": navigation, "target": target}
        for kind, identifier, navigation, target in dict.fromkeys(links)
    ]
    if rows:
        connection.execute(sa.insert(link), rows)


def _text(body: Mapping[str, Any]) -> str:
    return msgspec.json.encode(body).decode()


def _row(item: Entity) -> dict[str, Any]:
    return {
        "kind": item.kind, "id": item.id, "participant": item.participant, "dataset": item.dataset,
        "body": _text(item.body),
    }  # fmt: skip


def _entity(row: sa.Row[Any]) -> Entity:
    return Entity(row.kind, row.id, row.participant, row.dataset, msgspec.json.decode(row.body))
