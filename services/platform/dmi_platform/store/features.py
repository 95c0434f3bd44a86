"""Places, things and datastreams in the store: every version of a feature, and a number for each datastream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_infra.sql import among, upsert
from dmi_platform import units
from dmi_platform.model import NEVER, Whose
from dmi_platform.registry import StoredFeature
from dmi_platform.store import tables

_CHUNK: Final = 900
_PAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class Put:
    """What came of features: those that are new or changed, and the ids that belong to another dataset."""

    changed: list[StoredFeature]
    foreign: frozenset[str]


class _Kept(NamedTuple):
    """A version as the store has it."""

    dataset: str
    body: str
    changed_at: Micros


def put(
    connection: sa.Connection, dataset: str, features: Sequence[Feature], rejected_at: Micros | None = None
) -> Put:
    """Store the features of one dataset; the first dataset that names an id keeps it.

    Of those ``rejected_at`` a moment a version that has come since stays as it is, and so does what was erased since.
    """
    alone = {feature.id: row for row, feature in enumerate(features) if feature.replaces_all}
    left = [feature for row, feature in enumerate(features) if row >= alone.get(feature.id, 0)]
    bodies = {(feature.id, _from(feature)): feature for feature in left}
    known = _known(connection, sorted({identifier for identifier, _ in bodies}))
    foreign = frozenset(identifier for (identifier, _), kept in known.items() if kept.dataset != dataset)
    if rejected_at is None:
        gone = (one for one in known if one[0] in alone and one[0] not in foreign)
        _delete(connection, [one for one in gone if one not in bodies])
    else:
        late = {version for version, kept in known.items() if kept.changed_at > rejected_at}
        erased = {version[0] for version in late if _decoded(known[version].body).replaces_all}
        bodies = {one: item for one, item in bodies.items() if one not in late and one[0] not in erased}
    now = clock.now()
    changed: list[Feature] = []
    rows: list[dict[str, Any]] = []
    for (identifier, valid_from), feature in bodies.items():
        body = msgspec.json.encode(feature).decode()
        before = known.get((identifier, valid_from))
        if identifier in foreign or (before is not None and before.body == body):
            continue
        changed.append(feature)
        rows.append(
            {
                "id": identifier,
                "valid_from": valid_from,
                "dataset": dataset,
                "kind": feature.kind,
                "body": body,
                "changed_at": now,
            }
        )
    upsert(connection, tables.feature, rows, ["id", "valid_from"], ["dataset", "kind", "body", "changed_at"])
    keys = _number(connection, dataset, [feature for feature in changed if feature.kind == "datastream"])
    return Put([StoredFeature(each, dataset, keys.get(each.id, 0), now) for each in changed], foreign)


def _known(connection: sa.Connection, identifiers: list[str]) -> dict[tuple[str, int], _Kept]:
    table = tables.feature.c
    found: dict[tuple[str, int], _Kept] = {}
    for start in range(0, len(identifiers), _CHUNK):
        query = sa.select(table.id, table.valid_from, table.dataset, table.body, table.changed_at)
        for row in connection.execute(query.where(table.id.in_(identifiers[start : start + _CHUNK]))):
            found[(row.id, row.valid_from)] = _Kept(row.dataset, row.body, row.changed_at)
    return found


def _delete(connection: sa.Connection, versions: Sequence[tuple[str, int]]) -> None:
    table = tables.feature.c
    gone = sa.delete(tables.feature).where(
        table.id == sa.bindparam("i"), table.valid_from == sa.bindparam("v")
    )
    if versions:
        connection.execute(gone, [{"i": identifier, "v": moment} for identifier, moment in versions])


def _number(connection: sa.Connection, dataset: str, streams: Sequence[Feature]) -> dict[str, int]:
    """Give each datastream a number and an empty last value, which its writers lock."""
    rows = []
    for stream in streams:
        observed = str(stream.properties.get("observed_property", ""))
        unit = units.canonical(observed, str(stream.properties.get("unit", "")))
        rows.append({"id": stream.id, "dataset": dataset, "observed_property": observed, "unit": unit})
    upsert(connection, tables.datastream, rows, ["id"], ["observed_property", "unit"])
    table = tables.datastream.c
    names = [row["id"] for row in rows]
    keys: dict[str, int] = {}
    for start in range(0, len(names), _CHUNK):
        query = sa.select(table.id, table.key).where(table.id.in_(names[start : start + _CHUNK]))
        keys.update({row.id: row.key for row in connection.execute(query)})
    empty = [
        {"datastream": key, "time": NEVER, "source_id": "", "flags": 0, "valued_at": NEVER}
        for key in keys.values()
    ]
    upsert(connection, tables.last_value, empty, ["datastream"])
    return keys


def since(connection: sa.Connection, changed_at: Micros) -> Iterator[StoredFeature]:
    """Features changed at or after a moment, earlier changes first."""
    table, stream = tables.feature.c, tables.datastream.c
    query = (
        sa.select(table.body, table.dataset, table.changed_at, stream.key)
        .select_from(tables.feature.outerjoin(tables.datastream, stream.id == table.id))
        .where(table.changed_at >= changed_at)
        .order_by(table.changed_at, table.id, table.valid_from)
    )
    for row in connection.execute(query).yield_per(_PAGE):
        feature = _decoded(row.body)
        yield StoredFeature(feature, row.dataset, row.key or 0, row.changed_at)


def page(
    connection: sa.Connection,
    dataset: str,
    kind: str,
    after: str,
    at: Micros,
) -> tuple[list[Feature], str | None]:
    """Some features of a dataset and kind that are valid at a moment, by id, after an id; and where to go on."""
    table = tables.feature.c
    query = (
        sa.select(table.id, table.body)
        .where(table.dataset == dataset, table.kind == kind, table.id > after, table.valid_from <= at)
        .order_by(table.id, table.valid_from)
        .limit(_PAGE)
    )
    rows = connection.execute(query).all()
    rest = None
    if len(rows) == _PAGE:
        # The last id may have further versions on the next page, so it is read again.
        whole = [row for row in rows if row.id != rows[-1].id]
        rows = whole or rows
        rest = rows[-1].id
    found: dict[str, Feature] = {}
    for row in rows:
        feature = _decoded(row.body)
        if feature.valid_to is None or at < feature.valid_to:
            found[row.id] = feature
    return list(found.values()), rest


def datastream_ids(
    connection: sa.Connection,
    datasets: Sequence[str],
    observed_property: str | None,
    after: str,
    limit: int,
    of: Mapping[str, Whose],
    ids: Sequence[str] | None,
) -> list[str]:
    """Ids of datastreams of these datasets, in order, after an id; with ``ids`` of these alone.

    In the datasets of ``of`` only those whose last value is theirs; one that has none is nobody's.
    """
    table, last = tables.datastream.c, tables.last_value.c
    chosen: list[sa.ColumnElement[bool]] = [table.dataset.in_([name for name in datasets if name not in of])]
    for number, (dataset, whose) in enumerate(of.items()):
        theirs = among(last.subject, f"persons{number}", connection.dialect.name, whose.persons)
        told = _but(theirs, whose, number, connection.dialect.name) if whose.but else theirs
        own = sa.select(last.datastream).where(told, last.time > NEVER)
        chosen.append(sa.and_(table.dataset == dataset, table.key.in_(own)))
    query = sa.select(table.id).where(table.dataset.in_(datasets), sa.or_(*chosen), table.id > after)
    if observed_property is not None:
        query = query.where(table.observed_property == observed_property)
    if ids is not None:
        query = query.where(among(table.id, "ids", connection.dialect.name, ids))
    return list(connection.execute(query.order_by(table.id).limit(limit)).scalars())


def _but(theirs: sa.ColumnElement[bool], whose: Whose, number: int, dialect: str) -> sa.ColumnElement[bool]:
    """Whether a datastream has a row of nobody, or of anybody but these: mostly the last one is."""
    last, row = tables.last_value.c, tables.observation.c
    kept = sa.or_(row.subject.is_(None), sa.not_(among(row.subject, f"but{number}", dialect, whose.persons)))
    earlier = (
        sa.select(row.datastream).where(row.datastream == last.datastream, kept).correlate(tables.last_value)
    )
    return sa.or_(last.subject.is_(None), sa.not_(theirs), earlier.exists())


def datasets(connection: sa.Connection) -> list[str]:
    """Every dataset that has a feature."""
    table = tables.feature.c
    return list(connection.execute(sa.select(table.dataset).distinct().order_by(table.dataset)).scalars())


def _decoded(body: str) -> Feature:
    return msgspec.json.decode(body, type=Feature)


def _from(feature: Feature) -> Micros:
    return NEVER if feature.valid_from is None else feature.valid_from
