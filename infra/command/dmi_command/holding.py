"""The data folder of a stack, held so that no second stack or service works on it unnoticed.

The operating system lets a lock go when its process ends, however it ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dmi_command.errors import CannotStart
from dmi_infra.settings import Settings


@contextmanager
def own_folder(settings: Settings) -> Iterator[None]:
    """The data folder for this stack alone; raises ``CannotStart`` while another one runs on it."""
    with _held(settings, settings.data_dir / "lock", "another stack runs"):
        yield


@contextmanager
def own_services(settings: Settings, names: Sequence[str]) -> Iterator[None]:
    """These services on the data folder for this process alone; raises ``CannotStart`` while one runs elsewhere."""
    with ExitStack() as held:
        for name in names:
            held.enter_context(
                _held(settings, settings.data_dir / "locks" / name, f"the service {name} runs already")
            )
        yield


@contextmanager
def _held(settings: Settings, file: Path, otherwise: str) -> Iterator[None]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as exc:
        raise CannotStart(folder_fault(exc, settings)) from exc
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"{otherwise} on the data folder {settings.data_dir}; stop it, or choose another folder with "
                "DMI_DATA_DIR"
            ) from None
        yield
    finally:
        os.close(lock)


def folder_fault(exc: OSError, settings: Settings) -> str:
    """Why the data folder cannot be used, in a line."""
    if exc.errno == errno.ENOSPC:
        return f"the disk of {settings.data_dir} is full"
    return f"the data folder {settings.data_dir} cannot be used: {exc.strerror}"
