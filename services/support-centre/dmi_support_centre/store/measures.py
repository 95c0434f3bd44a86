"""Rules, measures, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds, Measure
from dmi_infra.bus.port import Message
from dmi_infra.outbox import add
from dmi_infra.sql import among, insert_new, reading, transaction, upsert
from dmi_support_centre.model import Result
from dmi_support_centre.models.measures import EXPIRED, PROPOSED, PUBLISHED, Rule
from dmi_support_centre.store import tables
from dmi_support_centre.store.results import any_marked, before_marks, put


class RuleRow(msgspec.Struct, frozen=True):
    """A rule, its name by language, who changed it last, and the number of that change (0: not kept yet)."""

    rule: Rule
    title: dict[str, str]
    changed_by: str
    changed_at: Micros
    version: int = 0


class MeasureRow(msgspec.Struct, frozen=True):
    """A measure with the name of the person who decided (not published), the look back on it, and its mark."""

    measure: Measure
    decided_name: str = ""
    look_back: dict[str, Any] | None = None
    withdrawn_at: Micros | None = None
    withdrawn_ground: str | None = None

    @property
    def grounds(self) -> Grounds:
        """What it rests on."""
        return self.measure.grounds


class Step(msgspec.Struct, frozen=True):
    """A measure in the state that it comes to, and what tells of that: on the bus, and to each address."""

    measure: Measure
    topic: str = ""
    message: Message | None = None
    deliveries: Sequence[dict[str, Any]] = ()


class Subscription(msgspec.Struct, frozen=True):
    """An address that is told of measures."""

    id: str
    url: str
    participant: str
    created_at: Micros


class Backlog(msgspec.Struct, frozen=True):
    """What waits for one address: how many events, and how often the most tried one was tried in vain."""

    events: int
    attempts: int
    next_at: Micros


class Delivery(msgspec.Struct, frozen=True):
    """One event that waits for one address."""

    id: int
    url: str
    participant: str
    headers: dict[str, str]
    body: bytes
    attempts: int


class MeasureStore:
    """All reads and writes about rules, measures and subscriptions."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put_rule(self, row: RuleRow) -> RuleRow | None:
        """Write a rule as the version after that of ``row``; ``None`` when it no longer stands in that one."""
        kept = msgspec.structs.replace(row, version=row.version + 1)
        values = {
            "body": msgspec.json.encode(row.rule).decode(),
            "title": msgspec.json.encode(row.title).decode(),
            "changed_by": row.changed_by,
            "changed_at": row.changed_at,
            "version": kept.version,
        }
        t = tables.rule.c
        with transaction(self._engine) as connection:
            if row.version == 0:
                new = insert_new(connection, tables.rule, {"id": row.rule.id, **values}, ["id"])
                return kept if new else None
            change = sa.update(tables.rule).where(t.id == row.rule.id, t.version == row.version)
            return kept if connection.execute(change.values(**values)).rowcount else None

    def rules(self) -> list[RuleRow]:
        """All rules, by id."""
        with reading(self._engine) as connection:
            return [
                _rule(row) for row in connection.execute(sa.select(tables.rule).order_by(tables.rule.c.id))
            ]

    def rule(self, identifier: str) -> RuleRow | None:
        """One rule."""
        query = sa.select(tables.rule).where(tables.rule.c.id == identifier)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return _rule(row) if row else None

    def release(self, rule: str, place: str, at: Micros) -> None:
        """Remember when the value that a rule watches was last below its lower threshold."""
        with transaction(self._engine) as connection:
            row = {"rule": rule, "place": place, "at": at}
            upsert(connection, tables.release, [row], ["rule", "place"], ["at"])

    def releases(self) -> dict[tuple[str, str], Micros]:
        """When each rule was last released, by rule and place."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(tables.release)).all()
        return {(row.rule, row.place): row.at for row in rows}

    def begin(self, step: Step, result: Result, holds: Callable[[], bool]) -> bool:
        """Write a new measure, the result that stands for it, and what tells of it, in one transaction.

        ``False`` when it is there already, or when its ground has fallen away: by the law, which ``holds`` asks, or
        by the mark of a result that it was made of. Such a mark is seen here, or it finds the measure.
        """
        measure = step.measure
        row = {"id": measure.id, "proposed_at": measure.proposed_at, "decided_by": "", **_state(measure)}
        with transaction(self._engine) as connection:
            before_marks(connection)
            if not holds() or any_marked(connection, measure.grounds.results):
                return False
            if not insert_new(connection, tables.measure, row, ["id"]):
                return False
            put(connection, [result])
            _tell(connection, step)
        return True

    def save(self, step: Step, expected: str, decided_name: str = "") -> bool:
        """Write a measure's next state and what tells of it in one transaction.

        ``False`` when it does not stand in the ``expected`` state any more.
        """
        with transaction(self._engine) as connection:
            return take(connection, step, expected, decided_name)

    def look_back(self, identifier: str, seen: dict[str, Any]) -> None:
        """Keep what came of a measure, unless its ground fell away while one looked."""
        with transaction(self._engine) as connection:
            before_marks(connection)
            if any_marked(connection, [identifier]):
                return
            connection.execute(
                sa.update(tables.measure)
                .where(tables.measure.c.id == identifier)
                .values(look_back=msgspec.json.encode(seen).decode())
            )

    def get(self, identifier: str) -> MeasureRow | None:
        """One measure."""
        with reading(self._engine) as connection:
            row = connection.execute(_MARKED.where(tables.measure.c.id == identifier)).one_or_none()
        return _measure(row) if row else None

    def measures(self, *states: str, since: Micros | None = None, limit: int = 500) -> list[MeasureRow]:
        """Measures in these states (none named: all), newest first."""
        t = tables.measure.c
        query = _MARKED
        if states:
            query = query.where(t.state.in_(states))
        if since is not None:
            query = query.where(t.proposed_at >= since)
        with reading(self._engine) as connection:
            return [
                _measure(row)
                for row in connection.execute(query.order_by(t.proposed_at.desc(), t.id).limit(limit))
            ]

    def to_look_back(self, limit: int = 500) -> list[MeasureRow]:
        """Measures that are over, stand, and were not looked back on, those that ended last first."""
        t, stands = tables.measure.c, tables.result.c.withdrawn_at.is_(None)
        query = _MARKED.where(t.state == EXPIRED, t.look_back.is_(None), stands)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(t.valid_to.desc(), t.id).limit(limit)).all()
        return [_measure(row) for row in rows]

    def subscribe(self, one: Subscription) -> None:
        """Add an address."""
        with transaction(self._engine) as connection:
            connection.execute(sa.insert(tables.subscription), msgspec.structs.asdict(one))

    def subscriptions(self, participant: str | None = None) -> list[Subscription]:
        """The addresses of a participant, or all."""
        query = sa.select(tables.subscription).order_by(tables.subscription.c.created_at)
        if participant is not None:
            query = query.where(tables.subscription.c.participant == participant)
        with reading(self._engine) as connection:
            return [Subscription(**row) for row in connection.execute(query).mappings()]

    def backlogs(self) -> dict[str, Backlog]:
        """What waits, by subscription; those that nothing waits for are not in it."""
        d = tables.delivery.c
        query = sa.select(
            # What came in since the last try waits for the one before it, whatever its own time is.
            d.subscription,
            sa.func.count(),
            sa.func.max(d.attempts),
            sa.func.max(d.next_at),
        ).group_by(d.subscription)
        with reading(self._engine) as connection:
            return {row[0]: Backlog(row[1], row[2], row[3]) for row in connection.execute(query)}

    def unsubscribe(self, identifier: str, participant: str) -> bool:
        """Forget an address and what waits for it; ``False`` when the participant has none of this id."""
        t = tables.subscription.c
        with transaction(self._engine) as connection:
            gone = connection.execute(
                sa.delete(tables.subscription).where(t.id == identifier, t.participant == participant)
            )
            if not gone.rowcount:
                return False
            waiting = tables.delivery.c.subscription == identifier
            connection.execute(sa.delete(tables.delivery).where(waiting))
        return True

    def due(self, now: Micros, limit: int = 50) -> list[Delivery]:
        """Of each address the oldest event, where its time has come; oldest first.

        No later one goes before it: that a measure is published must not be heard after that it ended.
        """
        d, s = tables.delivery, tables.subscription
        first = sa.select(sa.func.min(d.c.id)).group_by(d.c.subscription)
        query = (
            sa.select(d.c.id, s.c.url, s.c.participant, d.c.headers, d.c.body, d.c.attempts)
            .join(s, s.c.id == d.c.subscription)
            .where(d.c.id.in_(first), d.c.next_at <= now)
            .order_by(d.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Delivery(
                row.id,
                row.url,
                row.participant,
                msgspec.json.decode(row.headers),
                bytes(row.body),
                row.attempts,
            )
            for row in rows
        ]

    def delivered(self, identifier: int) -> None:
        """An event arrived, or is given up."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(tables.delivery).where(tables.delivery.c.id == identifier))

    def postpone(self, identifier: int, next_at: Micros) -> None:
        """Try an event again later, with all that waits behind it.

        A try counts for each of these, so that an address that is gone gives none more time than it has by itself.
        """
        t = tables.delivery.c
        address = sa.select(t.subscription).where(t.id == identifier).scalar_subquery()
        with transaction(self._engine) as connection:
            connection.execute(
                sa.update(tables.delivery)
                .where(t.subscription == address)
                .values(next_at=next_at, attempts=t.attempts + 1)
            )


