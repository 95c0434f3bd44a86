"""One server process: started with its log in a file, awaited, stopped, killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Container, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypedDict

from dmi_command.servers.errors import ServerMissing, ServerStartFailed

LOOK_EVERY_S: Final = 0.05
LOG_LINES: Final = 15


def free_port(besides: Container[int] = ()) -> int:
    """A port of 127.0.0.1 that nobody listens on now, and none of those ``besides``, which are given out already."""
    with ExitStack() as held:
        while True:
            found = held.enter_context(socket.socket())
            found.bind(("127.0.0.1", 0))
            # While one is held that is no use, the next is another.
            if (port := int(found.getsockname()[1])) not in besides:
                return port


def listens(port: int) -> bool:
    """Whether a server accepts connections on ``port`` of 127.0.0.1."""
    with socket.socket() as tried:
        tried.settimeout(1.0)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def program(name: str, server: str, remedy: str, folders: Sequence[Path] = ()) -> str:
    """The path of a program, looked for in ``folders`` and on the search path; else ``ServerMissing``."""
    places = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=places)
    if found is None:
        raise ServerMissing(server, remedy)
    return found


def other_user(user: str, folder: Path) -> str | None:
    """``user`` when this process is root, after giving it ``folder``; else ``None``.

    For programs that refuse to run as root.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ServerMissing(
            f"the user {user!r}", "install the server's package, which makes this user"
        ) from None
    shutil.chown(folder, entry.pw_uid, entry.pw_gid)
    return user


def reaches(user: str | None, folder: Path) -> bool:
    """Whether ``user`` can come to ``folder``: the folders above it may be closed to others."""
    return (
        subprocess.run(["test", "-x", str(folder)], check=False, cwd="/", **_identity(user)).returncode == 0
    )


def run(
    server: str,
    command: Sequence[str],
    log: Path,
    timeout: float = 60.0,
    user: str | None = None,
    files: Sequence[int] = (),
) -> None:
    """Run a program to its end, its output in ``log``; a failure raises ``ServerStartFailed``.

    The open ``files`` (descriptors) are handed down to it.
    """
    with log.open("ab") as out:
        done = subprocess.run(
            command,
            stdout=out,
            stderr=out,
            timeout=timeout,
            check=False,
            cwd="/" if user else log.parent,
            pass_fds=files,
            **_identity(user),
        )
    if done.returncode != 0:
        raise ServerStartFailed(
            f"{server}: {Path(command[0]).name} ended with {done.returncode}\n{tail(log)}"
        )


class _Identity(TypedDict, total=False):
    user: str
    group: str
    extra_groups: list[str]


def _identity(user: str | None) -> _Identity:
    """Under whose name a program runs; without the groups of this process."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:]) if log.exists() else ""


class ServerProcess:
    """A process in a group of its own, so that an interrupt in the terminal does not reach it first."""

    def __init__(self, server: str, log: Path) -> None:
        self.server = server
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def group(self) -> int | None:
        """The process group, which is the process's id, while it lives."""
        return self._process.pid if self._process is not None and self.running else None

    def start(
        self,
        command: Sequence[str],
        ready: Callable[[], bool],
        *,
        deadline: float = 30.0,
        user: str | None = None,
        files: Sequence[int] = (),
    ) -> None:
        """Start ``command`` and wait until ``ready``; after ``deadline`` seconds ``ServerStartFailed``."""
        self.launch(command, user=user, files=files)
        self.await_ready(ready, deadline=deadline)

    def launch(self, command: Sequence[str], *, user: str | None = None, files: Sequence[int] = ()) -> None:
        """Start ``command`` without waiting; the open ``files`` (descriptors) are handed down to it."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/" if user else self.log.parent,
                pass_fds=files,
                **_identity(user),
            )

    def await_ready(self, ready: Callable[[], bool], *, deadline: float = 30.0) -> None:
        """Wait until ``ready``; ``ServerStartFailed`` when it ends before, or after ``deadline`` seconds."""
        until = time.monotonic() + deadline
        while not ready():
            if self._process is None or self._process.poll() is not None:
                code = self._process.returncode if self._process else "a stop"
                raise ServerStartFailed(f"{self.server} ended with {code}\n{tail(self.log)}")
            if time.monotonic() > until:
                self.kill()
                raise ServerStartFailed(
                    f"{self.server} was not ready within {deadline:g} s\n{tail(self.log)}"
                )
            time.sleep(LOOK_EVERY_S)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 15.0) -> None:
        """Ask the process to end; after ``timeout`` seconds it is killed."""
        if self._process is None:
            return
        if self.running:
            self._signal(number)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End the process and its children at once, as a power failure would."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return
