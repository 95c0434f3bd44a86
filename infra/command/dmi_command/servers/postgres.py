"""PostgreSQL with PostGIS: a cluster of its own in a folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from dmi_command.servers.errors import ServerMissing, ServerStartFailed
from dmi_command.servers.process import (
    ServerProcess,
    free_port,
    other_user,
    program,
    reaches,
    run,
    tail,
)

REMEDY: Final = (
    "install PostgreSQL 15 or later with PostGIS (Debian: apt-get install postgresql-15-postgis-3)"
)
FOLDER: Final = "postgresql"
"""Where a stack with servers of its own keeps its cluster, in its data folder."""
USER: Final = "postgres"
LEAVE_S: Final = 10.0
PORT_LINE: Final = 3
"""Of ``postmaster.pid``, from zero, as PostgreSQL documents it."""
STILL_LEAVING: Final = ("pre-existing shared memory", "lock file")


def _folders() -> list[Path]:
    """Where packages put the programs, newest version first."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")]
    return sorted(places, key=lambda place: int("".join(filter(str.isdigit, str(place))) or 0), reverse=True)


def client_program(name: str) -> str:
    """The path of one of PostgreSQL's own programs, such as ``pg_dump``; raises ``ServerMissing``."""
    return program(name, "PostgreSQL", REMEDY, _folders())


@contextmanager
def _way_to(folder: Path, user: str | None) -> Iterator[tuple[str, Sequence[int]]]:
    """A path by which ``user`` comes to ``folder``, and the open files that the path needs.

    Root may keep its data where nobody else can pass. The server, which refuses to run as root, then gets
    the open folder itself, which Linux shows under /proc; elsewhere there is no such way.
    """
    if user is None or reaches(user, folder):
        yield str(folder), ()
        return
    if not Path("/proc/self/fd").is_dir():
        raise ServerStartFailed(
            f"PostgreSQL does not run as root, and its user {user!r} cannot reach {folder}: choose another "
            "data folder with DMI_DATA_DIR, or start as an ordinary user"
        )
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}", (opened,)
    finally:
        os.close(opened)


class PostgresServer:
    """One cluster with the database ``dmi``; ``durable=False`` trades safety for speed, for tests only."""

    def __init__(self, folder: Path, port: int | None = None, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self._durable = durable
        self._process = ServerProcess("PostgreSQL", self.folder / "log" / "postgres.log")

    @classmethod
    def beside(cls, folder: Path) -> Self | None:
        """The cluster in ``folder`` as another process runs it; ``None`` where it does not run."""
        file = folder / "data" / "postmaster.pid"
        try:
            told = file.read_text()
            found = cls(folder, int(told.splitlines()[PORT_LINE]))
            # The file outlives a kill, and another server may have the port by now.
            same = found.query("SELECT pg_read_file('postmaster.pid')") == told.strip()
        except (FileNotFoundError, IndexError, ValueError, subprocess.SubprocessError):
            return None
        return found if same else None

    @staticmethod
    def kept_in(folder: Path) -> bool:
        """Whether there is a cluster in ``folder``, running or not."""
        return (folder / "data" / "PG_VERSION").exists()

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._process.running

    @property
    def group(self) -> int | None:
        """The process group while the server lives."""
        return self._process.group

    def url(self, database: str = "dmi") -> str:
        """The address of ``database`` as the settings expect it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make the cluster when the folder is new, start it, and make the database ``dmi`` with PostGIS."""
        log = self._process.log
        log.parent.mkdir(parents=True, exist_ok=True)
        if not self.kept_in(self.folder):
            self._make()
        data = self.folder / "data"
        user = other_user(USER, data)
        with _way_to(data, user) as (place, files):
            self._start(place, files, user)
        self.create_database("dmi")

    def _make(self) -> None:
        """Make the cluster beside its place and move it there whole: what is broken off is not taken for one."""
        data, half = self.folder / "data", self.folder / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        user = other_user(USER, half)
        with _way_to(half, user) as (place, files):
            made = [self._program("initdb"), "-D", place, "-U", USER, "-A", "trust"]
            made += ["-E", "UTF8", "--locale=C.UTF-8", *([] if self._durable else ["--no-sync"])]
            run("PostgreSQL", made, self._process.log, user=user, files=files)
        try:
            half.rename(data)
        except OSError as exc:  # an empty folder gives way, one with anything in it does not
            shutil.rmtree(half, ignore_errors=True)
            raise ServerStartFailed(
                f"{data} is no cluster of PostgreSQL (it has no PG_VERSION) and is not empty: move it away"
            ) from exc

    def _start(self, place: str, files: Sequence[int], user: str | None) -> None:
        log = self._process.log
        command = [self._program("postgres"), "-D", place, *self._settings()]
        until = time.monotonic() + LEAVE_S
        while True:
            try:
                self._process.start(command, self._ready, user=user, files=files)
                return
            except ServerStartFailed:
                # After a kill the workers of the old server leave by themselves, each when it notices.
                if time.monotonic() > until or not any(word in tail(log) for word in STILL_LEAVING):
                    raise
                time.sleep(0.2)

    def create_database(self, name: str) -> None:
        """Make the database ``name`` with PostGIS when it does not exist."""
        if _checked(name) not in self.query("SELECT datname FROM pg_database").splitlines():
            self.query(f'CREATE DATABASE "{name}"')
        available = self.query("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'")
        if available == "0":
            raise ServerMissing("PostGIS", REMEDY)
        self.query("CREATE EXTENSION IF NOT EXISTS postgis", name)

    def drop_database(self, name: str) -> None:
        """Remove the database ``name``, also when somebody is still connected."""
        self.query(f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    def query(self, statement: str, database: str = USER) -> str:
        """The text that ``statement`` answers."""
        command = [self._program("psql"), "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", database]
        done = subprocess.run(
            [*command, "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-c", statement],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"},
        )
        return done.stdout.strip()

    def stop(self, timeout: float = 15.0) -> None:
        """End the server in order; clients are disconnected. After ``timeout`` seconds it is killed."""
        self._process.stop(signal.SIGINT, timeout)

    def kill(self) -> None:
        """End the server at once; the next start recovers from its log."""
        self._process.kill()

    def restart(self) -> None:
        """Start again on the same port and data."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop and delete the folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _program(self, name: str) -> str:
        return program(name, "PostgreSQL", REMEDY, _folders())

    def _ready(self) -> bool:
        tried = [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
        return subprocess.run(tried, timeout=10, check=False).returncode == 0

    def _settings(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _checked(name: str) -> str:
    """Names of databases come from code; a quote in one would still be a mistake."""
    if not name.replace("_", "").isalnum():
        raise ValueError(f"{name!r} is no name for a database")
    return name
