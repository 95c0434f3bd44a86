"""The room that imports have on the disk: a share for each participant, and what is left free for all else."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmi_infra.errors import Unavailable
from dmi_ingest.errors import TooLarge, TooMany

FULL: Final = "there is no room for files of imports at the moment; try again later"


@dataclass(frozen=True, slots=True)
class Share:
    """Most ``imports`` of one participant whose files lie here, bytes of these together, and bytes left ``free``."""

    imports: int
    size: int
    free: int


@dataclass(slots=True)
class _Lying:
    """Files of one import that arrive, wait to be read, are read, or wait to be resumed; ``size`` in bytes."""

    participant: str
    size: int


class Room:
    """Counts what lies in ``folder``. One process has it, so all of it is told here."""

    def __init__(self, folder: Path, share: Share) -> None:
        self._folder = folder
        self._share = share
        self._lying: dict[str, _Lying] = {}
        self._lock = threading.Lock()

    def open(self, waiting: Iterable[tuple[str, str]]) -> None:
        """Take stock: id and participant of each import that can be resumed. Files of any other are deleted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        known = dict(waiting)
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            size = sum(file.stat().st_size for file in folder.iterdir())
            self._lying[folder.name] = _Lying(known[folder.name], size)

    def enter(self, identifier: str, participant: str) -> Path:
        """The new folder of an import. Raises ``TooMany`` beyond its share, ``Unavailable`` when the disk is full."""
        self.spare()
        with self._lock:
            if sum(one.participant == participant for one in self._lying.values()) >= self._share.imports:
                rule = (
                    f"a participant may have at most {self._share.imports} imports that wait, run or can be resumed: "
                    "let them end, resume or delete them"
                )
                raise TooMany.of("file", rule)
            folder = self._folder / identifier
            folder.mkdir(parents=True)
            self._lying[identifier] = _Lying(participant, 0)
        return folder

    def take(self, identifier: str, size: int) -> None:
        """So many bytes more arrive; raises ``TooLarge`` beyond its share, ``Unavailable`` when the disk is full."""
        self.spare()
        with self._lock:
            here = self._lying[identifier]
            here.size += size
            if (
                sum(one.size for one in self._lying.values() if one.participant == here.participant)
                > self._share.size
            ):
                rule = (
                    f"the files of imports of one participant that wait, run or can be resumed may hold at most "
                    f"{self._share.size} bytes together: let them end, resume or delete them"
                )
                raise TooLarge.of("file", rule)

    def leave(self, identifier: str) -> None:
        """Delete the files of an import."""
        shutil.rmtree(self._folder / identifier, ignore_errors=True)
        with self._lock:
            self._lying.pop(identifier, None)

    def spare(self) -> None:
        """Raise ``Unavailable`` when less is free than what bus, stores and records need to go on."""
        if shutil.disk_usage(self._folder).free < self._share.free:
            raise Unavailable(FULL)
