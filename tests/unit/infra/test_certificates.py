"""Client assertions with certificates (iSHARE): the chain to a root, whom it names, and nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from dmi_infra.certificates import Trust
from dmi_infra.errors import Unauthenticated
from dmi_infra.outside import has_certificates, verify_certified
from dmi_infra.revocation import Revocations

EORI, AUDIENCE = "EU.EORI.NL812972715", "https://node.example/exchange/token"


@dataclass(frozen=True)
class Holder:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Any

    @property
    def text(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()


def made(
    name: str,
    issuer: Holder | None = None,
    ca: bool = False,
    serial: str | None = None,
    days: tuple[int, int] = (-1, 30),
    length: int | None = None,
    key: Any = None,
    critical: bool = False,
    signs: bool = True,
) -> Holder:
    own = key or rsa.generate_private_key(65537, 2048)
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if serial:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    subject = x509.Name(attributes)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca, length), critical=True)
        .add_extension(
            x509.KeyUsage(
                signs and not ca, False, False, False, False, signs and ca, signs and ca, False, False
            ),
            critical=True,
        )
    )
    if critical:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    return Holder(builder.sign(issuer.key if issuer else own, hashes.SHA256()), own)


ROOT = made("root", ca=True)
MIDDLE = made("middle", ROOT, ca=True, length=0)
LEAF = made("leaf", MIDDLE, serial=EORI)
TRUST = Trust([ROOT.certificate])


def assertion(chain: list[str] | None = None, key: Any = None, header: Any = None, **change: Any) -> str:
    now = int(time.time())
    claims = {"iss": EORI, "sub": EORI, "aud": AUDIENCE, "iat": now, "exp": now + 30, "jti": "1"}
    return jwt.encode(
        claims | change, key or LEAF.key, "RS256",
        {"typ": "JWT", "x5c": [LEAF.text, MIDDLE.text] if chain is None else chain, **(header or {})},
    )  # fmt: skip


def verify(token: str) -> dict[str, Any]:
    return verify_certified(token, AUDIENCE, TRUST.holder)


def test_an_assertion_under_a_trusted_root_proves_whom_the_certificate_names() -> None:
    assert verify(assertion())["client_kid"] == EORI
    assert verify(assertion([LEAF.text, MIDDLE.text, ROOT.text]))["sub"] == EORI
    assert has_certificates(assertion())


OTHER_ROOT = made("root", ca=True)
SMALL = rsa.generate_private_key(65537, 1024)

CHAINS: dict[str, Callable[[], tuple[list[str], Any]]] = {
    "no certificate": lambda: ([], LEAF.key),
    "an intermediate left out": lambda: ([LEAF.text], LEAF.key),
    "no certificate but text": lambda: (["AAAA"], LEAF.key),
    "a root of the attacker's of the same name": lambda: (
        [(one := made("x", OTHER_ROOT, serial=EORI)).text, OTHER_ROOT.text], one.key,
    ),
    "signed by itself": lambda: ([(one := made("x", serial=EORI)).text], one.key),
    "issued by a participant's certificate": lambda: (
        [(one := made("x", LEAF, serial=EORI)).text, LEAF.text, MIDDLE.text], one.key,
    ),
    "issued by one that may not issue": lambda: (
        [(one := made("x", (no := made("no", ROOT, ca=True, signs=False)), serial=EORI)).text, no.text], one.key,
    ),
    "longer than an authority allows": lambda: (
        [
            (one := made("x", (more := made("more", MIDDLE, ca=True)), serial=EORI)).text, more.text, MIDDLE.text,
        ],
        one.key,
    ),
    "expired": lambda: ([(one := made("x", ROOT, serial=EORI, days=(-9, -1))).text], one.key),
    "not valid yet": lambda: ([(one := made("x", ROOT, serial=EORI, days=(1, 9))).text], one.key),
    "without an identifier": lambda: ([(one := made("x", ROOT)).text], one.key),
    "naming somebody else": lambda: ([(one := made("x", ROOT, serial="EU.EORI.NL1")).text], one.key),
    "with an extension that nobody knows": lambda: (
        [(one := made("x", ROOT, serial=EORI, critical=True)).text], one.key,
    ),
    "that may not sign": lambda: ([(one := made("x", ROOT, serial=EORI, signs=False)).text], one.key),
    "an authority's own": lambda: ([MIDDLE.text], MIDDLE.key),
    "of a key that is too small": lambda: ([(one := made("x", ROOT, serial=EORI, key=SMALL)).text], one.key),
    "of another kind of key": lambda: (
        [made("x", ROOT, serial=EORI, key=ec.generate_private_key(ec.SECP256R1())).text], LEAF.key,
    ),
    "the right certificate and another key": lambda: ([LEAF.text, MIDDLE.text], MIDDLE.key),
    "too many": lambda: ([LEAF.text, MIDDLE.text, *[ROOT.text] * 6], LEAF.key),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Your RSA key is below")
@pytest.mark.filterwarnings("ignore:The RSA key is")
@pytest.mark.parametrize("name", CHAINS)
def test_a_certificate_is_refused_for(name: str) -> None:
    chain, key = CHAINS[name]()
    with pytest.raises(Unauthenticated):
        verify(assertion(chain, key))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "EU.EORI.NL1"}, {"sub": "EU.EORI.NL1"}, {"aud": "other"}, {"exp": int(time.time()) + 600},
        {"exp": 1, "iat": 1 - 30}, {"jti": ""}, {"extra": 1}, {"iat": 2**40, "exp": 2**40 + 30},
    ],
)  # fmt: skip
def test_an_assertion_is_refused_for_its_claims(change: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify(assertion(**change))


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example"}, {"x5u": "https://evil.example"}, {"kid": "x"}, {"x5c": "AAAA"},
        {"typ": "at+jwt"},
    ],
)  # fmt: skip
def test_an_assertion_is_refused_for_its_header(header: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify(assertion(header=header))


def listed(
    issuer: Holder,
    *revoked: Holder,
    days: tuple[float, float] = (-1, 7),
    signer: Holder | None = None,
    critical: bool = False,
    pem: bool = False,
) -> bytes:
    """A list of revoked certificates as an issuer publishes it."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now + timedelta(days=days[0]))
        .next_update(now + timedelta(days=days[1]))
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(now).build())
    if critical:
        builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
    made_list = builder.sign((signer or issuer).key, hashes.SHA256())
    return made_list.public_bytes(serialization.Encoding.PEM if pem else serialization.Encoding.DER)


