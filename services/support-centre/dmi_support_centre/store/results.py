"""Results with the grounds that they rest on, and what became of past forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds
from dmi_infra.bus.port import Message
from dmi_infra.outbox import add
from dmi_infra.sql import among, reading, transaction, upsert
from dmi_support_centre.model import Result
from dmi_support_centre.store import tables


class Tracked(msgspec.Struct, frozen=True):
    """One past forecast and, once known, what became of it beside the two simple forecasts."""

    place: str
    issued_at: Micros
    valid_at: Micros
    dataset: str
    p10: float
    p50: float
    p90: float
    actual: float | None = None
    persistence: float | None = None
    last_week: float | None = None
    backtested: bool = False


_STATE = ["kind", "title", "place", "made_at", "grounds", "body", "withdrawn_at", "withdrawn_ground"]


def put(connection: sa.Connection, results: Sequence[Result]) -> None:
    """Write the newest state of results and the grounds of each, within the caller's transaction."""
    rows = [
        {
            "id": one.id,
            "kind": one.kind,
            "title": one.title,
            "place": one.place,
            "made_at": one.made_at,
            "grounds": msgspec.json.encode(one.grounds).decode(),
            "body": msgspec.json.encode(one.body).decode(),
            "withdrawn_at": one.withdrawn_at,
            "withdrawn_ground": one.withdrawn_ground,
        }
        for one in results
    ]
    if not rows:
        return
    upsert(connection, tables.result, rows, ["id"], _STATE)
    let_go(connection, [one.id for one in results])
    standing = [one for one in results if one.withdrawn_at is None]
    grounds = [
        {"ground": each, "result": one.id, "kind": one.kind}
        for one in standing
        for each in dict.fromkeys((*one.grounds.agreements, *one.grounds.consents))
    ]
    upsert(connection, tables.ground, grounds, ["ground", "result"])
    material = [
        {"dataset": each, "result": one.id}
        for one in standing
        for each in dict.fromkeys(one.grounds.datasets)
    ]
    upsert(connection, tables.material, material, ["dataset", "result"])


def let_go(connection: sa.Connection, results: Sequence[str]) -> None:
    """Forget by which grounds and datasets these results are found, within the caller's transaction."""
    for table in (tables.ground, tables.material):
        theirs = among(table.c.result, "results", connection.dialect.name, results)
        connection.execute(sa.delete(table).where(theirs))


def before_marks(connection: sa.Connection) -> None:
    """Wait until who marks results is done, and let nobody mark until the caller's transaction is over.

    So a result that is written after this sees every mark that it should heed, and the next mark sees it.
    """
    # SQLite has one writer at a time anyway.
    if connection.dialect.name == "postgresql":
        place = sa.func.hashtext(sa.func.concat("marks ", sa.func.current_schema()))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(place)))


def any_marked(connection: sa.Connection, results: Sequence[str]) -> bool:
    """Whether the ground of one of these results has fallen away."""
    t = tables.result.c
    marked = sa.select(t.id).where(t.id.in_(results), t.withdrawn_at.is_not(None))
    return connection.execute(marked.limit(1)).first() is not None


def forget_scores(connection: sa.Connection, dataset: str) -> None:
    """Delete scores and past forecasts of a dataset within the caller's transaction."""
    for table in (tables.track, tables.score):
        connection.execute(sa.delete(table).where(table.c.dataset == dataset))


