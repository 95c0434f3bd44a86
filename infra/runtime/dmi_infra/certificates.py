"""Certificates that come with a token: a chain to a configured root, and whom its first one names (RFC 5280).

Nothing is fetched: neither certificates nor lists of revoked ones, which the operator keeps as files (``revocation``).
A certificate is stopped at once by taking the name that it carries from the participant, which every service sees
within a second.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from dmi_infra.errors import Unauthenticated
from dmi_infra.revocation import Revocations

LONGEST_CHAIN: Final = 5
_SMALLEST_RSA_BITS: Final = 2048
_NAMES: Final = (NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER)
"""Where a certificate carries the identifier of an organisation, such as ``EU.EORI.NL812972715``."""


class Trust:
    """The roots that certificates are checked against, and what their issuers revoked."""

    def __init__(self, roots: Sequence[x509.Certificate], revocations: Revocations | None = None) -> None:
        self._roots = tuple(roots)
        self._revocations = revocations or Revocations()

    @classmethod
    def read(cls, pem: bytes, revocations: Revocations | None = None) -> Trust:
        """The roots of a PEM file; raises ``ValueError``."""
        return cls(x509.load_pem_x509_certificates(pem), revocations)

    def holder(self, chain: Sequence[str], now: int) -> tuple[str, Any]:
        """Whom the first certificate of an ``x5c`` names, and its key, at ``now`` (seconds since 1970).

        Raises ``Unauthenticated`` unless each certificate is valid, issued by the next and not revoked by it, and the
        last one is a root or issued by one.
        """
        if not 1 <= len(chain) <= LONGEST_CHAIN:
            raise Unauthenticated(f"a chain has one to {LONGEST_CHAIN} certificates")
        found = [_certificate(text) for text in chain]
        moment = datetime.fromtimestamp(now, UTC)
        last = found[-1]
        if last not in self._roots:
            issuer = next((root for root in self._roots if _issued(last, root)), None)
            if issuer is None:
                raise Unauthenticated("the certificates lead to no root that is trusted here")
            found.append(issuer)
        for depth, certificate in enumerate(found):
            _check(certificate, depth, moment)
            if depth + 1 < len(found) and not _issued(certificate, found[depth + 1]):
                raise Unauthenticated("a certificate was not issued by the one after it")
            if depth + 1 < len(found):
                self._revocations.check(certificate, found[depth + 1], moment)
        return _named(found[0]), _key(found[0])


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as exc:
        raise Unauthenticated("a certificate (x5c) cannot be read") from exc


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check(certificate: x509.Certificate, depth: int, moment: datetime) -> None:
    """Raise unless a certificate is valid now, and may stand this far above the first."""
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise Unauthenticated("a certificate has expired, or is not valid yet")
    try:
        extensions = {each.oid: each for each in certificate.extensions}
    except (ValueError, x509.DuplicateExtension) as exc:
        raise Unauthenticated("a certificate has extensions that cannot be read") from exc
    basic = usage = None
    for each in extensions.values():
        if isinstance(each.value, x509.BasicConstraints):
            basic = each.value
        elif isinstance(each.value, x509.KeyUsage):
            usage = each.value
        elif each.critical and not isinstance(each.value, x509.ExtendedKeyUsage):
            raise Unauthenticated("a certificate has an extension that must be understood, and is not")
    authority = basic is not None and basic.ca
    if authority != (depth > 0):
        raise Unauthenticated(
            "an authority's certificate stands where a participant's is due, or the other way"
        )
    if depth > 0 and usage is not None and not usage.key_cert_sign:
        raise Unauthenticated("a certificate may not issue others")
    if depth == 0 and usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise Unauthenticated("a certificate may not sign")
    if basic is not None and basic.path_length is not None and depth - 1 > basic.path_length:
        raise Unauthenticated("the chain of certificates is longer than one of them allows")


def _named(certificate: x509.Certificate) -> str:
    found = [str(each.value) for oid in _NAMES for each in certificate.subject.get_attributes_for_oid(oid)]
    if len(found) != 1:
        raise Unauthenticated("a certificate must carry one identifier of an organisation")
    return found[0]


def _key(certificate: x509.Certificate) -> RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST_RSA_BITS:
        raise Unauthenticated("a certificate's key must be RSA of at least 2048 bits")
    return key
