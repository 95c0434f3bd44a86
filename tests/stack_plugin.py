"""The whole stack as users run it, in both deployments: one process, and the fleet on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from rich.progress import Progress

from dmi_command.blueprints import SERVICES
from dmi_command.client import Client
from dmi_command.demo import build_city
from dmi_command.demo.publish import DemoCity
from dmi_command.errors import CannotStart
from dmi_command.fleet import Child, Fleet, start_service
from dmi_command.servers import ServerMissing, free_port
from dmi_infra.jose import SigningKey
from tests.servers_plugin import require

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
BYTECODE = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "bytecode"),
}
SHORT_HISTORY = 15 * 86_400_000_000
"""Half a month of measurements is enough for every page to have something to show (microseconds)."""


@dataclass
class Stack:
    """A running stack: its address and its folder, and ways to hurt it."""

    name: str
    url: str
    data_dir: Path
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def demo(self, identity: str, purpose: str | None = None) -> Client:
        """A client with a demonstration identity."""
        return Client(self.url, demo=identity, purpose=purpose)

    def participant(self, identifier: str) -> Client:
        """A client that holds the key of a participant of the demonstration."""
        slug = identifier.removeprefix("urn:dmi:").replace(":", "_")
        key = SigningKey.load_or_create(self.data_dir / "keys" / f"{slug}.json")
        return Client(self.url, participant=identifier, key=key)

    def logs(self) -> str:
        """Everything that the processes have written."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def await_ready(self) -> None:
        """Wait until every service is ready."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                if all(
                    httpx.get(f"{self.url}/{name}/health/ready", timeout=5).status_code == 200
                    for name in SERVICES
                ):
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.1)
        pytest.fail(f"the stack {self.name} was not ready within {START_SECONDS} s:\n{self.logs()[-3000:]}")


class EmbeddedStack(Stack):
    """All services in one process."""

    def start(self) -> None:
        """Start, or start again on the same folder."""
        settings = {"DMI_DATA_DIR": str(self.data_dir), "DMI_PORT": self.url.rsplit(":", 1)[1]}
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "dmi_command", "up", "--no-demo"]
            self.processes["stack"] = subprocess.Popen(
                command, env=environment(settings), stdout=log, stderr=log, cwd=ROOT
            )
        self.await_ready()

    def kill(self, _service: str = "stack") -> None:
        """``kill -9`` of the process."""
        self.processes["stack"].send_signal(signal.SIGKILL)
        self.processes["stack"].wait()

    def stop(self) -> float:
        """A graceful stop; returns how long it took in seconds."""
        begun = time.monotonic()
        self.processes["stack"].terminate()
        self.processes["stack"].wait(20)
        return time.monotonic() - begun


class ServerStack(Stack):
    """Kafka, PostgreSQL, one process a service, and nginx before them."""

    def __init__(self, name: str, url: str, data_dir: Path, log: Path) -> None:
        super().__init__(name, url, data_dir, log)
        libs = Path(os.environ.get("DMI_KAFKA_LIBS") or ROOT / ".tools" / "kafka-libs")
        self.fleet = Fleet(data_dir, url, libs, ROOT / "infra" / "deploy" / "kafka" / "pom.xml")
        self._settings: dict[str, str] = {}

    def start(self, prepare: Callable[[Mapping[str, str]], None] | None = None) -> None:
        """Start servers, services and nginx; ``prepare`` gets the settings before the services start."""
        try:
            self._settings = {**self.fleet.start_servers(), **BYTECODE}
        except CannotStart as refused:
            if isinstance(refused.__cause__, ServerMissing):  # PostGIS is looked for in the database alone
                require("postgres", str(refused))
            raise
        if prepare is not None:
            prepare(self._settings)
        with self.log.open("ab") as log:
            for name in SERVICES:
                self.fleet.children.append(start_service(name, self._settings, output=log))
        self.fleet.keep()
        self.fleet.start_front("127.0.0.1", int(self.url.rsplit(":", 1)[1]))
        self.await_ready()

    def child(self, service: str) -> Child:
        """The process of one service."""
        return next(child for child in self.fleet.children if child.name == service)

    def kill(self, service: str) -> None:
        """``kill -9`` of one service."""
        self.child(service).process.send_signal(signal.SIGKILL)
        self.child(service).process.wait()

    def restart(self, service: str) -> None:
        """Start one killed service again on its port, and wait until all are ready."""
        self.spawn(service)
        self.await_ready()

    def spawn(self, service: str) -> None:
        """Start one killed service again on its port."""
        old = self.child(service)
        with self.log.open("ab") as log:
            new = start_service(service, self._settings, port=old.port, output=log)
        self.fleet.children[self.fleet.children.index(old)] = new
        self.fleet.keep()

    def stop(self) -> None:
        """Stop everything."""
        self.fleet.stop()


def environment(more: dict[str, str]) -> dict[str, str]:
    """The environment of a process of a stack: none of the settings around the tests, and bytecode that is kept.

    Without kept bytecode (some environments forbid it) each of many starts would take seconds to compile. What
    ``make`` tells of itself stays away too: a ``make`` that a test runs is nobody's part.
    """
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("DMI_", "MAKE", "MFLAGS"))
    }
    return {**own, **BYTECODE, **more}


def load_city(stack: Stack, length: int = SHORT_HISTORY) -> None:
    """The demonstration city with a short history (microseconds), settled in every layer."""
    city = DemoCity(build_city(), stack.url, stack.data_dir)
    with Progress(console=Console(quiet=True)) as progress:
        city.load(progress, length)
    city.close()
    city.close()
    await_settled(stack)


def await_settled(stack: Stack, seconds: float = 60) -> None:
    """Wait until no service has messages left to read."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        lag = 0.0
        for name in ("platform", "visualisation", "support-centre"):
            for line in httpx.get(f"{stack.url}/{name}/metrics", timeout=10).text.splitlines():
                if line.startswith(f"dmi_{name.replace('-', '_')}_lag{{"):
                    lag += float(line.rsplit(" ", 1)[1])
        if lag == 0:
            return
        time.sleep(0.2)
    pytest.fail(f"the stack {stack.name} did not settle within {seconds} s")


@pytest.fixture(scope="session")
def embedded_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """One process with the demonstration city."""
    folder = tmp_path_factory.mktemp("embedded")
    stack = EmbeddedStack("embedded", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    try:
        stack.start()
        load_city(stack)
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def server_stack(tmp_path_factory: pytest.TempPathFactory, fleet_programs: None) -> Iterator[ServerStack]:
    """The fleet on Kafka and PostgreSQL with the demonstration city; skipped where a program is missing."""
    folder = tmp_path_factory.mktemp("server")
    stack = ServerStack("server", f"http://127.0.0.1:{free_port()}", folder / "data", folder / "log")
    try:
        stack.start()
        load_city(stack)
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session", params=["embedded", "server"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """Each deployment in turn."""
    found: Stack = request.getfixturevalue(f"{request.param}_stack")
    return found
