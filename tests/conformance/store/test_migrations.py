"""Every service's migrations make the schema that its code expects, on SQLite and on PostgreSQL."""

from __future__ import annotations

import importlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dmi_infra import clock
from dmi_infra.sql import migrate, open_engine
from dmi_support_centre.store import Store
from tests.earlier_stores import PACKAGES, file_of, fill, read, revisions

KEPT = [(package, revision) for package in PACKAGES for revision in revisions(package)
        if file_of(package, revision).exists()]  # fmt: skip


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


def _tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(sa.inspect(engine).get_table_names()) - {*NOT_OURS, *_partitions(connection)}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_earlier_revision_has_kept_rows_of_every_table(
    empty: Callable[[], sa.Engine], package: str
) -> None:
    for revision in revisions(package)[:-1]:
        assert (package, revision) in KEPT, "write them with tests.earlier_stores.capture before a migration"
    for kept, revision in KEPT:
        if kept == package:
            engine = empty()
            migrate(engine, package, revision)
            filled = {name for name, rows in read(package, revision).items() if rows}
            assert filled == _tables(engine)


def _rows(engine: sa.Engine, name: str, columns: list[str]) -> list[str]:
    """The rows of a table as text, in an order of their own; numbers as numbers, whatever their type."""
    table = sa.Table(name, sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*(table.c[column] for column in columns))).all()
    return sorted(_text(dict(zip(columns, row, strict=True))) for row in rows)


def _text(row: dict[str, Any]) -> str:
    plain = {key: float(value) if isinstance(value, bool | int) else value for key, value in row.items()}
    return json.dumps(plain, sort_keys=True, default=bytes.hex)


MOVED = {("dmi_support_centre", "scenario"): {"baseline": ("version", "scenario")}}
"""Columns that stand in another table now: there, and in which column the id of the row is."""


WRITTEN_ANEW = {("dmi_exchange", "log"), ("dmi_exchange", "log_head")}
"""Tables whose rows have another form now; ``test_log_migration`` tries that they lose nothing."""


@pytest.mark.parametrize(("package", "revision"), KEPT)
def test_an_earlier_store_moves_forward_and_loses_nothing(
    empty: Callable[[], sa.Engine], package: str, revision: str
) -> None:
    engine, kept = empty(), read(package, revision)
    migrate(engine, package, revision)
    fill(engine, kept)
    migrate(engine, package)
    assert _differences(engine, _metadata(package)) == []
    for name, rows in kept.items():
        if (package, name) in WRITTEN_ANEW:
            continue
        moved = MOVED.get((package, name), {})
        columns = sorted(rows[0].keys() - moved.keys())
        expected = [{column: row[column] for column in columns} for row in rows]
        assert _rows(engine, name, columns) == sorted(map(_text, expected)), name
        for column, (table, key) in moved.items():
            now = [json.loads(row) for row in _rows(engine, table, [key, column])]
            before = {row["id"]: row[column] for row in rows if column in row}
            assert not before or {one[key]: one[column] for one in now} == before


def test_a_lost_row_would_be_found(empty: Callable[[], sa.Engine]) -> None:
    engine, kept = empty(), read("dmi_platform", "platform_0001")
    migrate(engine, "dmi_platform", "platform_0001")
    fill(engine, kept)
    table = sa.Table("outcome", sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.message_id == kept["outcome"][0]["message_id"]))
    columns = sorted(kept["outcome"][0])
    assert _rows(engine, "outcome", columns) != sorted(map(_text, kept["outcome"]))


@pytest.mark.parametrize("revision", ["support_centre_0001", "support_centre_0002"])
def test_every_old_rule_stands_in_its_first_version(empty: Callable[[], sa.Engine], revision: str) -> None:
    engine, kept = empty(), read("dmi_support_centre", revision)
    migrate(engine, "dmi_support_centre", revision)
    fill(engine, kept)
    migrate(engine, "dmi_support_centre")
    rules = Store(engine).measures.rules()
    assert {row.rule.id: row.version for row in rules} == {row["id"]: 1 for row in kept["rule"]}
    moved = [Store(engine).measures.put_rule(row) for row in rules]
    assert [row.version for row in moved if row] == [2] * len(rules)


