"""Apache Kafka: one broker in KRaft mode, from its jars, without the scripts of the distribution."""

from __future__ import annotations

import base64
import fcntl
import re
import uuid
from pathlib import Path
from typing import Final

from dmi_command.servers.errors import ServerMissing, ServerStartFailed
from dmi_command.servers.process import ServerProcess, free_port, listens, program, run, tail

JAVA_REMEDY: Final = (
    "install a Java runtime, version 17 or later (Debian: apt-get install default-jre-headless)"
)
JARS_REMEDY: Final = (
    "fetch its jars with Maven: mvn -f infra/deploy/kafka/pom.xml dependency:copy-dependencies"
)
MAVEN_REMEDY: Final = "install it (Debian: apt-get install maven), or copy the jars of Kafka into the folder"
BROKER: Final = "kafka_2.13-*.jar"
OPTIONS: Final = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


def fetch_jars(pom: Path, libs: Path, timeout: float = 600.0) -> None:
    """Copy the jars that ``pom`` names into ``libs`` with Maven, unless they are there already.

    Processes that ask at the same time fetch once: the others wait.
    """
    if has_jars(libs):
        return
    pom, libs = pom.resolve(), libs.resolve()
    maven = program("mvn", "Apache Maven", MAVEN_REMEDY)
    libs.mkdir(parents=True, exist_ok=True)
    fresh = libs / "fetched"
    with (libs / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if has_jars(libs):
            return
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
        run("Apache Maven", [*command, *options], libs / "fetch.log", timeout)
        if not any(fresh.glob(BROKER)):
            raise ServerStartFailed(f"Maven brought no Kafka broker into {libs}\n{tail(libs / 'fetch.log')}")
        # The broker's own jar last: where it is seen, all the others are.
        for jar in sorted(fresh.iterdir(), key=lambda jar: jar.match(BROKER)):
            jar.rename(libs / jar.name)
        fresh.rmdir()


def has_jars(libs: Path) -> bool:
    """Whether the folder holds a broker."""
    return any(libs.glob(BROKER))


class KafkaServer:
    """One broker, its data and its log in ``folder``; a used folder goes on where it stopped."""

    def __init__(self, folder: Path, libs: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self._libs = libs.resolve()
        self._port = port
        self._process = ServerProcess("Apache Kafka", self.folder / "kafka.log")

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; chosen at the first start when none was given."""
        if self._port is None:
            self._port = free_port()
        return self._port

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address as a bus address."""
        return f"kafka://{self.address}"

    @property
    def running(self) -> bool:
        """Whether the broker's process lives."""
        return self._process.running

    @property
    def group(self) -> int | None:
        """The process group while the broker lives."""
        return self._process.group

    def start(self) -> None:
        """Start the broker and wait until it accepts clients (some 3 s)."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start the broker without waiting for it."""
        java = program("java", "Java", JAVA_REMEDY)
        if not has_jars(self._libs):
            raise ServerMissing("Apache Kafka", JARS_REMEDY)
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        # A new start needs the controller's port of the first: it stands in the formatted folder.
        if not properties.exists():
            properties.write_text(_properties(self.port, free_port(), self.folder / "data"))
            self._format(java, properties)
        self._set_port(properties)
        command = [java, *OPTIONS, "-cp", f"{self._libs}/*", "kafka.Kafka", str(properties)]
        self._process.launch(command)

    def await_ready(self) -> None:
        """Wait until the broker accepts clients."""
        self._process.await_ready(lambda: listens(self.port), deadline=60.0)

    def stop(self, timeout: float = 15.0) -> None:
        """End the broker in order; after ``timeout`` seconds at once, and the next start recovers its log."""
        self._process.stop(timeout=timeout)

    def kill(self) -> None:
        """End the broker at once."""
        self._process.kill()

    def restart(self) -> None:
        """Start again on the same port and data, after ``kill`` or ``stop`` or while it runs."""
        self.stop()
        self.start()

    def _format(self, java: str, properties: Path) -> None:
        tool = [java, *OPTIONS, "-cp", f"{self._libs}/*", "kafka.tools.StorageTool"]
        # As Kafka makes them: it reserves ids that begin with a hyphen.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = [*tool, "format", "--standalone", "-t", cluster, "-c", str(properties)]
        run("Apache Kafka", command, self._process.log)

    def _set_port(self, properties: Path) -> None:
        """The port of a used folder changes when another is asked for; clients learn it from the broker."""
        text = properties.read_text()
        found = re.search(r"^advertised\.listeners=PLAINTEXT://127\.0\.0\.1:(\d+)$", text, re.MULTILINE)
        if found is None:
            raise ServerStartFailed(f"{properties} is not of this program; remove its folder to begin anew")
        if self._port is None:
            self._port = int(found.group(1))
        properties.write_text(
            text.replace(f"PLAINTEXT://127.0.0.1:{found.group(1)}", f"PLAINTEXT://{self.address}")
        )


def _properties(port: int, controller: int, data: Path) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        # One broker holds every replica there is.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "offsets.topic.num.partitions": "8",
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker may come back when its old session is over: by default that takes 9 s.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        # Topics come from the table of crossings only.
        "auto.create.topics.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
