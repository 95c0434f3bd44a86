"""The stack as it runs in a city: real servers, one process a service, one address before them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from dmi_command.errors import CannotStart
from dmi_command.servers import KafkaServer, PostgresServer, ServerError, fetch_jars, free_port

READY_SECONDS = 60
STOP_SECONDS = 6


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
    """Kafka, PostgreSQL and the services that run on them, all under one data folder."""

    data_dir: Path
    public_url: str
    kafka_libs: Path
    kafka_pom: Path
    children: list[Child] = field(default_factory=list)
    _kafka: KafkaServer | None = None
    _postgres: PostgresServer | None = None

    def start_servers(self) -> Mapping[str, str]:
        """Start Kafka and PostgreSQL; returns the settings that point at them."""
        try:
            fetch_jars(self.kafka_pom, self.kafka_libs)
            self._kafka = KafkaServer(self.data_dir / "kafka", self.kafka_libs)
            self._kafka.start()
            self._postgres = PostgresServer(self.data_dir / "postgresql")
            self._postgres.start()
            self._postgres.create_database("dmi")
        except ServerError as exc:
            raise CannotStart(str(exc)) from exc
        return {
            "DMI_BUS_URL": self._kafka.url,
            "DMI_DATABASE_URL": self._postgres.url(),
            "DMI_DATA_DIR": str(self.data_dir),
            "DMI_PUBLIC_URL": self.public_url,
        }

    def start_services(self, names: Sequence[str], settings: Mapping[str, str]) -> dict[str, str]:
        """Start one process a service and wait until each is ready; returns their addresses by name."""
        for name in names:
            self.children.append(start_service(name, settings))
        until = time.monotonic() + READY_SECONDS
        for child in self.children:
            _await_ready(child, until)
        return {child.name: child.address for child in self.children}

    def stop(self) -> None:
        """Stop the services, then the servers."""
        for child in self.children:
            child.process.terminate()
        for child in self.children:
            try:
                child.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
        if self._postgres:
            self._postgres.stop()
        if self._kafka:
            self._kafka.stop()


def start_service(
    name: str, settings: Mapping[str, str], port: int | None = None, output: IO[bytes] | None = None
) -> Child:
    """A process ``dmi serve <name>`` on a port of its own, writing to ``output`` or where this process writes."""
    chosen = port or free_port()
    environment = {**os.environ, **settings, "DMI_PORT": str(chosen), "DMI_HOST": "127.0.0.1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dmi_command", "serve", name], env=environment, stdout=output, stderr=output
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
            if httpx.get(path, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    raise CannotStart(f"the service {child.name} was not ready within {READY_SECONDS} seconds")
