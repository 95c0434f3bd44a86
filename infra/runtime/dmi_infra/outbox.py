"""The outbox: messages written in the store's own transaction and published after it, in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import msgspec
import sqlalchemy as sa
import structlog

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus.port import Message, Publisher
from dmi_infra.errors import Unavailable
from dmi_infra.sql import among, reading, transaction

log = structlog.get_logger("outbox")

IDLE_SECONDS = 1.0
"""How often the relay looks by itself; it is woken at once by ``wake``."""
BATCH = 100


def outbox_table(metadata: sa.MetaData) -> sa.Table:
    """The table that holds messages until the bus has them."""
    return sa.Table(
        "outbox",
        metadata,
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def add(connection: sa.Connection, table: sa.Table, topic: str, messages: Sequence[Message]) -> None:
    """Write messages within the caller's transaction."""
    if messages:
        connection.execute(
            sa.insert(table),
            [
                {
                    "topic": topic,
                    "key": m.key,
                    "envelope": msgspec.json.encode(m.envelope).decode(),
                    "value": m.value,
                }
                for m in messages
            ],
        )


class Relay:
    """A thread that publishes what the outbox holds, oldest first, and then removes it."""

    def __init__(self, engine: sa.Engine, table: sa.Table, publisher: Publisher) -> None:
        self._engine = engine
        self._table = table
        self._publisher = publisher
        self._well_at = time.monotonic()
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to publish, first what an earlier run left."""
        self._wanted.set()
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wanted.set()

    def stop(self) -> None:
        """Stop after the batch at hand; what is left waits in the store."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=5)

    def behind(self) -> float:
        """Seconds since the outbox was last published from or found empty; small while the bus takes all."""
        return time.monotonic() - self._well_at

    def drain(self) -> int:
        """Publish one batch; returns how many messages went out."""
        # A crash after publishing publishes again, and readers drop repeats: by natural keys, or see ``repeats``.
        with self._alone() as first:
            if not first:
                return 0
            with reading(self._engine) as connection:
                query = sa.select(self._table).order_by(self._table.c.id).limit(BATCH)
                rows = connection.execute(query).all()
            for topic, group in groupby(rows, key=lambda row: str(row.topic)):
                self._publisher.publish(topic, [_message(row) for row in group])
            if rows:
                with transaction(self._engine) as connection:
                    sent = among(self._table.c.id, "sent", connection.dialect.name)
                    connection.execute(sa.delete(self._table).where(sent), {"sent": [row.id for row in rows]})
            self._well_at = time.monotonic()
        return len(rows)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process relays this outbox now: two at once could put an old state last."""
        if self._engine.dialect.name == "sqlite":
            yield True
            return
        with transaction(self._engine) as connection:
            place = sa.func.hashtext(sa.func.concat("outbox ", sa.func.current_schema()))
            yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(place))))

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait(IDLE_SECONDS)
            self._wanted.clear()
            try:
                while not self._stopping and self.drain():
                    pass
            except Unavailable as exc:
                log.warning("outbox waits", reason=str(exc))
            except Exception as exc:  # the thread must live: what waits goes out when the cause is gone
                log.error("outbox cannot be published", exc_info=exc)


def _message(row: sa.Row[tuple[object, ...]]) -> Message:
    envelope = msgspec.json.decode(row.envelope, type=Envelope)
    return Message(key=row.key, value=bytes(row.value), envelope=envelope)