@pytest.mark.parametrize("revision", ["support_centre_0001", "support_centre_0004"])
def test_every_old_result_that_stands_is_found_by_its_datasets(
    empty: Callable[[], sa.Engine], revision: str
) -> None:
    engine, kept = empty(), read("dmi_support_centre", revision)
    fallen = {**kept["result"][0], "id": "fallen", "withdrawn_at": 1, "withdrawn_ground": "g"}
    migrate(engine, "dmi_support_centre", revision)
    fill(engine, {**kept, "result": [*kept["result"], fallen]})
    migrate(engine, "dmi_support_centre")
    expected = {
        (dataset, row["id"])
        for row in kept["result"]
        if row["withdrawn_at"] is None
        for dataset in json.loads(row["grounds"])["datasets"]
    }
    table = sa.Table("material", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        assert {tuple(row) for row in connection.execute(sa.select(table))} == expected != set()


def test_persons_of_old_rows_are_known_and_from_when_on_all_are(empty: Callable[[], sa.Engine]) -> None:
    engine, revision = empty(), "support_centre_0005"
    kept = read("dmi_support_centre", revision)
    named = {"quarter": "a", "recent": "b", "counted": "c"}
    whose = {table: [{**kept[table][0], "subject": who, "dataset": "d"}] for table, who in named.items()}
    migrate(engine, "dmi_support_centre", revision)
    fill(engine, {**kept, **whose})
    before = clock.now()
    migrate(engine, "dmi_support_centre")
    seen = Store(engine).seen
    assert [seen.may_hold("d", who) for who in "abcx"] == [True, True, True, False]
    assert before <= seen.since() <= clock.now()


def test_what_was_carried_out_for_persons_before_took_all_results_back(
    empty: Callable[[], sa.Engine],
) -> None:
    engine, kept = empty(), read("dmi_exchange", "exchange_0004")
    migrate(engine, "dmi_exchange", "exchange_0004")
    fill(engine, kept)
    migrate(engine, "dmi_exchange")
    expected = {
        (row["request"], row["service"]): row["at"] if row["service"] == "support-centre" else 0
        for row in kept["exercised"]
    }
    table = sa.Table("exercised", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        found = {(row.request, row.service): row.taken_back for row in connection.execute(sa.select(table))}
    assert found == expected
    assert any(found.values())


def test_old_measures_that_fell_when_they_were_over_lose_their_figures_and_no_others(
    empty: Callable[[], sa.Engine],
) -> None:
    engine, revision = empty(), "support_centre_0004"
    kept = read("dmi_support_centre", revision)
    (measure,) = kept["measure"]
    states = {"open": "published", "over": "expired", "stands": "expired"}
    measures = [
        {**measure, "id": name, "state": state, "look_back": "{}", "body": _named(measure["body"], name)}
        for name, state in states.items()
    ]
    fell = {"withdrawn_at": 1, "withdrawn_ground": "g"}
    results = [{**kept["result"][-1], "id": name, **(fell if name != "stands" else {})} for name in states]
    migrate(engine, "dmi_support_centre", revision)
    fill(engine, {**kept, "measure": measures, "result": results})
    migrate(engine, "dmi_support_centre")
    found = {row.measure.id: row for row in Store(engine).measures.measures()}
    assert {name: bool(row.measure.properties) for name, row in found.items()} == {
        "open": True, "over": False, "stands": True,
    }  # fmt: skip
    assert [name for name, row in found.items() if row.look_back is None] == ["over"]
    assert found["over"].measure.advice == found["stands"].measure.advice


def _named(body: str, name: str) -> str:
    return json.dumps({**json.loads(body), "id": name})


def test_old_outcomes_are_for_the_owner_where_their_rejects_tell_whose_they_are(
    empty: Callable[[], sa.Engine],
) -> None:
    engine, kept = empty(), read("dmi_platform", "platform_0001")
    migrate(engine, "dmi_platform", "platform_0001")
    fill(engine, kept)
    migrate(engine, "dmi_platform")
    told = {reject["message_id"]: reject["dataset"] for reject in kept["reject"]}
    table = sa.Table("outcome", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        found = {row.message_id: row.dataset for row in connection.execute(sa.select(table))}
    assert found == {message: told.get(message, "") for message in found}
    assert set(told) & set(found)
