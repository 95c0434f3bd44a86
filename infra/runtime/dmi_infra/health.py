"""What a readiness check says: nothing when all is well, else what is wrong; or what is remarkable and yet well."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

import structlog

log = structlog.get_logger("health")


class Well(str):
    """The answer of a check that is well, with a line about why that is so."""

    __slots__ = ()


class Check(Protocol):
    """A readiness check: ``None`` or ``Well`` when well, else what is wrong, in one line."""

    def __call__(self) -> str | None: ...


def is_well(answers: Mapping[str, str | None]) -> bool:
    """Whether every check is well."""
    return all(answer is None or isinstance(answer, Well) for answer in answers.values())


def told(answer: str | None) -> str:
    """An answer in words: ``ok`` when all is well."""
    if answer is None:
        return "ok"
    return f"ok: {answer}" if isinstance(answer, Well) else answer


class Watch:
    """Logs when a service that was ready is so no longer, with why, and when it is again; safe between threads.

    Who asks sees a status alone, and often not even that it changed for a moment.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._lock = threading.Lock()
        # Nothing is said of a service that has yet to become ready: it says itself that it starts.
        self._wrong: frozenset[str] | None = None

    def see(self, answers: Mapping[str, str | None]) -> None:
        """Take the answers of all checks."""
        wrong = {name: told(answer) for name, answer in answers.items() if not is_well({name: answer})}
        with self._lock:
            before, now = self._wrong, frozenset(wrong)
            if before == now or (before is None and now):
                return
            self._wrong = now
        if now:
            log.warning("not ready", service=self._service, checks=wrong)
        elif before is not None:
            log.info("ready again", service=self._service)