def open_measures(connection: sa.Connection, ids: Sequence[str]) -> list[Measure]:
    """Those of these measures that are proposed or published; they stay so until the caller's transaction is over."""
    t = tables.measure.c
    theirs = among(t.id, "measures", connection.dialect.name, ids)
    query = sa.select(tables.measure).where(theirs, t.state.in_((PROPOSED, PUBLISHED))).order_by(t.id)
    return [_measure_of(row) for row in connection.execute(query.with_for_update())]


def without_figures(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Empty what led to these measures, and what was seen after them, of those that are over.

    Within the caller's transaction; one that is open ends with a step of its own.
    """
    t = tables.measure.c
    theirs = among(t.id, "measures", connection.dialect.name, ids)
    over = sa.select(tables.measure).where(theirs, t.state.not_in((PROPOSED, PUBLISHED)))
    rows = [
        {"b_id": one.id, "b_body": msgspec.json.encode(msgspec.structs.replace(one, properties={})).decode()}
        for one in (_measure_of(row) for row in connection.execute(over))
    ]
    if rows:
        change = sa.update(tables.measure).where(t.id == sa.bindparam("b_id"))
        connection.execute(change.values(body=sa.bindparam("b_body"), look_back=None), rows)


def take(connection: sa.Connection, step: Step, expected: str | None = None, decided_name: str = "") -> bool:
    """Write a measure's next state within the caller's transaction; as ``MeasureStore.save``."""
    t = tables.measure.c
    values = _state(step.measure) | ({"decided_by": decided_name} if decided_name else {})
    change = sa.update(tables.measure).where(t.id == step.measure.id).values(**values)
    if expected is not None:
        change = change.where(t.state == expected)
    if not connection.execute(change).rowcount:
        return False
    _tell(connection, step)
    return True


def _state(measure: Measure) -> dict[str, Any]:
    body = msgspec.json.encode(measure).decode()
    return {"state": measure.state, "valid_to": measure.valid_to, "body": body}


def _tell(connection: sa.Connection, step: Step) -> None:
    add(connection, tables.outbox, step.topic, [step.message] if step.message else [])
    if step.deliveries:
        connection.execute(sa.insert(tables.delivery), list(step.deliveries))


def _rule(row: sa.Row[tuple[Any, ...]]) -> RuleRow:
    rule: Rule = msgspec.json.decode(row.body, type=Rule)
    return RuleRow(rule, msgspec.json.decode(row.title), row.changed_by, row.changed_at, row.version)


def _measure_of(row: sa.Row[tuple[Any, ...]]) -> Measure:
    return msgspec.json.decode(row.body, type=Measure)


def _measure(row: sa.Row[tuple[Any, ...]]) -> MeasureRow:
    look_back = msgspec.json.decode(row.look_back) if row.look_back else None
    return MeasureRow(_measure_of(row), row.decided_by, look_back, row.withdrawn_at, row.withdrawn_ground)


_MARKED: sa.Select[tuple[Any, ...]] = sa.select(
    tables.measure, tables.result.c.withdrawn_at, tables.result.c.withdrawn_ground
).join(tables.result, tables.result.c.id == tables.measure.c.id, isouter=True)
"""Measures with the mark of the result that stands for each."""
