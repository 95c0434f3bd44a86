"""Carries out in one layer what persons ask for their data: erases, keeps none of who objects, corrects."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import sqlalchemy as sa
import structlog

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.rights import ALL_ROWS, ERASURE, KIND, OBJECTION, RECTIFICATION, objected
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.gate import Gate
from dmi_infra.sql import load_positions, save_positions, transaction

log = structlog.get_logger("exercising")

REACHED: Final = ("law.subject-requests", 0)
"""Among the positions of a store: when the newest request was made that it has carried out."""
FOLLOWED: Final = "law.subject-requests followed "
"""And, with its id behind this, that a request was carried out with all that follows, as long as it may be repeated."""
LEEWAY: Final[Micros] = 3_600_000_000
"""So much older requests are carried out again at a start: two of them may have come in the other order."""
PAUSE_SECONDS = 0.2
SETTLE_SECONDS = 2.0
"""After which rows are looked for once more: a consumer may have held some in hand that its gate had passed.

As long as it still does, since its store takes time, they are looked for again after as much.
"""
RETRY_SECONDS = 60.0
"""After which a request that failed is tried again, for as long as it takes."""


@dataclass(frozen=True, slots=True)
class _Later:
    """A request to come back to, at a moment of the monotonic clock: to look for more rows, or since it failed."""

    due: float
    request: SubjectRequest
    heard: float = 0.0
    """When the request was carried out: what a consumer took in hand after that, its gate judged by it."""
    failed: bool = False


class Held(Protocol):
    """What a layer holds of persons."""

    def erase(self, dataset: str, person: str, until: Micros) -> int:
        """Delete the person's rows of a dataset up to a moment; returns how many. Repeating it does no harm."""
        ...


class Results(Protocol):
    """What a layer made of the rows of persons."""

    def taking_back(self, request: SubjectRequest) -> Micros:
        """Up to when results of the dataset are to be taken back, 0: none; asked once its rows have gone.

        It is recorded, and then carried out.
        """
        ...

    def take_back(self, request: SubjectRequest, until: Micros) -> None:
        """Take back what was made of the dataset up to a moment at least. Repeating it does no harm."""
        ...


