"""A message that was published twice is taken in once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from dmi_infra import repeats
from dmi_infra.bus.port import Message, Received
from dmi_infra.repeats import fresh, keep, taken_table
from dmi_infra.sql import open_engine, reading, transaction
from tests.unit.infra.fakes import message

metadata = sa.MetaData()
table = taken_table(metadata)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'store.db'}", "store")
    metadata.create_all(made)
    yield made
    made.dispose()


def take(engine: sa.Engine, messages: Sequence[Received]) -> list[int]:
    """The offsets of the messages that are new, with all of them kept as taken."""
    found = fresh(engine, table, messages)
    with transaction(engine) as connection:
        keep(connection, table, messages)
    return [one.offset for one in found]


def at(offset: int, sent: Message, topic: str = "a", partition: int = 0) -> Received:
    return Received(topic, partition, offset, sent)


def test_a_copy_is_known_beside_its_first_and_after_it(engine: sa.Engine) -> None:
    first, second = message(b"1"), message(b"2")
    assert take(engine, [at(0, first), at(1, second), at(2, first)]) == [0, 1]
    assert take(engine, [at(3, second), at(4, message(b"2"))]) == [4], "the same words are no copy"


def test_a_name_is_of_its_source_and_counts_within_its_partition(engine: sa.Engine) -> None:
    sent = message(b"1")
    other = msgspec.structs.replace(sent.envelope, source="urn:dmi:service:other")
    assert take(engine, [at(0, sent)]) == [0]
    assert take(engine, [at(1, Message("key", b"1", other))]) == [1]
    assert take(engine, [at(0, sent, partition=1), at(0, sent, topic="b")]) == [0, 0]


def test_what_was_not_stored_was_not_taken_in(engine: sa.Engine) -> None:
    sent = [at(0, message(b"1"))]
    with suppress(KeyError), transaction(engine) as connection:
        keep(connection, table, sent)
        raise KeyError
    assert take(engine, sent) == [0]


def test_a_copy_keeps_its_name_known_and_names_far_behind_are_let_go(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "WINDOW", 10)
    first, second = message(b"1"), message(b"2")
    take(engine, [at(0, first), at(1, second)])
    assert take(engine, [at(8, first)]) == []
    assert take(engine, [at(14, message(b"3"))]) == [14]
    with reading(engine) as connection:
        assert list(connection.execute(sa.select(table.c.message_offset)).scalars()) == [8, 14]
    assert take(engine, [at(15, first), at(16, second)]) == [16]


def test_a_log_that_was_lost_begins_anew_with_other_names(engine: sa.Engine) -> None:
    lost = message(b"1")
    take(engine, [at(0, lost), at(1, message(b"2"))])
    again = message(b"3")
    assert take(engine, [at(0, again)]) == [0]
    assert take(engine, [at(1, again)]) == []
