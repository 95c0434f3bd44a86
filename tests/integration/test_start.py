"""Starting and stopping ``dmi up`` as a person does: clear lines, exit codes, nothing left running."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from dmi_command.blueprints import SERVICES
from dmi_command.holding import own_folder, own_services
from dmi_command.servers import free_port
from dmi_infra.settings import Settings
from tests.servers_plugin import require
from tests.stack_plugin import ROOT, EmbeddedStack, environment

STOP_SECONDS = 5.0
ORPHAN_SECONDS = 10.0
NO_NETWORK = """
import socket
_connect = socket.socket.connect
def connect(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        open({seen!r}, "a").write(repr(address))
        raise OSError("no network")
    return _connect(self, address)
socket.socket.connect = connect
"""
"""Python reads a module of the name ``sitecustomize`` first: here it lets only this machine be reached."""


def _up(settings: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """``dmi up`` that is expected to end by itself."""
    return _dmi(settings, "up", "--no-demo", *options)


def _dmi(settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    whole = environment({"COLUMNS": "300", **settings})
    command = [sys.executable, "-m", "dmi_command", *words]
    return subprocess.run(
        command, env=whole, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that the command wrote: no traceback, nothing else."""
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert len(lines) == 1, lines
    assert lines[0].startswith("dmi: ")
    return lines[0]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A folder on which a stack has run and been stopped."""
    folder = tmp_path_factory.mktemp("used")
    stack = EmbeddedStack("embedded", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    stack.start()
    assert stack.stop() < STOP_SECONDS
    yield stack
    stack.stop()


def test_an_unknown_setting_ends_the_start_with_2_and_the_nearest_known_name(tmp_path: Path) -> None:
    done = _up({"DMI_DATA_DIR": str(tmp_path), "DMI_PROT": "8080"})
    assert done.returncode == 2
    assert "DMI_PROT; did you mean DMI_PORT?" in _one_line(done)


def test_a_setting_with_a_value_that_breaks_its_rule_ends_the_start_with_2(tmp_path: Path) -> None:
    done = _up({"DMI_DATA_DIR": str(tmp_path), "DMI_PORT": "eighty"})
    assert done.returncode == 2
    assert "DMI_PORT" in _one_line(done)


@pytest.mark.parametrize("options", [(), ("--servers",)])
def test_a_data_folder_that_another_stack_runs_on_ends_the_start_with_3(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with own_folder(Settings(data_dir=tmp_path)):
        done = _up({"DMI_DATA_DIR": str(tmp_path), "DMI_PORT": str(free_port())}, *options)
    assert done.returncode == 3
    assert "another stack runs on the data folder" in _one_line(done)
    with own_folder(Settings(data_dir=tmp_path)):
        pass


def test_a_service_that_runs_already_on_the_data_folder_is_not_started_a_second_time(tmp_path: Path) -> None:
    free = {"DMI_DATA_DIR": str(tmp_path), "DMI_PORT": str(free_port())}
    with own_services(Settings(data_dir=tmp_path), ["platform"]):
        alone, whole = _dmi(free, "serve", "platform"), _up(free)
    for done in (alone, whole):
        assert done.returncode == 3
        assert "the service platform runs already on the data folder" in _one_line(done)


@pytest.mark.parametrize("options", [(), ("--servers",)])
def test_a_taken_port_ends_the_start_with_3(tmp_path: Path, options: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _up({"DMI_DATA_DIR": str(tmp_path), "DMI_PORT": port}, *options)
    assert done.returncode == 3
    assert f"port {port} on 127.0.0.1 is in use by another program" in _one_line(done)


@pytest.mark.parametrize("target", ["up", "up-server"])
def test_make_adds_nothing_to_the_line_and_ends_with_an_error(tmp_path: Path, target: str) -> None:
    page = "services/visualisation/dmi_visualisation/static/index.html"
    command = ["make", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.ready", "-o", page, target]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {"DMI_DATA_DIR": str(tmp_path), "DMI_PORT": str(taken.getsockname()[1]), "COLUMNS": "300"}
        done = subprocess.run(
            command,
            env=environment(settings),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert "is in use by another program" in _one_line(done)


def test_a_data_folder_that_is_a_file_ends_the_start_with_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = _up({"DMI_DATA_DIR": str(tmp_path / "file"), "DMI_PORT": str(free_port())})
    assert done.returncode == 3
    assert str(tmp_path / "file") in _one_line(done)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with hardly any room; where nobody may make one, a folder in which nobody may write."""
    folder = tmp_path / "full"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        require("mount", "root that may not mount can write everywhere, so no disk can be made full")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_data_folder_that_takes_no_data_ends_the_start_with_3(full_disk: Path) -> None:
    done = _up({"DMI_DATA_DIR": str(full_disk), "DMI_PORT": str(free_port())})
    assert done.returncode == 3
    _one_line(done)


def test_the_second_start_goes_on_with_the_same_data_and_needs_no_network(
    used: EmbeddedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK.format(seen=str(seen)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = (used.data_dir / "keys" / "participant_exchange.json").read_bytes()
    used.start()
    with used.demo("operator") as operator:
        participants = operator.get("/exchange/v1/participants")["items"]
    assert used.stop() < STOP_SECONDS
    assert (used.data_dir / "keys" / "participant_exchange.json").read_bytes() == before
    assert len(participants) == len({one["id"] for one in participants})
    assert not seen.exists(), f"a start reached for {seen.read_text()}"


def test_a_store_of_a_newer_version_ends_the_start_with_3_and_stays_as_it_is(used: EmbeddedStack) -> None:
    file = used.data_dir / "platform.db"
    with closing(sqlite3.connect(file)) as store, store:
        (known,) = store.execute("SELECT version_num FROM alembic_version").fetchone()
        store.execute("UPDATE alembic_version SET version_num = '9999_later'")
    done = _up({"DMI_DATA_DIR": str(used.data_dir), "DMI_PORT": str(free_port())})
    with closing(sqlite3.connect(file)) as store, store:
        (kept,) = store.execute("SELECT version_num FROM alembic_version").fetchone()
        store.execute("UPDATE alembic_version SET version_num = ?", (known,))
    assert done.returncode == 3
    assert "was written by a newer version" in _one_line(done)
    assert kept == "9999_later"


def _descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in listed.splitlines()}
    found = [pid]
    for parent in found:
        found += [child for child, its in parents.items() if its == parent]
    return found[1:]


def _alive(pids: list[int]) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    running = {int(line.split()[0]) for line in listed.splitlines() if "Z" not in line.split()[1]}
    return [pid for pid in pids if pid in running]


def _await_ready(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while True:
        assert process.poll() is None, "the stack ended at its start"
        assert time.monotonic() < limit, "the stack was not ready in time"
        try:
            if all(httpx.get(f"{url}/{name}/health/ready").status_code == 200 for name in SERVICES):
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)


@pytest.mark.timeout(200)
def test_a_fleet_mends_itself_stops_in_order_and_leaves_nothing_behind_even_when_it_is_killed(
    tmp_path: Path, fleet_programs: None
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)  # PostgreSQL's own user cannot pass here
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    whole = environment(
        {"COLUMNS": "300", "DMI_DATA_DIR": str(tmp_path / "closed" / "data"), "DMI_PORT": str(port)}
    )
    command = [sys.executable, "-m", "dmi_command", "up", "--servers", "--no-demo"]

    def start(log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as out:
            started = subprocess.Popen(command, env=whole, cwd=ROOT, stdout=out, stderr=out)
        try:
            _await_ready(url, started)
        except BaseException:
            started.kill()
            raise
        return started

    process = start(tmp_path / "first.log")
    children = _descendants(process.pid)
    names = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    ingest = next(pid for pid in children if "serving ingest" in _line(names, pid))
    os.kill(ingest, signal.SIGKILL)
    time.sleep(1)
    _await_ready(url, process)
    assert (
        "ingest ended by itself (exit code -9); it is started again" in (tmp_path / "first.log").read_text()
    )
    children = _descendants(process.pid)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert time.monotonic() - begun < STOP_SECONDS
    assert _alive(children) == []

    process = start(tmp_path / "second.log")
    children = _descendants(process.pid)
    process.kill()
    process.wait()
    limit = time.monotonic() + ORPHAN_SECONDS
    while left := _alive(children):
        assert time.monotonic() < limit, f"still running: {[_line(names, pid) for pid in left]}"
        time.sleep(0.2)


def _line(listed: str, pid: int) -> str:
    return next((line for line in listed.splitlines() if line.split()[0] == str(pid)), str(pid))
