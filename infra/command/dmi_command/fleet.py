"""The stack as it runs in a city: real servers, one process a service, one address before them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from dmi_command.errors import CannotStart
from dmi_command.servers import (
    KafkaServer,
    Keeper,
    NginxServer,
    Outside,
    PostgresServer,
    ServerError,
    fetch_jars,
    free_port,
    outside_port,
)
from dmi_command.servers.postgres import FOLDER as CLUSTER
from dmi_infra.authorities import trusted

READY_SECONDS = 60
LEAVE_SECONDS = 2.5
"""What the services get to leave; with ``STOP_SECONDS`` for the servers a stop takes less than five seconds."""
FRONT = "visualisation"
"""Serves the browser application, and with it every address that names no service."""
STOP_SECONDS = 2.0
LOOK_SECONDS = 0.25
PATIENCE, WINDOW_SECONDS = 5, 60.0
"""A process that ends more often than this within the window is not started again."""


@dataclass
class Child:
    """A process of the fleet and the address it listens on."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Fleet:
    """Kafka, PostgreSQL, the services that run on them and nginx before them, all under one data folder."""

    data_dir: Path
    public_url: str
    kafka_libs: Path
    kafka_pom: Path
    production: bool = False
    children: list[Child] = field(default_factory=list)
    kafka: KafkaServer | None = None
    postgres: PostgresServer | None = None
    nginx: NginxServer | None = None
    _keeper: Keeper = field(default_factory=Keeper)
    _watch: Watch | None = None

    def start_servers(self) -> Mapping[str, str]:
        """Start Kafka and PostgreSQL; returns the settings that point at them."""
        try:
            fetch_jars(self.kafka_pom, self.kafka_libs)
            self.kafka = KafkaServer(self.data_dir / "kafka", self.kafka_libs, outside=self._outside())
            self.kafka.launch()
            self.postgres = PostgresServer(self.data_dir / CLUSTER, free_port(self.kafka.ports))
            self.keep()
            self.postgres.start()
            self.keep()
            self.kafka.await_ready()
        except ServerError as exc:
            raise CannotStart(str(exc)) from exc
        except OSError as exc:
            raise CannotStart(f"the data folder {self.data_dir} cannot be used: {exc.strerror}") from exc
        return {
            **_for_readers(self.kafka.outside),
            "DMI_BUS_URL": self.kafka.url,
            "DMI_DATABASE_URL": self.postgres.url(),
            "DMI_DATA_DIR": str(self.data_dir),
            "DMI_PUBLIC_URL": self.public_url,
        }

    def _outside(self) -> Outside | None:
        """Where outside readers come to topics of theirs. In production that needs certificates, which are not ours."""
        folder = self.data_dir.resolve() / "kafka"
        keys = folder / "exchange-keys.json"
        # Kafka finds no file whose address needs escapes.
        if self.production or keys.as_uri() != f"file://{keys}":
            return None
        folder.mkdir(parents=True, exist_ok=True)
        return Outside(outside_port(folder), f"{self.public_url.rstrip('/')}/exchange", keys)

    def start_services(self, names: Sequence[str], settings: Mapping[str, str]) -> dict[str, str]:
        """Start one process a service and wait until each is ready; returns their addresses by name."""
        for name in names:
            self.children.append(start_service(name, settings))
            self.keep()
        until = time.monotonic() + READY_SECONDS
        for child in self.children:
            _await_ready(child, until)
        return {child.name: child.address for child in self.children}

    def start_front(self, host: str, port: int) -> None:
        """Start nginx on the public address before the services that were started."""
        targets = {child.name: child.address for child in self.children}
        try:
            self.nginx = NginxServer(self.data_dir / "nginx", host, port, targets, FRONT)
            self.nginx.start()
        except ServerError as exc:
            raise CannotStart(str(exc)) from exc
        self.keep()

    def keep(self) -> None:
        """Tell the keeper which processes belong to this fleet now."""
        groups = [child.process.pid for child in self.children if child.process.poll() is None]
        groups += [
            server.group for server in (self.kafka, self.postgres, self.nginx) if server and server.group
        ]
        self._keeper.keep(groups)

    def watch(
        self, settings: Mapping[str, str], lost: Callable[[str], None], say: Callable[[str], None]
    ) -> None:
        """Start again whatever ends by itself, and ``say`` so; ``lost`` when one keeps ending."""
        self._watch = Watch(self, settings, lost, say)
        self._watch.start()

    def stop(self) -> None:
        """Stop the services, then the servers; all of it within five seconds."""
        if self._watch:
            self._watch.stop()
        for child in self.children:
            child.process.terminate()
        until = time.monotonic() + LEAVE_SECONDS
        for child in self.children:
            try:
                child.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        servers = [server for server in (self.nginx, self.kafka, self.postgres) if server is not None]
        if servers:
            with ThreadPoolExecutor(len(servers)) as pool:
                list(pool.map(lambda server: server.stop(STOP_SECONDS), servers))
        self._keeper.close()


