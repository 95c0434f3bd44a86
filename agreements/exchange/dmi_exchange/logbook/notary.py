"""Signs heads of the log in the background, so that nothing waits for a signature."""

from __future__ import annotations

import threading

import structlog

from dmi_exchange.logbook.tree import Tree, TreeBroken
from dmi_infra.errors import Unavailable

log = structlog.get_logger("exchange")


class Notary:
    """A thread that signs a head every ``seconds`` when the log has grown. A broken log gets none."""

    def __init__(self, tree: Tree, seconds: float) -> None:
        self._tree = tree
        self._seconds = seconds
        self._broken = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notary", daemon=True)

    def start(self) -> None:
        """Begin to sign."""
        self._thread.start()

    def stop(self) -> None:
        """End after the head at hand."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def look(self) -> None:
        """Sign a head when there is something new; a break is told once."""
        try:
            self._tree.advance()
            self._broken = ""
        except TreeBroken as exc:
            if str(exc) != self._broken:
                log.error("the log is broken, its heads are no longer signed", reason=str(exc))
            self._broken = str(exc)

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Unavailable as exc:
                log.warning("no head of the log is signed", reason=str(exc))
            except Exception as exc:  # the thread must live: it tries again with the next head
                log.error("no head of the log is signed", exc_info=exc)
            if self._stopping.wait(self._seconds):
                return
