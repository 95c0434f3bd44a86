"""Keys that the node keeps: its own, and outside production those of participants without a key store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from dmi_infra import clock
from dmi_infra.errors import InputRefused
from dmi_infra.jose import FollowingKey, SigningKey

_UNSAFE = re.compile(r"[^a-z0-9-]")
Announced = Callable[[str, str], bool]
"""Whether the law has this participant's key (kid), and it counts now."""
_GIVEN_UP: Final = 3600
"""After so many seconds a key that was not announced is not waited for any more."""


class Custody:
    """A folder of private keys, one file a participant (mode 0600), sealed when there is a passphrase.

    A key that takes over later waits beside it as ``<name>@<seconds since 1970>@<kid>.json``. It does so if the law has
    it by then (``announced``): else the node would sign with a key that nobody knows. Who has no law at hand lets none
    take over.
    """

    def __init__(
        self,
        folder: Path,
        hosting: bool,
        passphrase: str | None = None,
        sealed_only: bool = False,
        announced: Announced | None = None,
    ) -> None:
        self._folder = folder
        self._hosting = hosting
        self._passphrase = passphrase
        self._sealed_only = sealed_only
        self._announced = announced
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
        for due, kid in self._waiting(path, clock.seconds()) if self._announced else ():
            with suppress(FileNotFoundError):  # another process has done so a moment ago
                if self._announced and self._announced(participant, kid):
                    made = due.stat().st_mtime_ns
                    # What it replaces is deleted by this: nobody signs with it any more.
                    due.replace(path)
                    self._drop_older(path, made)
                elif due.stat().st_mtime < clock.seconds() - _GIVEN_UP:
                    due.unlink()
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
        """A new key that takes over at ``at`` (seconds since 1970), if it has been announced by then."""
        path, key = self.path(participant), SigningKey.generate()
        key.keep(path.with_name(f"{path.stem}@{at:012d}@{key.kid}.json"), self._passphrase, replace=True)
        return key

    def sign(self, participant: str, document: Mapping[str, Any]) -> str:
        """Sign for a participant whose key is kept here; refused in production and for others' keys."""
        if not self.keeps(participant):
            raise InputRefused.of("hosted", "this node keeps no key of this participant; send a JWS instead")
        return self.own(participant).sign_document(document)

    @staticmethod
    def _drop_older(path: Path, made: int) -> None:
        """Delete keys that wait and were made before the one that took over: later they would take its place."""
        for file in path.parent.glob(f"{path.stem}@*@*.json"):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime_ns < made:
                    file.unlink()

    @staticmethod
    def _waiting(path: Path, now: float) -> list[tuple[Path, str]]:
        """Keys (and their kids) whose moment has come, the earliest first."""
        found = sorted(path.parent.glob(f"{path.stem}@*@*.json"))
        named = [(file, file.stem.split("@")) for file in found]
        return [(file, parts[2]) for file, parts in named if int(parts[1]) <= now]


def _version(file: Path) -> tuple[int, int]:
    """Differs between a file and the one that takes its place; zeros where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
