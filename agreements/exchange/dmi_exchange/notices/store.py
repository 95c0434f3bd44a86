"""Notices in the exchange's store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_exchange.notices.model import Notice
from dmi_exchange.tables import notice
from dmi_infra.errors import NotFound
from dmi_infra.sql import insert_new, reading, transaction

IDS_AT_ONCE = 500
NO_NOTICE = "no notice of yours has this id"


class Notices:
    """All reads and writes about notices."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, one: Notice, due: Micros | None) -> bool:
        """Keep a new notice, to be sent at ``due`` (``None``: nothing is to be sent); whether it was new."""
        with transaction(self._engine) as connection:
            return insert_new(connection, notice, {**_row(one), "next_at": due}, ["id"])

    def change(
        self, identifier: str, decide: Callable[[Notice], Notice], due: Micros | None = None
    ) -> Notice:
        """Store what ``decide`` makes of a notice, and when it is to be sent again; raises ``NotFound``."""
        query = sa.select(notice.c.body).where(notice.c.id == identifier).with_for_update()
        with transaction(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
            if body is None:
                raise NotFound(NO_NOTICE)
            after = decide(msgspec.json.decode(body, type=Notice))
            changed = sa.update(notice).where(notice.c.id == identifier)
            connection.execute(changed.values({**_row(after), "next_at": due}))
        return after

    def to(self, recipient: str) -> list[Notice]:
        """What a participant of this node is told, newest first."""
        return self._find(notice.c.recipient == recipient)

    def about(self, person: str) -> list[Notice]:
        """Who is told of what a person asked, newest first."""
        return self._find(notice.c.person == person)

    def due(self, now: Micros, without: Collection[str] = (), limit: int = 100) -> list[Notice]:
        """Notices to other nodes that are to be sent now, the longest due first; none to recipients in ``without``."""
        query = sa.select(notice.c.body).where(notice.c.next_at <= now, notice.c.recipient.not_in(without))
        with reading(self._engine) as connection:
            bodies = connection.execute(query.order_by(notice.c.next_at).limit(limit)).scalars().all()
        return [msgspec.json.decode(body, type=Notice) for body in bodies]

    def forget(self, person: str) -> int:
        """Delete the notices about a person that were answered; returns how many.

        The others stay: who received the data must hear yet that it has to go (GDPR art. 19).
        """
        query = sa.select(notice.c.id, notice.c.body).where(
            notice.c.person == person, notice.c.next_at.is_(None)
        )
        with transaction(self._engine) as connection:
            rows = connection.execute(query.with_for_update()).all()
            answered = [row.id for row in rows if msgspec.json.decode(row.body, type=Notice).outcome]
            for start in range(0, len(answered), IDS_AT_ONCE):
                part = notice.c.id.in_(answered[start : start + IDS_AT_ONCE])
                connection.execute(sa.delete(notice).where(part))
        return len(answered)

    def erased(self, person: str, dataset: str, until: Micros) -> None:
        """Delete corrections of rows that are erased up to a moment, and with its last one the notice that tells it."""
        query = sa.select(notice.c.id, notice.c.body).where(notice.c.person == person).with_for_update()
        with transaction(self._engine) as connection:
            for row in connection.execute(query).all():
                one = msgspec.json.decode(row.body, type=Notice)
                kept = [each for each in one.corrections if each.phenomenon_time > until]
                if one.dataset != dataset or kept == one.corrections:
                    continue
                same = notice.c.id == one.id
                after = _row(msgspec.structs.replace(one, corrections=kept))
                connection.execute(
                    sa.update(notice).where(same).values(after) if kept else sa.delete(notice).where(same)
                )

    def _find(self, where: sa.ColumnElement[bool]) -> list[Notice]:
        query = sa.select(notice.c.body).where(where).order_by(notice.c.made_at.desc(), notice.c.id)
        with reading(self._engine) as connection:
            bodies = connection.execute(query).scalars().all()
        return [msgspec.json.decode(body, type=Notice) for body in bodies]


def _row(one: Notice) -> dict[str, Any]:
    return {
        "id": one.id,
        "person": one.person,
        "recipient": one.recipient,
        "made_at": one.made_at,
        "body": msgspec.json.encode(one).decode(),
    }
