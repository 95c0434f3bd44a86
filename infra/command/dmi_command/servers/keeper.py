"""Ends the processes of a stack when the process that started them dies without a word (``kill -9``)."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable
from typing import Final

SCRIPT: Final = """
while read -r line; do pids=$line; done
[ -n "$pids" ] || exit 0
for pid in $pids; do kill -s TERM -- "-$pid"; done
sleep 6
for pid in $pids; do kill -s KILL -- "-$pid"; done
"""
"""Reads process groups, one list a line, the last counts; acts when its input ends, which a death ends too."""


class Keeper:
    """A small shell that outlives this process for as long as it takes to end what this process left."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[str] | None = None

    def keep(self, groups: Iterable[int]) -> None:
        """From now on these process groups, and no others, end when this process dies."""
        if self._shell is None:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        if self._shell.stdin is not None:
            # Without its shell the stack goes on; only the guard against a sudden death is gone.
            with contextlib.suppress(BrokenPipeError):
                self._shell.stdin.write(" ".join(map(str, groups)) + "\n")
                self._shell.stdin.flush()

    def close(self) -> None:
        """Everything was ended in order: nothing is to be kept any more."""
        if self._shell is None:
            return
        self.keep(())
        if self._shell.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._shell.stdin.close()
        self._shell.wait(5)
        self._shell = None
