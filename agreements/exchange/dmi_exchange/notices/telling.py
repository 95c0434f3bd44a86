"""Finds who received the data of a person that corrects, erases, objects or withdraws, and makes the notices."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from dmi_agreements.changes import Change as LawChange
from dmi_agreements.contracts.law import AgreementState, Correction, Dataset, Participant, SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.dsp import states
from dmi_agreements.rights import ERASURE, KIND, OBJECTION, RECTIFICATION, objected
from dmi_agreements.versions import Rulebooks
from dmi_exchange import model
from dmi_exchange.consent.giving import Consents
from dmi_exchange.dsp.store import Processes
from dmi_exchange.handlers import Exchange
from dmi_exchange.mydata.uses import Used, read_back, uses
from dmi_exchange.notices.aliases import Aliases
from dmi_exchange.notices.corrections import Corrections
from dmi_exchange.notices.model import WITHDRAWAL, Given, Notice, notice_id
from dmi_exchange.notices.store import Notices
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.exercising import LEEWAY, Marks

log = structlog.get_logger("exchange")

CONTRIBUTE: Final = "dmi:contribute"
SETTLE_SECONDS: Final = (3.0, 60.0)
"""After which the log is read once more: what was given a moment before may not have stood in it yet."""
PAUSE_SECONDS: Final = 0.5
AGAIN_SECONDS: Final = 60.0
"""After which is looked again whether corrections are carried out, and for recipients that could not be found."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a person did about its data in one dataset; ``recipients``: whom it concerns, ``None`` for all."""

    id: str
    person: str
    right: str
    dataset: str
    at: Micros
    until: Micros
    state: str = "active"
    purpose: str = ""
    corrections: Sequence[Correction] = ()
    recipients: frozenset[str] | None = None

    def concerns(self, use: Used, rulebooks: Rulebooks) -> bool:
        """Whether who used the data so is to be told."""
        if self.right == OBJECTION and not objected(self.purpose, use.purpose, rulebooks):
            return False
        return self.recipients is None or use.participant in self.recipients


