"""One thread a running transfer, as long as it runs; what fails is tried again with back-off, its reason shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Final

import httpx
import msgspec
import structlog

from dmi_agreements.dsp import states
from dmi_agreements.dsp.states import Side
from dmi_exchange.dsp.client import Unreachable
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.store import Change, Processes
from dmi_exchange.flow.store import Flows
from dmi_infra.errors import Failure, NotFound, Unavailable

log = structlog.get_logger("exchange")

LOOK_SECONDS: Final = 0.3
FIRST_WAIT: Final = 0.25
LONGEST_WAIT: Final = 30.0


class Run:
    """One transfer while it runs: whether to go on, and what to show of it."""

    def __init__(self, processes: Processes, process: Process, stopping: threading.Event) -> None:
        self._processes = processes
        self._stopping = stopping
        self.process = process

    def goes_on(self) -> bool:
        """Whether the transfer still runs, and this node too."""
        return not self._stopping.is_set() and self._processes.get(self.process.id).state == states.STARTED

    def note(self, reason: str) -> None:
        """Show why it waits; empty: it does not."""

        def decide(known: Process, _received: object) -> Change | None:
            if known.state != states.STARTED or known.reason == reason:
                return None
            return Change(msgspec.structs.replace(known, reason=reason[:1000]))

        self._processes.change(self.process.id, decide)


Work = Callable[[Run], bool]
"""Carries data until the connection ends or nothing goes on; whether the transfer is complete."""


class Followers:
    """A thread that sees which transfers run on one side in some formats, and one that works for each of them."""

    def __init__(
        self, processes: Processes, flows: Flows, side: Side, formats: Collection[str], work: Work
    ) -> None:
        self._processes = processes
        self._flows = flows
        self._side: Side = side
        self._formats = formats
        self._work = work
        self._running: dict[str, threading.Thread] = {}
        self._others: set[str] = set()
        """Transfers that run and are not for this one: neither their format nor whose they are changes."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="transfers", daemon=True)

    def start(self) -> None:
        """Begin, also with what an earlier run left."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is not durable yet comes at the next start."""
        self._stopping.set()
        self._thread.join(timeout=2)
        until = time.monotonic() + 3
        for thread in list(self._running.values()):
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._look()
            except Unavailable as exc:
                log.warning("transfers cannot be looked at", reason=str(exc))
            except Exception as exc:  # the thread must live: it looks again
                log.error("transfers cannot be looked at", exc_info=exc)

    def _look(self) -> None:
        self._running = {name: thread for name, thread in self._running.items() if thread.is_alive()}
        flowing = self._processes.flowing(self._side)
        self._others.intersection_update(flowing)
        for identifier in flowing:
            if identifier in self._running or identifier in self._others:
                continue
            process = self._processes.get(identifier)
            if process.own or process.format not in self._formats:
                self._others.add(identifier)
            else:
                made = threading.Thread(target=self._follow, args=(identifier,), name="transfer", daemon=True)
                self._running[identifier] = made
                made.start()

    def _follow(self, identifier: str) -> None:
        tries = 0
        while not self._stopping.is_set():
            before = self._flows.get(identifier).changed_at
            reason = ""
            try:
                run = Run(self._processes, self._processes.get(identifier), self._stopping)
                if not run.goes_on():
                    return
                if self._work(run):
                    return
            except NotFound:
                return
            except Unavailable as exc:
                reason = exc.public
            except (Unreachable, Failure, httpx.HTTPError) as exc:
                reason = str(exc) or type(exc).__name__
            except Exception as exc:  # whatever the other side sent: shown at the transfer, and tried again
                log.error("a transfer cannot go on", transfer=identifier, exc_info=exc)
                reason = "a fault of this node; it has been logged"
            moved = self._flows.get(identifier).changed_at != before
            tries = 0 if moved or not reason else tries + 1
            if reason:
                run.note(f"{reason}; tried {max(tries, 1)} time{'s' if tries > 1 else ''}, goes on trying")
            self._stopping.wait(min(FIRST_WAIT * 2 ** min(tries, 20), LONGEST_WAIT))
