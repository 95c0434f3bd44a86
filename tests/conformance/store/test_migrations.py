"""Every service's migrations make the schema that its code expects, on SQLite and on PostgreSQL."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dmi_infra.sql import migrate, open_engine

PACKAGES = ("dmi_exchange", "dmi_visualisation", "dmi_platform", "dmi_ingest", "dmi_support_centre")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], sa.Engine]]:
    """Opens empty stores."""
    opened: list[sa.Engine] = []

    def open_one() -> sa.Engine:
        name = f"t{uuid.uuid4().hex[:8]}"
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path / f'{name}.db'}"
        else:
            server = request.getfixturevalue("postgres_server")
            server.create_database("migrations")
            address = server.url("migrations")
        opened.append(open_engine(address, name))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.dispose()


def _metadata(package: str) -> sa.MetaData:
    found = getattr(importlib.import_module(f"{package}.store"), "metadata", None)
    if found is None:
        found = importlib.import_module(f"{package}.store.tables").metadata
    assert isinstance(found, sa.MetaData)
    return found


NOT_OURS = ("spatial_ref_sys", "alembic_version")
"""Tables of PostGIS and of the migrations themselves."""


def _partitions(connection: sa.Connection) -> list[str]:
    """Tables that are only part of another one."""
    if connection.dialect.name == "sqlite":
        return []
    return list(connection.execute(sa.text("SELECT relname FROM pg_class WHERE relispartition")).scalars())


def _differences(engine: sa.Engine, metadata: sa.MetaData) -> list[str]:
    with engine.connect() as connection:
        hidden = {*NOT_OURS, *_partitions(connection)}
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _parents: kind != "table" or name not in hidden,
        }
        context = MigrationContext.configure(connection, opts=options)
        return [str(difference) for difference in compare_metadata(context, metadata)]


@pytest.mark.parametrize("package", PACKAGES)
def test_migrations_make_the_schema_of_the_code(empty: Callable[[], sa.Engine], package: str) -> None:
    engine = empty()
    migrate(engine, package)
    assert _differences(engine, _metadata(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_migrating_again_changes_nothing(empty: Callable[[], sa.Engine], package: str) -> None:
    engine = empty()
    migrate(engine, package)
    before = sorted(sa.inspect(engine).get_table_names())
    migrate(engine, package)
    assert sorted(sa.inspect(engine).get_table_names()) == before


def test_a_missing_column_would_be_found(empty: Callable[[], sa.Engine]) -> None:
    engine = empty()
    migrate(engine, "dmi_exchange")
    metadata = sa.MetaData()
    for table in _metadata("dmi_exchange").tables.values():
        table.to_metadata(metadata)
    metadata.tables["law"].append_column(sa.Column("forgotten", sa.Text))
    assert any("forgotten" in difference for difference in _differences(engine, metadata))