BAD_LISTS: dict[str, Callable[[], bytes | None]] = {
    "missing": lambda: None,
    "expired": lambda: listed(MIDDLE, days=(-9, -1)),
    "of later": lambda: listed(MIDDLE, days=(1, 9)),
    "signed by another": lambda: listed(MIDDLE, signer=ROOT),
    "of another issuer": lambda: listed(OTHER_ROOT),
    "of changes alone": lambda: listed(MIDDLE, critical=True),
    "unreadable": lambda: b"-----BEGIN X509 CRL-----",
    "revoking it": lambda: listed(MIDDLE, LEAF),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_certificate_is_refused_when_the_list_of_its_issuer_is(name: str, tmp_path: Path) -> None:
    trust = Trust([ROOT.certificate], Revocations(tmp_path))
    (tmp_path / "root.pem").write_bytes(listed(ROOT, pem=True))
    (tmp_path / "middle.crl").write_bytes(listed(MIDDLE))
    assert verify_certified(assertion(), AUDIENCE, trust.holder)["sub"] == EORI
    content = BAD_LISTS[name]()
    (tmp_path / "middle.crl").unlink()
    if content is not None:
        (tmp_path / "middle.crl").write_bytes(content)
    with pytest.raises(Unauthenticated, match="revoked"):
        verify_certified(assertion(), AUDIENCE, trust.holder)
    (tmp_path / "newer.crl").write_bytes(listed(MIDDLE, days=(-0.5, 7)))
    assert verify_certified(assertion(), AUDIENCE, trust.holder)["sub"] == EORI


def test_an_authority_that_its_root_revoked_and_a_folder_that_is_gone_let_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "root.crl").write_bytes(listed(ROOT, MIDDLE))
    (tmp_path / "middle.crl").write_bytes(listed(MIDDLE))
    with pytest.raises(Unauthenticated, match="has been revoked"):
        verify_certified(assertion(), AUDIENCE, Trust([ROOT.certificate], Revocations(tmp_path)).holder)
    gone = Trust([ROOT.certificate], Revocations(tmp_path / "gone"))
    with pytest.raises(Unauthenticated, match="is missing"):
        verify_certified(assertion(), AUDIENCE, gone.holder)
