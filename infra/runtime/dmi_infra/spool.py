"""Records on disk until the bus has them, for a process that is killed between an answer and its batch.

A record is in the system's hands before what it tells of leaves: a process that is killed loses none. A machine that
loses its power may lose what the system had not yet written. Files hold one record a line, oldest first.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog

from dmi_agreements.contracts.record import DecisionRecord, Quality
from dmi_agreements.contracts.results import Lineage
from dmi_infra.errors import Unavailable

log = structlog.get_logger("spool")

Record = DecisionRecord | Lineage | Quality

_KINDS: Final[dict[bytes, type[Record]]] = {b"d": DecisionRecord, b"l": Lineage, b"q": Quality}
"""First character of a line: the kind of its record; the rest is its JSON, which has no line ends."""
_MARKS: Final = {kind: mark for mark, kind in _KINDS.items()}
_ENCODER: Final = msgspec.json.Encoder()


class SpoolFault(Unavailable):
    """The disk takes no records; what cannot be recorded is not allowed."""


class Spool:
    """The files of one service; its process alone writes them, and its caller lets one thread in at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
        self._file: int | None = None
        self._closed: list[Path] = []
        self._spoiled: list[Path] = []
        """Files that end in half a line; what they hold has not been sent yet."""
        self._open: Path | None = None

    def left(self) -> Iterator[Record]:
        """What an earlier process left, oldest first; ``drop`` forgets it, once it has been sent."""
        for file in self._left:
            yield from _read(file)
        self._closed += self._left
        self._left = []

    def write(self, record: Record) -> None:
        """Keep one record; raises ``SpoolFault`` when the disk takes none."""
        line = _MARKS[type(record)] + _ENCODER.encode(record) + b"\n"
        try:
            if self._file is None:
                self._file = self._begin()
            written = os.write(self._file, line)
            if written < len(line):
                self._take_back(written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            log.error("disk takes no records", reason=str(exc))
            raise SpoolFault("decisions cannot be kept on disk, so nothing is let through") from exc

    def _take_back(self, written: int) -> None:
        """A full disk takes a part of a line; what follows would be read as the end of it."""
        file, path = self._file, self._open
        if file is None or path is None:
            return
        try:
            os.ftruncate(file, os.fstat(file).st_size - written)
        except OSError as exc:
            log.error("half a line stays on disk", file=path.name, reason=str(exc))
            # The next record begins a file of its own; this one is forgotten with what was written after it.
            self._file = self._open = None
            self._spoiled.append(path)
            os.close(file)

    def turn(self) -> None:
        """Close the file at hand: ``drop`` forgets what was written up to here."""
        self._closed += self._spoiled
        self._spoiled = []
        file, path = self._file, self._open
        # Whatever comes of closing: the number of a file that has been closed may be another file's by now.
        self._file = self._open = None
        if path is not None:
            self._closed.append(path)
        if file is not None:
            try:
                os.close(file)
            except OSError as exc:
                log.error("file of records cannot be closed", reason=str(exc))

    def drop(self) -> None:
        """Forget the closed files: the bus has what they hold."""
        for file in self._closed:
            file.unlink(missing_ok=True)
        self._closed.clear()

    def _begin(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open = self._folder / f"{time.time_ns():020}.jsonl"
        return os.open(self._open, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)


def _read(file: Path) -> Iterator[Record]:
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("the line has no end")
            yield msgspec.json.decode(line[1:], type=_KINDS[line[:1]])
        except (ValueError, KeyError, msgspec.MsgspecError) as exc:
            # Half a line is of a record that was never kept, and so of something that never left.
            log.error("record passed over", file=file.name, line=number, reason=str(exc))
