"""What a backup must hold: without the stores of a city it is none, and says so before anybody relies on it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from dmi_command import backups
from dmi_command.backups import DUMP, FORMAT, MANIFEST, STORE, backup, restore
from dmi_command.errors import CannotStart
from dmi_command.servers import PostgresServer
from dmi_infra.settings import Settings


@pytest.fixture
def keys_alone(tmp_path: Path) -> Settings:
    """A data folder with nothing but a key."""
    settings = Settings(data_dir=tmp_path / "data")
    (settings.data_dir / "keys").mkdir(parents=True)
    (settings.data_dir / "keys" / "participant_exchange.json").write_text("{}")
    return settings


def archive(file: Path, **members: bytes) -> Path:
    """A backup whose digests are right, whatever it holds."""
    folder = file.with_suffix("")
    folder.mkdir()
    for name, content in members.items():
        (folder / name).write_bytes(content)
    files = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "files": files}))
    with tarfile.open(file, "w") as written:
        for name in (*members, MANIFEST):
            written.add(folder / name, name)
    return file


def test_a_folder_without_any_store_is_not_backed_up(keys_alone: Settings, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=f"neither {STORE} nor PostgreSQL"):
        backup(keys_alone, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


@pytest.mark.parametrize("file_store_too", [False, True])
@pytest.mark.parametrize("left", ["", "99999999\n/data\n0\n1\n\n127.0.0.1\n", "99"])
def test_a_cluster_that_does_not_run_is_told_with_what_to_do(
    keys_alone: Settings, tmp_path: Path, left: str, file_store_too: bool
) -> None:
    """``left`` is what a killed server leaves in its file."""
    data = keys_alone.data_dir / "postgresql" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    if left:
        (data / "postmaster.pid").write_text(left)
    if file_store_too:
        with closing(sqlite3.connect(keys_alone.data_dir / STORE)) as store:
            store.execute("CREATE TABLE something (id)")
    with pytest.raises(CannotStart, match=r"does not run: start that and ask again"):
        backup(keys_alone, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


@pytest.mark.parametrize("servers", [False, True])
def test_a_backup_without_any_store_is_not_restored(tmp_path: Path, servers: bool) -> None:
    file, target = archive(tmp_path / "backup.tar", **{"participant_exchange.json": b"{}"}), tmp_path / "to"
    with pytest.raises(CannotStart, match="no city in it, only keys and files"):
        restore(Settings(data_dir=target), file, servers=servers)
    assert list(target.iterdir()) == []


def test_a_dump_says_where_it_can_go(tmp_path: Path) -> None:
    file = archive(tmp_path / "backup.tar", **{DUMP: b"PGDMP"})
    with pytest.raises(CannotStart, match=r"DMI_DATABASE_URL .* or with --servers"):
        restore(Settings(data_dir=tmp_path / "to"), file)


@pytest.mark.parametrize("name", ["postgresql", "kafka"])
def test_servers_of_an_older_city_are_not_written_over(tmp_path: Path, name: str) -> None:
    file = archive(tmp_path / "backup.tar", **{DUMP: b"PGDMP"})
    (tmp_path / "to" / name).mkdir(parents=True)
    with pytest.raises(CannotStart, match=f"holds {name} already"):
        restore(Settings(data_dir=tmp_path / "to"), file, servers=True)


def test_a_restore_goes_to_one_database_not_to_two(tmp_path: Path) -> None:
    file = archive(tmp_path / "backup.tar", **{DUMP: b"PGDMP"})
    settings = Settings(data_dir=tmp_path / "to", database_url="postgresql+psycopg://dmi@127.0.0.1/dmi")
    with pytest.raises(CannotStart, match=r"--servers makes .* leave out DMI_DATABASE_URL"):
        restore(settings, file, servers=True)
    assert not (tmp_path / "to").exists()


def test_a_dump_that_cannot_be_loaded_leaves_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's programs are not needed to see it: a folder stands for the cluster."""
    monkeypatch.setattr(PostgresServer, "start", lambda server: server.folder.mkdir())
    monkeypatch.setattr(backups, "_load", _broken)
    file, target = archive(tmp_path / "backup.tar", **{DUMP: b"PGDMP"}), tmp_path / "to"
    with pytest.raises(CannotStart, match="pg_restore failed"):
        restore(Settings(data_dir=target), file, servers=True)
    assert list(target.iterdir()) == []


def _broken(_address: str, _file: Path) -> None:
    raise CannotStart("pg_restore failed")