class Telling:
    """A thread that follows the law; what it finds is kept, so that telling goes on after a stop."""

    def __init__(
        self,
        exchange: Exchange,
        processes: Processes,
        notices: Notices,
        marks: Marks,
        aliases: Aliases,
        wake: Callable[[], None],
    ) -> None:
        self._exchange = exchange
        self._consents = Consents(exchange)
        self._corrections = Corrections(exchange, notices)
        self._processes = processes
        self._notices = notices
        self._marks = marks
        self._aliases = aliases
        self._wake = wake
        self._again: list[tuple[float, str]] = []
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telling", daemon=True)

    def listen(self, change: LawChange) -> None:
        """Take note of a change of the law; returns at once."""
        for identifier in (change.id,) if change.kind == KIND and change.changed else change.ended:
            self._queue.put(identifier)

    def start(self) -> None:
        """Begin; what was asked while this node was away comes with the law."""
        self._thread.start()

    def stop(self) -> None:
        """End after the one at hand."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        since: Micros | None = None
        while not self._stopping.is_set():
            identifier = self._next()
            if identifier is None:
                continue
            try:
                # The law is read from its first event: what was told long before is passed over.
                since = self._marks.reached() - LEEWAY if since is None else since
                self.tell(identifier, since)
            except Unavailable as exc:
                log.warning("notices wait", reason=exc.public)
                self._stopping.wait(PAUSE_SECONDS)
                self._queue.put(identifier)
            except Exception as exc:  # the thread must live: the next recipient must be told too
                log.error("recipients could not be found", cause=identifier, exc_info=exc)
                heapq.heappush(self._again, (time.monotonic() + AGAIN_SECONDS, identifier))

    def _next(self) -> str | None:
        due = self._again[0][0] - time.monotonic() if self._again else None
        try:
            return self._queue.get(timeout=None if due is None else max(due, 0.0))
        except queue.Empty:
            return heapq.heappop(self._again)[1]

    def tell(self, identifier: str, since: Micros = 0) -> None:
        """Make the notices of a request or an ended consent from after ``since`` that are not there yet.

        Corrections are forgotten once they are told and carried out, and where the rows are erased.
        """
        for cause in self._causes(identifier, since):
            age = (clock.now() - cause.at) / 1_000_000
            correcting = cause.right == RECTIFICATION
            if correcting and not cause.corrections:
                continue
            if cause.at > since:
                self._tell_now(cause, identifier, age)
            if correcting and age >= SETTLE_SECONDS[-1] and not self._corrections.carried_out(identifier):
                heapq.heappush(self._again, (time.monotonic() + AGAIN_SECONDS, identifier))

    def _tell_now(self, cause: Cause, identifier: str, age: float) -> None:
        if cause.right == ERASURE:
            self._corrections.erased(cause.person, cause.dataset, cause.until)
        later = next((seconds - age for seconds in SETTLE_SECONDS if age < seconds), None)
        if later is not None:
            heapq.heappush(self._again, (time.monotonic() + later, identifier))
        self._tell(cause)
        self._marks.reach(cause.at)

    def _tell(self, cause: Cause) -> None:
        exchange = self._exchange
        entry = exchange.store.get(Dataset, cause.dataset)
        named = {entry.owner} if entry is not None else set()
        given: dict[str, list[Used]] = {}
        for use in uses(read_back(exchange.store.log, cause.person, 0), cause.person, cause.dataset):
            if use.action == CONTRIBUTE:
                named.add(use.participant)
            elif (
                use.participant not in exchange.own_participants
                and cause.concerns(use, exchange.rulebooks)
                and not exchange.represents(use.participant, cause.person)
            ):
                given.setdefault(use.participant, []).append(use)
        for recipient, used in sorted(given.items()):
            self._notice(cause, recipient, used, recipient in named)

    def _notice(self, cause: Cause, recipient: str, used: Sequence[Used], named: bool) -> None:
        """Tell a recipient. Rows name persons to who hands them in alone: the others get a name of their own for it."""
        found = self._exchange.store.get(Participant, recipient)
        if found is None:
            return
        grounds = sorted({ground for use in used for ground in use.grounds})
        theirs = [one for one in grounds if self._between(one, recipient)]
        process = self._negotiation(theirs, recipient) if found.home else ""
        now = clock.now()
        away = bool(found.home)
        made = Notice(
            id=notice_id(cause.id, cause.state, cause.dataset, recipient), cause=cause.id, person=cause.person,
            right=cause.right, dataset=cause.dataset, recipient=recipient, made_at=now, until=cause.until,
            state=cause.state, agreements=theirs, purpose=cause.purpose, corrections=list(cause.corrections),
            process=process, told_at=None if away else now,
            reason="has not been sent yet" if away else "",
            called="" if named or away else self._aliases.of(recipient)(cause.person),
            given=[Given(use.action, use.purpose, use.times, use.first, use.last) for use in used],
        )  # fmt: skip
        if self._notices.add(made, now if away else None) and away:
            self._wake()

    def _between(self, agreement: str, recipient: str) -> bool:
        state = self._exchange.store.get(AgreementState, agreement)
        return state is not None and recipient in model.parties(state)

    def _negotiation(self, agreements: Sequence[str], recipient: str) -> str:
        """By which negotiation the node of a recipient is told; empty when there is none."""
        for agreement in agreements:
            for process in self._processes.under(agreement):
                ours = (process.kind, process.role, process.peer) == ("negotiation", "provider", recipient)
                if ours and process.state == states.FINALIZED:
                    return process.id
        return ""

    def _causes(self, identifier: str, since: Micros) -> Iterator[Cause]:
        request = self._exchange.store.get(SubjectRequest, identifier)
        if request is not None:
            ended = request.ended_at if request.state == "ended" else None
            yield Cause(
                request.id, request.person, request.right, request.dataset, ended or request.made_at,
                request.until, request.state, request.purpose,
                request.corrections,
            )  # fmt: skip
            return
        consent = self._exchange.store.get(AgreementState, identifier)
        if consent is None or consent.state != "ended" or not model.is_consent(consent):
            return
        # Whom a newer one still lets use the data has nothing to stop.
        if consent.replaced_by is not None:
            return
        at = consent.ended_at or 0
        if at <= since:
            # At each start all that ever ended come by: what they were about is read of none of them.
            return
        person = model.assigner(consent.document)
        for claim in self._consents.claims(consent):
            recipients = None if claim.recipients is None else frozenset(claim.recipients)
            for dataset in claim.datasets:
                yield Cause(
                    consent.id, person, WITHDRAWAL, dataset, at, at, "ended", next(iter(claim.roots), ""),
                    recipients=recipients,
                )  # fmt: skip
