"""How far data has flowed under a transfer, and under which decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_exchange.tables import dsp_delivery, dsp_flow, log
from dmi_infra import clock
from dmi_infra.sql import insert_new, reading, transaction


@dataclass(frozen=True, slots=True)
class Flow:
    """How far the data of a transfer has come. ``cursor`` is empty before the first piece."""

    cursor: str = ""
    rows: int = 0
    refused: int = 0
    changed_at: Micros = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One piece that was given: its rows, and the entry of the log about the decision that let it pass.

    ``sequence`` is ``None`` until the log has the record.
    """

    piece: str
    record: str
    rows: int
    at: Micros
    times: int
    sequence: int | None


@dataclass(frozen=True, slots=True)
class Sum:
    """All pieces of a transfer together; a piece that went out again after a broken connection counts once."""

    rows: int
    pieces: int
    repeated: int
    rows_again: int
    """How often pieces went out again, and their rows: the other side had not said that it had them."""
    first: int | None
    last: int | None
    """Sequence numbers of the first and last entry of the log."""


class Flows:
    """All reads and writes about the flow of data."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, process: str) -> Flow:
        """How far a transfer has come."""
        return self.all_of([process])[process]

    def all_of(self, processes: Sequence[str]) -> dict[str, Flow]:
        """How far each transfer has come."""
        query = sa.select(dsp_flow).where(dsp_flow.c.process.in_(processes))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        found = {row.process: Flow(row.cursor, row.rows, row.refused, row.changed_at) for row in rows}
        return {process: found.get(process, Flow()) for process in processes}

    def reached(self, process: str, cursor: str, rows: int, refused: int = 0) -> None:
        """A piece has come in (or was pushed) and is durable there: go on behind it."""
        now = clock.now()
        row = {"process": process, "cursor": cursor, "rows": rows, "refused": refused, "changed_at": now}
        further = (
            sa.update(dsp_flow)
            .where(dsp_flow.c.process == process)
            .values(
                cursor=cursor,
                rows=dsp_flow.c.rows + rows,
                refused=dsp_flow.c.refused + refused,
                changed_at=now,
            )
        )
        with transaction(self._engine) as connection:
            if not insert_new(connection, dsp_flow, row, ["process"]):
                connection.execute(further)

    def was_given(self, process: str, piece: str) -> bool:
        """Whether a piece was given before."""
        wanted = (dsp_delivery.c.process == process, dsp_delivery.c.piece == piece)
        with reading(self._engine) as connection:
            return connection.execute(sa.select(dsp_delivery.c.piece).where(*wanted)).first() is not None

    def given(self, process: str, piece: str, record: str, rows: int) -> None:
        """A piece is given to the other side under the decision ``record``."""
        row = {
            "process": process, "piece": piece, "record": record, "rows": rows, "at": clock.now(), "times": 1,
        }  # fmt: skip
        again = (
            sa.update(dsp_delivery)
            .where(dsp_delivery.c.process == process, dsp_delivery.c.piece == piece)
            .values(times=dsp_delivery.c.times + 1)
        )
        with transaction(self._engine) as connection:
            if not insert_new(connection, dsp_delivery, row, ["process", "piece"]):
                connection.execute(again)

    def sums(self, processes: Sequence[str]) -> dict[str, Sum]:
        """What was given under each transfer."""
        given = dsp_delivery.c
        query = (
            sa.select(
                given.process,
                sa.func.sum(given.rows),
                sa.func.count(),
                sa.func.sum(given.times - 1),
                sa.func.sum(given.rows * (given.times - 1)),
                sa.func.min(log.c.sequence),
                sa.func.max(log.c.sequence),
            )
            .select_from(dsp_delivery.outerjoin(log, log.c.record_id == given.record))
            .where(given.process.in_(processes))
            .group_by(given.process)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        found = {
            process: Sum(int(total), int(pieces), int(repeated), int(again), first, last)
            for process, total, pieces, repeated, again, first, last in rows
        }
        return {process: found.get(process, Sum(0, 0, 0, 0, None, None)) for process in processes}

    def deliveries(self, process: str, after: int, limit: int) -> list[Delivery]:
        """The pieces of a transfer in order, from number ``after`` on."""
        given = dsp_delivery.c
        query = (
            sa.select(given.piece, given.record, given.rows, given.at, given.times, log.c.sequence)
            .select_from(dsp_delivery.outerjoin(log, log.c.record_id == given.record))
            .where(given.process == process)
            .order_by(given.at, given.piece)
            .offset(after)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Delivery(*row) for row in connection.execute(query)]