class Marks:
    """Up to which request a store has carried them out, and which; among the positions of its consumer."""

    def __init__(self, engine: sa.Engine, table: sa.Table) -> None:
        self._engine = engine
        self._table = table

    def reached(self) -> Micros:
        """When the newest request was made that was carried out."""
        return load_positions(self._engine, self._table).get(REACHED, 0)

    def reach(self, made_at: Micros) -> None:
        """A request of this moment has been carried out."""
        if made_at > self.reached():
            with transaction(self._engine) as connection:
                save_positions(connection, self._table, {REACHED: made_at})
                t = self._table.c
                over = t.topic.startswith(FOLLOWED), t.next_offset <= made_at - LEEWAY
                connection.execute(sa.delete(self._table).where(*over))

    def followed(self, identifier: str) -> bool:
        """Whether a request was carried out with all that follows; known of those that a start repeats."""
        return (FOLLOWED + identifier, 0) in load_positions(self._engine, self._table)

    def follow(self, request: SubjectRequest) -> None:
        """A request was carried out with all that follows."""
        with transaction(self._engine) as connection:
            save_positions(connection, self._table, {(FOLLOWED + request.id, 0): request.made_at})

    def unfollow(self, identifier: str) -> None:
        """More was found to follow from: a stop before that is done has the next start do it."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(self._table).where(self._table.c.topic == FOLLOWED + identifier))


class Exercising:
    """A thread that follows the law: at once what comes, and at a start what came meanwhile.

    ``keeps_objected``: this layer holds the rows of who objects on (as the restriction of art. 18 allows) and lets
    the gate keep them back; the others, which work for what the dataset is collected for, delete theirs.
    ``results``: what it makes of the rows; ``afterwards`` comes when a request was carried out with all of that.
    ``in_hand``: since when the consumer of this layer carries out what it has, as ``ConsumerLoop.in_hand``.
    """

    def __init__(
        self,
        held: Held,
        marks: Marks,
        gate: Gate,
        keeps_objected: bool = False,
        correct: Callable[[SubjectRequest], int] | None = None,
        results: Results | None = None,
        afterwards: Callable[[], None] = lambda: None,
        in_hand: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._held = held
        self._marks = marks
        self._gate = gate
        self._keeps_objected = keeps_objected
        self._correct = correct
        self._results = results
        self._afterwards = afterwards
        self._in_hand = in_hand
        self._again: list[_Later] = []
        self._failed: dict[str, Micros] = {}
        self._unfollowed: dict[str, int] = {}
        """Requests that not all was done for that follows, with how many rows are not recorded yet."""
        self._newest: Micros = 0
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exercising", daemon=True)

    def listen(self, change: Change) -> None:
        """Take note of a change of the law; returns at once."""
        if change.kind == KIND and change.changed:
            self._queue.put(change.id)

    def start(self) -> None:
        """Begin; until the law is known nothing is done."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request at hand; the rest is found at the next start."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout=5)

    def carry_out(self, request: SubjectRequest) -> int | None:
        """Do what is asked, and record it; the rows that it was done to, ``None`` when this layer has no part in it."""
        heard = time.monotonic()
        rows = self._do(request)
        if rows is not None or request.id in self._unfollowed:
            # What was made since the first time is of what is left: a repeat that finds no rows takes none of it back.
            if rows or request.id in self._unfollowed or not self._marks.followed(request.id):
                self._follow(request, rows or 0)
            if request.right != RECTIFICATION:
                self._again.append(_Later(time.monotonic() + SETTLE_SECONDS, request, heard))
        self._failed.pop(request.id, None)
        self._newest = max(self._newest, request.made_at)
        # The next start finds what failed, since nothing that was carried out after it counts as the newest.
        self._marks.reach(min([self._newest, *(made_at - 1 for made_at in self._failed.values())]))
        return rows

    def _follow(self, request: SubjectRequest, rows: int) -> None:
        """Record what was done and see to what follows; the next try, which finds no rows, goes on where this fails."""
        self._unfollowed[request.id] = rows + self._unfollowed.get(request.id, 0)
        self._marks.unfollow(request.id)
        until = None if self._results is None else self._results.taking_back(request)
        self._gate.exercised(request, self._unfollowed[request.id], until)
        self._unfollowed[request.id] = 0
        if self._results is not None and until is not None:
            self._results.take_back(request, until)
        self._afterwards()
        self._marks.follow(request)
        del self._unfollowed[request.id]

    def _do(self, request: SubjectRequest) -> int | None:
        if request.right == ERASURE:
            return self._held.erase(request.dataset, request.person, request.until)
        if request.right == OBJECTION:
            law = self._gate.law
            known = request.dataset in law.datasets
            ours = known and objected(request.purpose, law.purpose_of(request.dataset), law.rulebooks)
            if self._keeps_objected or not ours or request.state != "active":
                return None
            return self._held.erase(request.dataset, request.person, ALL_ROWS)
        # Without corrections it has been carried out: they are forgotten then.
        if request.right == RECTIFICATION and request.corrections and self._correct is not None:
            return self._correct(request)
        return None

    def _run(self) -> None:
        law, since = self._gate.law, self._since()
        while not self._stopping.is_set():
            request = self._next()
            # The law is read from its first event: what was carried out before is passed over.
            if request is None or request.made_at <= since:
                continue
            while law.stale(clock.now()) is not None or not self._tried(request):
                if self._stopping.wait(PAUSE_SECONDS):
                    return

    def _next(self) -> SubjectRequest | None:
        """The next request, or one whose rows may have come in since, by a message that the gate had passed before."""
        first = min(self._again, key=lambda one: one.due, default=None)
        try:
            identifier = self._queue.get(
                timeout=None if first is None else max(first.due - time.monotonic(), 0)
            )
        except queue.Empty:
            assert first is not None
            self._again.remove(first)
            identifier = first.request.id
            if not first.failed:
                self._swept(first)
            if identifier not in self._failed or not first.failed:
                return None
        return None if identifier is None else self._gate.law.rights.get(identifier)

    def _swept(self, later: _Later) -> None:
        # As it is now: an objection that has ended meanwhile erases nothing more.
        request, since = self._gate.law.rights.get(later.request.id), self._in_hand()
        if request is None:
            return
        if since is not None and since <= later.heard:
            self._again.append(replace(later, due=time.monotonic() + SETTLE_SECONDS))
            return
        try:
            rows = self._do(request) or 0
            if rows or request.id in self._unfollowed:
                self._follow(request, rows)
        except Unavailable as exc:
            log.warning("requests of persons wait", reason=exc.public)
            self._again.append(replace(later, due=time.monotonic() + SETTLE_SECONDS))
        except Exception as exc:
            self._fail(request, exc)

    def _since(self) -> Micros:
        while not self._stopping.is_set():
            try:
                return self._marks.reached() - LEEWAY
            except Unavailable as exc:
                log.warning("requests of persons wait", reason=exc.public)
                time.sleep(PAUSE_SECONDS)
        return 0

    def _tried(self, request: SubjectRequest) -> bool:
        """Whether to go on with the next: it is carried out, or comes later; ``False``: the store is away."""
        try:
            self.carry_out(request)
        except Unavailable as exc:
            log.warning("requests of persons wait", reason=exc.public)
            return False
        except Exception as exc:  # one request that fails must not keep the next from being carried out
            self._fail(request, exc)
        return True

    def _fail(self, request: SubjectRequest, exc: Exception) -> None:
        """Keep a request for a later try, in this process or the next one."""
        log.error("the request of a person failed", request=request.id, exc_info=exc)
        self._failed[request.id] = request.made_at
        self._again.append(_Later(time.monotonic() + RETRY_SECONDS, request, failed=True))
