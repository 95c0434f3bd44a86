"""A backup of a stack in one file, and the way back.

A backup is a tar archive: each SQLite store and the embedded bus as the database itself copies them while it
runs (or ``pg_dump`` of the database, also of the one that ``make up-server`` starts), the keys as they lie in their
files, and the other files of the data folder. ``manifest.json`` comes last, with a digest of each. Stores are copied
before the bus: what a store has read, the bus of the backup then holds. Kafka is not part of it: the exchange
publishes the law to an empty bus anew, and observations on their way must be delivered again by their sources.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dmi_command.blueprints import SERVICES
from dmi_command.errors import CannotStart, CommandFailed
from dmi_command.servers import PostgresServer, ServerError
from dmi_command.servers.postgres import FOLDER as CLUSTER
from dmi_command.servers.postgres import client_program
from dmi_exchange.logbook.check import check
from dmi_exchange.logbook.entries import Entries
from dmi_exchange.logbook.tree import Tree
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.jose import SigningKey
from dmi_infra.settings import Settings
from dmi_infra.sql import migrate, open_engine

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DUMP: Final = "postgresql.dump"
BUS: Final = "bus.db"
STORE: Final = "exchange.db"
KAFKA: Final = "kafka"
LEFT_OUT: Final = frozenset({"lock", "locks", KAFKA, CLUSTER, "nginx"})
"""Of the data folder: locks, and the servers of ``make up-server``, which keep their data in their own way."""
DUMP_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class LogState:
    """How many entries the log has, and the root over them (hexadecimal)."""

    count: int
    head: str


def backup(settings: Settings, file: Path) -> dict[str, Any]:
    """Write everything to ``file``, which must not exist; the stack may run. Returns what it holds."""
    if not settings.data_dir.is_dir():
        raise CannotStart(f"there is no data folder {settings.data_dir}")
    database = _database(settings)
    if not database and not (settings.data_dir / STORE).exists():
        raise CannotStart(
            f"the data folder {settings.data_dir} holds neither {STORE} nor PostgreSQL's: there is no city to back up; "
            "where its stores are elsewhere, say so with DMI_DATABASE_URL"
        )
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".backup-") as temporary:
        folder = Path(temporary)
        if database:
            _dump(database, folder / DUMP)
        _copy(settings, folder)
        digests = _digests(folder)
        manifest = {"format": FORMAT, "at": clock.to_text(clock.now()), "files": digests}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
        written = folder.with_name(f"{folder.name}.tar")
        try:
            with tarfile.open(written, "x") as archive:
                for name in (*digests, MANIFEST):
                    archive.add(folder / name, name)
            written.chmod(0o600)
            # Linked whole: there is never half a backup under this name, nor an older one overwritten.
            file.hardlink_to(written)
        except FileExistsError as exc:
            raise CannotStart(f"{file} exists already; a backup takes a name of its own") from exc
        finally:
            written.unlink(missing_ok=True)
    return manifest


def _database(settings: Settings) -> str:
    """The address of the database that holds the stores; empty where they are files of the data folder."""
    cluster = settings.data_dir / CLUSTER
    if settings.database_url or not PostgresServer.kept_in(cluster):
        return settings.database_url
    try:
        found = PostgresServer.beside(cluster)
    except ServerError as exc:
        raise CannotStart(str(exc)) from exc
    if found is None:
        raise CannotStart(
            f"PostgreSQL in {cluster}, which holds the city of make up-server, does not run: start that and ask again, "
            "or move the folder away if it is of no use any more"
        )
    return found.url()


def restore(settings: Settings, file: Path, *, servers: bool = False) -> LogState:
    """Bring the backup back into an empty data folder (and database); returns the log, which was checked.

    With ``servers`` the database is a new one in the data folder, for a stack that starts its servers itself.
    Nothing is in its place before every digest was compared, and the log verified from its first entry.
    """
    if servers and settings.database_url:
        raise CannotStart(
            "--servers makes a database of its own in the data folder: leave it out to restore into the one that "
            "DMI_DATABASE_URL names, or leave out DMI_DATABASE_URL"
        )
    target = settings.data_dir
    present = list(_contents(target)) if target.is_dir() else []
    # Of an older city its bus would tell the law, and its database would be added to.
    present += [path for name in (CLUSTER, KAFKA) if servers and (path := target / name).exists()]
    if present:
        raise CannotStart(
            f"the data folder {target} holds {present[0].name} already: move it away, or choose another "
            "with DMI_DATA_DIR"
        )
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".restore-") as temporary:
        folder = Path(temporary)
        _unpack(file, folder)
        _compare(folder)
        _check_stores(folder, bool(settings.database_url), servers)
        with _new_cluster(target) if servers else nullcontext(settings.database_url) as database:
            if database:
                _load(database, folder / DUMP)
                (folder / DUMP).unlink()
            state = log_state(database or f"sqlite:///{(folder / STORE).absolute()}")
            for path in sorted(folder.iterdir()):
                if path.name != MANIFEST:
                    shutil.move(path, target / path.name)
    return state


def _check_stores(folder: Path, database: bool, servers: bool) -> None:
    """Raise ``CannotStart`` unless the backup in ``folder`` holds a city, for the kind of store that it is to go to."""
    dumped = (folder / DUMP).exists()
    if not dumped and not (folder / STORE).exists():
        raise CannotStart(
            f"the backup holds neither {STORE} nor {DUMP}: there is no city in it, only keys and files"
        )
    if dumped and not (database or servers):
        raise CannotStart(
            "the backup holds PostgreSQL: say with DMI_DATABASE_URL which empty database it goes to, or with --servers "
            "that make up-server goes on with it"
        )
    if not dumped and (database or servers):
        raise CannotStart(
            "the backup holds SQLite stores: leave out " + ("--servers" if servers else "DMI_DATABASE_URL")
        )


@contextmanager
def _new_cluster(data_dir: Path) -> Iterator[str]:
    """The address of the database of a new cluster in the data folder; it is gone again after an error."""
    cluster = PostgresServer(data_dir / CLUSTER)
    try:
        cluster.start()
        yield cluster.url()
    except BaseException as exc:
        cluster.remove()
        if isinstance(exc, ServerError):
            raise CannotStart(str(exc)) from exc
        raise
    cluster.stop()


def log_state(address: str) -> LogState:
    """The log in a store after its whole chain was verified; raises ``CommandFailed`` when it does not hold."""
    engine = open_engine(address, "exchange")
    try:
        migrate(engine, "dmi_exchange")
        # This tree signs nothing; its key is nobody's.
        found = check(Entries(engine), Tree(engine, "", SigningKey.generate()))
    except Unavailable as exc:
        raise CannotStart(str(exc)) from exc
    finally:
        engine.dispose()
    if not found.ok:
        raise CommandFailed(f"the log of the backup is broken at entry {found.broken_at}: {found.reason}")
    return LogState(found.count, found.root_hash)


def _copy(settings: Settings, folder: Path) -> None:
    databases: list[Path] = []
    others: list[Path] = []
    for path in _contents(settings.data_dir):
        for each in [path] if path.is_file() else sorted(path.rglob("*")):
            if each.is_file() and not each.name.endswith(("-wal", "-shm", "-journal")):
                (databases if each.suffix == ".db" else others).append(each)
    for each in sorted(databases, key=lambda one: one.name == BUS):
        to = folder / each.relative_to(settings.data_dir)
        to.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(each)) as source, closing(sqlite3.connect(to)) as copy:
            source.backup(copy)
    for each in others:
        to = folder / each.relative_to(settings.data_dir)
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(each, to)
        except FileNotFoundError:
            continue  # a file of a running import that ended meanwhile; its rows are in the store


def _contents(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.name not in LEFT_OUT)


def _unpack(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:") as archive:
            archive.extractall(folder, filter="data")
    except FileNotFoundError as exc:
        raise CannotStart(f"there is no file {file}") from exc
    except (tarfile.TarError, OSError) as exc:
        raise CannotStart(f"{file} is no backup that can be read: {exc}") from exc


def _compare(folder: Path) -> None:
    """Raise ``CannotStart`` unless the folder holds exactly what the manifest says."""
    try:
        manifest: Mapping[str, Any] = json.loads((folder / MANIFEST).read_text())
        stated: Mapping[str, str] = manifest["files"]
        version = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise CannotStart("the backup has no manifest that can be read: it is not whole") from exc
    if version != FORMAT:
        raise CannotStart(f"the backup has format {version}; this version reads {FORMAT}")
    found = _digests(folder)
    found.pop(MANIFEST)
    wrong = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
    if wrong:
        raise CannotStart(f"the backup is damaged: {wrong[0]} is not what the manifest says")


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file by its path in the folder."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _dump(address: str, file: Path) -> None:
    with _connection(address) as (options, environment):
        schemas = [f"--schema={name.replace('-', '_')}" for name in SERVICES]
        _run(["pg_dump", "--format=custom", f"--file={file}", *schemas, *options], environment)


def _load(address: str, file: Path) -> None:
    with _connection(address) as (options, environment):
        command = ["pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", *options]
        _run([*command, str(file)], environment)


@contextmanager
def _connection(address: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Options for PostgreSQL's programs; the password goes by a file that only we can read, never as an argument."""
    parts = urlsplit(address.replace("postgresql+psycopg://", "postgresql://", 1))
    options = [f"--host={parts.hostname}", f"--port={parts.port or 5432}", "--no-password"]
    options += [f"--username={parts.username}"] if parts.username else []
    options += [f"--dbname={parts.path.lstrip('/')}"]
    with tempfile.NamedTemporaryFile("w", prefix="dmi-", suffix=".pgpass") as secret:
        password = (parts.password or "").replace("\\", "\\\\").replace(":", "\\:")
        secret.write(f"*:*:*:*:{password}\n")
        secret.flush()
        yield options, {"PGPASSFILE": secret.name}


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    try:
        place = client_program(command[0])
    except ServerError as exc:
        raise CannotStart(str(exc)) from exc
    done = subprocess.run(
        [place, *command[1:]],
        capture_output=True,
        text=True,
        timeout=DUMP_SECONDS,
        check=False,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise CannotStart(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
