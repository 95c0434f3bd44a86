"""Scenarios, their versions, and the baselines that they are pinned to."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import reading, transaction, upsert
from dmi_support_centre.baseline import Snapshot
from dmi_support_centre.model import SCENARIO
from dmi_support_centre.models.scenario import Edit
from dmi_support_centre.store import tables
from dmi_support_centre.store.results import before_marks, let_go


class ScenarioRow(msgspec.Struct, frozen=True):
    """A scenario; ``current`` is the number of the version that holds, ``share`` its id for others."""

    id: str
    title: str
    parent: str | None
    owner: str
    owner_name: str
    created_at: Micros
    current: int
    share: str


class VersionRow(msgspec.Struct, frozen=True):
    """One version: all edits in order on a baseline; ``parent`` is the version that it was made from.

    ``merged_from`` is the scenario that a merge brought in, as it stood in its ``merged_version``.
    """

    scenario: str
    number: int
    parent: int | None
    edits: list[Edit]
    made_at: Micros
    made_by: str
    baseline: str
    merged_from: str | None = None
    merged_version: int | None = None


class VersionHead(msgspec.Struct, frozen=True):
    """A version as ``VersionRow``, with the number of its edits in their place."""

    number: int
    parent: int | None
    edits: int
    made_at: Micros
    made_by: str
    baseline: str
    merged_from: str | None = None
    merged_version: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """How a scenario stands: the edits of its current version, what that rests on, and when the last was made."""

    edits: int
    baseline: str
    changed_at: Micros


After = tuple[Micros, str]
"""Where a list goes on: behind the scenario that was made then and has this id."""


class ScenarioStore:
    """All reads and writes about scenarios."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create(self, scenario: ScenarioRow, version: VersionRow) -> None:
        """A new scenario with its first version."""
        with transaction(self._engine) as connection:
            connection.execute(sa.insert(tables.scenario), msgspec.structs.asdict(scenario))
            connection.execute(sa.insert(tables.version), _values(version))

    def delete(self, scenario: str) -> None:
        """Delete a scenario with its versions and their outcomes, and the baselines that no other rests on."""
        s, v, r = tables.scenario.c, tables.version.c, tables.result.c
        outcomes = sa.select(r.id).where(r.kind == SCENARIO, r.place == scenario)
        with transaction(self._engine) as connection:
            # Outcomes may be being marked just now, in another order.
            before_marks(connection)
            pinned = set(connection.execute(sa.select(v.baseline).where(v.scenario == scenario)).scalars())
            let_go(connection, list(connection.execute(outcomes).scalars()))
            connection.execute(sa.delete(tables.result).where(r.id.in_(outcomes)))
            connection.execute(sa.delete(tables.version).where(v.scenario == scenario))
            connection.execute(sa.delete(tables.scenario).where(s.id == scenario))
            b, still = tables.baseline.c.version, sa.select(v.baseline)
            connection.execute(
                sa.delete(tables.baseline).where(b.in_(sorted(pinned)), b.not_in(still.distinct()))
            )

    def get(self, identifier: str) -> ScenarioRow | None:
        """A scenario by its id or its share id."""
        t = tables.scenario.c
        query = sa.select(tables.scenario).where(sa.or_(t.id == identifier, t.share == identifier))
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        return ScenarioRow(**row) if row else None

    def among(self, ids: Sequence[str]) -> dict[str, ScenarioRow]:
        """Those of these scenarios that there are, by id."""
        query = sa.select(tables.scenario).where(tables.scenario.c.id.in_(ids))
        with reading(self._engine) as connection:
            return {row["id"]: ScenarioRow(**row) for row in connection.execute(query).mappings()}

    def standing(self, ids: Sequence[str]) -> dict[str, Standing]:
        """How these scenarios stand, by id."""
        v, s = tables.version.c, tables.scenario.c
        newest = sa.select(v.scenario, sa.func.max(v.made_at).label("at")).where(v.scenario.in_(ids))
        made = newest.group_by(v.scenario).subquery()
        query = (
            sa.select(v.scenario, self._count(v.edits), v.baseline, made.c.at)
            .join(tables.scenario, sa.and_(s.id == v.scenario, s.current == v.number))
            .join(made, made.c.scenario == v.scenario)
        )
        with reading(self._engine) as connection:
            return {row[0]: Standing(*row[1:]) for row in connection.execute(query)}

    def of(self, owner: str, limit: int, after: After | None = None) -> list[ScenarioRow]:
        """So many scenarios of a participant, the newest first, behind ``after``."""
        t = tables.scenario.c
        query = sa.select(tables.scenario).where(t.owner == owner).order_by(t.created_at.desc(), t.id)
        if after is not None:
            at, last = after
            query = query.where(sa.or_(t.created_at < at, sa.and_(t.created_at == at, t.id > last)))
        query = query.limit(limit)
        with reading(self._engine) as connection:
            return [ScenarioRow(**row) for row in connection.execute(query).mappings()]

    def count(self, owner: str) -> int:
        """How many scenarios a participant has."""
        query = sa.select(sa.func.count()).where(tables.scenario.c.owner == owner)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def baselines_of(self, owner: str) -> set[str]:
        """The baselines that versions of a participant's scenarios are pinned to."""
        v, s = tables.version.c, tables.scenario.c
        query = sa.select(v.baseline).distinct().join(tables.scenario, s.id == v.scenario)
        with reading(self._engine) as connection:
            return set(connection.execute(query.where(s.owner == owner)).scalars())

    def size(self, owner: str) -> int:
        """How many characters the edits of all versions of a participant's scenarios take."""
        v, s = tables.version.c, tables.scenario.c
        query = sa.select(sa.func.sum(sa.func.length(v.edits))).join(tables.scenario, s.id == v.scenario)
        with reading(self._engine) as connection:
            return int(connection.execute(query.where(s.owner == owner)).scalar_one() or 0)

    def version(self, scenario: str, number: int) -> VersionRow | None:
        """One version of a scenario."""
        t = tables.version.c
        query = sa.select(tables.version).where(t.scenario == scenario, t.number == number)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return _version(row) if row else None

    def newest(self, scenario: str) -> int:
        """The number of the last version of a scenario: how many it has, for none goes alone; 0 without any."""
        t = tables.version.c
        query = sa.select(sa.func.max(t.number)).where(t.scenario == scenario)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one() or 0)

    def heads(self, scenario: str) -> list[VersionHead]:
        """All versions of a scenario, in order; their edits stay in the store."""
        t = tables.version.c
        query = sa.select(
            t.number, t.parent, self._count(t.edits).label("edits"), t.made_at, t.made_by, t.baseline,
            t.merged_from, t.merged_version,
        )  # fmt: skip
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(t.scenario == scenario).order_by(t.number))
            return [VersionHead(**row) for row in rows.mappings()]

    def _count(self, edits: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
        postgres = self._engine.dialect.name == "postgresql"
        count: sa.ColumnElement[int] = sa.func.json_array_length(
            sa.cast(edits, sa.JSON) if postgres else edits
        )
        return count

    def append(self, version: VersionRow, expected: int) -> bool:
        """Add a version and make it the current one; ``False`` when another change came between."""
        with transaction(self._engine) as connection:
            if not self._point(connection, version.scenario, version.number, expected):
                return False
            connection.execute(sa.insert(tables.version), _values(version))
        return True

    def point(self, scenario: str, number: int, expected: int) -> bool:
        """Make another version the current one; ``False`` when another change came between."""
        with transaction(self._engine) as connection:
            return self._point(connection, scenario, number, expected)

    @staticmethod
    def _point(connection: sa.Connection, scenario: str, number: int, expected: int) -> bool:
        t = tables.scenario.c
        statement = sa.update(tables.scenario).where(t.id == scenario, t.current == expected)
        return bool(connection.execute(statement.values(current=number)).rowcount)

    def keep_baseline(self, snapshot: Snapshot, at: Micros) -> None:
        """Keep a snapshot under its version; the same content is kept once."""
        body = zlib.compress(msgspec.json.encode(snapshot))
        with transaction(self._engine) as connection:
            row = {"version": snapshot.version, "made_at": at, "body": body}
            upsert(connection, tables.baseline, [row], ["version"])

    def baseline_at(self, version: str) -> Micros | None:
        """When a snapshot was first kept."""
        query = sa.select(tables.baseline.c.made_at).where(tables.baseline.c.version == version)
        with reading(self._engine) as connection:
            at: Micros | None = connection.execute(query).scalar_one_or_none()
        return at

    def baseline(self, version: str) -> Snapshot | None:
        """A snapshot by its version."""
        query = sa.select(tables.baseline.c.body).where(tables.baseline.c.version == version)
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return msgspec.json.decode(zlib.decompress(body), type=Snapshot) if body else None


def length_of(edits: Sequence[Edit]) -> int:
    """How many characters edits take in the store, as ``ScenarioStore.size`` counts them."""
    return len(_text(edits))


def _text(edits: Sequence[Edit]) -> str:
    return msgspec.json.encode(edits).decode()


def _values(version: VersionRow) -> dict[str, Any]:
    return {**msgspec.structs.asdict(version), "edits": _text(version.edits)}


def _version(row: sa.Row[tuple[Any, ...]]) -> VersionRow:
    edits = msgspec.json.decode(row.edits, type=list[Edit])
    return VersionRow(
        row.scenario,
        row.number,
        row.parent,
        edits,
        row.made_at,
        row.made_by,
        row.baseline,
        row.merged_from,
        row.merged_version,
    )
