"""Fixtures for real servers: started once a session from installed programs, else the test is skipped.

``DMI_REQUIRE`` names servers that must be there (``kafka,postgres,nginx,mosquitto,chromium,invoices`` or ``all``):
a missing one then fails the test. ``DMI_KAFKA_LIBS`` is the folder of Kafka's jars.
"""

from __future__ import annotations

import gc
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from dmi_command.servers import (
    KafkaServer,
    MosquittoServer,
    PostgresServer,
    ServerMissing,
    fetch_jars,
    nginx,
)
from dmi_command.servers.kafka import JARS_REMEDY, JAVA_REMEDY, has_jars
from dmi_command.servers.postgres import client_program
from dmi_command.servers.process import program

ROOT = Path(__file__).resolve().parents[1]


FOREIGN_WARNINGS = (
    # Python 3.11 calls it deprecated how the Kafka client reads its own files.
    ("(read|open)_text is deprecated", "DeprecationWarning"),
    # A connection that a stopped broker refused leaves its socket, never connected, to the collector.
    (
        r"Exception ignored in. <socket.socket fd=.*laddr=.'0.0.0.0'",
        "pytest.PytestUnraisableExceptionWarning",
    ),
)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let two warnings of the Kafka client pass, during tests and at the end of the session."""
    for message, category in FOREIGN_WARNINGS:
        config.addinivalue_line("filterwarnings", f"ignore:{message}:{category}")
    # What is collected after the last test is judged by the session's own filters, already set by now.
    warnings.filterwarnings("ignore", FOREIGN_WARNINGS[1][0], pytest.PytestUnraisableExceptionWarning)


def require(name: str, reason: str) -> NoReturn:
    """Skip the test with ``reason`` in one line, or fail it when ``DMI_REQUIRE`` asks for ``name``."""
    wanted = {word.strip() for word in os.environ.get("DMI_REQUIRE", "").split(",")}
    if wanted & {name, "all"}:
        pytest.fail(f"DMI_REQUIRE asks for {name}: {reason}", pytrace=False)
    pytest.skip(reason)


def kafka_libs() -> Path:
    """The folder of Kafka's jars; may be empty or missing."""
    return Path(os.environ.get("DMI_KAFKA_LIBS") or ROOT / ".tools" / "kafka-libs")


def start_kafka(folder: Path) -> KafkaServer:
    """A started broker in ``folder`` of its own; the caller stops it."""
    libs = kafka_libs()
    try:
        # Only when the server is asked for are its jars fetched; a usual run never needs the network.
        if os.environ.get("DMI_REQUIRE"):
            fetch_jars(ROOT / "infra" / "deploy" / "kafka" / "pom.xml", libs)
        server = KafkaServer(folder, libs)
        server.start()
    except ServerMissing as missing:
        require("kafka", str(missing))
    return server


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker for tests that share it: they use topics under a prefix of their own, and never stop it."""
    server = start_kafka(tmp_path_factory.mktemp("kafka"))
    yield server
    server.stop()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Callable[[], KafkaServer]]:
    """Starts brokers that a test may kill."""
    servers: list[KafkaServer] = []

    def start() -> KafkaServer:
        servers.append(start_kafka(tmp_path / f"kafka-{len(servers)}"))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    # The client's refused sockets are collected here, where the filter above knows them.
    gc.collect()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A cluster for tests that share it: they make databases of their own (``create_database``)."""
    folder = tmp_path_factory.mktemp("postgres")
    # The server runs as another user when the tests run as root; it must be able to reach its folder.
    for place in (folder, *folder.parents):
        if place.stat().st_uid == os.geteuid() and place not in (Path("/"), Path("/tmp")):
            place.chmod(place.stat().st_mode | 0o011)
    server = PostgresServer(folder, durable=False)
    try:
        server.start()
    except ServerMissing as missing:
        require("postgres", str(missing))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def fleet_programs(nginx_program: str) -> None:
    """That this machine has what a fleet starts for itself; nothing is started for it."""
    try:
        program("java", "Java", JAVA_REMEDY)
        if os.environ.get("DMI_REQUIRE"):
            fetch_jars(ROOT / "infra" / "deploy" / "kafka" / "pom.xml", kafka_libs())
        if not has_jars(kafka_libs()):
            raise ServerMissing("Apache Kafka", JARS_REMEDY)
    except ServerMissing as missing:
        require("kafka", str(missing))
    try:
        client_program("initdb")
    except ServerMissing as missing:
        require("postgres", str(missing))


@pytest.fixture(scope="session")
def mosquitto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MosquittoServer]:
    """An MQTT broker for tests that share it."""
    server = MosquittoServer(tmp_path_factory.mktemp("mosquitto"))
    try:
        server.start()
    except ServerMissing as missing:
        require("mosquitto", str(missing))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nginx_program() -> str:
    """The path of an installed nginx."""
    try:
        return program("nginx", "nginx", nginx.REMEDY)
    except ServerMissing as missing:
        require("nginx", str(missing))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of an installed Chromium or Chrome; without a window of its own if there is one, as that is lighter."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    require("chromium", "Chromium is missing: install it (Debian: apt-get install chromium)")
