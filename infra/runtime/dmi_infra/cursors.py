"""Cursors of pages: where a list goes on, sealed so that who holds one can neither read nor make one.

A place in a list can tell more than the list does: the time of a row, its source's id, how many rows there are.
The key lies in the service's store, so that every process of the service opens what another one sealed, and
what was given before a restart still holds after it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from dmi_infra.errors import InputRefused
from dmi_infra.sql import insert_new, transaction

_NAME: Final = "cursors"
_BITS: Final = 512
_BLOCK: Final = 64
"""Places are filled up to a multiple of this many bytes, so that the length tells little of an id in them."""

T = TypeVar("T")


def secret_table(metadata: sa.MetaData) -> sa.Table:
    """Keys of a service that nobody but its own processes needs."""
    return sa.Table(
        "secret",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )


def new_key() -> bytes:
    """A key of whoever asks, for what only its own process opens."""
    return AESSIV.generate_key(_BITS)


def kept_key(engine: sa.Engine, table: sa.Table) -> bytes:
    """The key that the store keeps for cursors; made by whichever process comes first."""
    with transaction(engine) as connection:
        insert_new(connection, table, {"name": _NAME, "key": new_key()}, ["name"])
        return bytes(connection.execute(sa.select(table.c.key).where(table.c.name == _NAME)).scalar_one())


class Cursors:
    """Seals and opens places. A cursor opens only for the list, and the caller, that it was sealed ``about``.

    AES-SIV (RFC 5297): one place gives one text always, so no number has to be used only once by all processes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, place: Any, *about: str) -> str:
        """A place, of any type that ``open`` is asked for, as text for an address."""
        plain = msgspec.json.encode(place)
        padded = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK)
        sealed = self._cipher.encrypt(padded, _aside(about))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, cursor: str | None, kind: type[T], *about: str) -> T | None:
        """The place of a cursor, ``None`` without one; ``InputRefused`` for what ``seal`` did not make ``about`` it."""
        if cursor is None:
            return None
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            return msgspec.json.decode(self._cipher.decrypt(sealed, _aside(about)), type=kind)
        except (binascii.Error, ValueError, InvalidTag) as exc:
            raise InputRefused.of(
                "cursor", "must be the next of an earlier page of this list", cursor
            ) from exc


def _aside(about: tuple[str, ...]) -> list[bytes]:
    return [msgspec.json.encode(about)]
