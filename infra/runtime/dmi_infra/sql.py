"""Stores: SQLAlchemy on SQLite (embedded) or PostgreSQL, one schema a service, migrated by Alembic."""

from __future__ import annotations

import io
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dmi_infra.errors import InputRefused, Unavailable

BUSY_SECONDS = 30
KEPT_OPEN: Final = 8
AT_MOST: Final = 16
"""Connections of one process to the store of one service; PostgreSQL has 100 for all of them."""
OF_REQUESTS: Final = 12
"""Those that requests may hold together. What makes a change of the law known, and tells that the law is whole, has
the others: requests that take long must not hold up what a withdrawal sets going."""
REQUEST_SECONDS: Final = 10.0
"""How long a request waits for one of them; it holds a thread meanwhile."""
answering: ContextVar[bool] = ContextVar("answering", default=False)
"""Whether what runs now is the answer to a request; threads that belong to none begin without it."""
_holding: ContextVar[bool] = ContextVar("holding", default=False)
NOT_STORED: Final = "the store could not take the last that was written to it"
Positions = dict[tuple[str, int], int]


_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""Primary result codes of SQLite that pass by themselves or by making room; other ones are faults of ours."""


class StoreUnavailable(Unavailable):
    """The database cannot be reached or has no room. The text is for logs; callers see ``public`` alone."""

    def __init__(self, detail: str) -> None:
        Exception.__init__(self, detail)
        self.public = "the store cannot be reached at the moment; try again shortly"


class StoreTooNew(RuntimeError):
    """The store was written by a newer version of the software."""


def positions_table(metadata: sa.MetaData) -> sa.Table:
    """Where a consumer keeps the next offset to read, in the same transaction as its results."""
    return sa.Table(
        "positions",
        metadata,
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )


def open_engine(address: str, schema: str) -> sa.Engine:
    """An engine on the store of one service; creates the SQLite folder or the PostgreSQL schema."""
    engine = _sqlite(address) if address.startswith("sqlite") else _postgresql(address, schema)
    engine.update_execution_options(dmi_writes=Writes(), dmi_requests=threading.BoundedSemaphore(OF_REQUESTS))
    return engine


def _postgresql(address: str, schema: str) -> sa.Engine:
    engine = sa.create_engine(
        address,
        pool_size=KEPT_OPEN,
        max_overflow=AT_MOST - KEPT_OPEN,
        pool_pre_ping=True,
        connect_args={"options": f"-csearch_path={schema},public -ctimezone=UTC"},
    )
    with guarded(), engine.begin() as connection:
        connection.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    return engine


def _sqlite(address: str) -> sa.Engine:
    Path(address.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        address,
        pool_size=KEPT_OPEN,
        max_overflow=AT_MOST - KEPT_OPEN,
        # Each connection has a page cache of its own: in turn they would all fill, last in first out only those needed.
        pool_use_lifo=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN comes only before a write, so that a read before it could see another state.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        # The bus is the durable log; a store that lost its last commits at a power cut reads them again.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-16000")

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: upgrading a read lock fails when another writer came between.
        reading = connection.get_execution_options().get("dmi_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def guarded() -> Iterator[None]:
    """Turns a database that is away, locked or full into ``StoreUnavailable``.

    A value that the database cannot hold (a NUL or half of a surrogate pair in a text, a number out of range) becomes
    ``InputRefused``.
    """
    try:
        yield
    except (DataError, UnicodeEncodeError) as exc:
        raise InputRefused("a value in the request cannot be stored or looked up") from exc
    except PoolTimeout as exc:
        raise StoreUnavailable(f"the store is overloaded: {exc}") from exc
    except DBAPIError as exc:
        if exc.connection_invalidated or _away(exc):
            raise StoreUnavailable(f"the store cannot be reached: {exc.orig}") from exc
        raise


def _away(exc: DBAPIError) -> bool:
    if not isinstance(exc, OperationalError):
        return False
    if isinstance(exc.orig, sqlite3.Error):
        # The low byte is the primary code, the rest tells which kind of it.
        return getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_AWAY
    # PostgreSQL: connection, resources, deadlock, shutdown; its drivers call a program's limit operational too.
    return not str(getattr(exc.orig, "sqlstate", None) or "").startswith("54")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A consistent view for reading; never waits for a writer."""
    with (
        _share(engine),
        guarded(),
        engine.connect().execution_options(dmi_reading=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _share(engine: sa.Engine) -> Iterator[None]:
    """One of the connections that requests may hold, while this answers one.

    A second one within it is not counted: who waits for it could be who all others wait for, with the lock on a row.
    """
    if not answering.get() or _holding.get():
        yield
        return
    free: threading.BoundedSemaphore = engine.get_execution_options()["dmi_requests"]
    if not free.acquire(timeout=REQUEST_SECONDS):
        raise StoreUnavailable(f"the store is overloaded: {OF_REQUESTS} requests hold connections")
    _holding.set(True)
    try:
        yield
    finally:
        # Not by a token: what a generator begins in one thread may end in another.
        _holding.set(False)
        free.release()


class Writes:
    """Whether the last transaction of an engine could be stored; it travels with the engine, among its options."""

    failing = False


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction; a database that is away raises ``StoreUnavailable``."""
    writes = _writes(engine)
    with _share(engine):
        try:
            with guarded(), engine.begin() as connection:
                yield connection
        except StoreUnavailable:
            writes.failing = True
            raise
        writes.failing = False


def _writes(engine: sa.Engine) -> Writes:
    found: Writes = engine.get_execution_options()["dmi_writes"]
    return found


def load_positions(engine: sa.Engine, table: sa.Table) -> Positions:
    """The next offset to read by topic and partition."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(table.c.topic, table.c.partition, table.c.next_offset))
        return {(row.topic, row.partition): row.next_offset for row in rows}


def save_positions(
    connection: sa.Connection, table: sa.Table, positions: Mapping[tuple[str, int], int]
) -> None:
    """Record positions within the caller's transaction."""
    rows = [
        {"topic": topic, "partition": partition, "next_offset": offset}
        for (topic, partition), offset in positions.items()
    ]
    if rows:
        upsert(connection, table, rows, ["topic", "partition"], ["next_offset"])


def _insert(dialect: str, table: sa.Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def among(
    column: sa.ColumnElement[Any], name: str, dialect: str, values: Iterable[Any] | None = None
) -> sa.ColumnElement[bool]:
    """Whether a column is one of the list that the parameter ``name`` holds; ``values`` give it at once.

    One array, so that the statement stays the same: one with a parameter for each of 100 values is read anew by the
    driver each time, and neither database takes as many parameters as a city has inhabitants.
    """
    given: dict[str, Any] = {} if values is None else {"value": list(values)}
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type), **given))
    listed = sa.func.json_each(sa.bindparam(name, type_=sa.JSON, **given)).table_valued("value")
    return column.in_(sa.select(listed.c.value))


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    changed: Sequence[str] = (),
    not_older: str | None = None,
) -> None:
    """Insert rows; on an equal ``key`` set ``changed`` (none: keep the old row).

    With ``not_older`` an old row whose column of that name is greater stays as it is.
    """
    if not rows:
        return
    statement = _upsert(connection.dialect.name, table, tuple(key), tuple(changed), not_older)
    connection.execute(statement, [dict(row) for row in rows])


