"""The room that imports have on the disk: a share for each participant, and what is left free for all else."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from dmi_infra.errors import Unavailable
from dmi_ingest.errors import TooLarge, TooMany

log = structlog.get_logger("imports")

FULL: Final = "there is no room for files of imports at the moment; try again later"
TOLD_SECONDS: Final = 60.0
"""So often the operator is told that the disk is full, however many ask: the log is on a disk too."""


@dataclass(frozen=True, slots=True)
class Share:
    """Most ``imports`` that one participant began whose files lie here, their bytes, and bytes left ``free``."""

    imports: int
    size: int
    free: int


@dataclass(slots=True)
class _Lying:
    """Files of one import that arrive, wait to be read, are read, or wait to be resumed; ``size`` in bytes."""

    who: str
    """Who began or resumed it, also for another: by N mandates one would have N shares, and fill the mandators'."""
    size: int


class Room:
    """Counts what lies in ``folder``. One process has it, so all of it is told here."""

    def __init__(self, folder: Path, share: Share, behind: Callable[[str], str]) -> None:
        """``behind`` tells the participant whose machine somebody is, else that one itself."""
        self._folder = folder
        self._share = share
        self._behind = behind
        self._lying: dict[str, _Lying] = {}
        self._lock = threading.Lock()
        self._told = -TOLD_SECONDS
        """When the operator was told last that the disk is full, of the monotonic clock."""

    def open(self, waiting: Iterable[tuple[str, str]]) -> None:
        """Take stock: each import that can be resumed, and who began it. Files of any other are deleted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        known = dict(waiting)
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            size = sum(file.stat().st_size for file in folder.iterdir())
            self._lying[folder.name] = _Lying(known[folder.name], size)

    def enter(self, identifier: str, who: str) -> Path:
        """The new folder of an import. Raises ``TooMany`` beyond its share, ``Unavailable`` when the disk is full."""
        self.spare()
        with self._lock:
            self._check_number(len(self._of(who)))
            folder = self._folder / identifier
            folder.mkdir(parents=True)
            self._lying[identifier] = _Lying(who, 0)
        return folder

    def take(self, identifier: str, size: int) -> None:
        """So many bytes more arrive; raises ``TooLarge`` beyond its share, ``Unavailable`` when the disk is full."""
        self.spare()
        with self._lock:
            here = self._lying[identifier]
            here.size += size
            self._check_size(sum(one.size for one in self._of(here.who)))

    def pass_on(self, identifier: str, who: str) -> None:
        """Whoever resumes an import has it in its own share from then on; raises as ``enter`` and ``take``."""
        with self._lock:
            here = self._lying.get(identifier)
            if here is None or self._behind(here.who) == self._behind(who):
                return
            # Else two who work together would hand in without end: one begins, the other resumes.
            mine = self._of(who)
            self._check_number(len(mine))
            self._check_size(sum(one.size for one in mine) + here.size)
            here.who = who

    def party(self, who: str) -> str:
        """In whose share is what somebody begins."""
        return self._behind(who)

    def leave(self, identifier: str) -> None:
        """Delete the files of an import."""
        shutil.rmtree(self._folder / identifier, ignore_errors=True)
        with self._lock:
            self._lying.pop(identifier, None)

    def spare(self) -> None:
        """Raise ``Unavailable`` when less is free than what bus, stores and records need to go on."""
        free = shutil.disk_usage(self._folder).free
        if free >= self._share.free:
            return
        if time.monotonic() - self._told >= TOLD_SECONDS:
            self._told = time.monotonic()
            log.warning(
                "imports wait for room on the disk", folder=str(self._folder), free_bytes=free,
                setting="DMI_IMPORT_FREE", wanted_bytes=self._share.free,
            )  # fmt: skip
        raise Unavailable(FULL)

    def _of(self, who: str) -> list[_Lying]:
        """What is in the share of somebody: of all that its participant began by its mandates and machines too."""
        whose = self._behind(who)
        return [one for one in self._lying.values() if self._behind(one.who) == whose]

    def _check_number(self, lying: int) -> None:
        if lying >= self._share.imports:
            rule = (
                f"a participant may have at most {self._share.imports} imports that wait, run or can be resumed, those "
                "that it began for others too: let them end, resume or delete them"
            )
            raise TooMany.of("file", rule)

    def _check_size(self, size: int) -> None:
        if size > self._share.size:
            rule = (
                "the files of imports that one participant began, also for others, and that wait, run or can be "
                f"resumed may hold at most {self._share.size} bytes together: let them end, resume or delete them"
            )
            raise TooLarge.of("file", rule)
