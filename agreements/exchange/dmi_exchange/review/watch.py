"""The review goes on while agreements run: what breaks a rule is reported or stopped, as the rulebook says."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Final

import msgspec
import structlog

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import AgreementState, Objection
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.compiled import FOREVER
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.table import LawTable
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.review.case import Facts, Fault
from dmi_exchange.review.claims import Claims
from dmi_exchange.review.reasoner import Reasoner
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.identity import EXCHANGE_PARTICIPANT

log = structlog.get_logger("exchange")

SECOND: Final = 1_000_000
LONGEST_REASON: Final = 500
MOST_OBJECTIONS: Final = 100
"""Told of one agreement; what is wrong with it beyond that shows once these are mended."""
AGAIN_SECONDS: Final = 0.2
"""How soon is looked again while the law is not whole or the store is away."""


class Watch:
    """Reviews running agreements when something that they rest on changes, when they end, and all of them in turns.

    It reads law and rulebook in memory, as gates do: what was heard is there. It judges nothing before ``whole``
    says that all of it was heard.
    """

    def __init__(
        self,
        exchange: Exchange,
        table: LawTable,
        whole: Callable[[], bool],
        seconds: float,
        now: clock.Clock = clock.now,
    ) -> None:
        self._exchange = exchange
        self._table = table
        self._whole = whole
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._waiting: set[tuple[str, str]] = {("all", "")}
        self._wanted = threading.Event()
        self._wanted.set()
        self._claims: dict[str, Claims | None] = {}
        self._next_end = FOREVER
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="review", daemon=True)

    # -- a part of the runtime --------------------------------------------------

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End after the agreement at hand."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join(timeout=5)

    def heard(self, change: Change) -> None:
        """Note a change of the law; called on the feed's thread (see ``LawFeed.listen``)."""
        if change.changed and change.kind != "heartbeat":
            self._note((change.kind, change.id) if change.kind != "rulebook" else ("all", ""))

    # -- parts ------------------------------------------------------------------

    def _note(self, what: tuple[str, str]) -> None:
        with self._lock:
            self._waiting.add(what)
        self._wanted.set()

    def _run(self) -> None:
        rested = self._now()
        while not self._stopping.is_set():
            self._wanted.wait(self._pause(rested))
            self._wanted.clear()
            if self._stopping.is_set():
                return
            if not self._whole():
                self._later(("all", ""))
                continue
            if self._now() - rested >= self._seconds * SECOND or self._next_end < self._now():
                self._note(("all", ""))
                self._wanted.clear()
            with self._lock:
                noted, self._waiting = self._waiting, set()
            if ("all", "") in noted:
                rested = self._now()
            self._guarded(noted)

    def _pause(self, rested: int) -> float:
        """Seconds until the next round of all, or until the next agreement ends if that comes first."""
        due = min(rested + int(self._seconds * SECOND), self._next_end + 1)
        return max(0.0, (due - self._now()) / SECOND)

    def _later(self, what: tuple[str, str]) -> None:
        with self._lock:
            self._waiting.add(what)
        self._stopping.wait(AGAIN_SECONDS)
        self._wanted.set()

    def _guarded(self, noted: set[tuple[str, str]]) -> None:
        try:
            self.round(noted)
        except Unavailable as exc:
            log.warning("the review waits", reason=exc.public)
            self._later(("all", ""))
        except Exception as exc:  # the thread must live: without it nothing would be stopped that has to be
            log.error("the review failed", exc_info=exc)
            self._later(("all", ""))

    def round(self, noted: Iterable[tuple[str, str]]) -> None:
        """Review what these changes touch: kind and id of what changed, or ``("all", "")``."""
        wanted = set(noted)
        everything = ("all", "") in wanted
        if everything:
            self._next_end = FOREVER
        facts = facts_in(self._table)
        reasoner = Reasoner(self._table.rulebooks, facts, self._exchange.layers, self._now)
        for state in self._table.agreements.values():
            if self._stopping.is_set():
                return
            if state.state != "active":
                self._claims.pop(state.id, None)
            elif everything or not wanted.isdisjoint(_touched_by(state)):
                self._judged(reasoner, state)

    def _judged(self, reasoner: Reasoner, state: AgreementState) -> None:
        """Judge one agreement; where that fails it is judged again in the next round of all, and others now."""
        try:
            self._judge(reasoner, state)
        except Unavailable:
            raise  # The others would not be stored either.
        except Exception as exc:  # whoever made it unjudgeable must not keep others from being stopped
            log.error("an agreement could not be judged", agreement=state.id, exc_info=exc)

    def _judge(self, reasoner: Reasoner, state: AgreementState) -> None:
        if state.id not in self._claims:
            try:
                self._claims[state.id] = reasoner.claims(state.document)
            except PolicyRefused:
                self._claims[state.id] = None  # The gate refuses it, and says why.
        claims = self._claims[state.id]
        if claims is None:
            return
        faults = reasoner.running(state, claims)
        book = self._table.rulebook
        fatal = [fault for fault in faults if book.rules[fault.rule].running == "stop"]
        if fatal:
            self._end(state, fatal, book)
            return
        ends = max((claim.ends for claim in claims.permissions), default=FOREVER)
        if ends >= self._now():
            self._next_end = min(self._next_end, ends)
        told = faults[:MOST_OBJECTIONS]
        if {(f.rule, f.path) for f in told} != {(one.rule, one.path) for one in state.objections}:
            self._report(state, told)

    def _end(self, state: AgreementState, faults: Sequence[Fault], book: Rulebook) -> None:
        reason = "; ".join(
            f"{book.rules[f.rule].label['nl']}: {f.detail['nl']} / {book.rules[f.rule].label['en']}: {f.detail['en']}"
            for f in faults
        )

        def decide(known: AgreementState | None) -> AgreementState:
            if known is None or known.state != "active":
                return known or state
            return msgspec.structs.replace(
                known, state="ended", ended_at=self._now(), ended_by=EXCHANGE_PARTICIPANT,
                end_reason=reason[:LONGEST_REASON],
            )  # fmt: skip

        self._exchange.settle(AgreementState, state.id, decide)
        log.info("the review ended an agreement", agreement=state.id, rules=[fault.rule for fault in faults])

    def _report(self, state: AgreementState, faults: Sequence[Fault]) -> None:
        since = {(one.rule, one.path): one.since for one in state.objections}
        now = self._now()
        found = [Objection(f.rule, f.path, since.get((f.rule, f.path), now)) for f in faults]

        def decide(known: AgreementState | None) -> AgreementState:
            if known is None or known.state != "active":
                return known or state
            return msgspec.structs.replace(known, objections=found)

        self._exchange.settle(AgreementState, state.id, decide)
        log.info("the review objects", agreement=state.id, rules=[fault.rule for fault in faults])