class ResultStore:
    """Results, scores and past forecasts."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def save(self, results: Sequence[Result], topic: str = "", messages: Sequence[Message] = ()) -> None:
        """Write results and the messages that tell of them in one transaction; waits for who marks results."""
        with transaction(self._engine) as connection:
            # Else both would lock the same rows, each in an order of its own.
            before_marks(connection)
            put(connection, results)
            add(connection, tables.outbox, topic, messages)

    def get(self, identifier: str) -> Result | None:
        """One result."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(tables.result).where(tables.result.c.id == identifier)
            ).one_or_none()
        return result_of(row) if row else None

    def heads(self, ids: Sequence[str]) -> list[Result]:
        """Those of these results that there are; of the body no more than which model made them."""
        t = tables.result.c
        postgres = self._engine.dialect.name == "postgresql"
        body = sa.cast(t.body, sa.JSON) if postgres else sa.type_coerce(t.body, sa.JSON)
        columns: list[sa.ColumnElement[Any]] = [one for one in tables.result.c if one.name != "body"]
        columns.append(body[("record", "model")].as_string().label("model"))
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(*columns).where(t.id.in_(ids))).all()
        return [_result(row, {"record": {"model": row.model}}) for row in rows]

    def of_kind(self, kind: str, place: str | None = None) -> list[Result]:
        """All results of a kind, or those of one place, by id."""
        query = sa.select(tables.result).where(tables.result.c.kind == kind)
        if place is not None:
            query = query.where(tables.result.c.place == place)
        with reading(self._engine) as connection:
            return [result_of(row) for row in connection.execute(query.order_by(tables.result.c.id))]

    def grounds(self) -> set[str]:
        """Every agreement and consent that a result rests on that is not withdrawn."""
        query = (
            sa.select(tables.ground.c.ground)
            .distinct()
            .join(tables.result, tables.result.c.id == tables.ground.c.result)
            .where(tables.result.c.withdrawn_at.is_(None))
        )
        with reading(self._engine) as connection:
            return set(connection.execute(query).scalars())

    def add_track(self, rows: Sequence[Tracked]) -> None:
        """Keep forecasts to look back on; one that is kept already stays as it is."""
        with transaction(self._engine) as connection:
            values = [msgspec.structs.asdict(row) for row in rows]
            upsert(connection, tables.track, values, ["place", "issued_at", "valid_at"])

    def track(
        self, dataset: str, start: Micros, end: Micros, known: bool | None, place: str | None = None
    ) -> list[Tracked]:
        """Past forecasts for ``[start, end]``: with actual value, without, or (``None``) both."""
        t = tables.track.c
        query = sa.select(tables.track).where(t.dataset == dataset, t.valid_at >= start, t.valid_at <= end)
        if known is not None:
            query = query.where(t.actual.is_not(None) if known else t.actual.is_(None))
        if place is not None:
            query = query.where(t.place == place)
        with reading(self._engine) as connection:
            return [Tracked(**row) for row in connection.execute(query).mappings()]

    def settle_track(self, rows: Sequence[Tracked]) -> None:
        """Write what became of past forecasts."""
        if not rows:
            return
        t = tables.track.c
        statement = (
            sa.update(tables.track)
            .where(
                t.place == sa.bindparam("b_place"),
                t.issued_at == sa.bindparam("b_issued"),
                t.valid_at == sa.bindparam("b_valid"),
            )
            .values(
                actual=sa.bindparam("b_actual"),
                persistence=sa.bindparam("b_persistence"),
                last_week=sa.bindparam("b_week"),
            )
        )
        values = [
            {
                "b_place": row.place,
                "b_issued": row.issued_at,
                "b_valid": row.valid_at,
                "b_actual": row.actual,
                "b_persistence": row.persistence,
                "b_week": row.last_week,
            }
            for row in rows
        ]
        with transaction(self._engine) as connection:
            connection.execute(statement, values)

    def forget_track(self, dataset: str, unknown_before: Micros, known_before: Micros) -> None:
        """Delete old past forecasts: those that nothing became known of, and those beyond the score."""
        t = tables.track.c
        old = sa.or_(sa.and_(t.actual.is_(None), t.valid_at < unknown_before), t.valid_at < known_before)
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(tables.track).where(t.dataset == dataset, old))

    def forget_scores(self, dataset: str) -> None:
        """Delete the scores of a dataset with the past forecasts that they are of."""
        with transaction(self._engine) as connection:
            forget_scores(connection, dataset)

    def save_scores(self, dataset: str, body: dict[str, Any]) -> None:
        """Keep the newest scores of a dataset."""
        with transaction(self._engine) as connection:
            row = {"dataset": dataset, "body": msgspec.json.encode(body).decode()}
            upsert(connection, tables.score, [row], ["dataset"], ["body"])

    def scores(self) -> dict[str, dict[str, Any]]:
        """The newest scores by dataset."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(tables.score).order_by(tables.score.c.dataset)).all()
        return {row.dataset: msgspec.json.decode(row.body) for row in rows}


def result_of(row: sa.Row[tuple[Any, ...]]) -> Result:
    """A row of the table as a result."""
    return _result(row, msgspec.json.decode(row.body))


def _result(row: sa.Row[tuple[Any, ...]], body: dict[str, Any]) -> Result:
    return Result(
        row.id,
        row.kind,
        row.title,
        row.place,
        row.made_at,
        msgspec.json.decode(row.grounds, type=Grounds),
        body,
        row.withdrawn_at,
        row.withdrawn_ground,
    )
