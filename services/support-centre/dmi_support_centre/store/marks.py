"""Marks results whose ground has fallen away, and writes all that follows from that in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Measure
from dmi_infra.bus.port import Message
from dmi_infra.outbox import add
from dmi_infra.sql import among, transaction
from dmi_support_centre.model import CROWD, FORECAST, Result
from dmi_support_centre.store import tables
from dmi_support_centre.store.measures import Step, open_measures, take, without_figures
from dmi_support_centre.store.results import before_marks, forget_scores, let_go, result_of


class Following(msgspec.Struct, frozen=True):
    """What follows from marks: messages, measures that end, and datasets whose scores are forgotten."""

    topic: str = ""
    messages: Sequence[Message] = ()
    steps: Sequence[Step] = ()
    forgotten: Collection[str] = ()


Follow = Callable[[Sequence[Result], Sequence[Measure]], Following]
"""Asked with the results that are being marked and those of their measures that are proposed or published.

Of the results forecasts and levels of service alone come with their body, which is told once more without figures.
"""
AT_ONCE = 1_000
"""So many results are marked in one transaction: all other writes wait for it."""


class MarkStore:
    """Marks, and what follows from them: both are written or neither is, so a later try finds what is left to do.

    Of many results a part is marked at once, by id: it is to be asked again until nothing is left.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def withdraw(self, ground: str, at: Micros, follow: Follow) -> list[Result]:
        """Mark what rests on a ground; returns what was not marked before, and nothing when that was all."""
        g = tables.ground.c
        return self._mark(g.result, [g.ground == ground], ground, at, follow)

    def withdraw_over(
        self,
        dataset: str,
        ground: str,
        at: Micros,
        follow: Follow,
        consents: Collection[str] | None = None,
    ) -> list[Result]:
        """Mark by ``ground`` what was made of a dataset up to a moment; as ``withdraw``.

        ``consents``: only what rests on one of these.
        """
        m, g = tables.material.c, tables.ground.c
        which = [m.dataset == dataset, tables.result.c.made_at <= at]
        if consents is not None:
            given = among(g.ground, "consents", self._engine.dialect.name, sorted(consents))
            which.append(m.result.in_(sa.select(g.result).where(given)))
        return self._mark(m.result, which, ground, at, follow)

    def _mark(
        self,
        found_by: sa.ColumnElement[str],
        which: Sequence[sa.ColumnElement[bool]],
        ground: str,
        at: Micros,
        follow: Follow,
    ) -> list[Result]:
        t = tables.result.c
        # Those of scenarios are large, and nothing is told of them.
        body = sa.case((t.kind.in_((FORECAST, CROWD)), t.body), else_="{}").label("body")
        state: list[sa.ColumnElement[Any]] = [body if column.name == "body" else column for column in t]
        query = sa.select(*state).where(found_by == t.id, t.withdrawn_at.is_(None), *which)
        with transaction(self._engine) as connection:
            # Who writes a result waits too, so none is made again while it is looked at and marked.
            before_marks(connection)
            found = connection.execute(query.order_by(found_by).limit(AT_ONCE)).all()
            marked = [
                msgspec.structs.replace(result_of(row), withdrawn_at=at, withdrawn_ground=ground)
                for row in found
            ]
            if marked:
                ids = [one.id for one in marked]
                theirs = among(t.id, "marked", connection.dialect.name, ids)
                mark = sa.update(tables.result).where(theirs)
                connection.execute(mark.values(withdrawn_at=at, withdrawn_ground=ground))
                let_go(connection, ids)
                # Before those that are over are emptied: one that ends meanwhile is in neither else.
                still_open = open_measures(connection, ids)
                without_figures(connection, ids)
                _write(connection, follow(marked, still_open))
        return marked


def _write(connection: sa.Connection, following: Following) -> None:
    add(connection, tables.outbox, following.topic, following.messages)
    for step in following.steps:
        take(connection, step)
    for dataset in following.forgotten:
        forget_scores(connection, dataset)
