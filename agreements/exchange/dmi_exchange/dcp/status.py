"""Whether a credential was withdrawn: Bitstring Status List 1.0. What cannot be told counts as withdrawn."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from dmi_infra.errors import Unauthenticated

PURPOSES: Final = frozenset({"revocation", "suspension"})
LARGEST_LIST: Final = 1024 * 1024
SHORTEST_BITS: Final = 131_072
LONGEST_BYTES: Final = 8 * 1024 * 1024
"""Unpacked; a list of 64 million credentials."""
MOST_ENTRIES: Final = 4

ListOf = Callable[[str], Mapping[str, Any]]
"""From an address to the verified claims of the status list credential that lies there."""


def check(credential: Mapping[str, Any], list_of: ListOf) -> None:
    """Raise ``Unauthenticated`` for a credential that was withdrawn, or whose status is of another kind."""
    if "credentialStatus" not in credential:
        return
    given = credential["credentialStatus"]
    entries = given if isinstance(given, list) else [given]
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise Unauthenticated(f"a credential has 1 to {MOST_ENTRIES} statuses")
    for entry in entries:
        _check_entry(entry, list_of)


def _check_entry(entry: object, list_of: ListOf) -> None:
    if not isinstance(entry, dict) or entry.get("type") != "BitstringStatusListEntry":
        raise Unauthenticated("the credential's status is not a BitstringStatusListEntry")
    purpose, index, address = (
        entry.get(name) for name in ("statusPurpose", "statusListIndex", "statusListCredential")
    )
    if not isinstance(purpose, str) or purpose not in PURPOSES or entry.get("statusSize", 1) != 1:
        raise Unauthenticated("the credential's status must be revocation or suspension, of one bit")
    if not isinstance(index, str) or not index.isascii() or not index.isdigit() or len(index) > 12:
        raise Unauthenticated("the credential's statusListIndex must be a number in a text")
    if not isinstance(address, str):
        raise Unauthenticated("the credential's statusListCredential must be an address")
    subject = list_of(address).get("credentialSubject")
    if not isinstance(subject, dict) or subject.get("type") != "BitstringStatusList":
        raise Unauthenticated("the status list is no BitstringStatusList")
    served = subject.get("statusPurpose")
    if purpose not in (served if isinstance(served, list) else [served]):
        raise Unauthenticated("the status list has another purpose")
    if _bit(_unpacked(subject.get("encodedList")), int(index)):
        raise Unauthenticated("the credential was withdrawn by its issuer")


def _unpacked(encoded: object) -> bytes:
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise Unauthenticated("the status list's encodedList must be multibase base64url")
    try:
        packed = base64.b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4), altchars=b"-_", validate=True)
        machine = zlib.decompressobj(wbits=31)
        bits = machine.decompress(packed, LONGEST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as exc:
        raise Unauthenticated("the status list cannot be unpacked") from exc
    if not machine.eof or len(bits) * 8 < SHORTEST_BITS:
        raise Unauthenticated("the status list is cut off, too long or too short")
    return bits


def _bit(bits: bytes, index: int) -> bool:
    """Bits are counted from the left, as the standard has it."""
    if index >= len(bits) * 8:
        raise Unauthenticated("the status list has no place for this credential")
    return bool(bits[index // 8] & (0x80 >> index % 8))