@cache
def _upsert(
    dialect: str, table: sa.Table, key: tuple[str, ...], changed: tuple[str, ...], not_older: str | None
) -> Any:
    """The statement behind ``upsert``, put together once: for a few rows that costs more than to carry it out."""
    statement = _insert(dialect, table)
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    where = statement.excluded[not_older] >= table.c[not_older] if not_older else None
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in changed}, where=where
    )


def insert_new(
    connection: sa.Connection, table: sa.Table, row: Mapping[str, Any], key: Sequence[str]
) -> bool:
    """Insert one row unless its ``key`` is there, also by another transaction meanwhile; whether it was new."""
    columns = [table.c[name] for name in key]
    statement = (
        _insert(connection.dialect.name, table)
        .values(dict(row))
        .on_conflict_do_nothing(index_elements=columns)
    )
    return connection.execute(statement.returning(*columns)).first() is not None


def copy_in(
    connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Bulk insert without conflicts: ``COPY`` on PostgreSQL, ``executemany`` on SQLite."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 - the names are ours
            [tuple(row) for row in rows],
        )
        return
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def migrate(engine: sa.Engine, package: str, revision: str = "head") -> None:
    """Bring the store to the newest schema of ``package``; raises ``StoreTooNew`` for a later one."""
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(resources.files("dmi_infra") / "migrations"))
    config.set_main_option("version_locations", str(resources.files(package) / "migrations"))
    config.set_main_option("path_separator", "os")
    with guarded(), engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as exc:
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            raise StoreTooNew(
                f"the store of {package} was written by a newer version; known here: {', '.join(sorted(known))}"
            ) from exc


def store_check(engine: sa.Engine) -> Callable[[], str | None]:
    """A readiness check: ``None`` when the store answers, and takes what is written since the last that it did not.

    After a failure it tries itself: a service that is told nothing while it is not ready would stay so for ever.
    """
    writes = _writes(engine)

    def check() -> str | None:
        try:
            with reading(engine) as connection:
                connection.execute(sa.text("SELECT 1"))
        except StoreUnavailable as exc:
            return exc.public
        try:
            if writes.failing:
                with transaction(engine) as connection:
                    connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
        except StoreUnavailable:
            return NOT_STORED
        return None

    return check
