"""Stores on SQLite: transactions, positions, and which failures pass by themselves."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from contextvars import Context, copy_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, OperationalError

from dmi_infra import sql
from dmi_infra.errors import InputRefused
from dmi_infra.sql import (
    StoreTooNew,
    StoreUnavailable,
    guarded,
    insert_new,
    load_positions,
    migrate,
    open_engine,
    positions_table,
    reading,
    save_positions,
    store_check,
    transaction,
    upsert,
)

metadata = sa.MetaData()
positions = positions_table(metadata)
things = sa.Table(
    "thing", metadata,
    sa.Column("id", sa.Text, primary_key=True), sa.Column("at", sa.BigInteger), sa.Column("v", sa.Text),
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'a folder' / 'store.db'}", "store")
    metadata.create_all(made)
    yield made
    made.dispose()


def rows(engine: sa.Engine) -> list[tuple[str, int, str]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(sa.select(things).order_by(things.c.id))]


def test_positions_are_kept_with_what_they_belong_to(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        save_positions(connection, positions, {("a", 0): 5, ("a", 1): 7})
    with suppress(KeyError), transaction(engine) as connection:
        save_positions(connection, positions, {("a", 0): 9})
        raise KeyError
    assert load_positions(engine, positions) == {("a", 0): 5, ("a", 1): 7}
    with transaction(engine) as connection:
        save_positions(connection, positions, {("a", 0): 6})
        save_positions(connection, positions, {})
    assert load_positions(engine, positions)[("a", 0)] == 6


def test_an_upsert_changes_only_what_it_is_told_and_never_back_in_time(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        upsert(connection, things, [{"id": "a", "at": 5, "v": "first"}], ["id"])
        upsert(connection, things, [{"id": "a", "at": 9, "v": "kept out"}], ["id"])
    assert rows(engine) == [("a", 5, "first")]
    with transaction(engine) as connection:
        upsert(connection, things, [{"id": "a", "at": 4, "v": "older"}], ["id"], ["at", "v"], not_older="at")
    assert rows(engine) == [("a", 5, "first")]
    with transaction(engine) as connection:
        upsert(connection, things, [{"id": "a", "at": 6, "v": "newer"}], ["id"], ["at"], not_older="at")
        upsert(connection, things, [], ["id"])
    assert rows(engine) == [("a", 6, "first")]


def test_only_the_first_of_two_equal_rows_is_new(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        assert insert_new(connection, things, {"id": "a", "at": 1, "v": "x"}, ["id"])
        assert not insert_new(connection, things, {"id": "a", "at": 2, "v": "y"}, ["id"])
    assert rows(engine) == [("a", 1, "x")]


def test_a_bulk_insert_holds_what_it_was_given(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        sql.copy_in(connection, "thing", ["id", "at", "v"], [("a", 1, "x"), ("b", 2, None)])
        sql.copy_in(connection, "thing", ["id"], [])
    assert rows(engine) == [("a", 1, "x"), ("b", 2, None)]


def test_a_reader_sees_one_state_and_does_not_wait_for_a_writer(engine: sa.Engine) -> None:
    with transaction(engine) as writer:
        upsert(writer, things, [{"id": "a", "at": 1, "v": "x"}], ["id"])
        assert rows(engine) == []
    with reading(engine) as reader:
        assert len(reader.execute(sa.select(things)).all()) == 1
        with transaction(engine) as writer:
            upsert(writer, things, [{"id": "b", "at": 1, "v": "x"}], ["id"])
        assert len(reader.execute(sa.select(things)).all()) == 1


def test_writers_take_turns_and_no_update_is_lost(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        upsert(connection, things, [{"id": "a", "at": 0, "v": ""}], ["id"])

    def add() -> None:
        for _ in range(20):
            with transaction(engine) as connection:
                at = connection.execute(sa.select(things.c.at)).scalar_one()
                connection.execute(sa.update(things).values(at=at + 1))

    running = [threading.Thread(target=add) for _ in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert rows(engine)[0][1] == 80


def test_a_locked_store_is_unavailable_and_says_why_to_the_log_alone(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sql, "BUSY_SECONDS", 0.05)
    path = tmp_path / "a folder" / "store.db"
    impatient = open_engine(f"sqlite:///{path}", "store")
    with transaction(engine), pytest.raises(StoreUnavailable) as away, transaction(impatient):
        pass
    assert "locked" in str(away.value)
    assert "locked" not in away.value.public
    impatient.dispose()


def request(held: ExitStack, engine: sa.Engine, opens: Any = reading) -> Context:
    """A request that holds a connection until ``held`` ends."""
    begun = copy_context()
    begun.run(sql.answering.set, True)
    begun.run(held.enter_context, opens(engine))
    return begun


def test_requests_that_hold_all_that_they_may_leave_connections_for_the_rest(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "REQUEST_SECONDS", 0.01)
    with ExitStack() as held:
        begun = [request(held, engine) for _ in range(sql.OF_REQUESTS)]
        for opens in (reading, transaction):
            with pytest.raises(StoreUnavailable, match="overloaded"):
                request(held, engine, opens)
        # What a thread does that belongs to no request, such as the relay's.
        with ExitStack() as others:
            for _ in range(sql.AT_MOST - sql.OF_REQUESTS - 1):
                others.enter_context(reading(engine))
            with transaction(engine) as connection:
                upsert(connection, things, [{"id": "a", "at": 1, "v": "x"}], ["id"])
        assert begun[0].run(rows, engine) == [("a", 1, "x")], "within what it holds already"
    assert not engine.get_execution_options()["dmi_writes"].failing, "the store takes what is written"


def test_a_request_gives_its_connection_back_wherever_it_ends(engine: sa.Engine) -> None:
    for _ in range(sql.OF_REQUESTS + 1):
        with ExitStack() as held:
            begun = request(held, engine)
        begun.run(rows, engine)
    with ExitStack() as held:
        for _ in range(sql.OF_REQUESTS):
            request(held, engine)


def test_a_mistake_in_a_statement_is_no_outage(engine: sa.Engine) -> None:
    with pytest.raises(OperationalError, match="no such table"), reading(engine) as connection:
        connection.execute(sa.text("SELECT * FROM nowhere"))


def test_a_value_that_no_column_can_hold_is_the_callers_mistake() -> None:
    with pytest.raises(InputRefused, match="cannot be stored") as refused, guarded():
        raise DataError("INSERT INTO secret", {}, ValueError("NUL"))
    assert "secret" not in str(refused.value)


def test_so_is_a_text_that_has_no_utf_8_form(engine: sa.Engine) -> None:
    with pytest.raises(InputRefused, match="looked up"), reading(engine) as connection:
        connection.execute(sa.select(things).where(things.c.id == "\ud800"))


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}", "store")
    with pytest.raises(StoreUnavailable), reading(engine):
        pass
    assert store_check(engine)() == "the store cannot be reached at the moment; try again shortly"
    engine.dispose()


def test_a_store_that_answers_is_ready(engine: sa.Engine) -> None:
    assert store_check(engine)() is None


def test_a_store_that_took_nothing_is_not_ready_until_it_does(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    metadata.create_all(engine)
    check = store_check(engine)

    def full(so: bool) -> None:
        # The pool has one connection, which from here on writes nothing, as on a disk without room.
        with reading(engine) as connection:
            connection.exec_driver_sql(f"PRAGMA query_only = {so:d}")

    def write() -> None:
        with transaction(engine) as connection:
            save_positions(connection, positions, {("a", 0): 5})

    full(True)
    assert check() is None, "nothing was tried yet"
    with pytest.raises(StoreUnavailable):
        write()
    assert check() == check() == "the store could not take the last that was written to it"
    full(False)
    assert check() is None, "it tried itself"
    full(True)
    with pytest.raises(StoreUnavailable):
        write()
    full(False)
    write()
    full(True)
    assert check() is None, "what was written last was stored"
    engine.dispose()


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    engine = open_engine(f"sqlite:///{path}", "exchange")
    migrate(engine, "dmi_exchange")
    migrate(engine, "dmi_exchange")
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = 'exchange_9999'")
    raw.close()
    with pytest.raises(StoreTooNew, match="exchange_0001"):
        migrate(engine, "dmi_exchange")
    engine.dispose()
