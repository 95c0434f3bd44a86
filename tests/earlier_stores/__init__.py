"""Stores as earlier versions wrote them: real rows of every table, kept as text, one file a revision.

A file ``<package>.<revision>.json`` holds rows by table and column; bytes stand as ``{"base64": …}``. It is
written once, while its revision is the newest (``capture``), and never changed: later code must still read it.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from dmi_platform.store.partitions import Partitions

FOLDER = Path(__file__).parent
PACKAGES = ("dmi_exchange", "dmi_ingest", "dmi_platform", "dmi_visualisation", "dmi_support_centre")

Rows = dict[str, list[dict[str, Any]]]


def revisions(package: str) -> list[str]:
    """The revisions of a package's store, the first one first."""
    config = Config()
    config.set_main_option("script_location", _folder("dmi_infra"))
    config.set_main_option("version_locations", _folder(package))
    config.set_main_option("path_separator", "os")
    walked = ScriptDirectory.from_config(config).walk_revisions()
    return [script.revision for script in walked][::-1]


def _folder(package: str) -> str:
    return str(resources.files(package) / "migrations")


def file_of(package: str, revision: str) -> Path:
    """Where the rows of a revision are kept."""
    return FOLDER / f"{package}.{revision}.json"


def read(package: str, revision: str) -> Rows:
    """The kept rows of a revision, by table."""

    def mend(value: dict[str, Any]) -> Any:
        return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value

    found: Rows = json.loads(file_of(package, revision).read_text(encoding="utf-8"), object_hook=mend)
    return found


def fill(engine: sa.Engine, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    """Put kept rows into a store of their revision; what the migration itself had made there is replaced."""
    if "observation" in rows:
        # The platform makes the partitions of PostgreSQL as rows come.
        Partitions(engine).cover(np.array([row["time"] for row in rows["observation"]], np.int64))
    with engine.begin() as connection:
        for name, found in rows.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.delete(table))
            truths = {column.name for column in table.columns if isinstance(column.type, sa.Boolean)}
            fitting = [
                {
                    key: bool(value) if key in truths and value is not None else value
                    for key, value in row.items()
                }
                for row in found
            ]
            connection.execute(sa.insert(table), fitting)
        if engine.dialect.name == "postgresql":
            _go_on_counting(connection, rows)


def _go_on_counting(connection: sa.Connection, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    """Let PostgreSQL number new rows behind those with a number of their own."""
    for name in rows:
        for column in sa.inspect(connection).get_columns(name):
            if "nextval" in str(column["default"]):
                connection.execute(
                    sa.text(
                        f"SELECT setval(pg_get_serial_sequence('\"{name}\"', '{column['name']}'), "  # noqa: S608
                        f'(SELECT max("{column["name"]}") FROM "{name}"))'
                    )
                )


def write(package: str, revision: str, store: Path, keep: Mapping[str, str]) -> None:
    """Keep the rows of a SQLite store; ``keep`` is a condition for tables of which a part is enough."""
    connection = sqlite3.connect(store)
    connection.row_factory = sqlite3.Row
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    rows: Rows = {}
    for (name,) in connection.execute(f"{names} AND name <> 'alembic_version' ORDER BY name").fetchall():
        condition = keep.get(name, "1")
        found = connection.execute(f'SELECT * FROM "{name}" WHERE {condition}').fetchall()  # noqa: S608
        rows[name] = [dict(row) for row in found]
    connection.close()
    text = json.dumps(rows, indent=0, ensure_ascii=False, default=_as_text)
    file_of(package, revision).write_text(text + "\n", encoding="utf-8")


def _as_text(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return {"base64": base64.b64encode(value).decode()}
