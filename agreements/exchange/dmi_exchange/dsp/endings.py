"""An agreement that is ended ends what runs under it, and the other side's node is told at once.

The protocol has no message for an agreement that is stopped after its negotiation. Transfers under it are terminated
with the protocol's own message; the agreement itself ends on the other node by a message of this project, which a
foreign connector answers with 404 and need not know.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from dmi_agreements.changes import Change as LawChange
from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.dsp import states
from dmi_exchange import model
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.process import Process, other
from dmi_exchange.dsp.steps import AGREEMENT_END, moved, outgoing
from dmi_exchange.dsp.store import Change
from dmi_exchange.dsp.transfer import Transfers
from dmi_exchange.handlers import Exchange
from dmi_infra.clock import to_text
from dmi_infra.errors import Conflict, InputRefused, NotFound, Unavailable

log = structlog.get_logger("exchange")

PAUSE_SECONDS = 0.5
RETRY_SECONDS = 60.0
"""After which an end that could not be carried is tried again."""
WHOLE = ""
"""In the queue: look at all agreements, not at one."""


class Endings:
    """A thread that carries an end to wherever the agreement was in use."""

    def __init__(self, exchange: Exchange, negotiations: Negotiations, transfers: Transfers) -> None:
        self._exchange = exchange
        self._negotiations = negotiations
        self._transfers = transfers
        self._processes = transfers.steps.processes
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._failed: dict[str, float] = {}
        """What could not be carried, with when it is tried again (monotonic clock)."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="endings", daemon=True)

    def listen(self, change: LawChange) -> None:
        """Take note of a change of the law; returns at once."""
        for agreement in change.ended:
            self._queue.put(agreement)

    def start(self) -> None:
        """Begin with what ended while this node was away."""
        self._queue.put(WHOLE)
        self._thread.start()

    def stop(self) -> None:
        """End; what is not told yet is found at the next start."""
        self._stopping = True
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping:
            found = self._next()
            if found is None:
                return
            try:
                for agreement in [found] if found else self._processes.agreements():
                    self._carry(agreement)
            except Unavailable as exc:
                log.warning("an end waits", agreement=found, reason=str(exc))
                time.sleep(PAUSE_SECONDS)
                self._queue.put(found)
            except Exception as exc:  # the thread must live: the next end must be carried too
                log.error("ends could not be looked for", exc_info=exc)
                self._failed[found] = time.monotonic() + RETRY_SECONDS

    def _next(self) -> str | None:
        """What has ended, or failed a while ago; ``None`` when this thread is to end."""
        due = min(self._failed, key=self._failed.__getitem__, default=None)
        if due is None:
            return self._queue.get()
        try:
            return self._queue.get(timeout=max(self._failed[due] - time.monotonic(), 0))
        except queue.Empty:
            del self._failed[due]
            return due

    def _carry(self, agreement: str) -> None:
        try:
            whole = self.carry(agreement)
        except Unavailable:
            raise
        except Exception as exc:  # those behind it must be carried too
            log.error("an end could not be carried", agreement=agreement, exc_info=exc)
            whole = False
        if not whole:
            self._failed[agreement] = time.monotonic() + RETRY_SECONDS

    def carry(self, agreement: str) -> bool:
        """End what runs under an agreement that was ended, and tell the other side unless the end came from there.

        Returns whether all of it was done; what was not has been logged.
        """
        state = self._exchange.store.get(AgreementState, agreement)
        if state is None or state.state != "ended":
            return True
        whole = True
        for process in self._processes.under(agreement):
            if process.peer not in model.parties(state):
                continue  # it named an agreement of others as its own, which earlier versions took
            try:
                self._end(process, state)
            except Conflict as exc:
                log.info("it has ended already", process=process.id, reason=str(exc))
            except Unavailable:
                raise
            except Exception as exc:  # what else runs under it must end
                log.error("a process could not be ended", process=process.id, exc_info=exc)
                whole = False
        return whole

    def _end(self, process: Process, state: AgreementState) -> None:
        if process.kind == "transfer" and not process.over:
            why = f": {state.end_reason}" if state.end_reason else ""
            self._transfers.terminate(process.id, f"the agreement was ended{why}")
        elif process.state == states.FINALIZED and not process.told:
            self._tell(process, state)

    def _tell(self, process: Process, state: AgreementState) -> None:
        peer = self._exchange.store.get(Participant, process.peer)
        theirs = state.ended_by == process.peer
        silent = peer is None or not peer.home

        def decide(known: Process, _received: Callable[[str], bool]) -> Change | None:
            if known.told:
                return None
            after = msgspec.structs.replace(known, told=True)
            # Nothing that still waits to be said counts any more, and the end must not wait behind it.
            if theirs:
                return Change(after, silence=True)
            if silent:
                return Change(after)
            return Change(after, outgoing(after, AGREEMENT_END, **_said(state)), silence=True)

        self._processes.change(process.id, decide)
        self._transfers.steps.wake()

    def ended(self, identifier: str, peer: str, body: Mapping[str, Any]) -> Process:
        """The other side ended the agreement of a negotiation; raises ``NotFound`` for anybody else."""
        process = self._transfers.steps.visible("negotiation", identifier, peer)
        if not process.agreement_id or body.get("agreementId") != process.agreement_id:
            raise NotFound("no agreement of this negotiation has this id")
        given = body.get("reason")
        reason = "; ".join(item for item in given if isinstance(item, str)) if isinstance(given, list) else ""
        if (process.role, process.state, process.kept) == ("consumer", states.FINALIZED, False):
            # Else it would be kept afterwards, and hold.
            process = self._kept(process)
        if self._exchange.store.get(AgreementState, process.agreement_id) is not None:
            with suppress(Conflict):  # it may have ended here already
                self._exchange.end(peer, process.agreement_id, reason[:500])
        return self._close(process, reason)

    def _kept(self, process: Process) -> Process:
        try:
            return self._negotiations.keep(process.id)
        except (InputRefused, NotFound) as exc:
            # It cannot hold here, and what has ended must not when it can again.
            log.info("an agreement ended before it held here", process=process.id, reason=str(exc))
            return self._processes.change(
                process.id, lambda known, _received: Change(msgspec.structs.replace(known, kept=True))
            )

    def _close(self, process: Process, reason: str) -> Process:
        """A negotiation that was not final here yet ends with the agreement that it was to become."""

        def decide(known: Process, _received: Callable[[str], bool]) -> Change | None:
            if known.over:
                return None
            by = other(known.role)
            why = f"the {by}: {reason or 'no reason given'}"[:1000]
            return Change(moved(known, states.TERMINATED, ended_by=by, reason=why), silence=True)

        return self._processes.change(process.id, decide)


def _said(state: AgreementState) -> dict[str, Any]:
    return {
        "agreementId": state.id,
        "endedAt": to_text(state.ended_at or 0),
        "reason": [state.end_reason] if state.end_reason else [],
        "endedBy": state.ended_by or model.assigner(state.document),
    }
