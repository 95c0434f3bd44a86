"""Which messages a reader has taken in: a publisher that was interrupted publishes them again.

A copy stands in the log as a message of its own, so the position of its reader does not tell it from a new one; what
the event calls itself does. Whoever adds up what messages hold keeps these names in the transaction of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from dmi_infra.bus.port import Partition, Received
from dmi_infra.sql import among, reading, upsert

WINDOW: Final = 10_000
"""Offsets of a partition of which the names are kept. A publisher sends again what it was not sure of before anything
else, at most a batch of its outbox (``outbox.BATCH``), so that a copy comes far sooner."""


def taken_table(metadata: sa.MetaData) -> sa.Table:
    """The table of what was taken in: by topic, partition and offset the name of the event."""
    return sa.Table(
        "taken",
        metadata,
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("message_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Index("taken_by_name", "topic", "partition", "name"),
    )


def fresh(engine: sa.Engine, table: sa.Table, messages: Sequence[Received]) -> list[Received]:
    """These messages without copies: of one another, and of what was kept as taken. The order stays."""
    known: set[tuple[Partition, str]] = set()
    with reading(engine) as connection:
        for at, part in _by_partition(messages).items():
            names = among(table.c.name, "names", connection.dialect.name)
            query = sa.select(table.c.name).where(table.c.topic == at[0], table.c.partition == at[1], names)
            found = connection.execute(query, {"names": [name_of(one) for one in part]}).scalars()
            known.update((at, name) for name in found)
    new = []
    for one in messages:
        key = (one.topic, one.partition), name_of(one)
        if key not in known:
            known.add(key)
            new.append(one)
    return new


def keep(connection: sa.Connection, table: sa.Table, messages: Sequence[Received]) -> None:
    """Keep messages as taken in, copies among them, and let go of those far behind them."""
    # By its offset: that of a log that was lost comes again, with another message.
    rows = [
        {
            "topic": one.topic,
            "partition": one.partition,
            "message_offset": one.offset,
            "name": name_of(one),
        }
        for one in messages
    ]
    upsert(connection, table, rows, ["topic", "partition", "message_offset"], ["name"])
    for (topic, partition), part in _by_partition(messages).items():
        far = part[-1].offset - WINDOW
        connection.execute(
            sa.delete(table).where(
                table.c.topic == topic, table.c.partition == partition, table.c.message_offset <= far
            )
        )


def name_of(received: Received) -> str:
    """What an event is called: its id, among those of its source (CloudEvents 1.0, section 3.1)."""
    envelope = received.message.envelope
    return f"{envelope.source} {envelope.id}"


def _by_partition(messages: Sequence[Received]) -> dict[Partition, list[Received]]:
    found: dict[Partition, list[Received]] = {}
    for one in messages:
        found.setdefault((one.topic, one.partition), []).append(one)
    return found
