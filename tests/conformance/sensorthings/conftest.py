"""A node of ingest on fakes, for the requirements of OGC 18-088."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ingest.fakes import Node, running


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite, else a new database on a real PostgreSQL."""
    if request.param == "sqlite":
        return ""
    server = request.getfixturevalue("postgres_server")
    name = f"ingest_{uuid.uuid4().hex[:12]}"
    server.create_database(name)
    return str(server.url(name))


@pytest.fixture
def stored(address: str, tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path, address) as node:
        yield node
