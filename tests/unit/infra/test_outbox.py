"""The outbox: stored with the change, published after it, in order, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmi_infra import outbox
from dmi_infra.outbox import Relay, add, outbox_table
from dmi_infra.sql import open_engine, reading, transaction
from tests.unit.infra.fakes import FakeBus, eventually, message

metadata = sa.MetaData()
table = outbox_table(metadata)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'store.db'}", "store")
    metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


def put(engine: sa.Engine, topic: str, *values: bytes) -> None:
    with transaction(engine) as connection:
        add(connection, table, topic, [message(value) for value in values])


def left(engine: sa.Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_messages_go_out_in_the_order_of_their_transactions_and_are_then_removed(
    engine: sa.Engine, bus: FakeBus
) -> None:
    for number in range(250):
        put(engine, "a" if number % 3 else "b", str(number).encode())
    relay = Relay(engine, table, bus)
    assert [relay.drain() for _ in range(4)] == [100, 100, 50, 0]
    assert [int(m.value) for m in bus.topics["a"]] == [n for n in range(250) if n % 3]
    assert [int(m.value) for m in bus.topics["b"]] == list(range(0, 250, 3))
    assert left(engine) == 0


def test_a_message_keeps_its_key_and_envelope(engine: sa.Engine, bus: FakeBus) -> None:
    sent = message(b"x", "urn:key")
    with transaction(engine) as connection:
        add(connection, table, "a", [sent])
    Relay(engine, table, bus).drain()
    assert bus.topics["a"] == [sent]


def test_what_a_transaction_took_back_is_never_published(engine: sa.Engine, bus: FakeBus) -> None:
    with suppress(KeyError), transaction(engine) as connection:
        add(connection, table, "a", [message(b"x")])
        raise KeyError
    assert Relay(engine, table, bus).drain() == 0


def test_while_the_bus_is_away_messages_stay_and_go_out_on_its_return(
    engine: sa.Engine, bus: FakeBus
) -> None:
    relay = Relay(engine, table, bus)
    bus.away = True
    relay.start()
    put(engine, "a", b"1")
    relay.wake()
    eventually(lambda: left(engine) == 1)
    bus.away = False
    eventually(lambda: left(engine) == 0)
    assert [m.value for m in bus.topics["a"]] == [b"1"]
    relay.stop()


def test_an_unexpected_failure_does_not_end_the_relay(
    engine: sa.Engine, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "IDLE_SECONDS", 0.01)
    bus.fault = RuntimeError("a fault")
    put(engine, "a", b"1")
    relay = Relay(engine, table, bus)
    relay.start()
    eventually(lambda: left(engine) == 0)
    relay.stop()


def test_the_relay_says_for_how_long_nothing_got_out(
    engine: sa.Engine, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(outbox.time, "monotonic", lambda: now[0])
    relay = Relay(engine, table, bus)
    relay.drain()
    now[0] = 107.0
    assert relay.behind() == 7.0
    bus.away = True
    put(engine, "a", b"1")
    with pytest.raises(outbox.Unavailable):
        relay.drain()
    assert relay.behind() == 7.0
    bus.away = False
    relay.drain()
    assert relay.behind() == 0.0


def test_what_an_earlier_process_left_goes_out_first(engine: sa.Engine, bus: FakeBus) -> None:
    put(engine, "a", b"left")
    relay = Relay(engine, table, bus)
    relay.start()
    eventually(lambda: left(engine) == 0)
    relay.stop()
    assert [m.value for m in bus.topics["a"]] == [b"left"]
