"""CloudEvents 1.0 attributes (NL GOV profile) of every message, and the codec of payloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """The attributes that travel as headers in binary mode; ``time`` is RFC 3339 in UTC."""

    id: str
    source: str
    type: str
    time: str
    subject: str = ""
    dataset: str = ""
    agreement: str = ""
    purpose: str = ""
    traceparent: str = ""
    contributor: str = ""
    """Who handed in what the message carries: the participant that may ask what became of it."""

    def headers(self) -> list[tuple[str, bytes]]:
        """CloudEvents binary-mode headers (``ce_`` prefix); empty attributes are left out."""
        pairs = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]
        for name in self.__struct_fields__:
            value: str = getattr(self, name)
            if value:
                key = name if name == "traceparent" else f"ce_{name}"
                pairs.append((key, value.encode()))
        return pairs

    @classmethod
    def from_headers(cls, headers: Mapping[str, bytes]) -> Envelope:
        """The envelope of a received message; a missing required attribute raises ``ValueError``."""
        values: dict[str, Any] = {}
        for name in cls.__struct_fields__:
            key = name if name == "traceparent" else f"ce_{name}"
            if key in headers:
                values[name] = headers[key].decode()
        missing = {"id", "source", "type", "time"} - values.keys()
        if missing:
            raise ValueError(f"CloudEvents attribute missing: {', '.join(sorted(missing))}")
        return cls(**values)


def encode(payload: Any) -> bytes:
    """A contract as JSON bytes."""
    return msgspec.json.encode(payload)


def decode(payload: bytes, contract: type[T]) -> T:
    """JSON bytes as a contract; raises ``msgspec.ValidationError`` with the path of the field."""
    return msgspec.json.decode(payload, type=contract)