def _touched_by(state: AgreementState) -> set[tuple[str, str]]:
    """The changes (kind and id) after which this agreement has to be looked at."""
    giver, taker = model.parties(state)
    datasets = {("dataset", name) for name in model.targets(state.document)}
    return {("agreement", state.id), ("participant", giver), ("participant", taker), *datasets}


def facts_in(table: LawTable) -> Facts:
    """The facts as the law in memory has them; what was taken of the commons is added up once."""
    added = cache(partial(_added_up, table))

    def taken(giver: str, taker: str, but: str) -> Mapping[str, int]:
        worth, given, shares = added()
        own, times = shares.get(but, frozenset()), given.get((giver, taker), Counter())
        return {name: worth[name] for name, count in times.items() if count > (name in own)}

    return Facts(table.datasets.get, table.participants.get, taken)


_Added = tuple[dict[str, int], dict[tuple[str, str], Counter[str]], dict[str, frozenset[str]]]


def _added_up(table: LawTable) -> _Added:
    """What each dataset of the commons is worth (cents a year), by how many agreements each pair of parties has it
    without a price, and which each agreement gives."""
    worth = {one.id: one.commons_cents for one in table.datasets.values() if one.commons_cents}
    given: dict[tuple[str, str], Counter[str]] = {}
    shares: dict[str, frozenset[str]] = {}
    for state in table.agreements.values() if worth else ():
        if state.state == "active" and not model.is_consent(state):
            shares[state.id] = model.given_free(state.document) & worth.keys()
            given.setdefault(model.parties(state), Counter()).update(shares[state.id])
    return worth, given, shares
