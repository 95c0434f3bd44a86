"""Carries messages to other nodes until they are acknowledged, and lets this node go on by itself."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
import structlog

from dmi_agreements.dsp import states
from dmi_agreements.dsp.messages import LONGEST_PID
from dmi_exchange.dsp.client import Answer, Client, Unreachable
from dmi_exchange.dsp.process import Outgoing, Process, Waiting, other
from dmi_exchange.dsp.steps import AGREEMENT_END, BEGINNINGS, TERMINATIONS, outgoing
from dmi_exchange.dsp.store import Change, Processes
from dmi_infra import clock
from dmi_infra.errors import Conflict, Failure, NotFound, Unavailable

log = structlog.get_logger("exchange")

IDLE_SECONDS = 0.5
WORKERS = 16
"""That deliver messages."""
STEPPERS = 24
"""That go on with processes, which wait for other answers than those to messages."""
AT_ONCE = 4
"""Messages to one host at a time, so that a node that does not answer keeps none from the others."""
OF_ONE = 8
"""Messages at a time to addresses that one participant chose, however many hosts these name."""
ADVANCES_AT_ONCE = 12
"""Processes with one host with which this node goes on at a time: for some it asks that host, which may not answer."""
QUEUED = 32
"""Messages to one host that wait in memory; with time-outs of seconds well within their lease."""
AT_A_TIME = 64
"""Messages that are read at a time."""
BUSY_WAIT = 300_000
"""Microseconds for which further ones are left in the store."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
"""Seconds between two tries; each wait is twice the one before. A node that is up again hears soon what waited."""
REFUSALS = 3
"""A refusal is final after so many tries: the other side may still be writing what ours came to answer."""
REFUSAL_WAIT = 0.3
REFUSED_WAIT = 3600.0
"""Seconds at most between two tries of what the other side must hear, and refused, or what this node fails to carry."""
KEPT = frozenset({AGREEMENT_END, states.EVENT_FINALIZED})
"""Messages that a node of this project must hear however late, so that an agreement holds in the law of both or of
neither. Its refusals pass: a version of the rulebook, a key, an agreement that is still to be kept."""
LONGEST_PAUSE = 300.0
"""Seconds at most between two tries of a step of this node's own that was refused."""
PASSING = frozenset({408, 425, 429})
"""Answers below 500 that pass by themselves."""


class Behaviour(Protocol):
    """What this node does by itself in a process."""

    def __call__(self, process: Process) -> None:
        """Take the next step, or note why none is taken."""
        ...


