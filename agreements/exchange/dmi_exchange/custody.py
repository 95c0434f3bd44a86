"""Keys that the node keeps: its own, and outside production those of participants without a key store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dmi_infra import clock
from dmi_infra.errors import InputRefused
from dmi_infra.jose import FollowingKey, SigningKey

_UNSAFE = re.compile(r"[^a-z0-9-]")


class Custody:
    """A folder of private keys, one file a participant (mode 0600), sealed when there is a passphrase.

    A key that takes over later waits beside it as ``<name>@<seconds since 1970>.json``.
    """

    def __init__(
        self, folder: Path, hosting: bool, passphrase: str | None = None, sealed_only: bool = False
    ) -> None:
        self._folder = folder
        self._hosting = hosting
        self._passphrase = passphrase
        self._sealed_only = sealed_only
        self._loaded: dict[Path, tuple[tuple[int, int], SigningKey]] = {}
        """By file: which version of it was read, and the key. Another process of the node may let a key take over."""

    def path(self, participant: str) -> Path:
        """The file of a participant's key."""
        return self._folder / f"{_UNSAFE.sub('_', participant.lower().removeprefix('urn:dmi:'))}.json"

    def keeps(self, participant: str) -> bool:
        """Whether this node may sign for the participant."""
        return self._hosting and self.path(participant).exists()

    def own(self, participant: str) -> SigningKey:
        """The present key of a participant that this node itself is; made at first use."""
        path = self.path(participant)
        for due in self._waiting(path, clock.seconds()):
            with suppress(FileNotFoundError):  # another process has done so a moment ago
                # What it replaces is deleted by this: nobody signs with it any more.
                due.replace(path)
        # Asked before the file is read: of one that is replaced meanwhile the next look reads the new one.
        known, version = self._loaded.get(path), _version(path)
        if known is None or known[0] != version:
            key = SigningKey.load_or_create(path, self._passphrase, self._sealed_only)
            known = self._loaded[path] = version, key
        return known[1]

    def follow(self, participant: str) -> SigningKey:
        """A key that is always the present one, for who holds it while keys are rotated."""
        return FollowingKey(lambda: self.own(participant))

    def renew(self, participant: str, at: int) -> SigningKey:
        """A new key that takes over at ``at`` (seconds since 1970)."""
        path, key = self.path(participant), SigningKey.generate()
        key.keep(path.with_name(f"{path.stem}@{at:012d}.json"), self._passphrase, replace=True)
        return key

    def sign(self, participant: str, document: Mapping[str, Any]) -> str:
        """Sign for a participant whose key is kept here; refused in production and for others' keys."""
        if not self.keeps(participant):
            raise InputRefused.of("hosted", "this node keeps no key of this participant; send a JWS instead")
        return self.own(participant).sign_document(document)

    @staticmethod
    def _waiting(path: Path, now: float) -> list[Path]:
        """Keys whose moment has come, the earliest first."""
        found = sorted(path.parent.glob(f"{path.stem}@*.json"))
        return [file for file in found if int(file.stem.rpartition("@")[2]) <= now]


def _version(file: Path) -> tuple[int, int]:
    """Differs between a file and the one that takes its place; zeros where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
