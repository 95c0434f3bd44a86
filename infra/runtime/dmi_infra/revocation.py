"""Lists of revoked certificates (RFC 5280 §5), as files that the operator keeps up to date; nothing is fetched.

With a folder of lists every certificate below a root needs a list of its issuer that is valid at that moment. One
that is missing, expired, forged or not understood revokes all that it would have told about.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from dmi_infra.errors import Unauthenticated

log = structlog.get_logger("certificates")

SUFFIXES: Final = (".crl", ".pem")
_PEM: Final = b"-----BEGIN X509 CRL-----"

State = tuple[tuple[str, int, int], ...]


class Revocations:
    """The lists in a folder, read again as soon as a file of it changes; ``None``: no lists are kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._state: State | None = None
        self._lists: tuple[x509.CertificateRevocationList, ...] = ()

    def check(self, certificate: x509.Certificate, issuer: x509.Certificate, moment: datetime) -> None:
        """Raise ``Unauthenticated`` unless a list of ``issuer`` that is valid at ``moment`` leaves it in force."""
        if self._folder is None:
            return
        of_issuer = [each for each in self._current(self._folder) if each.issuer == issuer.subject]
        valid = [each for each in of_issuer if _holds(each, issuer, moment)]
        if not valid:
            told = "has expired or does not hold" if of_issuer else "is missing"
            raise Unauthenticated(f"the list of revoked certificates of an issuer {told}")
        newest = max(valid, key=lambda each: each.last_update_utc)
        # What an entry says further (a reason, a date, something unknown) makes no certificate good again.
        if newest.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise Unauthenticated("a certificate has been revoked")

    def _current(self, folder: Path) -> tuple[x509.CertificateRevocationList, ...]:
        state = _state(folder)
        with self._lock:
            if state != self._state:
                self._lists = tuple(_readable(folder))
                self._state = state
            return self._lists


def read_list(content: bytes) -> x509.CertificateRevocationList:
    """One list, PEM or DER; raises ``ValueError``."""
    load = x509.load_pem_x509_crl if content.lstrip().startswith(_PEM) else x509.load_der_x509_crl
    return load(content)


def files(folder: Path) -> list[Path]:
    """The files of a folder that are lists by their names."""
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())


def _state(folder: Path) -> State:
    try:
        known = [(path.name, path.stat()) for path in files(folder)]
    except OSError as exc:
        log.error("the folder of revoked certificates cannot be read", error=type(exc).__name__)
        return ()
    return tuple((name, found.st_mtime_ns, found.st_size) for name, found in known)


def _readable(folder: Path) -> Iterator[x509.CertificateRevocationList]:
    """The lists that can be read; the issuer of any other has none, so that what it issued is refused."""
    try:
        found = files(folder)
    except OSError:
        return  # told by whoever looked for changes
    for path in found:
        try:
            yield read_list(path.read_bytes())
        except (OSError, ValueError):
            log.error("a list of revoked certificates cannot be read", file=path.name)


def _holds(crl: x509.CertificateRevocationList, issuer: x509.Certificate, moment: datetime) -> bool:
    """Whether a list is whole, signed by its issuer for this, and valid now."""
    until = crl.next_update_utc
    # Without a day of the next one nobody could tell that it is out of date.
    if until is None or not crl.last_update_utc <= moment <= until:
        return False
    try:
        # A critical extension (a part of a list alone, or changes of another) is none that is understood here.
        if any(each.critical for each in crl.extensions) or not _may_sign(issuer):
            return False
    except (ValueError, x509.DuplicateExtension):
        return False
    key = issuer.public_key()
    return isinstance(key, RSAPublicKey | EllipticCurvePublicKey) and crl.is_signature_valid(key)


def _may_sign(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