class Courier:
    """A thread that finds what is to be done, and workers that do it."""

    def __init__(
        self,
        processes: Processes,
        client: Client,
        give_up_seconds: float,
        known: Callable[[Process], bool],
    ) -> None:
        """``known`` tells whether the other side of a process is a node of this project."""
        self._processes = processes
        self._client = client
        self._give_up = int(give_up_seconds * 1_000_000)
        self._known = known
        self.behave: Behaviour | None = None
        self._refused: Counter[int] = Counter()
        """How often each message that is kept was refused, or failed here, in a row; anew after a restart."""
        self._failed: Counter[str] = Counter()
        """How often this node's own step in a process was refused in a row; anew after a restart."""
        self._advancing: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()
        self._chosen: Counter[str] = Counter()
        self._queued: defaultdict[str, deque[Waiting]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = False
        self._stepping: set[str] = set()
        """Processes that wait for one of ``STEPPERS``, or have it."""
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="dataspace")
        self._steppers = ThreadPoolExecutor(STEPPERS, thread_name_prefix="dataspace-steps")
        self._thread = threading.Thread(target=self._run, name="dataspace", daemon=True)

    def start(self) -> None:
        """Begin, first with what an earlier run left."""
        self._processes.release_all()
        self._processes.advance_all()
        self._wanted.set()
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wanted.set()

    def stop(self) -> None:
        """End; what is not acknowledged waits in the store."""
        self._stopping = True
        self._wanted.set()
        self._thread.join(timeout=2)
        for pool in (self._pool, self._steppers):
            pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def advance(self, identifier: str) -> bool:
        """Let this node go on with a process, when it has something to do there; false where too many do so now."""
        host = host_of(self._processes.get(identifier).address)
        with self._lock:
            full = self._advancing[host] >= ADVANCES_AT_ONCE
            self._advancing[host] += not full
        if full:
            return False
        try:
            if self.behave is not None and self._processes.take_advance(identifier):
                self._go_on(self.behave, identifier)
        finally:
            with self._lock:
                self._advancing[host] -= 1
                if not self._advancing[host]:
                    del self._advancing[host]
        return True

    def _go_on(self, behave: Behaviour, identifier: str) -> None:
        process = self._processes.get(identifier)
        failures = self._failed.pop(identifier, 0)
        try:
            behave(process)
        except Unavailable as exc:
            self._note(process, f"{exc.public}; goes on trying")
            self._processes.advance_later(identifier, clock.now() + 1_000_000)
        except Failure as exc:
            # It may pass: a version of the rulebook that is signed later, a key that comes.
            log.info("a process does not go on by itself", process=identifier, reason=str(exc))
            self._rest(process, failures, str(exc))
        except Exception as exc:  # the others must go on; what failed here is shown at the process
            log.error("a process cannot go on by itself", process=identifier, exc_info=exc)
            self._rest(process, failures, "a fault of this node; it has been logged")

    def _rest(self, process: Process, failures: int, reason: str) -> None:
        """Note why a process does not go on, and try again later and later."""
        self._note(process, reason)
        self._failed[process.id] = failures + 1
        wait = min(FIRST_WAIT * 2 ** min(failures, 20), LONGEST_PAUSE)
        self._processes.advance_later(process.id, clock.now() + int(wait * 1_000_000))

    def _note(self, process: Process, reason: str) -> None:
        def decide(known: Process, _received: Callable[[str], bool]) -> Change | None:
            # A consumer's negotiation that is final may still wait to be kept.
            if (known.over and known.state != states.FINALIZED) or known.steps != process.steps:
                return None
            return Change(msgspec.structs.replace(known, reason=reason[:1000]))

        self._processes.change(process.id, decide)

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait(IDLE_SECONDS)
            self._wanted.clear()
            try:
                self._round()
            except Unavailable as exc:
                log.warning("dataspace waits", reason=str(exc))
            except Exception as exc:  # the thread must live
                log.error("dataspace cannot go on", exc_info=exc)

    def _round(self) -> None:
        for identifier in self._processes.to_advance(clock.now()):
            if identifier not in self._stepping:
                self._stepping.add(identifier)
                self._submit(partial(self._advance_or_wait, identifier), self._steppers)
        claimed = AT_A_TIME
        while claimed == AT_A_TIME and not self._stopping:
            with self._lock:
                hosts = [host for host, waiting in self._queued.items() if len(waiting) >= QUEUED]
                choosers = [chooser for chooser, number in self._chosen.items() if number >= OF_ONE]
            # However many wait for one that is full, those behind them are found.
            messages = self._processes.claim(clock.now(), AT_A_TIME, hosts, choosers)
            claimed = len(messages)
            put_back = [message.id for message in messages if self._stopping or not self._carry(message)]
            if put_back:
                self._processes.release(*put_back, at=clock.now() + BUSY_WAIT)

    def _advance_or_wait(self, identifier: str) -> None:
        try:
            if not self.advance(identifier):
                # Else those that wait for a host would be all that a round finds.
                self._processes.advance_later(identifier, clock.now() + BUSY_WAIT)
        finally:
            self._stepping.discard(identifier)

    def _submit(self, work: Callable[[], None], pool: ThreadPoolExecutor) -> None:
        if not self._stopping:
            pool.submit(self._guarded, work)

    @staticmethod
    def _guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Unavailable as exc:
            log.warning("dataspace waits", reason=str(exc))
        except NotFound:
            pass  # it was removed meanwhile
        except Exception as exc:  # a worker's failure would else be lost with its future
            log.error("a message of the dataspace failed", exc_info=exc)

    def _carry(self, message: Waiting) -> bool:
        """Deliver a message when its host has a place for it; false where too many wait for one already."""
        host = host_of(self._processes.get(message.process).address)
        with self._lock:
            if self._busy[host] >= AT_ONCE:
                room = len(self._queued[host]) < QUEUED
                if room:
                    self._queued[host].append(message)
                return room
            self._busy[host] += 1
        self._submit(lambda: self._deliver_all(host, message), self._pool)
        return True

    def _deliver_all(self, host: str, message: Waiting) -> None:
        """Deliver one message, and those to the same host that queued up behind it."""
        while True:
            if not self._stopping:
                self._guarded(partial(self._deliver_in_turn, message))
            with self._lock:
                queued = self._queued[host]
                if self._stopping or not queued:
                    self._busy[host] -= 1
                    if not self._busy[host]:
                        # Whoever chooses addresses could else fill the memory with names of hosts.
                        del self._busy[host], self._queued[host]
                    break
                message = queued.popleft()
                if len(queued) == QUEUED // 2:
                    self._wanted.set()
        self._wanted.set()

    def _deliver_in_turn(self, message: Waiting) -> None:
        """Deliver a message, unless too many wait already for addresses that the same participant chose."""
        process = self._processes.get(message.process)
        chooser = process.owner if process.role == "consumer" else process.peer
        with self._lock:
            full = self._chosen[chooser] >= OF_ONE
            self._chosen[chooser] += not full
        if full:
            self._processes.release(message.id, at=clock.now() + BUSY_WAIT)
            return
        try:
            self.deliver(message)
        finally:
            with self._lock:
                self._chosen[chooser] -= 1
                if not self._chosen[chooser]:
                    del self._chosen[chooser]

    def deliver(self, message: Waiting) -> None:
        """Try one message, and note what came of it."""
        process = self._processes.get(message.process)
        kept = message.type in KEPT and self._known(process)
        # Forgotten once it is known that this try was no setback: the store may be away in the middle of it.
        setbacks = self._refused.get(message.id, 0)
        try:
            self._try(message, process, kept, setbacks)
        except Unavailable:
            raise
        except NotFound:
            self._refused.pop(message.id, None)
            raise
        except Exception as exc:  # whatever the other side answered: it is shown, and comes to an end
            log.error("a message of the dataspace failed", process=process.id, exc_info=exc)
            reason = "a fault of this node; it has been logged"
            if kept:
                self._seldom(message, reason, setbacks)
            else:
                self._again(message, reason, kept)

    def _try(self, message: Waiting, process: Process, kept: bool, setbacks: int) -> None:
        try:
            answer = self._client.post(process.address, message.path, message.body, process.owner)
        except Unreachable as exc:
            self._again(message, str(exc), kept)
            return
        if answer.well:
            self._acknowledged(message, process, answer)
        elif answer.status >= 500 or answer.status in PASSING:
            self._again(message, f"the other side answered {answer.why}", kept)
        elif kept:
            self._seldom(message, f"the other side refused it: {answer.why}", setbacks)
        elif message.attempts + 1 < REFUSALS:
            at = clock.now() + int(REFUSAL_WAIT * 1_000_000) * (message.attempts + 1)
            self._processes.undelivered(message, at, f"the other side answered {answer.why}")
        else:
            self._end(message, f"the {other(process.role)} refused {message.type}: {answer.why}", "refused")

    def _acknowledged(self, message: Waiting, process: Process, answer: Answer) -> None:
        given = answer.body.get(f"{other(process.role)}Pid")

        def note(known: Process) -> Process:
            # Of what was ended, why it was is shown on.
            open_still = not known.over or known.state == states.FINALIZED
            changes: dict[str, object] = {"reason": ""} if open_still else {}
            if message.path == BEGINNINGS.get(message.type) and known.peer_pid is None:
                changes["peer_pid"] = given
            return msgspec.structs.replace(known, **changes)

        if message.path == BEGINNINGS.get(message.type) and not _is_pid(given):
            self._end(message, f"the {other(process.role)} acknowledged without an id of its own", "refused")
            return
        try:
            after = self._processes.delivered(message, note)
        except Conflict as exc:
            self._end(message, str(exc), "refused")
            return
        self._refused.pop(message.id, None)
        self.advance(after.id)

    def _again(self, message: Waiting, reason: str, kept: bool) -> None:
        if clock.now() - message.made_at > self._give_up and not kept:
            self._end(message, f"given up: {reason}", "unreachable")
            return
        self._later(message, reason, message.attempts, LONGEST_WAIT)
        self._refused.pop(message.id, None)

    def _seldom(self, message: Waiting, reason: str, setbacks: int) -> None:
        """Try again what must be heard, and is held up by more than time, later and later."""
        self._refused[message.id] = setbacks + 1
        self._later(message, reason, setbacks, REFUSED_WAIT)

    def _later(self, message: Waiting, reason: str, before: int, longest: float) -> None:
        wait = min(FIRST_WAIT * 2 ** min(before, 20), longest)
        tries = message.attempts + 1
        text = f"{reason}; tried {tries} time{'s' if tries > 1 else ''}, goes on trying"
        self._processes.undelivered(message, clock.now() + int(wait * 1_000_000), text)

    def _end(self, message: Waiting, reason: str, code: str) -> None:
        """A message that is not taken ends its process, and the other side is told when it knows of it."""

        def decide(known: Process, _received: Callable[[str], bool]) -> Change:
            if known.over or message.type == TERMINATIONS[known.kind]:
                after = msgspec.structs.replace(known, reason=known.reason or reason)
                # What waits behind it may be what the other side must hear.
                return Change(after, self._instead(message, known), acknowledged=message.id)
            after = msgspec.structs.replace(
                known,
                state=states.TERMINATED,
                changed_at=clock.now(),
                reason=reason[:1000],
                ended_by=known.role,
                steps=known.steps + 1,
            )
            if after.peer_pid is None:
                return Change(after, silence=True)
            told = outgoing(after, TERMINATIONS[known.kind], code=code, reason=[reason[:500]])
            return Change(after, told, silence=True)

        self._processes.change(message.process, decide)

    def _instead(self, message: Waiting, process: Process) -> Outgoing | None:
        """What is told where an end of the negotiation is not taken: the other side may have concluded it meanwhile."""
        bound = process.kind == "negotiation" and process.agreement_id and process.state == states.TERMINATED
        if message.type != states.NEGOTIATION_TERMINATION or not bound or not self._known(process):
            return None
        return outgoing(
            process,
            AGREEMENT_END,
            agreementId=process.agreement_id,
            endedAt=clock.to_text(process.changed_at),
            reason=[process.reason] if process.reason else [],
            endedBy=process.owner,
        )


def _is_pid(given: object) -> bool:
    """Whether the other side's id of a process could be kept, and stand in a message."""
    return isinstance(given, str) and 0 < len(given) <= LONGEST_PID and given.isprintable()


def host_of(address: str) -> str:
    """Host and port of an address, whatever its path."""
    return urlsplit(address).netloc.lower()
