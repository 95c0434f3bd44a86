"""The exchange's public keys in a file, for a broker on this machine that checks tokens without asking anybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec


class KeyFile:
    """A JWK set (RFC 7517) in ``path``, written anew when the keys that count have changed."""

    def __init__(self, path: Path, keys: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._path = path
        self._keys = keys
        self._written = b""

    def keep(self) -> None:
        """Write the file if it is not what it should be; a reader sees the old keys or the new ones, never half."""
        wanted = msgspec.json.encode({"keys": list(self._keys())})
        if wanted == self._written:
            return
        beside = self._path.with_name(f"{self._path.name}.new")
        beside.write_bytes(wanted)
        os.replace(beside, self._path)
        self._written = wanted