class Watch:
    """A thread that starts processes of a fleet again when they end by themselves."""

    def __init__(
        self,
        fleet: Fleet,
        settings: Mapping[str, str],
        lost: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._fleet = fleet
        self._settings = settings
        self._lost = lost
        self._say = say
        self._ends: dict[str, deque[float]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing any more."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._look()
            except ServerError as exc:
                self._lost(str(exc))
                return
            except CannotStart as exc:
                self._lost(str(exc))
                return

    def _look(self) -> None:
        servers = (
            (self._fleet.kafka, "Apache Kafka"),
            (self._fleet.postgres, "PostgreSQL"),
            (self._fleet.nginx, "nginx"),
        )
        for server, name in servers:
            if server is not None and not server.running:
                self._ended(name)
                server.start()
                self._fleet.keep()
        for index, child in enumerate(self._fleet.children):
            code = child.process.poll()
            if code is not None and not self._stopping.is_set():
                self._ended(child.name, code)
                self._fleet.children[index] = start_service(child.name, self._settings, child.port)
                self._fleet.keep()

    def _ended(self, name: str, code: int | None = None) -> None:
        why = "" if code is None else f" (exit code {code})"
        ends = self._ends.setdefault(name, deque())
        ends.append(time.monotonic())
        while ends[0] < time.monotonic() - WINDOW_SECONDS:
            ends.popleft()
        if len(ends) > PATIENCE:
            raise CannotStart(f"{name} ended {len(ends)} times within a minute{why}; the stack stops")
        self._say(f"{name} ended by itself{why}; it is started again")


def _for_readers(outside: Outside | None) -> dict[str, str]:
    if outside is None:
        return {}
    return {
        "DMI_DELIVERY_BROKERS": outside.address,
        "DMI_DELIVERY_SECURITY": "SASL_PLAINTEXT",
        "DMI_DELIVERY_KEYS_FILE": str(outside.keys),
    }


def start_service(
    name: str, settings: Mapping[str, str], port: int | None = None, output: IO[bytes] | None = None
) -> Child:
    """A process that serves ``name`` on a port of its own, writing to ``output`` or where this process writes."""
    chosen = port or free_port()
    environment = {**os.environ, **settings, "DMI_PORT": str(chosen), "DMI_HOST": "127.0.0.1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dmi_command.serving", name],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # In a group of its own: an interrupt in the terminal reaches the starter, which stops all in order.
        start_new_session=True,
    )
    return Child(name, chosen, process)


def _await_ready(child: Child, until: float) -> None:
    path = f"{child.address}/{child.name}/health/ready"
    while time.monotonic() < until:
        if child.process.poll() is not None:
            raise CannotStart(
                f"the service {child.name} ended at its start (exit code {child.process.returncode})"
            )
        try:
            if httpx.get(path, timeout=2, verify=trusted()).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    raise CannotStart(f"the service {child.name} was not ready within {READY_SECONDS} seconds")
