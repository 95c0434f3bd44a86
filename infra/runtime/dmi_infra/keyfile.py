"""Private keys in files: sealed with a passphrase as an encrypted JWK (RFC 7517 §7), or plain in development.

The seal is a compact JWE (RFC 7516): PBES2-HS512+A256KW makes the wrapping key from the passphrase (RFC 7518
§4.8), A256GCM encrypts. Neither a key nor a passphrase stands in any message that is raised here.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

_WRAP: Final = "PBES2-HS512+A256KW"
_ENCRYPTION: Final = "A256GCM"
ROUNDS: Final = 210_000
"""Of PBKDF2 with SHA-512: a tenth of a second for who knows the passphrase, and for each guess."""
_MOST_ROUNDS: Final = 5_000_000
"""A file that asks for more is not one of ours, and would only hold us up."""


class KeyFault(Exception):
    """A key file that cannot be used; the text names the file and what to do, never its content."""


class KeyLocked(KeyFault):
    """The key is sealed and there is no passphrase, or another one."""


class KeyUnprotected(KeyFault):
    """The key lies open where it must be sealed."""


def seal(private: Mapping[str, Any], passphrase: str) -> str:
    """A private JWK as a compact JWE."""
    salt, content_key, nonce = secrets.token_bytes(16), secrets.token_bytes(32), secrets.token_bytes(12)
    header = {
        "alg": _WRAP, "enc": _ENCRYPTION, "p2s": _text(salt), "p2c": ROUNDS, "cty": "jwk+json",
    }  # fmt: skip
    protected = _text(json.dumps(header).encode())
    wrapped = keywrap.aes_key_wrap(_wrapping_key(passphrase, salt, ROUNDS), content_key)
    plain = json.dumps(dict(private)).encode()
    sealed = AESGCM(content_key).encrypt(nonce, plain, protected.encode())
    return ".".join((protected, _text(wrapped), _text(nonce), _text(sealed[:-16]), _text(sealed[-16:])))


def unseal(text: str, passphrase: str) -> dict[str, Any]:
    """The private JWK in a compact JWE; raises ``KeyLocked`` for another passphrase or a changed text."""
    try:
        protected, wrapped, nonce, sealed, tag = text.strip().split(".")
        header = json.loads(_bytes(protected))
        rounds = header["p2c"]
        if (header["alg"], header["enc"]) != (_WRAP, _ENCRYPTION) or not ROUNDS <= rounds <= _MOST_ROUNDS:
            raise ValueError("another way of encryption")
        key = _wrapping_key(passphrase, _bytes(header["p2s"]), rounds)
        content_key = keywrap.aes_key_unwrap(key, _bytes(wrapped))
        plain = AESGCM(content_key).decrypt(_bytes(nonce), _bytes(sealed) + _bytes(tag), protected.encode())
        private: dict[str, Any] = json.loads(plain)
        return private
    except (InvalidTag, keywrap.InvalidUnwrap) as exc:
        raise KeyLocked("is sealed with another passphrase") from exc
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise KeyFault("is no encrypted key of ours") from exc


def is_sealed(path: Path) -> bool:
    """Whether a key file is encrypted."""
    return not path.read_text().lstrip().startswith("{")


def read(path: Path, passphrase: str | None = None, sealed_only: bool = False) -> dict[str, Any]:
    """The private JWK of a file; raises ``KeyFault`` with its name and the way out."""
    text = path.read_text()
    if not text.lstrip().startswith("{"):
        if passphrase is None:
            raise KeyLocked(f"the key {path} is encrypted: set DMI_KEY_PASSPHRASE or DMI_KEY_PASSPHRASE_FILE")
        try:
            return unseal(text, passphrase)
        except KeyFault as exc:
            raise type(exc)(f"the key {path} {exc}") from exc
    if sealed_only:
        raise KeyUnprotected(
            f"the key {path} is not encrypted, which production refuses: run dmi keys protect"
        )
    try:
        private: dict[str, Any] = json.loads(text)
    except ValueError as exc:
        raise KeyFault(f"the key {path} is no JWK") from exc
    return private


def write(path: Path, private: Mapping[str, Any], passphrase: str | None, replace: bool = False) -> bool:
    """Keep a key (mode 0600), sealed when there is a passphrase; returns whether it was written.

    Written aside and moved whole: a stop midway leaves no half key. Unless ``replace``, of two processes one
    wins, and the other is told ``False``.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(dict(private)) if passphrase is None else seal(private, passphrase))
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(aside, path)
            return True
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


def _wrapping_key(passphrase: str, salt: bytes, rounds: int) -> bytes:
    salted = _WRAP.encode() + b"\0" + salt
    return PBKDF2HMAC(hashes.SHA512(), 32, salted, rounds).derive(passphrase.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as exc:
        raise ValueError("no base64url") from exc
