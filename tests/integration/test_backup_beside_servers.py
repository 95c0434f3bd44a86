"""A backup beside ``make up-server``, whose database is in the data folder, and the way back into such a folder."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path

import pytest

from dmi_agreements.contracts.record import DecisionRecord
from dmi_command import backups
from dmi_command.errors import CannotStart
from dmi_command.servers import PostgresServer
from dmi_exchange.store import Store
from dmi_infra.settings import Settings
from dmi_infra.sql import migrate, open_engine

pytestmark = pytest.mark.postgres
ENTRIES = 20


@pytest.fixture
def city(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Settings]:
    """A data folder with a cluster that runs, in whose database the log has entries."""
    settings = Settings(data_dir=tmp_path / "city")
    settings.data_dir.mkdir()
    (settings.data_dir / "postgresql").symlink_to(postgres_server.folder)
    engine = open_engine(postgres_server.url(), "exchange")
    migrate(engine, "dmi_exchange")
    Store(engine).append([_decision(index) for index in range(ENTRIES)], [], {})
    engine.dispose()
    yield settings
    postgres_server.drop_database("dmi")
    postgres_server.create_database("dmi")


def _decision(number: int) -> DecisionRecord:
    return DecisionRecord(f"d{number}", number, "platform", "query", "a", "dmi:read", "d", "p", True, [])


def test_the_database_is_found_and_comes_back_where_make_up_server_goes_on(
    city: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, target = tmp_path / "backup.tar", Settings(data_dir=tmp_path / "restored")
    backups.backup(city, file)
    with tarfile.open(file) as archive:
        assert backups.DUMP in archive.getnames()
    # Safe writing is PostgreSQL's own; here it would cost seconds.
    fast = partialmethod(PostgresServer.__init__, durable=False)
    monkeypatch.setattr(PostgresServer, "__init__", fast)
    state = backups.restore(target, file, servers=True)
    assert state.count == ENTRIES
    assert PostgresServer.beside(target.data_dir / "postgresql") is None
    server = PostgresServer(target.data_dir / "postgresql")
    server.start()
    try:
        assert backups.log_state(server.url()) == state
    finally:
        server.stop()


def test_the_file_of_another_cluster_on_the_same_port_is_no_way_to_it(
    city: Settings, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """A server was killed, and another one has its port by now."""
    left = postgres_server.folder / "data" / "postmaster.pid"
    data = tmp_path / "other" / "postgresql" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    (data / "postmaster.pid").write_text(left.read_text().replace("\n", "\n/another", 1))
    with pytest.raises(CannotStart, match="does not run"):
        backups.backup(Settings(data_dir=tmp_path / "other"), tmp_path / "backup.tar")
