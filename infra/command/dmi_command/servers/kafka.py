"""Apache Kafka: one broker in KRaft mode, from its jars, without the scripts of the distribution."""

from __future__ import annotations

import base64
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmi_command.servers import jars
from dmi_command.servers.errors import ServerMissing, ServerStartFailed
from dmi_command.servers.process import ServerProcess, free_port, listens, program, run
from dmi_infra import passes

JAVA_REMEDY: Final = (
    "install a Java runtime, version 17 or later (Debian: apt-get install default-jre-headless)"
)
JARS_REMEDY: Final = (
    "fetch its jars with Maven: mvn -f infra/deploy/kafka/pom.xml dependency:copy-dependencies"
)
BROKER: Final = "kafka_2.13-*.jar"
PROPERTIES: Final = "server.properties"
DATA: Final = "data"
METADATA: Final = "__cluster_metadata-0"
"""The one topic that a broker has from its preparation on."""
OPTIONS: Final = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


OAUTH: Final = "org.apache.kafka.common.security.oauthbearer"
ALLOWED_PLACES: Final = "org.apache.kafka.sasl.oauthbearer.allowed.urls"


def fetch_jars(pom: Path, libs: Path, timeout: float = 600.0) -> None:
    """Copy the jars that ``pom`` names into ``libs`` with Maven, unless they are there already."""
    jars.fetch("Kafka broker", pom, libs, BROKER, timeout)


def has_jars(libs: Path) -> bool:
    """Whether the folder holds a broker."""
    return any(libs.glob(BROKER))


@dataclass(frozen=True, slots=True)
class Outside:
    """A second listener, for readers with tokens of an exchange: its port, who issues them, and the file of its keys.

    The broker reads the file again whenever it was written anew.
    """

    port: int
    issuer: str
    keys: Path

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"


