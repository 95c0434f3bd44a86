"""Marks results whose ground has fallen away, and writes all that follows from that in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds, Measure
from dmi_infra.bus.port import Message
from dmi_infra.outbox import add
from dmi_infra.sql import among, transaction
from dmi_support_centre.model import Result
from dmi_support_centre.store import tables
from dmi_support_centre.store.measures import Step, open_measures, take
from dmi_support_centre.store.results import before_marks, forget_scores, result_of


class Following(msgspec.Struct, frozen=True):
    """What follows from marks: messages, measures that end, and datasets whose scores are forgotten."""

    topic: str = ""
    messages: Sequence[Message] = ()
    steps: Sequence[Step] = ()
    forgotten: Collection[str] = ()


Follow = Callable[[Sequence[Result], Sequence[Measure]], Following]
"""Asked with the results that are being marked and those of their measures that are proposed or published."""


class MarkStore:
    """Marks, and what follows from them: both are written or neither is, so a later try finds what is left to do."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def withdraw(self, ground: str, at: Micros, follow: Follow) -> list[Result]:
        """Mark everything that rests on a ground; returns what was not marked before."""
        resting = sa.select(tables.ground.c.result).where(tables.ground.c.ground == ground)

        def rests(grounds: Grounds) -> bool:
            return ground in (*grounds.agreements, *grounds.consents)

        return self._mark(tables.result.c.id.in_(resting), rests, ground, at, follow)

    def withdraw_over(
        self,
        dataset: str,
        ground: str,
        at: Micros,
        follow: Follow,
        concerned: Callable[[Grounds], bool] = lambda _: True,
    ) -> list[Result]:
        """Mark by ``ground`` what was made of a dataset up to a moment; returns what was not marked before."""

        def rests(grounds: Grounds) -> bool:
            return dataset in grounds.datasets and concerned(grounds)

        return self._mark(tables.result.c.made_at <= at, rests, ground, at, follow)

    def _mark(
        self,
        perhaps: sa.ColumnElement[bool],
        rests: Callable[[Grounds], bool],
        ground: str,
        at: Micros,
        follow: Follow,
    ) -> list[Result]:
        t = tables.result.c
        query = sa.select(tables.result).where(perhaps, t.withdrawn_at.is_(None)).order_by(t.id)
        with transaction(self._engine) as connection:
            before_marks(connection)
            # Locked, so that a result that is made again at this moment is marked in its new state or not at all.
            found = [result_of(row) for row in connection.execute(query.with_for_update())]
            marked = [
                msgspec.structs.replace(one, withdrawn_at=at, withdrawn_ground=ground)
                for one in found
                if rests(one.grounds)
            ]
            if marked:
                ids = [one.id for one in marked]
                theirs = among(t.id, "marked", connection.dialect.name, ids)
                mark = sa.update(tables.result).where(theirs)
                connection.execute(mark.values(withdrawn_at=at, withdrawn_ground=ground))
                _write(connection, follow(marked, open_measures(connection, ids)))
        return marked


def _write(connection: sa.Connection, following: Following) -> None:
    add(connection, tables.outbox, following.topic, following.messages)
    for step in following.steps:
        take(connection, step)
    for dataset in following.forgotten:
        forget_scores(connection, dataset)
