"""The listener for outside readers, set up as the README of Kafka says: behind TLS, for who has a token and a right."""

from __future__ import annotations

import gc
import json
import re
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.net.sasl.oauth import AbstractTokenProvider

from dmi_agreements.contracts.envelope import Envelope
from dmi_command.servers import free_port
from dmi_command.servers.kafka import KafkaServer, Outside
from dmi_infra import passes
from dmi_infra.bus import open_bus
from dmi_infra.bus.port import Message
from dmi_infra.jose import SigningKey
from tests.servers_plugin import ROOT, kafka_libs

ISSUER = "https://city.example/exchange"
README = ROOT / "infra" / "deploy" / "kafka" / "README.md"
READER = "urn:dmi:participant:reader/t1"

pytestmark = [
    pytest.mark.kafka,
    # A connection that the broker shut leaves its socket to the collector.
    pytest.mark.filterwarnings(
        r"ignore:Exception ignored in. <(socket\.socket|ssl\.SSLSocket):pytest.PytestUnraisableExceptionWarning"
    ),
]


class AsDocumented(KafkaServer):
    """A broker with the lines of the README, its capitals filled in, in place of those that ``dmi up`` writes."""

    def __init__(self, folder: Path, outside: Outside, certificate: Path) -> None:
        super().__init__(folder, kafka_libs(), outside=outside)
        self._certificate = certificate

    def _properties(self, controller: int) -> str:
        assert self.outside is not None
        text = README.read_text().partition("```properties\n")[2].partition("```")[0]
        for written, here in (
            ("INSIDE:9092", self.address),
            ("INSIDE:9093", f"127.0.0.1:{controller}"),
            ("0.0.0.0:9094", self.outside.address),
            ("BROKER.CITY.EXAMPLE:9094", self.outside.address),
            ("CERTIFICATE-AND-KEY.pem", str(self._certificate)),
            ("file:///ETC/KAFKA/exchange-keys.json", self.outside.keys.as_uri()),
            ("https://CITY.EXAMPLE/exchange", ISSUER),
        ):
            assert written in text, written
            text = text.replace(written, here)
        assert not re.search(r"^[^#=]+=.*\b(?:INSIDE|CITY|ETC)\b", text, re.MULTILINE), text
        own = dict(line.split("=", 1) for line in super()._properties(controller).splitlines())
        documented = dict(line.split("=", 1) for line in text.splitlines() if line)
        cluster = {name: value for name, value in own.items() if name not in documented}
        # What dmi up adds for its own second listener must come from the README alone here.
        kept = {
            name: value
            for name, value in cluster.items()
            if not re.match(r"listener\.name\.|sasl\.|authorizer|super\.users", name)
        }
        return "".join(f"{name}={value}\n" for name, value in (kept | documented).items())


class Fixed(AbstractTokenProvider):
    """One token, whatever becomes of it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine with its key in one file, and the certificate alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    shown = made.public_bytes(serialization.Encoding.PEM)
    whole, alone = folder / "whole.pem", folder / "certificate.pem"
    whole.write_bytes(secret + shown)
    alone.write_bytes(shown)
    return whole, alone


@pytest.fixture
def broker(tmp_path: Path, kafka_server: KafkaServer) -> Iterator[tuple[AsDocumented, SigningKey, Path]]:
    """A broker on its own folder; ``kafka_server`` skips the test where there is no Kafka."""
    whole, alone = certified(tmp_path)
    key, keys = SigningKey.generate(), tmp_path / "keys.json"
    keys.write_text(f'{{"keys":[{json.dumps(dict(key.public))}]}}')
    server = AsDocumented(tmp_path / "kafka", Outside(free_port(), ISSUER, keys), whole)
    server.start()
    yield server, key, alone
    server.stop()


def test_a_reader_with_a_token_and_a_right_reads_behind_tls_and_nobody_else_does(
    broker: tuple[AsDocumented, SigningKey, Path],
) -> None:
    server, key, certificate = broker
    bus = open_bus(server.url)
    deliveries = bus.deliveries()
    assert deliveries is not None
    topic = deliveries.topic("a1.t1")
    deliveries.allow("a1.t1", READER)
    deliveries.put("a1.t1", Message("d", b"{}", Envelope("1", ISSUER, "x", "2026-01-01T00:00:00Z")))

    def token(signer: SigningKey, reader: str = READER) -> str:
        return passes.sign_data(
            signer, ISSUER, "urn:dmi:participant:reader", "urn:uuid:a1", "t1", int(time.time()), reader
        )

    def read(given: str, **change: Any) -> list[bytes]:
        options: dict[str, Any] = {
            "security_protocol": "SASL_SSL", "ssl_context": ssl.create_default_context(cafile=str(certificate)),
            "sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": Fixed(given), "group_id": None,
            "bootstrap_timeout_ms": 3000, **change,
        }  # fmt: skip
        assert server.outside is not None
        consumer = KafkaConsumer(bootstrap_servers=server.outside.address, **options)
        try:
            consumer.assign([TopicPartition(topic, 0)])
            consumer.seek_to_beginning()
            found = consumer.poll(timeout_ms=5000)
            return [record.value for records in found.values() for record in records]
        finally:
            consumer.close()

    assert read(token(key)) == [b"{}"]
    assert read(token(key, "urn:dmi:participant:nosy/t2")) == []
    with pytest.raises(KafkaTimeoutError):
        read(token(SigningKey.generate()))
    with pytest.raises(KafkaTimeoutError):
        read(token(key), security_protocol="SASL_PLAINTEXT", ssl_context=None)
    with pytest.raises(KafkaTimeoutError):
        read(token(key), ssl_context=ssl.create_default_context())
    bus.close()
    # Collected here, where the filter above knows what the client leaves behind.
    gc.collect()