def outside_port(folder: Path) -> int:
    """The port of the second listener of the broker in ``folder``, whose readers know it; else a free one."""
    text = _told(folder / PROPERTIES) if _used(folder) else ""
    kept = set(map(int, re.findall(r"127\.0\.0\.1:(\d+)", text)))
    found = re.search(r"^advertised\.listeners=.*OUTSIDE://127\.0\.0\.1:(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else free_port(kept)


def _used(folder: Path) -> bool:
    """Whether the broker in ``folder`` was ever ready to start; a first start that was broken off leaves less.

    The tool that prepares the folder of data writes this file last.
    """
    return (folder / DATA / "meta.properties").exists()


class KafkaServer:
    """One broker, its data and its log in ``folder``; a used folder goes on where it stopped.

    With ``outside`` it asks readers on that listener for tokens, and for rights to each topic; whoever reaches the
    services' own listener may do everything.
    """

    def __init__(
        self, folder: Path, libs: Path, port: int | None = None, outside: Outside | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.outside = outside
        self._libs = libs.resolve()
        self._port = port
        self._controller = 0
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
    def ports(self) -> set[int]:
        """All its ports, once it was launched: what starts meanwhile needs others."""
        return {self.port, self._controller, *self._outside_ports()}

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
        properties = self.folder / PROPERTIES
        used = _used(self.folder)
        if used:
            self._keep_ports(properties)
        else:
            self._clear()
            self._choose_ports()
        _write(properties, self._properties(self._controller))
        if not used:
            self._format(java, properties)
        options = list(OPTIONS)
        if self.outside is not None:
            if not self.outside.keys.exists():
                self.outside.keys.write_text('{"keys":[]}')
            # Kafka reads keys from places that it was told of twice only.
            options.append(f"-D{ALLOWED_PLACES}={self.outside.keys.as_uri()}")
        command = [java, *options, "-cp", f"{self._libs}/*", "kafka.Kafka", str(properties)]
        self._process.launch(command)

    def await_ready(self) -> None:
        """Wait until the broker accepts clients."""
        ports = [self.port, *self._outside_ports()]
        self._process.await_ready(lambda: all(map(listens, ports)), deadline=60.0)

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

    def _clear(self) -> None:
        """Remove what a first start left that was broken off, but never what a broker has kept."""
        data = self.folder / DATA
        if not data.exists():
            return
        kept = [path.name for path in data.iterdir() if path.is_dir() and path.name != METADATA]
        if kept:
            raise ServerStartFailed(
                f"{data} holds {kept[0]} and no meta.properties any more: bring that back, or remove {self.folder} "
                "to begin anew"
            )
        shutil.rmtree(data)

    def _choose_ports(self) -> None:
        """The ports of a new folder, all different; its own may have been asked for."""
        taken = self._outside_ports()
        if self._port is None:
            self._port = free_port(taken)
        self._controller = free_port({*taken, self._port})

    def _outside_ports(self) -> set[int]:
        return {self.outside.port} if self.outside else set()

    def _format(self, java: str, properties: Path) -> None:
        tool = [java, *OPTIONS, "-cp", f"{self._libs}/*", "kafka.tools.StorageTool"]
        # As Kafka makes them: it reserves ids that begin with a hyphen.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = [*tool, "format", "--standalone", "-t", cluster, "-c", str(properties)]
        run("Apache Kafka", command, self._process.log)

    def _keep_ports(self, properties: Path) -> None:
        """Take the ports of a used folder: the controller's always, its own unless another was asked for."""
        text = _told(properties)
        own = re.search(r"^advertised\.listeners=PLAINTEXT://127\.0\.0\.1:(\d+)", text, re.MULTILINE)
        controller = re.search(r"^controller\..*servers=127\.0\.0\.1:(\d+)$", text, re.MULTILINE)
        if own is None or controller is None:
            raise ServerStartFailed(
                f"{properties} is gone, or not of this program: bring it back, or remove its folder to begin anew"
            )
        if self._port is None:
            self._port = int(own.group(1))
        self._controller = int(controller.group(1))

    def _properties(self, controller: int) -> str:
        settings = _settings(self.port, controller, self.folder / DATA)
        if self.outside is not None:
            settings |= _outside(self.outside, settings)
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def _told(properties: Path) -> str:
    """What stands in the file; nothing where it has gone."""
    return properties.read_text() if properties.exists() else ""


def _write(file: Path, text: str) -> None:
    """Write the file whole or not at all: the ports of a used folder stand in it alone."""
    aside = file.with_suffix(".new")
    aside.write_text(text)
    aside.replace(file)


def _settings(port: int, controller: int, data: Path) -> dict[str, str]:
    return {
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


def _outside(outside: Outside, known: Mapping[str, str]) -> dict[str, str]:
    """What a second listener adds to, or changes in, the settings of a broker."""
    listener = "listener.name.outside"
    return {
        "listeners": f"{known['listeners']},OUTSIDE://{outside.address}",
        "advertised.listeners": f"{known['advertised.listeners']},OUTSIDE://{outside.address}",
        "listener.security.protocol.map": f"{known['listener.security.protocol.map']},OUTSIDE:SASL_PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        # Nobody may do anything but by a right; on the services' own listener nobody has a name.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        f"{listener}.sasl.enabled.mechanisms": "OAUTHBEARER",
        f"{listener}.oauthbearer.sasl.jaas.config": f"{OAUTH}.OAuthBearerLoginModule required;",
        f"{listener}.oauthbearer.sasl.server.callback.handler.class": (
            f"{OAUTH}.OAuthBearerValidatorCallbackHandler"
        ),
        # Named, since the default of Kafka 4.1.0 reads tokens without checking who signed them.
        "sasl.oauthbearer.jwt.validator.class": f"{OAUTH}.BrokerJwtValidator",
        # A connection outlives its token by no request.
        f"{listener}.oauthbearer.connections.max.reauth.ms": str(passes.DATA_SECONDS * 1000),
        "sasl.oauthbearer.jwks.endpoint.url": outside.keys.as_uri(),
        "sasl.oauthbearer.expected.issuer": outside.issuer,
        "sasl.oauthbearer.expected.audience": passes.DELIVERY_AUDIENCE,
        "sasl.oauthbearer.sub.claim.name": passes.READER_CLAIM,
    }
